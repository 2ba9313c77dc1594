// "Attack it yourself": the six recorded MNIST networks under an attack on an image of the reader's choice.

(function () {
  "use strict";

  const SIDE = 28, CLASSES = 10, EPSILONS = Array.from({ length: 10 }, (_, k) => 10 ** (-2 + (2 * k) / 9));
  const Page = playPage(), Toys = playToys(), Network = playNetwork(), Attack = playAttack(Network, playIsometry(), Page), Plots = playPlots();
  const root = document.getElementById("play-bench"), part = Page.parts(root);
  const { betas, labels, recorded } = playNetworks, networks = Attack.networks(playNetworks);
  const pixels = Float64Array.from(Page.decoded(playNetworks.images, Uint8Array), (byte) => byte / 255);
  const imageAt = (k) => pixels.slice(k * SIDE ** 2, (k + 1) * SIDE ** 2);
  const mates = { images: pixels.slice(recorded * SIDE ** 2), labels: labels.slice(recorded) };

  const announce = Page.announcer(part("bench-status"));

  let image = imageAt(0), epsilon, found;

  const changed = Page.once(update);

  /** Attack the image with every network, and show it all. */
  function update() {
    const kind = part("kind").value, label = Number(part("label").value), steps = Number(part("steps").value);
    epsilon = EPSILONS[part("epsilon").value];
    found = networks.map((network, k) => {
      const random = Toys.generator(0), settings = { kind, network, beta: betas[k], image, label, mates, epsilon, steps, random };
      const attacked = Attack.attack(settings);
      return { attacked, before: Attack.probabilities(network, image), after: Attack.probabilities(network, attacked) };
    });
    part("steps").disabled = kind !== "pgd";
    Page.showValues(part, { beta: betas[part("beta").value], epsilon: epsilon.toFixed(3), steps });
    draw();
    say(label);
  }

  const winner = (shares) => shares.indexOf(Math.max(...shares));

  function say(label) {
    const k = Number(part("beta").value), { before, after } = found[k], [was, is] = [winner(before), winner(after)];
    const percent = (share) => `${(100 * share).toFixed(0)} %`;
    const outcome = was !== label ? "wrong before the attack" : is !== label ? "the attack succeeds" : "the attack fails";
    const text = `β = ${betas[k]}, ε = ${epsilon.toFixed(3)}: the image is taken for ${was} (${percent(before[was])}), ` +
      `the attacked image for ${is} (${percent(after[is])}): ${outcome}.`;
    announce(() => text);
    part("rows").replaceChildren(...found.map((one, k) => {
      const line = Page.row([betas[k], winner(one.before), winner(one.after)]);
      line.children[1].classList.toggle("play-wrong", winner(one.before) !== label);
      line.children[2].classList.toggle("play-wrong", winner(one.after) !== label);
      return line;
    }));
  }

  // The pictures

  function draw() {
    if (!found) return;
    const { attacked, before, after } = found[part("beta").value];
    squares(part("image"), image, grey);
    squares(part("attacked"), attacked, grey);
    const colour = Plots.begin(part("change")).colour, up = colour("cross-entropy"), down = colour("ring-0"), none = colour("page");
    squares(part("change"), attacked.map((value, k) => value - image[k]), (value) => (value === 0 ? none : value > 0 ? up : down));
    bars(part("bars"), before, after);
    if (document.activeElement === part("image")) cursor();
  }

  const grey = (value) => `rgb(${255 * value} ${255 * value} ${255 * value})`;

  function squares(canvas, values, fill) {
    const { context, width, height } = Plots.begin(canvas), edge = (place, side) => Math.floor((place * side) / SIDE);
    values.forEach((value, k) => {
      const column = k % SIDE, row = Math.floor(k / SIDE), x = edge(column, width), y = edge(row, height);
      context.fillStyle = fill(value);
      context.fillRect(x, y, edge(column + 1, width) - x, edge(row + 1, height) - y);
    });
  }

  function bars(canvas, before, after) {
    const { context, width, height, colour } = Plots.begin(canvas), row = height / CLASSES;
    for (let label = 0; label < CLASSES; label++) {
      context.fillStyle = colour("ink");
      context.fillText(label, 2, row * (label + 0.5) + 4);
      context.fillStyle = colour("grey");
      context.fillRect(16, row * (label + 0.12), (width - 18) * before[label] + 1, row * 0.36);
      context.fillStyle = colour("cross-entropy");
      context.fillRect(16, row * (label + 0.5), (width - 18) * after[label] + 1, row * 0.36);
    }
  }

  // Choosing and drawing an image

  function choose(k) {
    image = imageAt(k);
    part("label").value = labels[k];
    changed();
  }

  labels.forEach((label, k) => {
    const button = document.createElement("button"), canvas = document.createElement("canvas");
    button.type = "button";
    button.setAttribute("aria-label", `${k < recorded ? "MNIST's" : "scikit-learn's"} ${label}`);
    button.addEventListener("click", () => choose(k));
    button.append(canvas);
    part("gallery").append(button);
  });

  function gallery() {
    part("gallery").querySelectorAll("canvas").forEach((canvas, k) => squares(canvas, imageAt(k), grey));
  }

  const pen = { column: 14, row: 14, down: false };

  /** Put ink under the pen: white, with a soft edge. The network's own answer becomes the class. */
  function ink() {
    image = image.map((value, k) => Math.max(value, Math.min(1, 1.7 - Math.hypot((k % SIDE) + 0.5 - pen.column, Math.floor(k / SIDE) + 0.5 - pen.row))));
    part("label").value = winner(Attack.probabilities(networks[part("beta").value], image));
    changed();
  }

  function cursor() {
    const canvas = part("image"), size = canvas.clientWidth / SIDE, context = canvas.getContext("2d");
    context.strokeStyle = pen.down ? "#f08a3c" : "#56b4e9";
    context.lineWidth = 2;
    context.strokeRect((pen.column - 1) * size, (pen.row - 1) * size, 2 * size, 2 * size);
  }

  function drawable(canvas) {
    const keys = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const follow = (event) => {
      pen.column = (event.offsetX / canvas.clientWidth) * SIDE, pen.row = (event.offsetY / canvas.clientHeight) * SIDE;
      ink();
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      follow(event);
    });
    canvas.addEventListener("pointermove", (event) => canvas.hasPointerCapture(event.pointerId) && follow(event));
    canvas.addEventListener("keydown", (event) => {
      if (event.key === " ") pen.down = !pen.down;
      else if (keys[event.key]) pen.column = clamp(pen.column + keys[event.key][0]), pen.row = clamp(pen.row + keys[event.key][1]);
      else return;
      event.preventDefault();
      if (pen.down) ink();
      else draw();
    });
    for (const event of ["focus", "blur"]) canvas.addEventListener(event, draw);
  }

  const clamp = (place) => Math.max(1, Math.min(SIDE - 1, place));

  for (const name of ["beta", "epsilon", "kind", "steps", "label"]) part(name).addEventListener("input", changed);
  part("clear").addEventListener("click", () => {
    image = new Float64Array(SIDE ** 2);
    changed();
  });
  drawable(part("image"));
  root.hidden = false;
  choose(0);
  gallery();
  Page.watch(root, () => { draw(); gallery(); });
})();
