// "Turn the torus": the stacks of Figure 4 as recorded, on the torus and in the layouts of their representations.

(function () {
  "use strict";

  const { cuts, levels, seeds, angles, tangents, distances } = playStacks, MEASURES = 6, CIRCLE = 2 * Math.PI;
  const HEAT = ["#ffffcc", "#ffeda0", "#fed976", "#feb24c", "#fd8d3c", "#fc4e2a", "#e31a1c", "#bd0026", "#800026"];  // YlOrRd
  const CALM = -2, TORN = 0;  // log10 of the distortions at both ends of HEAT
  const Page = playPage(), Plots = playPlots(Page), root = document.getElementById("play-torus"), part = Page.parts(root);
  const stored = (name, Kind) => Page.decoded(playStacks[name], Kind);
  const coordinates = stored("points", Uint16Array), layouts = stored("layouts", Int16Array), heats = stored("heat", Uint8Array);
  const gradients = stored("gradient", Float32Array), distortions = stored("distortion", Float32Array), measures = stored("measures", Float32Array);
  const perCut = coordinates.length / cuts.length, n = perCut / 3, perAngle = n / angles;

  /** Return row number k of an array of rows. */
  const row = (array, k, width) => array.subarray(k * width, (k + 1) * width);

  /** Return what the reader has chosen, as positions and values. */
  function choice() {
    const [cut, level, seed, angle] = ["cut", "level", "seed", "angle"].map((name) => Number(part(name).value));
    const colour = part("colour").value, classes = levels[level], stack = (cut * levels.length + level) * seeds.length + seed;
    return { cut, level, seed, angle, colour, classes, stack, ring: cuts[cut] === "ring" };
  }

  const placed = (whole) => Plots.centred(Float32Array.from(whole));
  const labelOf = (point, classes) => Math.floor((point * classes) / n);
  const degrees = (angle) => Math.round((360 * angle) / angles);

  /** Return the distance of an angle's points from the nearest cut of a level, in steps of the grid. Cuts lie half a step before. */
  function fromCut(angle, classes) {
    const width = angles / classes, beyond = (angle + 0.5) % width;
    return Math.min(beyond, width - beyond);
  }

  /** Return the recorded median distortion at an angle: the distance of the stretch along a tangent from 1. */
  function distortion({ level, seed, classes }, tangent, angle) {
    const stack = (level * seeds.length + seed) * tangents.length + tangents.indexOf(tangent);
    return row(distortions, stack, distances.length)[distances.indexOf(fromCut(angle, classes))];
  }

  /** Return a colour of HEAT for a share from 0 to 1. */
  const hot = (share) => HEAT[Math.round(Math.max(0, Math.min(1, share)) * (HEAT.length - 1))];

  /** Return the function from the theme's colours to the function from a point to its colour. */
  function paint(chosen) {
    const { colour, classes, stack } = chosen;
    if (colour === "saliency") return () => (point) => hot(heats[stack * n + point] / 255);
    if (colour !== "classes") {
      const byAngle = Array.from({ length: angles }, (_, angle) => hot((Math.log10(distortion(chosen, colour, angle)) - CALM) / (TORN - CALM)));
      return () => (point) => byAngle[Math.floor(point / perAngle)];
    }
    return (read) => {
      const colours = Array.from({ length: classes }, (_, k) => read(`class-${k}`));
      return (point) => colours[labelOf(point, classes)];
    };
  }

  function draw() {
    const chosen = choice(), { cut, level, seed, angle, stack, ring } = chosen;
    const halo = (point) => Math.floor(point / perAngle) === angle;
    const look = { paint: paint(chosen), halo, size: 2.6, bar: false };
    Plots.cloud(part("torus"), turned.torus, placed(row(coordinates, cut, perCut)), look);
    part("layout").hidden = !ring;
    part("no-layout").hidden = ring;
    if (ring) Plots.cloud(part("layout"), turned.layout, placed(row(layouts, level * seeds.length + seed, perCut)), look);
    profile(chosen, row(gradients, stack, angles));
  }

  /** Draw the gradient's median norm along the angle, or the distortion where that colours the torus. */
  function profile(chosen, gradient) {
    const { colour, classes, angle } = chosen, stretch = tangents.includes(colour);
    const values = Array.from({ length: angles }, (_, k) => Math.log10(stretch ? distortion(chosen, colour, k) : gradient[k]));
    const from = Math.floor(Math.min(...values)), to = Math.ceil(Math.max(...values)), step = to - from > 4 ? 2 : 1;
    const powers = Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, k) => from + k * step);
    const drawn = Plots.axes(part("profile"), { from: -0.5, to: angles - 0.5, ticks: [0, 90, 180, 270].map((at) => [(at * angles) / 360, `${at}°`]), label: "angle" },
      { from, to, ticks: powers.map((exponent) => [exponent, Plots.power(exponent)]) });
    const vertical = (at, look) => Plots.stroke(drawn, [[at, from], [at, to]], look);
    for (let k = 0; k < classes; k++) vertical((k * angles) / classes - 0.5, { colour: drawn.colour("ink"), width: 1, dash: [5, 4] });
    vertical(angle, { colour: drawn.colour("cross-entropy") });
    Plots.stroke(drawn, values.map((value, k) => [k, value]), { colour: drawn.colour("ring-0") });
  }

  const announce = Page.announcer(part("status"));
  const short = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(2));

  /** Say the record's numbers of the chosen stack and angle. */
  function say() {
    const chosen = choice(), { seed, angle, classes, stack, ring } = chosen;
    const [accuracy, correlation, low, median, high, contrast] = row(measures, stack, MEASURES);
    const at = `${degrees(angle)}°`, gradient = row(gradients, stack, angles)[angle];
    const stretch = ring ? ` The stretch there is off 1 by ${short(distortion(chosen, "across", angle))} across the cuts and by ${short(distortion(chosen, "along", angle))} along them.` : "";
    announce(() => `${classes} classes, seed ${seeds[seed]}: accuracy ${accuracy.toFixed(3)}, correlation of distances within a class ${correlation.toFixed(3)}, ` +
      `d(Φ)/d(x) ${low.toFixed(2)} to ${high.toFixed(2)} for 90 % of the pairs with a median of ${median.toFixed(2)}, gradient at the cuts ${contrast.toFixed(1)} times that elsewhere. ` +
      `At ${at}, in class ${labelOf(angle * perAngle, classes)}, the gradient's median norm is ${short(gradient)}.${stretch}`);
  }

  const SCALES = {
    classes: null,
    saliency: ["0", "largest twentieth"],
    across: ["0.01 and less", "1 and more"],
    along: ["0.01 and less", "1 and more"],
  };

  function show() {
    const { angle, seed, colour, ring } = choice();
    if (!ring && tangents.includes(colour)) {
      part("colour").value = "saliency";
      return show();
    }
    for (const option of part("colour").options) option.disabled = !ring && tangents.includes(option.value);
    Page.showValues(part, { angle: `${degrees(angle)}°`, seed: String(seeds[seed]) });
    const scale = SCALES[colour];
    part("scale").hidden = !scale;
    if (scale) [part("least").textContent, part("most").textContent] = scale;
    part("profile-title").textContent = tangents.includes(colour) ? "Stretch, off by" : "Gradient's norm, median";
    part("bar").style.background = `linear-gradient(to right, ${HEAT.join(", ")})`;
    draw();
    say();
  }

  const turned = Object.fromEntries(["torus", "layout"].map((name) => [name, Plots.turnable(part(name), draw)]));
  Object.assign(turned.torus, { turn: 0.5, tilt: 0.9 });
  part("seed").max = seeds.length - 1, part("angle").max = angles - 1;
  for (const name of ["cut", "level", "seed", "angle", "colour"]) part(name).addEventListener("input", Page.once(show));
  root.hidden = false;
  show();
  Page.watch(root, draw);
})();
