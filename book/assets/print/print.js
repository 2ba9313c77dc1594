// Makes the book as one page ready for paper: title page and table of contents before it, every fold open, every movable
// figure a picture, links within the book to the right place. lil/paper/pdf.py calls it in the browser that prints.
async ({ title, author, lines }) => {
  const article = document.querySelector("article.bd-article");
  await window.MathJax?.startup?.promise;

  // What needs scripts shows what it has for readers without them.
  for (const without of article.querySelectorAll("noscript")) {
    const text = document.createElement("div");
    text.innerHTML = without.textContent;
    without.replaceWith(text);
  }
  article.querySelectorAll(".play, script:not([type='application/json'])").forEach((each) => each.remove());

  // The data of a movable figure stand in its script element, or in the element itself once figures.js has drawn it.
  for (const holder of article.querySelectorAll("div.plotly-figure")) {
    const content = holder.querySelector("script");
    const figure = content === null ? holder : JSON.parse(content.textContent), image = new Image();
    const { sliders, updatemenus, ...layout } = figure.layout;
    image.src = await Plotly.toImage({ data: figure.data, layout }, { format: "png", width: 900, height: layout.height ?? 480, scale: 2 });
    image.alt = holder.getAttribute("aria-label");
    await image.decode();
    const picture = document.createElement("div");
    picture.append(image);
    holder.replaceWith(picture);
  }

  article.querySelectorAll("details").forEach((fold) => { fold.open = true; });
  article.querySelectorAll("img[loading]").forEach((image) => { image.loading = "eager"; });
  await Promise.all([...article.querySelectorAll("img")].map((image) => image.decode().catch(() => null)));

  // A table does not scroll on paper, so its long words (paths, settings, names of tests) may break after their signs.
  const texts = document.createTreeWalker(article, NodeFilter.SHOW_TEXT), long = [];
  while (texts.nextNode()) {
    if (texts.currentNode.parentElement.closest("td, th") && /\S{16}/.test(texts.currentNode.data)) long.push(texts.currentNode);
  }
  for (const text of long) {
    text.replaceWith(...text.data.split(/(?<=[_/:.,=;])/).flatMap((part) => [part, document.createElement("wbr")]));
  }

  // Links of the single page name its file, which is not beside the PDF.
  for (const link of article.querySelectorAll("a[href*='#']")) {
    if (link.pathname === location.pathname) link.setAttribute("href", link.hash);
  }

  // A chapter begins where Sphinx has put a page, and the first page at the top.
  const chapters = [article, ...article.querySelectorAll("span[id^='document-'] + section")].map((page) => page.querySelector("h1, h2"));
  chapters.forEach((heading, k) => {
    heading.id = `chapter-${k}`;
    heading.classList.add("print-chapter");
  });

  const element = (name, properties, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };
  const words = (heading) => {
    const copy = heading.cloneNode(true);
    copy.querySelectorAll(".headerlink").forEach((each) => each.remove());
    return copy.textContent.trim();
  };

  const front = element("section", { className: "print-front" },
    element("h1", {}, title), element("p", {}, author), ...lines.map((line) => element("p", {}, line)));
  const contents = element("nav", { className: "print-contents" }, element("h2", {}, "Contents"));
  for (const heading of chapters) {
    contents.append(element("p", {}, element("a", { href: `#${heading.id}` }, words(heading)), element("span", { className: "print-page" })));
  }
  document.documentElement.dataset.theme = "light";
  document.body.replaceChildren(front, contents, article);
  return [...article.querySelectorAll("img")].filter((image) => !image.naturalWidth).map((image) => image.getAttribute("src"));
}
