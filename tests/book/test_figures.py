"""The figures of the built book in a browser: in the colours of the page, wide and narrow."""

import itertools

import pytest
from test_browser import CHROMIUM, look, tab  # noqa: F401

from lil.paper import vector

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed.")]

STILLS = """() => [...document.querySelectorAll("div.still-figure")].map((still) => {
    const shown = [...still.querySelectorAll("img")].filter((image) => image.offsetWidth);
    const wide = still.scrollWidth > still.clientWidth, name = still.getAttribute("aria-label");
    return {
        shown: shown.map((image) => image.className).join(),
        pixels: Math.min(...shown.map((image) => image.naturalWidth)),
        wide, name, stop: still.getAttribute("tabindex"),
    };
})"""


def opened(tab, html, name, theme, width):  # noqa: F811
    """Open a page and look at each of its figures."""
    look(tab, theme, width)
    tab.goto((html / "nb" / f"{name}.html").as_uri())
    for figure in tab.locator("figure").all():
        figure.scroll_into_view_if_needed()
    tab.wait_for_function(
        """() => [...document.querySelectorAll("div.plotly-figure")].every((each) => each.dataset.drawn)"""
    )
    tab.wait_for_function("""() => [...document.images].every((image) => image.complete || !image.offsetWidth)""")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_still_figure_is_shown_once_in_the_colours_of_the_page(html, tab, theme):  # noqa: F811
    asked = []

    def note(request):
        asked.append(request.url)

    reader = tab.context.browser.new_context(color_scheme=theme, viewport={"width": 1360, "height": 900})  # a new one
    page = reader.new_page()
    page.on("request", note)
    page.goto((html / "nb" / "fig4_torus.html").as_uri())
    for figure in page.locator("figure").all():
        figure.scroll_into_view_if_needed()
    page.wait_for_function("""() => [...document.images].every((image) => image.complete || !image.offsetWidth)""")
    found = page.evaluate(STILLS)
    reader.close()
    assert len(found) == 4
    assert {still["shown"] for still in found} == {f"only-{theme}"} and min(still["pixels"] for still in found) > 300
    pictures = [url for url in asked if "/_images/" in url]
    assert len(pictures) == 4 and all(("/dark/" in url) == (theme == "dark") for url in pictures)


def test_the_picture_of_the_first_page_has_its_colours_too(html, tab):  # noqa: F811
    for theme in ("light", "dark"):
        opened(tab, html, "../intro", theme, 1360)
        (picture,) = tab.evaluate(STILLS)
        assert picture["shown"] == f"only-{theme}" and picture["pixels"] > 300


def test_the_dark_figures_have_the_colour_of_the_dark_page(html, tab):  # noqa: F811
    opened(tab, html, "fig2_rings", "dark", 1360)
    red, green, blue = (int(vector.DARK[vector.PAGE][at : at + 2], 16) for at in (1, 3, 5))
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == f"rgb({red}, {green}, {blue})"


MOVING = """() => { const figure = document.querySelector("div.plotly-figure")._fullLayout; return {
    page: figure.paper_bgcolor, ink: figure.font.color, grid: figure.scene.xaxis.gridcolor,
    camera: figure.scene.camera.eye.x, seed: figure.sliders[0].active,
}; }"""


def test_a_movable_figure_follows_the_theme_and_stays_as_the_reader_has_turned_it(html, tab):  # noqa: F811
    opened(tab, html, "fig2_rings", "light", 1360)
    light = dict(page=vector.PAGE, ink=vector.INK, grid=vector.FAINT)
    assert tab.evaluate(MOVING).items() >= light.items()
    tab.evaluate("""() => Plotly.relayout(document.querySelector("div.plotly-figure"),
        { "scene.camera.eye.x": 0.25, "sliders[0].active": 2 })""")
    for theme, colours in (("dark", {name: vector.DARK[colour] for name, colour in light.items()}), ("light", light)):
        tab.evaluate(f"""() => {{ document.documentElement.dataset.theme = "{theme}"; }}""")
        tab.wait_for_function(
            f"""() => document.querySelector("div.plotly-figure")._fullLayout.font.color === "{colours["ink"]}" """
        )
        assert tab.evaluate(MOVING) == colours | {"camera": 0.25, "seed": 2}


def test_on_a_phone_a_wide_figure_scrolls_and_the_page_does_not(html, tab):  # noqa: F811
    for width, scrolls in ((390, True), (1360, False)):
        opened(tab, html, "fig3_mnist", "light", width)
        found = tab.evaluate(STILLS)
        assert len(found) == 3
        for still in found:
            assert still["wide"] == scrolls
            assert (still["stop"], bool(still["name"])) == (("0", True) if scrolls else (None, False))
        assert tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def test_on_a_phone_scenes_stand_below_one_another(html, tab):  # noqa: F811
    opened(tab, html, "fig4_torus", "light", 390)
    scenes = """() => [...document.querySelectorAll("div.plotly-figure")].map((figure) => [figure.offsetHeight,
        ...["scene", "scene2", "scene3"].map((name) => figure._fullLayout[name].domain)])"""
    for height, *places in tab.evaluate(scenes):
        assert height > 800
        assert [place["x"] for place in places] == 3 * [[0, 1]]
        assert all(above["y"][0] > below["y"][1] - 1e-9 for above, below in itertools.pairwise(places))
    look(tab, "light", 1360)
    tab.wait_for_function("""() => document.querySelector("div.plotly-figure").offsetHeight === 430""")
    for height, *places in tab.evaluate(scenes):
        assert height == 430 and {tuple(place["y"]) for place in places} == {(0, 0.92)}
