"""The pages about the paper as a whole, as they are built."""

import json
import re

import pytest
from test_build import Elements

from lil.paper import export


@pytest.mark.parametrize("page", ["claims", "differences", "summary", "authors"])
def test_every_link_of_the_built_page_leads_somewhere(html, page):
    article = re.search(
        r'<article class="bd-article">.*</article>', (html / f"{page}.html").read_text("utf-8"), re.S
    ).group()
    links = {attributes["href"] for tag, attributes in Elements(article).found if tag == "a" and "href" in attributes}
    assert len(links) > (1 if page == "authors" else 10)
    for link in links:
        if link.startswith("http"):
            continue
        target, _, anchor = link.partition("#")
        text = (html / (target or f"{page}.html")).read_text("utf-8")
        assert not anchor or f'id="{anchor}"' in text, link


def test_the_exports_lie_beside_the_page(html):
    whole = [each for claim in json.loads((html / "claims.json").read_text("utf-8")) for each in claim["entries"]]
    assert {each["name"]: each["verdict"] for each in whole} == export.frozen()
    assert len((html / "claims.csv").read_text("utf-8").splitlines()) == len(whole) + 1


def test_the_status_page_has_a_row_for_each_record_and_each_claim_leads_there(html):
    text = (html / "status.html").read_text("utf-8")
    for claim in json.loads((html / "claims.json").read_text("utf-8")):
        for record in {each["record"] for each in claim["entries"]}:
            name = record.removeprefix("results/").removesuffix(".nc")
            assert f'id="record-{name.lower().replace("_", "-")}"' in text
    assert "Not measured yet" in text or "lil/fast" in text
