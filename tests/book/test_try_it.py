"""The commands of the boxes "Try it": each names a notebook, parameters of it, and values that it takes."""

import re
import shlex

import pytest

from lil import cli
from lil.paper import pages, rerun
from lil.paper.pages import ROOT, SOURCES
from lil.results.errors import SettingRefused, UnknownName

BOX = re.compile(r"^:::\{admonition\} Try it\n:class: tip\n(.*?)^:::$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"\A\n```bash\n(lil rerun .*?)\n```\n\n(.+)\n\Z", re.DOTALL)  # and the words below it
WITHOUT = {  # notebooks of CIFAR10: a rerun at the paper's scale takes long, and digits tell nothing on it
    "attackers_view_cifar10",
    "corruptions_cifar10",
    "lipschitz_bound_cifar10",
    "table1_cifar10",
    "table1_cifar10_trained",
    "worst_case_cifar10",
}


def text_of(path):
    """Return the words of a page; of a notebook, those of its cells of Markdown."""
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    return "\n\n".join(cell.source for cell in pages.read(path).cells if cell.cell_type == "markdown")


def commands(text):
    """Return the command of each box of a page, in one line. Fails for a box that is no command with words below."""
    found = [COMMAND.match(box) for box in BOX.findall(text)]
    assert all(found) and len(found) == text.count("Try it"), "a box has a command between fences, and words below"
    return [match[1].replace("\\\n", " ") for match in found]


def check(command):
    """Raise SystemExit, SettingRefused or UnknownName for a command that `lil` would refuse; nothing is computed."""
    chosen = cli._parser().parse_args(shlex.split(command)[1:])
    assert chosen.settings, "the command changes nothing"
    rerun._check(rerun.source_of(chosen.name), rerun.parse(chosen.settings), chosen.profile)
    return chosen.name


TEXTS = {path: text_of(path) for path in (*sorted((ROOT / "book").rglob("*.md")), *sorted(SOURCES.rglob("*.py")))}
COMMANDS = {
    f"{path.stem} {number}": command
    for path, text in TEXTS.items()
    for number, command in enumerate(commands(text), start=1)
}
PRINTED = [
    line.partition("#")[0]
    for text in TEXTS.values()
    for line in re.findall("^lil rerun .*=.*", BOX.sub("", text), re.MULTILINE)
]


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_the_command_of_a_box_would_run(command):
    check(command)


@pytest.mark.parametrize("command", PRINTED)
def test_a_command_elsewhere_on_a_page_would_run(command):
    check(command)


@pytest.mark.parametrize("source", pages.find_sources(), ids=lambda source: source.stem)
def test_a_notebook_has_a_box_of_its_own(source):
    assert [check(command) for command in commands(TEXTS[source])] == [source.stem] * (source.stem not in WITHOUT)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("lil rerun fig2_ring betas='[0, 3]'", "no notebook named 'fig2_ring'"),
        ("lil rerun fig2_rings beta=3", "no parameter 'beta'"),
        ("lil rerun fig2_rings betas=3", "betas must be a list"),
        ("lil rerun fig2_rings betas='[3, 0]'", "betas must rise"),
        ("lil rerun fig2_rings seeds=0", "at least one seed"),
        ("lil rerun fig3_mnist epsilons='[0.05, 0.1]' pictured='[0.2]'", "pictured must be among the ε 0.05, 0.1"),
        ("lil rerun fig2_rings seeds=1 --profile fast", "2"),  # argparse's exit status
        ("lil rerum fig2_rings seeds=1", "2"),
    ],
)
def test_a_wrong_command_would_be_seen(command, reason):
    with pytest.raises((SystemExit, SettingRefused, UnknownName), match=reason):
        check(command)


def test_a_box_of_another_form_would_be_seen():
    box = ":::{{admonition}} Try it\n:class: tip\n\n```bash\n{}\n```\n\nThe page is shorter.\n:::\n".format
    assert commands(box("lil rerun fig2_rings \\\n    seeds=1")) == ["lil rerun fig2_rings      seeds=1"]
    for wrong in (box("lil reproduce fig2_rings"), box("lil rerun fig2_rings seeds=1").replace(":class: tip\n", "")):
        with pytest.raises(AssertionError):
            commands(wrong)
