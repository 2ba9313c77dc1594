// Draws the book's plotly figures: each one when the reader comes near it, all of them before printing.
// A figure brings its own light page, as the static ones do, so its colours mean the same in both themes;
// custom.css dims it in the dark one. A classic script, so that it runs from file:// too.
(function () {
  "use strict";

  const holders = Array.from(document.querySelectorAll("div.plotly-figure"));

  function draw(holder) {
    const content = holder.querySelector("script");
    if (!content) return;                       // drawn before
    const figure = JSON.parse(content.textContent);
    holder.replaceChildren();
    figure.config = { responsive: true, displaylogo: false };
    Plotly.newPlot(holder, figure).then(() => { holder.dataset.drawn = "true"; });
  }

  const near = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((entry) => entry.isIntersecting)) {
      near.unobserve(entry.target);
      draw(entry.target);
    }
  }, { rootMargin: "600px" });

  holders.forEach((holder) => near.observe(holder));
  window.addEventListener("beforeprint", () => holders.forEach(draw));
})();
