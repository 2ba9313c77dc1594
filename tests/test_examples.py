"""The examples run as printed, and reach the numbers that the book's page prints."""

import re
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torchvision.models import resnet18

from lil.isometry import isometry_loss, pair_distances, within_class

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
PAGE, README = ((ROOT / name).read_text("utf-8") for name in ("book/use_it.md", "README.md"))
# Of accuracy, accuracy under PGD, and correlation: about the largest difference between four seeds.
BANDS = (0.01, 0.04, 0.015)


def numbers(text):
    return np.array([[float(word) for word in line.split()] for line in text.splitlines()[1:]])


@pytest.fixture(scope="module")
def printed():
    """Return a function that runs a script in a process of its own, once, and returns its numbers and the page's."""
    known = {}

    def run(name):
        if name not in known:
            script = EXAMPLES / f"{name}.py"
            done = subprocess.run([sys.executable, script], cwd=ROOT, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            known[name] = numbers(done.stdout), numbers((EXAMPLES / f"{name}.txt").read_text("utf-8"))
        return known[name]

    return run


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits", "batches"])
def test_the_scripts_reach_what_the_page_prints(name, printed):
    now, page = printed(name)
    assert now.shape == page.shape and (now[:, :-3] == page[:, :-3]).all()
    assert (abs(now - page)[:, -3:] <= BANDS).all()


@pytest.mark.slow
def test_the_page_tells_of_the_numbers_what_they_say(printed):
    for table in printed("digits"):
        beta, accuracy, attacked, correlation = table.T
        assert beta.tolist() == [0, 0.1, 1, 10, 100] and attacked.argmax() == correlation.argmax() == 4
        assert (attacked[1:3] < attacked[0]).all() and 0 < accuracy[0] - accuracy[4] < 0.02
    for table in printed("batches"):
        size, pairs, accuracy, _, correlation = table.T
        assert (np.diff(correlation) > 0).all() and correlation[4] - correlation[3] < 0.01
        assert (np.diff(accuracy) > 0).all() and (pairs == np.round(size * (size - 1) / 20, 1)).all()


def test_the_training_is_as_short_as_the_pages_say():
    lines = len((EXAMPLES / "digits.py").read_text("utf-8").splitlines())
    assert lines <= 40 and f"The script below, of {lines} lines, is" in PAGE
    assert f"a complete training of {lines} lines" in README
    scripts = [path.read_text("utf-8") for path in EXAMPLES.glob("*.py")]
    assert max(len(line) for script in scripts for line in script.splitlines()) <= 95, "wider than the page"


def test_the_lines_of_the_readme_make_a_loss_that_trains():
    (lines,) = re.findall(r"```python\n(.*?)```", README, re.S)
    network = torch.nn.ModuleDict({"features": torch.nn.Linear(64, 20), "classifier": torch.nn.Linear(20, 10)})
    x, y = map(torch.as_tensor, load_digits(return_X_y=True))
    space = {"network": SimpleNamespace(**network), "x": x[:50].float(), "y": y[:50], "beta": 3.0}
    exec(f"import torch.nn.functional as F\nfrom lil.isometry import IsometryLoss\n{lines}", space)
    plain = torch.nn.functional.cross_entropy(network["classifier"](space["z"]), space["y"])
    term = isometry_loss(space["z"], pair_distances(space["x"]), within_class(space["y"]))
    torch.testing.assert_close(space["loss"], plain + 3.0 * term)
    space["loss"].backward()
    assert all(weights.grad.abs().sum() > 0 for weights in network.parameters())


def test_the_lines_for_a_table_take_the_place_of_the_digits(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(EXAMPLES)
    digits = load_digits(as_frame=True)
    digits.data.assign(label=digits.target.map("digit {}".format)).to_csv("table.csv", index=False)
    (lines,) = re.findall(r"```python\n(table = .*?)```", PAGE, re.S)
    script = (EXAMPLES / "digits.py").read_text("utf-8")
    script, count = re.subn(r"^x, y = load_digits.*\nx = .*\n", lines, script, flags=re.M)
    assert count == 1 and lines.count("\n") == 3
    imports = re.findall("`((?:import|from) [^`]+)`", PAGE)
    space = {"__name__": "script"}
    exec("\n".join([*imports, script]), space)
    assert space["x"].min() == 0 and space["x"].max() == 1 and sorted(set(space["y"].tolist())) == list(range(10))
    accuracy, attacked, _ = space["measure"](space["train"](1.0, epochs=5), space["x_test"], space["y_test"])
    assert accuracy > 0.8 > attacked


def test_a_backbone_keeps_its_weights_and_gets_a_head():
    train = runpy.run_path(str(EXAMPLES / "backbone.py"))["train"]
    torch.manual_seed(0)
    backbone = resnet18(weights=None)
    before = {name: value.clone() for name, value in backbone.state_dict().items() if not name.startswith("fc.")}
    images, labels = torch.rand(8, 3, 32, 32), torch.arange(8) % 2
    network = train(backbone, [(images, labels)] * 3, classes=2, beta=1.0)
    assert network(images).shape == (8, 2)
    assert all(torch.equal(value, before[name]) for name, value in network[0].state_dict().items())


def test_pgd_stays_in_its_ball_and_beats_one_step(monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES)
    pgd = runpy.run_path(str(EXAMPLES / "checks.py"))["pgd"]
    script = runpy.run_path(str(EXAMPLES / "digits.py"))
    torch.manual_seed(0)
    network, (x, y) = script["train"](0, epochs=10), (script["x_test"], script["y_test"])
    attacked = pgd(network, x, y, 0.1)
    assert (attacked - x).abs().max() <= 0.1 + 1e-6 and attacked.min() >= 0 and attacked.max() <= 1
    one = pgd(network, x, y, 0.1, steps=1)
    right = [(network(each).argmax(1) == y).sum() for each in (x, one, attacked)]
    assert right[0] > right[1] > right[2]
