// Drawing on canvases in the colours of the page: clouds of points to turn, scatter plots, and lines over steps.

function playPlots() {
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

  /** Draw two closed curves of points, rows of three numbers, as seen from an angle. The bar has the length 1. */
  function cloud(canvas, angle, points) {
    const { context, width, height, colour } = begin(canvas), n = points.length / 3;
    let reach = 1e-9;
    for (let p = 0; p < n; p++) reach = Math.max(reach, Math.hypot(points[3 * p], points[3 * p + 1], points[3 * p + 2]));
    const scale = (Math.min(width, height) / 2 - 12) / reach;
    const cosTurn = Math.cos(angle.turn), sinTurn = Math.sin(angle.turn), cosTilt = Math.cos(angle.tilt), sinTilt = Math.sin(angle.tilt);
    const seen = Array.from({ length: n }, (_, p) => {
      const [a, b, c] = points.subarray(3 * p, 3 * p + 3), along = cosTurn * a + sinTurn * b, depth = cosTurn * b - sinTurn * a;
      return [width / 2 + scale * along, height / 2 - scale * (cosTilt * c + sinTilt * depth), (cosTilt * depth - sinTilt * c) / reach];
    });
    for (let ring = 0; ring < 2; ring++) {
      const own = seen.slice((ring * n) / 2, ((ring + 1) * n) / 2);
      context.strokeStyle = context.fillStyle = colour(`ring-${ring}`);
      context.globalAlpha = 0.45;
      context.beginPath();
      for (const [x, y] of own) context.lineTo(x, y);
      context.closePath();
      context.stroke();
      context.globalAlpha = 1;
      for (const [x, y, depth] of own) {
        context.beginPath();
        context.arc(x, y, 2.4 - 0.9 * depth, 0, 2 * Math.PI);
        context.fill();
      }
    }
    context.fillStyle = colour("ink");
    context.fillRect(10, height - 10, scale, 2);
    context.fillText("1", 10 + scale / 2 - 3, height - 14);
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

  /** Draw the frame of a plot and return it with functions from values to places. x and y: {from, to, ticks, label}. */
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
    return { ...drawn, toX, toY };
  }

  /** Return a number as the book writes it: 10 000. */
  function thousands(value) {
    return value.toLocaleString("en").replaceAll(",", "\u202f");
  }

  /** Return some five round ticks from 0 to an end, with their texts. */
  function ticks(to) {
    const rough = to / 4, power = 10 ** Math.floor(Math.log10(rough)), step = [1, 2, 5, 10].find((k) => k * power >= rough) * power;
    return Array.from({ length: Math.floor(to / step + 1e-9) + 1 }, (_, k) => [k * step, thousands(k * step)]);
  }

  /** Draw distances in the representation over those in the data. The dashed diagonal is the isometry. */
  function distances(canvas, clouds) {
    let most = 0, right = 0;
    for (const { xDist, zDist } of clouds) {
      for (let p = 0; p < zDist.length; p++) most = Math.max(most, zDist[p]), right = Math.max(right, xDist[p]);
    }
    const top = Math.max(right, most) * 1.05;
    const { context, toX, toY, colour } = axes(canvas, { from: 0, to: right, ticks: ticks(right), label: "d(x), in the data" }, { from: 0, to: top, ticks: ticks(top) });
    context.globalAlpha = 0.35;
    for (const { xDist, zDist, name } of clouds) {
      context.fillStyle = colour(name);
      for (let p = 0; p < zDist.length; p += 5) context.fillRect(toX(xDist[p]) - 1, toY(zDist[p]) - 1, 2, 2);
    }
    context.globalAlpha = 1;
    context.strokeStyle = colour("ink");
    context.setLineDash([5, 4]);
    context.beginPath();
    context.moveTo(toX(0), toY(0));
    context.lineTo(toX(right), toY(right));
    context.stroke();
  }

  /** Draw lines over steps on a logarithmic axis from 1e-6 to 10. Each has steps, values and the name of its colour. */
  function losses(canvas, lines) {
    const last = Math.max(100, ...lines.map(({ steps }) => steps.at(-1) ?? 0));
    const decades = ["10⁻⁶", "10⁻⁴", "10⁻²", "1"].map((text, k) => [2 * k - 6, text]);
    const { context, toX, toY, colour } = axes(canvas, { from: 0, to: last, ticks: ticks(last).filter((_, k) => k % 2 === 0), label: "step" }, { from: -6.4, to: 1, ticks: decades });
    context.lineWidth = 1.8;
    for (const { steps, values, name } of lines) {
      context.strokeStyle = colour(name);
      context.beginPath();
      values.forEach((value, k) => context.lineTo(toX(steps[k]), toY(Math.max(-6.4, Math.log10(value)))));
      context.stroke();
    }
  }

  /** Return a function that writes the text of a function into an element, at most once a second. */
  function announcer(element) {
    let timer = null, last = -Infinity, text;
    return (latest) => {
      text = latest;
      timer ??= setTimeout(() => {
        timer = null, last = performance.now();
        element.textContent = text();
      }, Math.max(0, last + 1000 - performance.now()));
    };
  }

  /** Call redraw now and then whenever the theme or the size of an element changes. */
  function watch(element, redraw) {
    new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    new ResizeObserver(redraw).observe(element);
  }

  return { begin, thousands, cloud, turnable, distances, losses, announcer, watch };
}
