// "Train it yourself": the controls, and the two workers that train with and without the isometry term, in step.

(function () {
  "use strict";

  const BETAS = [0, 0.01, 0.03, 0.1, 0.3, 1, 3, 10], SPEEDS = [10, 30, 100, 300, Infinity];
  const SIZES = [3, 20, 20, 20, 20, 2], RATE = 1e-3, LAST = 10_000;  // the paper's, as in lil.recipes.rings
  const PER_RING = 100, SLICE = 1000 / 15;  // points, and milliseconds between two pictures
  const NAMES = ["isometry", "cross-entropy"];  // colours of the two networks: with β, and β = 0

  const Plots = playPlots(), root = document.getElementById("play-trainer"), part = (name) => root.querySelector(`[data-part="${name}"]`);
  const sources = [playRings, playNetwork, playIsometry, playTraining, playWorker];
  const text = `${sources.join("\n")}
    const Network = playNetwork();
    playWorker(self, playRings(), Network, playTraining(Network, playIsometry()));`;
  const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const workers = NAMES.map((_, k) => {
    const worker = new Worker(address);
    worker.onmessage = ({ data }) => receive(k, data);
    return worker;
  });

  let run = 0, running = false, waiting = 0, asked = 1, askedAt = 0, data = null, reports = [], history = [];

  // The two networks take the same number of steps. The next ones are asked for when both have answered.

  function reset() {
    run++, asked = 1, waiting = 2, reports = [], history = NAMES.map(() => ({ steps: [], crossEntropy: [], isometry: [] }));
    const shared = { sizes: SIZES, perRing: PER_RING, rate: RATE, seed: Number(part("seed").value) };
    workers.forEach((worker, k) => worker.postMessage({ run, start: { ...shared, beta: k ? 0 : BETAS[part("beta").value] } }));
  }

  function receive(k, report) {
    if (report.run !== run) return;  // from before a reset
    if (report.x) data = { x: report.x, xDist: report.xDist };
    reports[k] = report;
    if (--waiting > 0) return;
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
    running = now;
    part("start").textContent = running ? "Pause" : "Start";
  }

  /** Keep at most 1000 points of a line: every other one is dropped when it is full. */
  function remember(line, step, crossEntropy, isometry) {
    line.steps.push(step), line.crossEntropy.push(crossEntropy), line.isometry.push(isometry);
    if (line.steps.length > 1000) for (const key in line) line[key] = line[key].filter((_, k) => k % 2 === 0);
  }

  // What the reader sees and hears

  function draw() {
    if (reports.length < 2) return;
    Plots.cloud(part("data"), angles.data, data.x);
    NAMES.forEach((name, k) => Plots.cloud(part(name), angles[name], reports[k].view));
    Plots.distances(part("distances"), NAMES.map((name, k) => ({ name, xDist: data.xDist, zDist: reports[k].zDist })).reverse());
    for (const term of ["crossEntropy", "isometry"]) {
      Plots.losses(part(`${term}-line`), NAMES.map((name, k) => ({ name, steps: history[k].steps, values: history[k][term] })).reverse());
    }
  }

  const announce = Plots.announcer(part("status"));

  /** Say in words what the pictures show. */
  function say() {
    announce(() => {
      const [{ step }] = reports, beta = BETAS[part("beta").value];
      const words = ({ crossEntropy, isometry, correlation, accuracy }) =>
        `cross-entropy ${crossEntropy.toPrecision(2)}, isometry ${isometry.toPrecision(2)}, correlation of distances ${correlation.toFixed(3)}, accuracy ${Math.round(100 * accuracy)} %`;
      return `Step ${Plots.thousands(step)}${step >= LAST ? ", the end, as in the paper" : running ? "" : ", paused"}. ` +
        `With β = ${beta}: ${words(reports[0])}. With β = 0: ${words(reports[1])}.`;
    });
  }

  function showValues() {
    const beta = BETAS[part("beta").value], speed = SPEEDS[part("speed").value];
    const texts = { beta: String(beta), seed: part("seed").value, speed: speed < Infinity ? `${speed} steps a second` : "no limit" };
    for (const [name, text] of Object.entries(texts)) {
      part(`${name}-value`).textContent = text;
      part(name).setAttribute("aria-valuetext", text);
    }
    part("beta-title").textContent = `Φ with β = ${beta}`;
  }

  part("start").addEventListener("click", () => {
    const again = reports[0]?.step >= LAST;
    setRunning(!running);
    if (again) reset();
    else if (running && waiting === 0) ask();
    else say();
  });
  part("reset").addEventListener("click", () => {
    setRunning(false);
    reset();
  });
  for (const name of ["beta", "seed"]) part(name).addEventListener("input", () => { showValues(); reset(); });
  part("speed").addEventListener("input", showValues);

  const angles = Object.fromEntries(["data", ...NAMES].map((name) => [name, Plots.turnable(part(name), draw)]));
  root.hidden = false;
  showValues();
  reset();
  Plots.watch(root, draw);
})();
