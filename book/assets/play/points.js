// Points in the plane that the reader draws, in two classes: with mouse or finger, or with a cursor and the keys.

/**
 * Let points be drawn on a canvas. chosen() returns the class of a new point, and changed() is called after each change.
 * Return {show, draw}: show(sheet) brings up another sheet, an object of x (pairs of coordinates) and labels, both plain
 * arrays that grow in place; draw() draws it.
 */
function playPoints(canvas, Plots, chosen, changed) {
  "use strict";

  const REACH = 1.2, MOST = 400, APART = 0.07, STEP = 0.05;  // half the canvas, points, between points of one stroke, a key
  const keys = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const within = (value) => Math.max(-REACH, Math.min(REACH, value));
  let sheet, cursor = [0, 0], last = null;

  function add([x, y]) {
    if (sheet.labels.length >= MOST) return;
    sheet.x.push(x, y);
    sheet.labels.push(chosen());
    draw();
    changed();
  }

  function removeLast() {
    sheet.x.splice(-2);
    sheet.labels.pop();
    draw();
    changed();
  }

  function place(event) {
    const { scale, width, height } = Plots.planeOf(canvas, REACH);
    return [within((event.offsetX - width / 2) / scale), within((height / 2 - event.offsetY) / scale)];
  }

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    add(last = place(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    const here = place(event);
    if (Math.hypot(here[0] - last[0], here[1] - last[1]) >= APART) add(last = here);
  });
  canvas.addEventListener("keydown", (event) => {
    if (keys[event.key]) cursor = cursor.map((value, k) => within(value + STEP * keys[event.key][k]));
    else if (event.key === " " || event.key === "Enter") add(cursor);
    else if (event.key === "Backspace") removeLast();
    else return;
    event.preventDefault();
    draw();
  });
  for (const event of ["focus", "blur"]) canvas.addEventListener(event, () => sheet && draw());

  function draw() {
    Plots.plane(canvas, REACH, sheet.x, sheet.labels, canvas.matches(":focus-visible") ? cursor : null);
  }

  return { show: (other) => (sheet = other), draw };
}
