"""The content-security-policy: no page may ask another host, and a script that somebody slips in does not run."""

import re
from html import unescape

import pytest
from test_browser import CHROMIUM, pages_of, tab  # noqa: F401

from lil.paper.sphinx_finish import InlineScripts, hashes, policy, with_policy

ALLOWED = re.compile(r"'(self|none|unsafe-hashes|sha256-[\w+/=]+)'|file:|data:|blob:")


def policy_of(page):
    """Return the directives of a page's policy. It stands behind the encoding and before all else."""
    found = re.search(
        r'<head>\s*<meta charset="utf-8" />\s*<meta http-equiv="Content-Security-Policy" content="([^"]*)">', page
    )
    assert found, "the head does not begin with a policy"
    return {name: sources for name, *sources in (each.split() for each in unescape(found[1]).split(";"))}


def test_no_page_may_load_anything_from_another_host(html):
    for path in (*pages_of(html), html / "index.html"):
        directives = policy_of(path.read_text("utf-8"))
        styles = directives.pop("style-src")
        assert styles == ["'self'", "file:", "'unsafe-inline'"]
        assert {"default-src", "script-src", "object-src", "base-uri", "form-action"} < set(directives)
        for name, sources in directives.items():
            assert all(ALLOWED.fullmatch(source) for source in sources), (path.name, name, sources)


def test_the_inline_scripts_of_a_page_are_those_that_it_allows():
    page = """<head><meta charset="utf-8" /><script>let a = "<b>";</script></head>
    <body><script src="x.js"></script><script type="application/json">{}</script><p onclick="f(&quot;a&quot;)">"""
    inline = InlineScripts(page)
    assert (inline.scripts, inline.handlers) == (['let a = "<b>";'], ['f("a")'])
    assert hashes(["alert('Hello, world.');"]) == [
        "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='"
    ]  # CSP 3, § 5.3
    assert all(each in policy(page) for each in hashes(inline.scripts + inline.handlers))
    assert "unsafe" not in policy("<p>").replace("style-src 'self' file: 'unsafe-inline'", "")
    assert policy_of(with_policy(page)) and with_policy(with_policy(page)) == with_policy(page)
    assert policy_of(with_policy('<meta http-equiv="Refresh" content="0; url=intro.html" />\n'))


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_the_browser_refuses_what_the_policy_does_not_name(html, tab):  # noqa: F811
    asked, reasons = [], {}
    tab.goto((html / "intro.html").as_uri())
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("requestfailed", lambda request: reasons.update({request.url: request.failure}))
    refused, ran = tab.evaluate("""async () => {
        const refused = [], add = (name, properties) =>
            document.body.append(Object.assign(document.createElement(name), properties));
        document.addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
        window.ran = [];
        add("script", { src: "https://example.org/script.js" });
        add("script", { textContent: "ran.push('inline')" });
        add("img", { src: "https://example.org/pixel.png", alt: "" });
        add("iframe", { src: "https://example.org/" });
        await fetch("https://example.org/data").catch(() => null);
        for (let k = 0; k < 200 && refused.length < 5; k++) await new Promise((done) => setTimeout(done, 50));
        return [refused, ran];
    }""")
    assert sorted(refused) == ["connect-src", "frame-src", "img-src", "script-src-elem", "script-src-elem"]
    assert ran == []
    assert {reasons.get(url) for url in asked if url.startswith("http")} <= {"csp"}, reasons
