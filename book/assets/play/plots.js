// Drawing on canvases in the colours of the page: clouds of points to turn, points in the plane, and plots with axes.

function playPlots(Page) {
  "use strict";

  const MARGIN = { left: 44, right: 10, top: 8, bottom: 34 };

  /** Return a function that reads a colour of the page's theme, as custom.css names it: colour("ink"). */
  function colours(element) {
    const style = getComputedStyle(element);
    return (name) => style.getPropertyValue(`--play-${name}`).trim();
  }

  /** Clear a canvas at the resolution of the screen and return its context, size and colours. */
  function begin(canvas) {
    const context = canvas.getContext("2d"), ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    canvas.width = width * ratio, canvas.height = height * ratio;
    context.scale(ratio, ratio);
    context.font = "12px system-ui, sans-serif";
    return { context, width, height, colour: colours(canvas) };
  }

  /**
   * Draw points, rows of three numbers, as seen from an angle: the far ones first. paint(colour) returns the function from
   * a point to its colour. curves are pairs [first, end] of points to join in a ring, and halo(point) says which stand out.
   */
  function cloud(canvas, angle, points, { paint, curves = [], halo = () => false, size = 2.4, bar = true }) {
    const { context, width, height, colour } = begin(canvas), n = points.length / 3, paintOf = paint(colour);
    let reach = 1e-9;
    for (let p = 0; p < n; p++) reach = Math.max(reach, Math.hypot(points[3 * p], points[3 * p + 1], points[3 * p + 2]));
    const scale = (Math.min(width, height) / 2 - 12) / reach;
    const cosTurn = Math.cos(angle.turn), sinTurn = Math.sin(angle.turn), cosTilt = Math.cos(angle.tilt), sinTilt = Math.sin(angle.tilt);
    const seen = Array.from({ length: n }, (_, p) => {
      const [a, b, c] = points.subarray(3 * p, 3 * p + 3), along = cosTurn * a + sinTurn * b, depth = cosTurn * b - sinTurn * a;
      return { p, x: width / 2 + scale * along, y: height / 2 - scale * (cosTilt * c + sinTilt * depth), depth: (cosTilt * depth - sinTilt * c) / reach };
    });
    for (const [first, end] of curves) {
      context.strokeStyle = paintOf(first);
      context.globalAlpha = 0.45;
      context.beginPath();
      for (const { x, y } of seen.slice(first, end)) context.lineTo(x, y);
      context.closePath();
      context.stroke();
      context.globalAlpha = 1;
    }
    context.strokeStyle = colour("ink"), context.lineWidth = 1.5;
    for (const { p, x, y, depth } of seen.sort((one, other) => other.depth - one.depth)) {
      context.fillStyle = paintOf(p);
      context.beginPath();
      context.arc(x, y, size * (1 - 0.38 * depth), 0, 2 * Math.PI);
      context.fill();
      if (halo(p)) context.stroke();
    }
    if (bar) scaleBar({ context, width, height, colour }, scale);
  }

  /** Draw a bar at the foot of a canvas with its length: 1, or 0.1 where the canvas is narrower than that. */
  function scaleBar({ context, width, height, colour }, scale) {
    const length = scale < width - 20 ? 1 : 0.1;
    context.fillStyle = colour("ink");
    context.fillRect(10, height - 10, length * scale, 2);
    context.fillText(length, 10, height - 14);
  }

  /** Return points in space, rows of three numbers, around 0. */
  function centred(points) {
    const mean = [0, 0, 0];
    points.forEach((value, k) => (mean[k % 3] += (3 * value) / points.length));
    return points.map((value, k) => value - mean[k % 3]);
  }

  /** Return the painting of two classes in the two colours of the rings. */
  function byClass(labels) {
    return (colour) => {
      const both = [colour("ring-0"), colour("ring-1")];
      return (p) => both[labels[p]];
    };
  }

  /** Return the size of a canvas that shows the plane up to ± reach in both directions, and the pixels of a unit. */
  function planeOf(canvas, reach) {
    const width = canvas.clientWidth, height = canvas.clientHeight;
    return { width, height, scale: Math.min(width, height) / 2 / reach };
  }

  /** Draw points of the plane, pairs of numbers in two classes, with axes through 0 and a cursor if there is one. */
  function plane(canvas, reach, x, labels, cursor) {
    const drawn = begin(canvas), { context, width, height, colour } = drawn, { scale } = planeOf(canvas, reach), paint = byClass(labels)(colour);
    const toX = (value) => width / 2 + scale * value, toY = (value) => height / 2 - scale * value;
    context.fillStyle = colour("faint");
    context.fillRect(0, toY(0), width, 1);
    context.fillRect(toX(0), 0, 1, height);
    labels.forEach((_, p) => {
      context.fillStyle = paint(p);
      context.beginPath();
      context.arc(toX(x[2 * p]), toY(x[2 * p + 1]), 2.8, 0, 2 * Math.PI);
      context.fill();
    });
    scaleBar(drawn, scale);
    if (!cursor) return;
    context.fillRect(toX(cursor[0]) - 8, toY(cursor[1]) - 1, 16, 2);
    context.fillRect(toX(cursor[0]) - 1, toY(cursor[1]) - 8, 2, 16);
  }

  /** Let a canvas be turned by dragging it and by the arrow keys. Return its angle, and call redraw at each change. */
  function turnable(canvas, redraw) {
    const angle = { turn: 0.6, tilt: 0.4 }, keys = { ArrowLeft: [-0.15, 0], ArrowRight: [0.15, 0], ArrowUp: [0, 0.15], ArrowDown: [0, -0.15] };
    const turn = (x, y) => {
      angle.turn += x;
      angle.tilt = Math.max(-1.57, Math.min(1.57, angle.tilt + y));
      redraw();
    };
    canvas.addEventListener("keydown", (event) => {
      if (!keys[event.key]) return;
      event.preventDefault();
      turn(...keys[event.key]);
    });
    canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
    canvas.addEventListener("pointermove", (event) => {
      if (canvas.hasPointerCapture(event.pointerId)) turn(-event.movementX / 90, event.movementY / 90);
    });
    return angle;
  }

  /** Draw the frame of a plot and return it with functions from values to places and back. x and y: {from, to, ticks, label}; y without a label has its name elsewhere. */
  function axes(canvas, x, y) {
    const drawn = begin(canvas), { context, width, height, colour } = drawn;
    const toX = (value) => MARGIN.left + ((value - x.from) / (x.to - x.from)) * (width - MARGIN.left - MARGIN.right);
    const toY = (value) => height - MARGIN.bottom - ((value - y.from) / (y.to - y.from)) * (height - MARGIN.top - MARGIN.bottom);
    context.strokeStyle = colour("faint");
    context.fillStyle = colour("ink");
    context.textAlign = "right";
    for (const [value, text] of y.ticks) {
      context.beginPath();
      context.moveTo(MARGIN.left, toY(value));
      context.lineTo(width - MARGIN.right, toY(value));
      context.stroke();
      context.fillText(text, MARGIN.left - 6, toY(value) + 4);
    }
    context.textAlign = "center";
    for (const [value, text] of x.ticks) context.fillText(text, Math.min(toX(value), width - 18), height - MARGIN.bottom + 15);
    context.fillText(x.label, (width + MARGIN.left - MARGIN.right) / 2, height - 5);
    if (y.label) {
      context.save();
      context.translate(12, (height + MARGIN.top - MARGIN.bottom) / 2);
      context.rotate(-Math.PI / 2);
      context.fillText(y.label, 0, 0);
      context.restore();
    }
    const fromX = (place) => x.from + ((place - MARGIN.left) / (width - MARGIN.left - MARGIN.right)) * (x.to - x.from);
    return { ...drawn, toX, toY, fromX };
  }

  /** Draw a line through points [x, y] of a plot. */
  function stroke({ context, toX, toY }, points, { colour, width = 1.8, dash = [], alpha = 1 }) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.globalAlpha = alpha;
    context.setLineDash(dash);
    context.beginPath();
    for (const [x, y] of points) context.lineTo(toX(x), toY(y));
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  /** Return a power of ten as text: 10⁻², 1, 10. */
  function power(exponent) {
    if (exponent === 0 || exponent === 1) return String(10 ** exponent);
    return `10${String(exponent).replace(/./g, (digit) => ({ "-": "⁻" })[digit] ?? "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit])}`;
  }

  /** Return some five round ticks from 0 to an end, with their texts. */
  function ticks(to) {
    const rough = to / 4, unit = 10 ** Math.floor(Math.log10(rough)), step = [1, 2, 5, 10].find((k) => k * unit >= rough) * unit;
    return Array.from({ length: Math.floor(to / step + 1e-9) + 1 }, (_, k) => [k * step, Page.thousands(k * step)]);
  }

  /** Draw distances in the representation over those in the data. The dashed diagonal is the isometry. */
  function distances(canvas, clouds) {
    let most = 0, right = 1e-3;
    for (const { xDist, zDist } of clouds) {
      for (let p = 0; p < zDist.length; p++) most = Math.max(most, zDist[p]), right = Math.max(right, xDist[p]);
    }
    const top = Math.max(right, most) * 1.05;
    const drawn = axes(canvas, { from: 0, to: right, ticks: ticks(right), label: "d(x), in the data" }, { from: 0, to: top, ticks: ticks(top) });
    const { context, toX, toY, colour } = drawn;
    context.globalAlpha = 0.35;
    for (const { xDist, zDist, name } of clouds) {
      const stride = Math.ceil(zDist.length / 2000);
      context.fillStyle = colour(name);
      for (let p = 0; p < zDist.length; p += stride) context.fillRect(toX(xDist[p]) - 1, toY(zDist[p]) - 1, 2, 2);
    }
    stroke(drawn, [[0, 0], [right, right]], { colour: colour("ink"), width: 1, dash: [5, 4] });
  }

  /** Draw lines over steps on a logarithmic axis from 1e-6 to 10. Each has steps, values and the name of its colour. */
  function losses(canvas, lines) {
    const last = Math.max(100, ...lines.map(({ steps }) => steps.at(-1) ?? 0));
    const decades = [-6, -4, -2, 0].map((exponent) => [exponent, power(exponent)]);
    const drawn = axes(canvas, { from: 0, to: last, ticks: ticks(last).filter((_, k) => k % 2 === 0), label: "step" }, { from: -6.4, to: 1, ticks: decades });
    for (const { steps, values, name } of lines) {
      stroke(drawn, values.map((value, k) => [steps[k], Math.max(-6.4, Math.log10(value))]), { colour: drawn.colour(name) });
    }
  }

  return { begin, cloud, centred, byClass, planeOf, plane, turnable, axes, stroke, power, distances, losses };
}
