"""The book in a real browser, from its folder, light and dark: whole, open to everyone, and nothing from outside."""

import shutil
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from lil.paper import pdf
from lil.paper.ledger import CLAIMS

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None,
        reason="no Chromium is installed, so the book is not looked at in a browser: "
        "install one (Debian: apt-get install chromium) and run the tests again.",
    ),
]


@pytest.fixture(scope="module")
def tab():
    """One for all pages: what their scripts compile to stays."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS) as chromium:
        yield chromium.new_page()


def pages_of(html: Path) -> list[Path]:
    """Every page but index.html, which only leads to the first one."""
    return [
        path
        for path in sorted(html.glob("**/*.html"))
        if path.relative_to(html).parts[0] not in ("_static", "_sources", "index.html")
    ]


LOOKS = (("light", 1360), ("light", 420), ("dark", 1360), ("dark", 420))  # theme and width

# This rule, for speech control, is off by default. Without preload no style sheet is asked for.
AXE = """() => axe.run(document, {
    resultTypes: ["violations"], preload: false, rules: { "label-content-name-mismatch": { enabled: true } },
}).then(({ violations }) => violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}, ${nodes.length} times: ${nodes[0].html}`))"""


# After a change of size or colours: no transition is left, and the theme, 300 ms later, has found all that scrolls.
SETTLED = """async () => {
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    await Promise.allSettled(document.getAnimations().map(({ finished }) => finished));
    window.dispatchEvent(new Event("resize"));
    await new Promise(done => setTimeout(done, 350));
}"""


def look(page, theme: str, width: int) -> None:
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": width, "height": 900})


def visit(page, path: Path) -> dict:
    """Open a page, read it to its end, and count what is wrong with it: all zero or empty on a page that is whole."""
    errors, outside = [], []
    listeners = {
        "pageerror": lambda error: errors.append(str(error)),
        "console": lambda message: errors.append(message.text) if message.type == "error" else None,
        "request": lambda request: (
            None if request.url.startswith(("file:", "data:", "blob:")) else outside.append(request.url)
        ),
    }
    for event, listener in listeners.items():
        page.on(event, listener)
    look(page, *LOOKS[0])
    page.goto(path.as_uri(), wait_until="load")
    page.evaluate("window.MathJax?.startup?.promise")
    for figure in page.locator("div.plotly-figure").all():
        figure.scroll_into_view_if_needed()
        figure.and_(page.locator("[data-drawn=true]")).wait_for(timeout=30_000)
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate("""() => ({
        rawMath: document.querySelectorAll('.math:not(:has(mjx-container))').length,
        mathErrors: document.querySelectorAll('mjx-merror').length,
    })""")
    for theme, width in LOOKS:
        look(page, theme, width)
        page.evaluate(SETTLED)
        seen = page.evaluate("""() => ({
            theme: document.documentElement.dataset.theme,
            brokenImages: [...document.images].filter(image => image.complete && !image.naturalWidth).length,
            undrawn: [...document.querySelectorAll('div.plotly-figure')]
                .filter(div => !div.querySelector('.main-svg')).length,
            sideways: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        })""")
        found[f"not {theme}"] = seen.pop("theme") != theme
        found[f"barriers, {theme} at {width}"] = page.evaluate(AXE)
        found |= {f"{what}, {theme} at {width}": count for what, count in seen.items()}
    for event, listener in listeners.items():
        page.remove_listener(event, listener)
    return found | {"errors": errors, "outside": outside}


def test_every_page_is_whole_and_asks_for_nothing_outside(html, tab):
    pages = pages_of(html)
    assert len(pages) > 3
    problems = {
        path.relative_to(html).as_posix(): {what: found for what, found in visit(tab, path).items() if found}
        for path in pages
    }
    assert {page: found for page, found in problems.items() if found} == {}


def test_the_first_page_is_read_in_a_minute_or_two(html, tab):
    tab.goto((html / "intro.html").as_uri())
    text = tab.locator("article.bd-article").inner_text()
    if not tab.locator(f"a[href$='{pdf.NAME}']").count():
        text += "the whole book as a PDF,"  # stands there once the PDF is made
    words = text.split()
    assert 300 < len(words) <= 500, f"{len(words)} words: the first page has at most 500"


def test_the_ledger_fits_one_window(html, tab):
    tab.set_viewport_size({"width": 1440, "height": 900})
    tab.goto((html / "claims.html").as_uri())
    ledger = tab.locator("table.table").first
    assert ledger.locator("tbody tr").count() == len(CLAIMS)
    box = ledger.bounding_box()
    assert box["y"] + box["height"] <= 900
    assert ledger.evaluate("table => parseFloat(getComputedStyle(table).fontSize)") > 12.5


def test_the_theme_follows_the_reader(html, tab):
    background = {}
    for theme in ("light", "dark"):
        look(tab, theme, 1360)
        tab.goto((html / "intro.html").as_uri())
        assert tab.evaluate("document.documentElement.dataset.theme") == theme
        background[theme] = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background["light"] != background["dark"]


def test_one_press_of_a_key_shows_all_code(html, tab):
    """Code that prepares the page is not seen before, and nothing of it stands between title and figure."""
    tab.goto((html / "nb" / "fig2_rings.html").as_uri())
    folds, code = tab.locator("div.cell details.hide"), tab.locator("div.cell_input")
    button = tab.get_by_role("button", name="Show all code")
    assert button.get_attribute("aria-expanded") == "false"
    assert not any(each.is_visible() for each in code.all())
    assert not any(each.is_visible() for each in tab.locator(".tag_with-all-code summary").all())
    button.focus()
    tab.keyboard.press("Enter")
    button = tab.get_by_role("button", name="Hide all code")
    assert button.get_attribute("aria-expanded") == "true"
    assert code.count() == folds.count() > 10 and all(each.is_visible() for each in code.all())
    button.click()
    assert not any(each.is_visible() for each in code.all())
