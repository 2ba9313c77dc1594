// What the pages to play with share besides drawing: their parts, words that are read aloud, and stored arrays.

function playPage() {
  "use strict";

  /** Return the numbers of a text in base64 as an array of a kind. */
  function decoded(text, Kind) {
    return new Kind(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
  }

  /** Return a function that finds the parts of an element by their names. */
  function parts(root) {
    return (name) => root.querySelector(`[data-part="${name}"]`);
  }

  /** Write the value of each slider beside it, and where a screen reader finds it. */
  function showValues(part, texts) {
    for (const [name, text] of Object.entries(texts)) {
      part(`${name}-value`).textContent = text;
      part(name).setAttribute("aria-valuetext", text);
    }
  }

  /** Return a table row of texts. The first is its head. */
  function row(texts) {
    const line = document.createElement("tr");
    texts.forEach((text, k) => {
      const cell = Object.assign(document.createElement(k ? "td" : "th"), { textContent: text });
      if (k === 0) cell.scope = "row";
      line.append(cell);
    });
    return line;
  }

  /** Return a number as the book writes it: 10 000. */
  function thousands(value) {
    return value.toLocaleString("en").replaceAll(",", "\u202f");
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

  /** Return a function that calls update before the next picture, once however often it is called until then. */
  function once(update) {
    let waiting = 0;
    return () => {
      waiting ||= requestAnimationFrame(() => {
        waiting = 0;
        update();
      });
    };
  }

  /** Call redraw now and then whenever the theme or the size of an element changes. */
  function watch(element, redraw) {
    new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    new ResizeObserver(redraw).observe(element);
  }

  return { decoded, parts, showValues, row, thousands, announcer, once, watch };
}
