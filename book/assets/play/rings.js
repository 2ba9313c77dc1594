// The data of "Train it yourself": two linked rings and a small random generator (lil.datasets.toy.rings in JavaScript).
//
// Each file of this folder defines one function that returns its tools. A page loads the files as classic scripts, and
// a worker is made of the text of these functions, so that both also run from file://.

function playRings() {
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

  return { generator, rings };
}
