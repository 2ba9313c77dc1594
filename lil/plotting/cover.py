"""The picture of the first page: ``python -m lil.plotting.cover`` draws it from the record of Figure 2."""

from __future__ import annotations

import io

import matplotlib.pyplot as plt

from lil import plotting
from lil.paper.cover import components
from lil.paper.downloads import write_svg
from lil.paper.judging import recorded
from lil.paper.pages import ROOT
from lil.plotting import rings

PICTURE = ROOT / "book" / "assets" / "rings.png"


def main() -> None:
    """Draw the linked rings, and every network's representation of them: as PNG, and as SVG for both themes."""
    plotting.style()
    record = recorded("fig2_rings")
    figure = rings.every_seed(record.assign(components=components(record)), "components")
    svg = io.StringIO()
    figure.savefig(PICTURE, dpi=130, bbox_inches="tight")
    figure.savefig(svg, format="svg", bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
    write_svg(PICTURE.parent, PICTURE.stem, svg.getvalue())


if __name__ == "__main__":
    main()
