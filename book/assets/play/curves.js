// "Figure 3 by hand": the recorded accuracies under attack, two curves to compare, and ε to drag.

(function () {
  "use strict";

  const { betas, epsilons, objectives } = playRobustness, UNIT = 1e-4, NO_INTERVAL = -(2 ** 15), CHANCE = 0.1;
  const PLACES = epsilons.length + 1, CURVES = objectives.length * betas.length;  // place 0 is no attack
  const ATTACKS = { total: "the paper's attack", classification: "the attack along the cross-entropy" };
  const Page = playPage(), Plots = playPlots(Page), root = document.getElementById("play-curves"), part = Page.parts(root);

  // The stored arrays go record by record: each record's part is cut off here.

  const whole = ["accuracy", "means", "differences"].map((name) => Page.decoded(playRobustness[name], Int16Array));
  const pairs = (CURVES * (CURVES - 1)) / 2, start = [0, 0, 0];
  const records = playRobustness.seeds.map((seeds) => {
    const sizes = [CURVES * PLACES * seeds, CURVES * PLACES * 3, pairs * PLACES * 3];
    const [accuracy, means, differences] = whole.map((array, k) => array.subarray(start[k], (start[k] += sizes[k])));
    return { seeds, accuracy, means, differences };
  });

  const number = (stored) => (stored === NO_INTERVAL ? NaN : stored * UNIT);
  const interval = (array, row, place) => Array.from(array.subarray(3 * (row * PLACES + place), 3 * (row * PLACES + place) + 3), number);

  /** Return mean, low and high of one curve at a place. */
  const meanAt = ({ means }, curve, place) => interval(means, curve, place);

  /** Return mean, low and high of the first curve minus the second, seed by seed. The record has each pair in one order. */
  function differenceAt({ differences }, one, other, place) {
    if (one === other) return [0, 0, 0];
    if (one > other) {
      const [mean, low, high] = differenceAt({ differences }, other, one, place);
      return [-mean, -high, -low];
    }
    const before = one * CURVES - (one * (one + 1)) / 2;  // pairs whose first curve comes before
    return interval(differences, before + other - one - 1, place);
  }

  /** Return what the reader has chosen. A and B are {curve, beta, objective}. */
  function choice() {
    const [A, B] = ["a", "b"].map((side) => {
      const beta = Number(part(`beta-${side}`).value), objective = Number(part(`attack-${side}`).value);
      return { beta, objective, curve: objective * betas.length + beta };
    });
    return { record: records[part("networks").value], place: Number(part("epsilon").value), A, B };
  }

  // The picture. A step of the axis is one of the record's ε, and round numbers stand between them.

  const perDecade = (epsilons.length - 1) / Math.log10(epsilons.at(-1) / epsilons[0]);
  const placeOf = (epsilon) => 1 + perDecade * Math.log10(epsilon / epsilons[0]);
  const X = { from: -0.4, to: PLACES - 0.6, ticks: [[0, "0"], ...[0.01, 0.03, 0.1, 0.3, 1].map((epsilon) => [placeOf(epsilon), String(epsilon)])], label: "ε, the size of the attack" };
  const Y = { from: -0.02, to: 1.02, ticks: [0, 0.2, 0.4, 0.6, 0.8, 1].map((value) => [value, String(value)]), label: "accuracy" };
  const dashOf = (objective) => (objectives[objective] === "total" ? [] : [6, 4]);

  let drawn = null;

  function draw() {
    const { record, place, A, B } = choice(), everywhere = Array.from({ length: PLACES }, (_, k) => k);
    drawn = Plots.axes(part("picture"), X, Y);
    const { context, toX, toY, colour } = drawn, colourOf = ({ beta }) => colour(`beta-${beta}`);
    Plots.stroke(drawn, [[X.from, CHANCE], [X.to, CHANCE]], { colour: colour("ink"), width: 1, dash: [2, 4] });
    for (let curve = 0; curve < CURVES; curve++) {
      const look = { colour: colour(`beta-${curve % betas.length}`), width: 1.2, alpha: 0.5, dash: dashOf(Math.floor(curve / betas.length)) };
      Plots.stroke(drawn, everywhere.map((k) => [k, meanAt(record, curve, k)[0]]), look);
    }
    Plots.stroke(drawn, [[place, Y.from], [place, Y.to]], { colour: colour("ink"), width: 1 });
    for (const one of [B, A]) {
      for (let seed = 0; seed < record.seeds; seed++) {
        const values = everywhere.map((k) => [k, number(record.accuracy[(one.curve * PLACES + k) * record.seeds + seed])]);
        Plots.stroke(drawn, values, { colour: colourOf(one), width: 0.8, alpha: 0.5 });
      }
      Plots.stroke(drawn, everywhere.map((k) => [k, meanAt(record, one.curve, k)[0]]), { colour: colourOf(one), width: 3, dash: dashOf(one.objective) });
    }
    [A, B].forEach((one, k) => {
      const [mean, low, high] = meanAt(record, one.curve, place);
      Plots.stroke(drawn, [[place, low], [place, high]], { colour: colour("ink"), width: 3 });
      context.fillStyle = colour("ink");
      context.beginPath();
      context.arc(toX(place), toY(mean), 5, 0, 2 * Math.PI);
      context.fill();
      context.font = "bold 15px system-ui, sans-serif";
      context.fillText("AB"[k], toX(place) + (k ? -14 : 14) * (place === PLACES - 1 ? Math.sign(k - 0.5) : 1), toY(mean) + 5);
    });
  }

  // The numbers

  const signed = (value) => (value >= 0.00005 ? "+" : value <= -0.00005 ? "−" : "") + Math.abs(value).toFixed(3);
  const range = (low, high, written) => (Number.isNaN(low) ? "none: one seed" : `${written(low)} to ${written(high)}`);
  const plain = (value) => value.toFixed(3).replace("-", "−");
  const epsilonText = (place) => (place === 0 ? "no attack" : epsilons[place - 1].toFixed(3));
  const announce = Page.announcer(part("status"));

  /** Write the table and say it in words. */
  function tell() {
    const { record, place, A, B } = choice(), difference = differenceAt(record, A.curve, B.curve, place);
    const rows = [A, B].map((one, k) => {
      const [mean, low, high] = meanAt(record, one.curve, place);
      const attack = place === 0 ? "no attack" : ATTACKS[objectives[one.objective]];
      return { name: "AB"[k], words: `β = ${betas[one.beta]} under ${attack}`, mean: plain(mean), range: range(low, high, plain) };
    });
    const [mean, low, high] = difference;
    part("rows").replaceChildren(
      ...rows.map((each) => Page.row([each.name, each.words, each.mean, each.range])),
      Page.row(["A − B", "seed by seed", signed(mean), range(low, high, signed)]));
    const verdict = A.curve === B.curve ? "A and B are the same" : Number.isNaN(low) ? "one seed has no interval" : low > 0 || high < 0 ? "the interval leaves out 0" : "the interval contains 0";
    const seeds = record.seeds === 1 ? "one seed" : `${record.seeds} seeds`;
    announce(() => `${place === 0 ? "No attack" : `ε = ${epsilonText(place)}`}, ${seeds}. ` +
      rows.map((each) => `${each.name}, ${each.words}: ${each.mean}${record.seeds > 1 ? ` (${each.range})` : ""}. `).join("") +
      `A − B: ${signed(mean)}${record.seeds > 1 ? ` (${range(low, high, signed)})` : ""}, ${verdict}.`);
  }

  function show() {
    const { place, A, B } = choice();
    Page.showValues(part, { "beta-a": String(betas[A.beta]), "beta-b": String(betas[B.beta]), epsilon: epsilonText(place) });
    draw();
    tell();
  }

  /** Let the vertical line be dragged to the nearest ε. */
  function follow(event) {
    const place = Math.max(0, Math.min(PLACES - 1, Math.round(drawn.fromX(event.offsetX))));
    if (place === Number(part("epsilon").value)) return;
    part("epsilon").value = place;
    show();
  }

  part("picture").addEventListener("pointerdown", (event) => {
    part("picture").setPointerCapture(event.pointerId);
    follow(event);
  });
  part("picture").addEventListener("pointermove", (event) => part("picture").hasPointerCapture(event.pointerId) && follow(event));
  for (const name of ["networks", "epsilon", "beta-a", "attack-a", "beta-b", "attack-b"]) part(name).addEventListener("input", Page.once(show));
  root.hidden = false;
  show();
  Page.watch(root, draw);
})();
