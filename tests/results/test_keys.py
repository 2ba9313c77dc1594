"""The key: what changes it, and what does not."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lil
from lil.experiments import fig2_rings
from lil.results import keys, registry

FOLDER = Path(lil.__file__).parents[1]


def _code_behind(module, folder):
    """Return the names of all modules whose content is in the fingerprint of ``module``, itself among them."""
    code = keys._Code(folder, module.partition(".")[0])
    code.fingerprint(module)
    return set(code.known)


@pytest.fixture
def package(tmp_path):
    """``top.main`` imports ``top.used`` (which imports ``top.deep`` inside a function); ``top.other`` stands by."""
    for name, text in {
        "__init__": '"""Top."""\nNAMES = ("a", "b")\n',
        "main": "from top import used\nfrom top.sub import leaf\nVALUE = used.f(1)\nQUICK = used.f(3)\nQUICK_TOO = 4\n"
        "SHOWN = used.f(5)\n",
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
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_code_behind_a_module_is_all_that_it_imports(package):
    assert _code_behind("top.main", package) == {
        "top.main",
        "top.used",
        "top.deep",
        "top.sub.leaf",
        "top.sub.twig",
        "top.relative",
    }


@pytest.mark.parametrize(
    "name, old, new",
    [
        ("main", "f(1)", "f(2)"),
        ("deep", "x + 1", "x + 2"),
        ("relative", "= 1", "= 2"),
        ("sub/twig", "= 1", "= 2"),
        ("used", "def f(x):", "def f(x, y=0):"),
        ("__init__", "NAMES =", "import os\nNAMES ="),
        ("main", "QUICK =", "SLOW ="),
        ("main", "QUICK =", "QUICK = OTHER ="),
        ("main", "QUICK =", "QUICK +="),
        ("sub/__init__", "", "import os\n"),
        ("sub/leaf", "from . import twig", "from .twig import TWIG"),
        ("sub/leaf", "from . import twig", "from . import twig as other\n\ndef f(other):\n    return other"),
        ("used", "from top.deep import g", "from top.deep import g as h"),
    ],
)
def test_a_change_of_code_changes_the_key(package, name, old, new):
    before = _key(package)
    _edit(package, name, old, new)
    assert _key(package) != before


@pytest.mark.parametrize(
    "name, old, new",
    [
        ("deep", "'''Doc.'''", "'''Another docstring.'''"),
        ("deep", "    '''Doc.'''\n", ""),
        ("main", "VALUE", "# a comment\n\nVALUE"),
        ("used", "return g(x)", "return g(\n        x)"),
        ("other", "return 0", "return 1"),
        ("__init__", '("a", "b")', '("a", "b", "c")'),
        ("main", "f(3)", "f(2)"),
        ("main", "= 4", "= 5"),
        ("main", "f(5)", "f(6)"),
        ("main", "from top import used\nfrom top.sub import leaf", "from top.sub import leaf\nfrom top import used"),
        ("sub/leaf", "from . import twig", "from . import twig as renamed"),
    ],
)
def test_what_is_no_code_of_it_leaves_the_key(package, name, old, new):
    before = _key(package)
    _edit(package, name, old, new)
    assert _key(package) == before


def _move(package, old, new, importers):
    """Move a module, and have all that import it follow."""
    source, target = (package / "top" / f"{name}.py" for name in (old, new))
    target.parent.mkdir(exist_ok=True)
    (target.parent / "__init__.py").touch()
    target.write_text(source.read_text("utf-8"))
    source.unlink()
    for name, before, after in importers:
        _edit(package, name, before, after)


@pytest.mark.parametrize(
    "old, new, importers",
    [
        ("deep", "deeper", [("used", "top.deep", "top.deeper")]),
        ("deep", "far/below", [("used", "top.deep", "top.far.below")]),
        (
            "used",
            "far/useful",
            [
                ("main", "from top import used", "from top.far import useful"),
                ("main", "VALUE = used.f(1)", "VALUE = useful.f(1)"),
                ("main", "QUICK = used", "QUICK = useful"),
                ("main", "SHOWN = used", "SHOWN = useful"),
            ],
        ),
        ("sub/twig", "branch", [("sub/leaf", "from . import twig", "from top import branch")]),
    ],
)
def test_a_moved_or_renamed_module_keeps_the_key(package, old, new, importers):
    before = _key(package)
    _move(package, old, new, importers)
    assert _key(package) == before


@pytest.fixture
def dotted(package):
    """``top.main`` uses two modules by their dotted names, one of them under another name."""
    text = "import os, top.used\nimport top.other as beside\n\nVALUE = top.used.f(1) + beside.h()\n"
    (package / "top" / "main.py").write_text(text)
    return package


def test_modules_imported_by_their_dotted_names_are_code_behind_a_module(dotted):
    assert _code_behind("top.main", dotted) == {"top.main", "top.used", "top.deep", "top.other"}


@pytest.mark.parametrize("name, old, new", [("deep", "x + 1", "x + 2"), ("other", "return 0", "return 1")])
def test_a_change_of_a_module_imported_by_its_dotted_name_changes_the_key(dotted, name, old, new):
    before = _key(dotted)
    _edit(dotted, name, old, new)
    assert _key(dotted) != before


def test_a_module_with_another_name_may_move(dotted):
    before = _key(dotted)
    _edit(dotted, "main", "top.other as beside", "top.other as near")
    assert _key(dotted) != before, "the use of the name is still the old one"
    _edit(dotted, "main", "beside.h()", "near.h()")
    assert _key(dotted) == before
    _move(dotted, "other", "sub/another", [("main", "top.other as near", "top.sub.another as near")])
    assert _key(dotted) == before


def test_a_name_that_stands_for_two_modules_keeps_its_uses(package):
    """The order decides to which of the two a use leads, so that the text of the uses counts."""
    (package / "top" / "main.py").write_text("from top import used as m\nVALUE = m.f(1)\nfrom top import deep as m\n")
    before = _key(package)
    _edit(package, "main", "used as m\nVALUE = m.f", "used as n\nVALUE = n.f")
    assert _key(package) != before


def test_two_modules_that_change_places_change_the_key(package):
    _edit(package, "main", "VALUE = used.f(1)", "VALUE = used.f(leaf.twig)")
    before = _key(package)
    _edit(
        package,
        "main",
        "from top import used\nfrom top.sub import leaf",
        "from top import used as leaf\nfrom top.sub import leaf as used",
    )
    assert _key(package) != before


def test_a_circle_of_modules_is_named_until_it_is_broken(package):
    before = _key(package)
    _edit(package, "deep", "def g(x):", "from top import used\n\ndef g(x):")
    for _ in range(2):
        with pytest.raises(ImportError, match="top.used → top.deep → top.used import each other"):
            _key(package)
    _edit(package, "deep", "from top import used\n\n", "")
    assert _key(package) == before


def test_sources_are_read_into_a_fingerprint_once_as_long_as_none_changes(package):
    """By their content: an edit within the same tick of the clock may leave time and size."""
    first, path = keys._reader(package, "top"), package / "top" / "deep.py"
    before, stamp = first.fingerprint("top.main"), path.stat().st_mtime_ns
    assert keys._reader(package, "top") is first
    _edit(package, "deep", "x + 1", "1 + x")
    os.utime(path, ns=(stamp, stamp))
    assert keys._reader(package, "top") is not first and _key(package) != before


def test_a_source_that_takes_the_place_of_another_is_seen(package):
    before = _key(package)
    (package / "top" / "sub" / "twig").mkdir()
    (package / "top" / "sub" / "twig" / "__init__.py").write_text("TWIG = 2\n")
    assert _key(package) != before


@pytest.fixture
def with_engine(package):
    """``top.main`` reaches ``top.engine``, which reaches ``top.fast``."""
    _edit(
        package,
        "used",
        "    from top.deep import g\n",
        "    from top import engine\n    from top.deep import g\n    engine.go()\n",
    )
    for name, text in {
        "engine": "from top.fast import loops\nfrom top import relative\n\ndef go():\n    loops.run(1)\n",
        "fast/__init__": "",
        "fast/loops": "from top.fast import inner\n\ndef run(n):\n    inner.work(n)\n",
        "fast/inner": "def work(n):\n    return n\n",
    }.items():
        path = package / "top" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return package


@pytest.mark.parametrize(
    "name, old, new",
    [("engine", "run(1)", "run(2)"), ("fast/loops", "work(n)", "work(n + 1)"), ("fast/inner", "return n", "return -n")],
)
def test_the_engine_is_in_no_key_and_has_a_fingerprint_of_its_own(with_engine, name, old, new):
    before, engine = _key(with_engine), keys.engine_fingerprint("top", with_engine)
    _edit(with_engine, name, old, new)
    assert _key(with_engine) == before
    assert keys.engine_fingerprint("top", with_engine) != engine


def test_science_is_no_part_of_the_engines_fingerprint(with_engine):
    engine = keys.engine_fingerprint("top", with_engine)
    _edit(with_engine, "relative", "= 1", "= 2")
    assert keys.engine_fingerprint("top", with_engine) == engine
    shutil.rmtree(with_engine / "top" / "fast")
    assert keys.engine_fingerprint("top", with_engine) == ""


@pytest.mark.slow
def test_nothing_that_is_computed_reads_what_is_no_code_of_it():
    """The settings by which nothing is recorded but by themselves: the key would miss their change."""
    behind = set().union(
        *(_code_behind(f"lil.experiments.{name}", FOLDER) for name in registry.names("lil.experiments"))
    )
    assert len(behind) > 40
    for name in behind:
        tree = ast.parse(FOLDER.joinpath(*name.split(".")).with_suffix(".py").read_text("utf-8"))
        read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - {
            node.id
            for statement in tree.body
            if isinstance(statement, ast.Assign)
            for node in ast.walk(statement)
            if isinstance(node, ast.Name)
        }
        assert not [each for each in read if each.startswith(("QUICK", "SHOWN"))], name


def test_fields_that_are_empty_are_left_out_as_another_python_has_more_of_them(package):
    assert "type_params" not in keys._Code(package, "top")._text("top.used", constants=True)


def test_a_module_without_source_is_named(package):
    with pytest.raises(FileNotFoundError, match="top.gone"):
        keys.code_fingerprint("top.gone", package)


def test_settings_as_json_are_sorted_without_spaces_and_in_any_letters():
    settings = {"β": (0.1, None), "a": {"c": True, "b": "ä"}}
    assert keys.canonical_json(settings) == '{"a":{"b":"ä","c":true},"β":[0.1,null]}'


def test_an_experiment_s_key_reaches_the_equation_and_not_the_store():
    behind = set(_code_behind("lil.experiments.fig2_rings", FOLDER))
    assert {"lil.isometry", "lil.models", "lil.training", "lil.recipes.rings"} <= behind
    assert not {name for name in behind if name.startswith(("lil.results", "lil.plotting", "lil.cli"))}


def test_the_key_is_the_same_in_another_process():
    program = (
        "from lil.experiments import fig2_rings; from lil.results import keys; "
        "print(keys.of_evaluation(fig2_rings, fig2_rings.PAPER).key)"
    )
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"  # of the order of sets
    found = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
    ).stdout.strip()
    assert found == keys.of_evaluation(fig2_rings, fig2_rings.PAPER).key and len(found) == 64
