// The data of "Train it yourself" and a small random generator (lil.datasets.toy in JavaScript).
//
// Each file of this folder defines one function that returns its tools, or one constant, or fills a part of a page. A page
// loads the files as classic scripts, and a worker is made of the text of these functions, so that both also run from file://.

function playToys() {
  "use strict";

  /** Return a function that draws numbers in [0, 1) from a seed: Mulberry32. Other draws than torch makes of that seed. */
  function generator(seed) {
    let state = seed >>> 0;
    return () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    };
  }

  /**
   * Return two linked rings: circles of radius 1 in perpendicular planes, each through the other's centre.
   * Points of one ring follow each other around it, ring 0 comes first. x holds rows of three coordinates.
   */
  function rings(perRing, random) {
    const x = new Float64Array(2 * perRing * 3), labels = new Int32Array(2 * perRing);
    for (let ring = 0; ring < 2; ring++) {
      const angles = Float64Array.from({ length: perRing }, () => 2 * Math.PI * random()).sort();
      angles.forEach((angle, k) => {
        const point = ring * perRing + k;
        labels[point] = ring;
        x[3 * point] = Math.cos(angle) + (ring ? 0.5 : -0.5);
        x[3 * point + 1 + ring] = Math.sin(angle);
      });
    }
    return { x, labels };
  }

  /** Return two interlocking crescents in the plane, as meshes of along × across points. The second is minus the first. */
  function crescents(along, across, radius = 0.5, width = 0.15) {
    const n = along * across, x = new Float64Array(2 * n * 2), labels = new Int32Array(2 * n).fill(1, n);
    for (let point = 0; point < n; point++) {
      const angle = (Math.PI * (Math.floor(point / across) + 0.5)) / along;
      const arc = radius + width * (((point % across) + 0.5) / across - 0.5);
      x[2 * point] = arc * Math.cos(angle) - radius / 2;
      x[2 * point + 1] = arc * Math.sin(angle) - radius / 4;
    }
    for (let k = 0; k < 2 * n; k++) x[2 * n + k] = -x[k];
    return { x, labels };
  }

  /**
   * Return the torus of Figure 4, grid² points, with the two classes of its first level: halves of the angle around the
   * hole. noise is the standard deviation of a coordinate's normal error. All coordinates are then scaled to [0, 1].
   */
  function torus(grid, random, noise = 1e-3, major = 0.67, minor = 0.33) {
    const n = grid * grid, x = new Float64Array(3 * n), labels = new Int32Array(n).fill(1, n / 2);
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    for (let point = 0; point < n; point++) {
      const ring = (2 * Math.PI * Math.floor(point / grid)) / grid, tube = (2 * Math.PI * (point % grid)) / grid;
      const fromAxis = major + minor * Math.cos(tube);
      x.set([fromAxis * Math.cos(ring), fromAxis * Math.sin(ring), minor * Math.sin(tube)], 3 * point);
    }
    for (let k = 0; k < x.length; k++) x[k] += noise * normal();
    const least = x.reduce((a, b) => Math.min(a, b)), most = x.reduce((a, b) => Math.max(a, b));
    return { x: x.map((value) => (value - least) / (most - least)), labels };
  }

  return { generator, rings, crescents, torus };
}
