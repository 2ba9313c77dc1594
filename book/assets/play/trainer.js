// "Train it yourself": the controls, and the two workers that train with and without the isometry term, in step.

(function () {
  "use strict";

  const BETAS = [0, 0.01, 0.03, 0.1, 0.3, 1, 3, 10], SPEEDS = [10, 30, 100, 300, Infinity];
  const LAYERS = [20, 20, 20, 20, 2], RATE = 1e-3, LAST = 10_000;  // the paper's, as in lil.recipes.rings
  const PER_RING = 100, GRID = 16, SLICE = 1000 / 15;  // points, and milliseconds between two pictures
  const NAMES = ["isometry", "cross-entropy"];  // colours of the two networks: with β, and β = 0

  const Page = playPage(), Plots = playPlots(Page), Toys = playToys();
  const root = document.getElementById("play-trainer"), part = Page.parts(root);
  const sources = [playToys, playNetwork, playIsometry, playTraining, playWorker];
  const text = `${sources.join("\n")}
    const Network = playNetwork();
    playWorker(self, playToys(), Network, playTraining(Network, playIsometry()));`;
  const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const workers = NAMES.map((_, k) => {
    const worker = new Worker(address);
    worker.onmessage = ({ data }) => receive(k, data);
    return worker;
  });

  // The data. Sets in the plane are sheets on which the reader draws; dimensions tells how many coordinates a point has.

  const SETS = {
    rings: { dimensions: 3, make: (random) => Toys.rings(PER_RING, random), curves: [[0, PER_RING], [PER_RING, 2 * PER_RING]] },
    torus: { dimensions: 3, make: (random) => Toys.torus(GRID, random) },
    crescents: { dimensions: 2, make: () => Toys.crescents(20, 5) },
    points: { dimensions: 2, make: () => ({ x: [], labels: [] }) },
  };
  const sheets = {}, changed = Page.once(() => reset());
  const drawing = playPoints(part("plane"), Plots, () => Number(root.querySelector("[name=play-class]:checked").value), changed);
  const chosenSet = () => SETS[part("set").value];

  /** Put a fresh sheet under the pen for a set in the plane. */
  function clear() {
    const { x, labels } = chosenSet().make();
    sheets[part("set").value] = { x: [...x], labels: [...labels] };
  }

  function points() {
    const name = part("set").value;
    if (SETS[name].dimensions === 3) return SETS[name].make(Toys.generator(Number(part("seed").value)));
    if (!sheets[name]) clear();
    drawing.show(sheets[name]);
    return { x: Float64Array.from(sheets[name].x), labels: Int32Array.from(sheets[name].labels) };
  }

  const count = (label) => data.labels.reduce((sum, other) => sum + (other === label), 0);
  const enough = () => Math.min(count(0), count(1)) >= 2;
  const ready = () => Boolean(reports[0] && reports[1]);

  // The two networks take the same number of steps. The next ones are asked for when both have answered.

  let run = 0, running = false, waiting = 0, asked = 1, askedAt = 0, data = null, reports = [], received = [], history = [];
  let begun = null, pace = 0;  // step and time from which the steps a second are counted

  function reset() {
    run++, asked = 1, waiting = 0, reports = [], received = [], history = NAMES.map(() => ({ steps: [], crossEntropy: [], isometry: [] }));
    data = points();
    part("start").disabled = !enough();
    if (!enough()) {
      setRunning(false);
      draw();
      return say();
    }
    const sizes = [chosenSet().dimensions, ...LAYERS], shared = { ...data, sizes, rate: RATE, seed: Number(part("seed").value) };
    waiting = 2;
    workers.forEach((worker, k) => worker.postMessage({ run, start: { ...shared, beta: k ? 0 : BETAS[part("beta").value] } }));
  }

  function receive(k, report) {
    if (report.run !== run) return;  // from before a reset
    data.xDist ??= report.xDist;
    received[k] = report;
    if (--waiting > 0) return;
    reports = received, received = [];  // both at once: what is drawn and said is of one step
    begun ??= { step: report.step, now: performance.now() };
    pace = (1000 * (report.step - begun.step)) / (performance.now() - begun.now);
    reports.forEach(({ step, crossEntropy, isometry }, network) => remember(history[network], step, crossEntropy, isometry));
    if (reports[0].step >= LAST) setRunning(false);
    draw();
    say();
    if (running) ask();
  }

  function ask() {
    const speed = SPEEDS[part("speed").value], slowest = Math.max(...reports.map(({ milliseconds }) => milliseconds));
    asked = speed < Infinity ? Math.max(1, Math.round((speed * SLICE) / 1000)) : Math.ceil(Math.min(1000, 2 * asked, (asked * SLICE) / slowest));
    asked = Math.min(asked, LAST - reports[0].step);
    waiting = 2;
    const rest = speed < Infinity ? askedAt + (1000 * asked) / speed - performance.now() : 0, current = run;
    setTimeout(() => {
      askedAt = performance.now();
      if (run === current) workers.forEach((worker) => worker.postMessage({ steps: asked }));
    }, rest);
  }

  function setRunning(now) {
    running = now, begun = null;
    part("start").textContent = running ? "Pause" : "Start";
  }

  /** Keep at most 1000 points of a line: every other one is dropped when it is full. */
  function remember(line, step, crossEntropy, isometry) {
    line.steps.push(step), line.crossEntropy.push(crossEntropy), line.isometry.push(isometry);
    if (line.steps.length > 1000) for (const key in line) line[key] = line[key].filter((_, k) => k % 2 === 0);
  }

  // What the reader sees and hears

  function draw() {
    if (chosenSet().dimensions === 2) drawing.draw();
    else Plots.cloud(part("data"), angles.data, Plots.centred(data.x), { paint: Plots.byClass(data.labels), curves: chosenSet().curves });
    const paint = Plots.byClass(data.labels), found = ready() ? reports : [];
    NAMES.forEach((name, k) => Plots.cloud(part(name), angles[name], found[k]?.view ?? new Float32Array(), { paint, curves: found[k] && chosenSet().curves }));
    Plots.distances(part("distances"), found.map(({ zDist }, k) => ({ name: NAMES[k], xDist: data.xDist, zDist })).reverse());
    for (const term of ["crossEntropy", "isometry"]) {
      Plots.losses(part(`${term}-line`), NAMES.map((name, k) => ({ name, steps: history[k].steps, values: history[k][term] })).reverse());
    }
  }

  const announce = Page.announcer(part("status"));

  /** Say in words what the pictures show. */
  function say() {
    announce(() => {
      const counts = `${count(0)} blue and ${count(1)} pink points`;
      if (!enough()) return `Draw at least two points of each class: there are ${counts}.`;
      if (!ready()) return `${counts}.`;
      const [{ step }] = reports, beta = BETAS[part("beta").value];
      const counted = (running || step >= LAST) && pace > 0 ? `, ${Page.thousands(Math.round(pace))} steps a second` : "";
      const words = ({ crossEntropy, isometry, correlation, accuracy }) =>
        `cross-entropy ${crossEntropy.toPrecision(2)}, isometry ${isometry.toPrecision(2)}, ` +
        `${Number.isFinite(correlation) ? `correlation of distances ${correlation.toFixed(3)}, ` : ""}accuracy ${Math.round(100 * accuracy)}\u00a0%`;
      return `Step ${Page.thousands(step)}${step >= LAST ? ", the end, as in the paper" : running || waiting > 0 ? "" : ", paused"}${counted}, ${counts}. ` +
        `With β = ${beta}: ${words(reports[0])}. With β = 0: ${words(reports[1])}.`;
    });
  }

  function showValues() {
    const beta = BETAS[part("beta").value], speed = SPEEDS[part("speed").value], flat = chosenSet().dimensions === 2;
    Page.showValues(part, { beta: String(beta), seed: part("seed").value, speed: speed < Infinity ? `${speed} steps a second` : "no limit" });
    part("beta-title").textContent = `Φ with β = ${beta}`;
    part("data").hidden = flat;
    part("plane").hidden = part("pen").hidden = !flat;
  }

  part("start").addEventListener("click", () => {
    const again = reports[0]?.step >= LAST;
    setRunning(!running);
    if (again) reset();
    else if (waiting > 0) return;  // the answer goes on, or says where it paused
    else if (running) ask();
    else say();
  });
  part("reset").addEventListener("click", () => {
    setRunning(false);
    reset();
  });
  part("clear").addEventListener("click", () => {
    clear();
    reset();
  });
  for (const name of ["set", "beta", "seed"]) part(name).addEventListener("input", () => { showValues(); reset(); });
  part("speed").addEventListener("input", () => { begun = null; showValues(); });

  const angles = Object.fromEntries(["data", ...NAMES].map((name) => [name, Plots.turnable(part(name), draw)]));
  root.hidden = false;
  showValues();
  reset();
  Page.watch(root, draw);
})();
