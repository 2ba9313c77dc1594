"""The key: what changes it, and what does not."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import lil
from lil.experiments import fig2_rings
from lil.results import keys, registry

FOLDER = Path(lil.__file__).parents[1]


@pytest.fixture
def package(tmp_path):
    """``top.main`` imports ``top.used`` (which imports ``top.deep`` inside a function); ``top.other`` stands by."""
    for name, text in {
        "__init__": '"""Top."""\nNAMES = ("a", "b")\n',
        "main": "from top import used\nfrom top.sub import leaf\nVALUE = used.f(1)\nQUICK = used.f(3)\nQUICK_TOO = 4\n"
                "SHOWN = used.f(5)\n"
                "from top.shown import headline as headline\n",
        "shown": "def headline(x):\n    from top import other\n    return f'{x:.2f}'\n",
        "used": "def f(x):\n    from top.deep import g\n    return g(x)\n",
        "deep": "def g(x):\n    '''Doc.'''\n    return x + 1\n",
        "other": "def h():\n    return 0\n",
        "sub/__init__": "",
        "sub/leaf": "from .. import relative\nfrom . import twig\n",
        "sub/twig": "TWIG = 1\n",
        "relative": "RELATIVE = 1\n",
    }.items():
        path = tmp_path / "top" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def _key(package):
    return keys.code_fingerprint("top.main", package)


def _edit(package, name, old, new):
    path = package / "top" / f"{name}.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_code_behind_a_module_is_all_that_it_imports(package):
    assert set(keys.code_behind("top.main", package)) == {
        "top", "top.main", "top.used", "top.deep", "top.sub", "top.sub.leaf", "top.sub.twig", "top.relative"}


@pytest.mark.parametrize("name, old, new", [
    ("main", "f(1)", "f(2)"), ("deep", "x + 1", "x + 2"), ("relative", "= 1", "= 2"), ("sub/twig", "= 1", "= 2"),
    ("used", "def f(x):", "def f(x, y=0):"), ("__init__", "NAMES =", "import os\nNAMES ="),
    ("main", "QUICK =", "SLOW ="), ("main", "QUICK =", "QUICK = OTHER ="), ("main", "QUICK =", "QUICK +="),
    ("main", "import headline as", "import another as"), ("main", "import headline as headline", "import headline, g"),
    ("main", "headline as headline", "headline as head"), ("deep", "x + 1", "x + headline(x)"),
])
def test_a_change_of_code_changes_the_key(package, name, old, new):
    before = _key(package)
    _edit(package, name, old, new)
    assert _key(package) != before


@pytest.mark.parametrize("name, old, new", [
    ("deep", "'''Doc.'''", "'''Another docstring.'''"), ("deep", "    '''Doc.'''\n", ""),
    ("main", "VALUE", "# a comment\n\nVALUE"), ("used", "return g(x)", "return g(\n        x)"),
    ("other", "return 0", "return 1"), ("__init__", '("a", "b")', '("a", "b", "c")'),
    ("main", "f(3)", "f(2)"), ("main", "= 4", "= 5"), ("main", "f(5)", "f(6)"), ("shown", ":.2f", ":.3f"),
    ("main", "from top.shown import headline as headline", "def headline(x):\n    from top import other"),
])
def test_what_is_no_code_of_it_leaves_the_key(package, name, old, new):
    before = _key(package)
    _edit(package, name, old, new)
    assert _key(package) == before


def test_nothing_that_is_computed_reads_what_is_no_code_of_it():
    """Settings by which nothing is recorded but by themselves, and headlines: the key would miss their change."""
    behind = {}
    for name in registry.names("lil.experiments"):
        behind |= keys.code_behind(f"lil.experiments.{name}", FOLDER)
    assert len(behind) > 50
    beside = ("'QUICK", "'SHOWN", "'headline'")
    assert not [name for name, code in behind.items() if any(each in code for each in beside)]


def test_fields_that_are_empty_are_left_out_as_another_python_has_more_of_them():
    text = keys.dump(ast.parse("def f():\n    return g(None)\n"))
    assert text == ("Module(body=[FunctionDef(name='f', args=arguments(), body=[Return(value=Call(func=Name(id='g', "
                    "ctx=Load()), args=[Constant()]))])])")


def test_a_module_without_source_is_named(package):
    with pytest.raises(FileNotFoundError, match="top.gone"):
        keys.code_fingerprint("top.gone", package)


def test_an_experiment_s_key_reaches_the_equation_and_not_the_store():
    behind = set(keys.code_behind("lil.experiments.fig2_rings", FOLDER))
    assert {"lil.isometry", "lil.isometry_kernel", "lil.models", "lil.training", "lil.recipes.rings"} <= behind
    assert not {name for name in behind if name.startswith(("lil.results", "lil.plotting", "lil.cli"))}


def test_the_key_is_the_same_in_another_process():
    program = ("from lil.experiments import fig2_rings; from lil.results import keys; "
               "print(keys.of_evaluation(fig2_rings, fig2_rings.PAPER).key)")
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"      # of the order of sets
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True,
                           env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)}).stdout.strip()
    assert found == keys.of_evaluation(fig2_rings, fig2_rings.PAPER).key and len(found) == 64
