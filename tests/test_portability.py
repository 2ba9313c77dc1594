"""Static checks that the package runs on Linux, macOS and Windows: nothing outside guarded places needs one of them."""

import ast
import re
from pathlib import Path

import pytest
from test_imports import FILES
from tracked import ROOT, tracked

POSIX_MODULES = {"crypt", "fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
POSIX_CALLS = re.compile(
    r"os\.(fork|forkpty|posix_\w+|sched_\w+|get(e?[ug]id|pgid|sid|loadavg|priority)|set(sid|pgid|priority|[ug]id)|kill(pg)?|"
    r"nice|mkfifo|mknod|l?chown|uname|wait\w*|sync|statvfs|(sym)?link|O_DIRECTORY)"
    r"|signal\.(SIG(KILL|HUP|ALRM|CHLD|STOP|CONT|USR[12]|PIPE)|alarm|setitimer|pthread_\w+|sigwait)"
    r"|ctypes\.CDLL"
    r"|.*\.(symlink_to|hardlink_to)"
)
POSIX_ARGUMENTS = {"preexec_fn", "start_new_session", "process_group", "shell"}
POSIX_PLACES = ("/proc", "/dev", "/tmp", "/usr", "/etc", "/var", "/sys", "/home")
# Functions that run on Linux alone, because their only caller asks first; each is called by the function beside it.
ASKED_BY_CALLER = {("lil.experiments.scaling", "_rises"): "_memory", ("lil.experiments.scaling", "_status"): "_rises"}


def not_portable(source: str, module: str = "") -> list[str]:
    """Return what is of one system alone in a module, with its line.

    Guarded are: an import under ``except ImportError``; the body of an ``if`` that asks for the system or whether a
    place exists; a body under ``suppress(OSError)``; and the functions in ASKED_BY_CALLER.
    """
    found: list[str] = []

    def look(node: ast.AST, guarded: bool) -> None:
        if isinstance(node, ast.FunctionDef):
            guarded = (module, node.name) in ASKED_BY_CALLER or _returns_first(node)
        if isinstance(node, ast.Try) and any("ImportError" in ast.unparse(each.type or node) for each in node.handlers):
            guarded = True
        if isinstance(node, ast.With) and any("suppress(OSError" in ast.unparse(each) for each in node.items):
            guarded = True
        if isinstance(node, ast.If | ast.IfExp) and _asks(node.test):
            guarded = True
        if not guarded and (words := _of_one_system(node)):
            found.append(f"{words} (line {node.lineno})")
        for child in ast.iter_child_nodes(node):
            look(child, guarded)

    look(ast.parse(source), False)
    return found


def _asks(test: ast.AST) -> bool:
    """Return True for a condition on the system or on a place of it."""
    return re.search(r"os\.name|sys\.platform|hasattr\(|\.exists\(\)", ast.unparse(test)) is not None


def _returns_first(function: ast.FunctionDef) -> bool:
    """Return True for a function that asks, and returns where the system is another: in one of its first statements."""
    return any(isinstance(each, ast.If) and _asks(each.test) for each in function.body[:4]) or any(
        isinstance(each, ast.Assign) and _asks(each.value) for each in function.body[:4]
    )


def _of_one_system(node: ast.AST) -> str:
    if isinstance(node, ast.Import):
        return next((alias.name for alias in node.names if alias.name in POSIX_MODULES), "")
    if isinstance(node, ast.ImportFrom):
        return node.module if node.module in POSIX_MODULES else ""
    if isinstance(node, ast.Attribute) and POSIX_CALLS.fullmatch(ast.unparse(node)):
        return ast.unparse(node)
    if isinstance(node, ast.Call):
        return next((word.arg for word in node.keywords if word.arg in POSIX_ARGUMENTS), "")
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(POSIX_PLACES):
        return node.value
    return ""


def without_encoding(source: str) -> list[str]:
    """Return the calls that read or write text in an encoding that differs between systems."""
    return [
        f"{ast.unparse(node)} (line {node.lineno})"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and (name := ast.unparse(node.func).rpartition(".")[2]) in ("open", "read_text", "write_text")
        and not any("b" in str(getattr(each, "value", "")) and name == "open" for each in node.args)
        and not any(word.arg == "encoding" for word in node.keywords)
        and not any(getattr(each, "value", None) == "utf-8" for each in node.args)
        and not re.match(r"(os|Image|tarfile|webbrowser|zipfile)\.", ast.unparse(node.func))
    ]


@pytest.mark.parametrize("module", FILES)
def test_no_module_needs_a_system_of_one_kind(module):
    assert not not_portable(FILES[module].read_text(encoding="utf-8"), module)


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("*.py")), ids=lambda path: path.name)
def test_every_file_of_tests_can_be_imported_on_every_system(path):
    """An import of one system alone may stand inside a test that is skipped elsewhere, and in programs of its own."""
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        nodes = [] if isinstance(statement, ast.FunctionDef | ast.ClassDef) else ast.walk(statement)
        seen = {word for node in nodes if not isinstance(node, ast.Constant) and (word := _of_one_system(node))}
        assert not seen, f"{path.name}, line {statement.lineno}: {seen}"


def test_what_a_caller_asks_for_is_called_by_it_alone():
    for (module, name), caller in ASKED_BY_CALLER.items():
        tree = ast.parse(FILES[module].read_text(encoding="utf-8"))
        uses = {
            function.name
            for function in ast.walk(tree)
            if isinstance(function, ast.FunctionDef)
            and any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(function))
        }
        assert uses == {caller}


@pytest.mark.parametrize("module", FILES)
def test_python_optimised_computes_the_same(module):
    """It leaves out assertions and what asks for __debug__."""
    nodes = list(ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8"))))
    assert not any(isinstance(node, ast.Assert) or getattr(node, "id", "") == "__debug__" for node in nodes)


@pytest.mark.parametrize("module", FILES)
def test_text_is_read_and_written_in_a_named_encoding(module):
    calls = without_encoding(FILES[module].read_text(encoding="utf-8"))
    calls = [call for call in calls if "/proc/" not in call and not call.startswith(("status.", "listing."))]
    assert not calls


@pytest.mark.parametrize(
    "line, seen",
    [
        ("import fcntl", True),
        ("from resource import getrusage", True),
        ("try:\n    import resource\nexcept ImportError:\n    resource = None", False),
        ("def f():\n    os.sched_getaffinity(0)", True),
        ("def f():\n    return os.sched_getaffinity(0) if hasattr(os, 'sched_getaffinity') else None", False),
        ("os.kill(1, signal.SIGKILL)", True),
        ("if os.name == 'posix':\n    os.fork()", False),
        ("Path('/proc/self/status').read_text()", True),
        ("def f():\n    if not Path('/proc/self').exists():\n        return\n    Path('/proc/self/status')", False),
        ("with suppress(OSError):\n    Path('/proc/self/clear_refs')", False),
        ("target.symlink_to(source)", True),
        ("subprocess.run(command, shell=True)", True),
        ("import os, sys\nos.replace(a, b)", False),
    ],
)
def test_what_is_of_one_system_is_seen(line, seen):
    assert bool(not_portable(line)) is seen


@pytest.mark.parametrize(
    "line, seen",
    [
        ("path.read_text()", True),
        ("path.read_text(encoding='utf-8')", False),
        ("path.write_text(text, 'utf-8')", False),
        ("path.open('rb')", False),
        ("open(path)", True),
        ("path.open('a')", True),
        ("os.open(path, os.O_RDONLY)", False),
    ],
)
def test_a_missing_encoding_is_seen(line, seen):
    assert bool(without_encoding(line)) is seen


def test_every_file_can_be_checked_out_on_windows():
    names = [path.relative_to(ROOT).as_posix() for path in tracked()]
    assert len({name.lower() for name in names}) == len(names)
    reserved = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
    for name in names:
        assert not re.search(r'[<>:"\\|?*\x00-\x1f]', name) and len(name) < 150, name
        assert not any(part.endswith((".", " ")) or reserved.fullmatch(part) for part in Path(name).parts), name


def test_git_checks_out_the_same_bytes_everywhere():
    rules = (ROOT / ".gitattributes").read_text(encoding="utf-8").splitlines()
    assert {"* text=auto eol=lf", "*.nc binary", "*.safetensors binary"} <= set(rules)
