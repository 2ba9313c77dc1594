// What scrolls can be scrolled by keyboard. The theme looks for it when the window changes, and a fold that opens changes it too.
document.addEventListener("toggle", () => window.dispatchEvent(new Event("resize")), true);

// A button in the head of each notebook's page that opens all code at once, and closes it again.
// Code that only prepares the page (the tag "with-all-code") is not shown before. A classic script, so that it runs from
// file:// too; without scripts each piece of code opens by itself.
(function () {
  "use strict";

  const folds = document.querySelectorAll("div.cell details.hide");
  const place = document.querySelector(".article-header-buttons");
  if (!folds.length || !place) return;

  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn-sm all-code";

  function show(all) {
    document.documentElement.classList.toggle("folded-code", !all);
    folds.forEach((fold) => { fold.open = all; });
    button.setAttribute("aria-expanded", String(all));
    button.textContent = all ? "Hide all code" : "Show all code";
  }

  button.addEventListener("click", () => show(button.getAttribute("aria-expanded") === "false"));
  show(false);
  place.prepend(button);
})();
