// Draws the book's plotly figures: each one when the reader comes near it, all of them before printing. On a dark page
// they get its colours for page, ink and grid, as lil/paper/vector.py gives them to still figures, and on a narrow one
// their scenes stand below one another. A still figure that is wider than the page scrolls by itself, by keys too.
// A classic script, so that it runs from file:// too.
(function () {
  "use strict";

  const root = document.documentElement, narrow = window.matchMedia("(max-width: 719px)");
  const holders = Array.from(document.querySelectorAll("div.plotly-figure"));
  const originals = new Map();                  // template and layout of each figure that is drawn
  const stills = document.querySelectorAll("div.still-figure");

  function inTheme(template, holder) {
    const colours = root.dataset.theme === "dark" ? JSON.parse(holder.dataset.dark) : {};
    return JSON.parse(JSON.stringify(template).replace(/#[0-9a-f]{6}/g, (colour) => colours[colour] ?? colour));
  }

  // Places for the scenes, and for their titles, which are the figure's first annotations.
  function places(layout) {
    const scenes = Object.keys(layout).filter((name) => name.startsWith("scene")).sort();
    const count = scenes.length, change = {};
    scenes.forEach((name, k) => {
      const top = 1 - k / count, height = 0.88 / count;
      change[`${name}.domain`] = narrow.matches ? { x: [0, 1], y: [top - 1 / count, top - 1 / count + height] } : { ...layout[name].domain };
      change[`annotations[${k}].x`] = narrow.matches ? 0.5 : layout.annotations[k].x;
      change[`annotations[${k}].y`] = narrow.matches ? top : layout.annotations[k].y;
    });
    const height = (layout.height ?? 480) * (narrow.matches && count > 1 ? 0.72 * count : 1);
    return { ...change, height };
  }

  function adapt(holder) {
    const { template, ...layout } = originals.get(holder), change = places(layout);
    holder.style.height = `${change.height}px`;
    return Plotly.relayout(holder, { template: inTheme(template, holder), ...change });
  }

  function draw(holder) {
    const content = holder.querySelector("script");
    if (!content) return;                       // drawn before
    const figure = JSON.parse(content.textContent);
    holder.replaceChildren();
    figure.config = { responsive: true, displaylogo: false };
    originals.set(holder, structuredClone(figure.layout));
    Plotly.newPlot(holder, figure).then(() => adapt(holder)).then(() => { holder.dataset.drawn = "true"; });
  }

  const near = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((entry) => entry.isIntersecting)) {
      near.unobserve(entry.target);
      draw(entry.target);
    }
  }, { rootMargin: "600px" });

  function adaptAll() {
    holders.filter((holder) => holder.dataset.drawn).forEach(adapt);
  }

  function reach() {
    for (const still of stills) {
      const scrolls = still.scrollWidth > still.clientWidth;
      if (scrolls) Object.entries({ tabindex: "0", role: "group", "aria-label": "A figure wider than the page: it scrolls sideways" })
        .forEach(([name, value]) => still.setAttribute(name, value));
      else ["tabindex", "role", "aria-label"].forEach((name) => still.removeAttribute(name));
    }
  }

  holders.forEach((holder) => near.observe(holder));
  new MutationObserver(adaptAll).observe(root, { attributeFilter: ["data-theme"] });
  narrow.addEventListener("change", adaptAll);
  window.addEventListener("beforeprint", () => holders.forEach(draw));
  new ResizeObserver(reach).observe(document.body);
  reach();
})();
