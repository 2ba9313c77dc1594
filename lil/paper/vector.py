"""SVG pictures of matplotlib: written with fewer bytes, and once more for a dark page.

A picture for a dark page has other colours for page, ink and grid. The colours of data are the same on both pages. Data
with little contrast to the dark page get a thin light outline there.
"""

from __future__ import annotations

import re

PAGE = "#fcfcfa"  # behind every figure
INK = "#1f2328"  # text and axes
FAINT = "#d5d7da"  # grids, and context
DARK = {PAGE: "#121212", INK: "#ced6dd", FAINT: "#3c4148"}  # the same on a dark page; the theme's own page and text
CONTRAST = 3.0  # between neighbouring colours of a graphic: WCAG 2.2, 1.4.11

_MARKS = re.compile(
    r'<use xlink:href="(#\w+)" x="[^"]*" y="[^"]*" style="([^"]*)"/>'
    r'(?: <use xlink:href="\1" x="[^"]*" y="[^"]*" style="\2"/>)+'
)


def compact(svg: str) -> str:
    """Return an SVG without metadata, with hundredths of a point, and with the style of equal marks written once."""
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<\?xml.*?\?>|<!DOCTYPE.*?>", "", svg, flags=re.DOTALL)
    svg = re.sub('base64,[^"]*', lambda data: re.sub(r"\s", "", data[0]), svg)
    svg = re.sub(' (?:d|x|y)="[^"]*"', lambda place: re.sub(r"(\.\d\d)\d+", r"\1", place[0]), svg)
    svg = re.sub(r"\s+", " ", svg).strip() + "\n"
    return _MARKS.sub(lambda marks: f'<g style="{marks[2]}">' + re.sub(' style="[^"]*"', "", marks[0]) + "</g>", svg)


def dark(svg: str) -> str:
    """Return an SVG for a dark page."""
    colours = set(re.findall(r"#[0-9a-f]{6}\b", svg)) - {*DARK}
    weak = sorted(colour for colour in colours if contrast(colour, DARK[PAGE]) < CONTRAST)
    for light, other in DARK.items():
        svg = svg.replace(light, other)
    outlined = ",".join(f'[style*="{colour}"]' for colour in weak)
    shadow = f"filter: drop-shadow(0 0 0.6px {DARK[INK]})"
    return svg.replace("</style>", f"{outlined} {{{shadow}}}</style>", 1) if weak else svg


def size(svg: str) -> tuple[int, int]:
    """Return the width and the height of an SVG in pixels; matplotlib writes points."""
    width, height = (float(found) for found in re.findall(r' (?:width|height)="([\d.]+)pt"', svg)[:2])
    return round(width * 96 / 72), round(height * 96 / 72)


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours by WCAG 2.2, from 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
