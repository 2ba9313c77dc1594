"""No decimal in a page's words is typed, but for the paper's own numbers and settings: results reach a page by glue."""

import json
import re

import pytest

from lil.paper.pages import ROOT, SOURCES, read

PAGES = sorted([*(ROOT / "book").glob("*.md"), *(ROOT / "book" / "theory").glob("*.md"), *SOURCES.glob("**/*.py")])

# A page's decimals that no run has made, each with what it is.
ALLOWED = {
    "intro": {"0.3": "a setting, the size of the noise"},
    "authors": {"0.001": "the public code's learning rate"},
    "method": {"0.01": "the paper's smallest γ"},
    "play": {"0.01": "a setting, β"},
    "baselines": {"1.25": "the step of Wong et al., in ε"},
    "certificates": {"0.01": "the paper's smallest γ"},
    "fig2_rings": {"0.99": "our threshold"},
    "fig4_torus": {"0.99": "our threshold"},
    "scale_and_depth": {"0.1": "a setting, K"},
    "hierarchy": {"0.3": "a setting", "0.1": "a setting", "0.99": "the paper's number"},
    "table1_cifar10": {"0.99": "a setting", "0.5": "a setting"},
    "table1_cifar10_trained": {"0.001": "the public code's rate", "0.0001": "a setting"},
}

NO_PROSE = re.compile(
    r"^(```+).*?^\1$"  # code and equations between fences
    r"|\$\$.*?\$\$|\$[^$\n]+\$"  # equations
    r"|`[^`]*`|\{\{.*?\}\}"  # code, roles with their targets, substitutions
    r"|\b(?:Definition|Propositions?|Python)(?: \d+\.\d+(?: and \d+\.\d+)?)",  # parts of the paper, a version
    re.MULTILINE | re.DOTALL,
)


def typed(text):
    """Return the decimals of a text in Markdown that stand outside of code, equations and roles."""
    return re.findall(r"(?<![\w.])\d+\.\d+(?![\w.]*\d)", NO_PROSE.sub(" ", text))


def prose(path):
    """Return the words of a page; of a notebook, those of its cells of Markdown and of its figures' captions."""
    if path.suffix == ".md":
        return path.read_text("utf-8")
    cells = read(path).cells
    words = [cell.source if cell.cell_type == "markdown" else json.dumps(cell.metadata.get("mystnb")) for cell in cells]
    return "\n\n".join(words)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_no_decimal_is_typed(path):
    assert set(typed(prose(path))) == set(ALLOWED.get(path.stem, ())), (
        f"{path.name}: glue it, or say in ALLOWED what it is"
    )


def test_a_typed_decimal_would_be_seen():
    assert typed("accuracy falls to 0.94 for one seed, by 3.5 %") == ["0.94", "3.5"]
    assert typed("| β = 0 | 0.349 |") == ["0.349"]
    assert typed(':::{prf:proposition} Proposition 3.1 of the paper\n:::\n$\\approx 0.866$ `epsilons="[0.05]"`') == []
    assert typed("{glue:text}`a_b:.3f` and {{ summary_x }}\n```bash\nlil rerun x a=0.05\n```\n$$ 0.5 $$") == []
