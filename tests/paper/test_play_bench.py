"""The scripts of the pages to play with: all are loaded from the book, and three hold what is recorded."""

import base64
import json
import re
from itertools import combinations, pairwise

import numpy as np
import pytest
import torch
import xarray as xr

from lil import plotting
from lil.datasets import images
from lil.evaluation import accuracy
from lil.models import LIL
from lil.paper import play
from lil.paper.intervals import over_seeds
from lil.paper.pages import ROOT
from lil.plotting import torus as drawn_torus
from lil.recipes import mnist

STORED = {"points": "<u2", "layouts": "<i2", "heat": "|u1", "gradient": "<f4", "distortion": "<f4", "measures": "<f4"}
ATTACKS = ("total", "classification")
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "book").glob("play*.md"))}
LOADED = {name: re.findall(r'<script[^>]* src="([^"]*)"', text) for name, text in PAGES.items()}


def test_every_script_is_loaded_once_and_none_from_elsewhere():
    scripts = sorted(play.FOLDER.iterdir())
    assert {script for loaded in LOADED.values() for script in loaded} == {
        f"_static/play/{path.name}" for path in scripts
    }
    assert all(len(set(loaded)) == len(loaded) for loaded in LOADED.values())
    for text in (*PAGES.values(), *(path.read_text("utf-8") for path in scripts)):
        text = re.sub(r'"[\w+/=]{99,}"', '""', text)  # stored arrays
        assert not re.search(r"https?:|['\"`(]//|\bimport\b|fetch\(|XMLHttpRequest", text)


def test_our_scripts_weigh_less_than_a_tenth_of_a_library():
    own = sum(path.stat().st_size for path in play.FOLDER.glob("*.js") if path.stem not in play.CONSTANTS)
    assert own < min(play.LIBRARIES.values()) / 10
    assert f" {own / 1000:.0f} kB" in play.scripts()


@pytest.mark.parametrize("name", PAGES)
def test_the_scripts_of_a_page_are_small(name):
    sizes = [(ROOT / "book/assets" / script.removeprefix("_static/")).stat().st_size for script in LOADED[name]]
    assert sum(sizes) < 1.2e6  # a whole page has at most 1.5 MB


def test_colours_are_those_of_the_figures():
    style = (ROOT / "book" / "assets" / "custom.css").read_text("utf-8")
    expected = {f"class-{k}": colour for k, colour in enumerate(plotting.CLASSES)}
    expected |= {f"beta-{k}": colour for k, colour in enumerate(plotting.beta_colours(mnist.PAPER.betas))}
    light = re.search(r"^\.play \{(.*?)\}", style, re.S | re.M)[1]
    assert {name: re.search(rf"--play-{name}: (#\w+);", light)[1] for name in expected} == expected


def _read(name):
    """Return the content of a script that is there."""
    text = (play.FOLDER / f"{name}.js").read_text("utf-8")
    return json.loads(text.partition(f"const {play.CONSTANTS[name]} = ")[2].rstrip().removesuffix(";"))


@pytest.fixture(scope="module")
def content():
    return _read("networks")


@pytest.fixture(scope="module")
def record():
    return xr.load_dataset(ROOT / "results" / "fig3_mnist.nc")


def restored(content: dict) -> LIL:
    """Return the networks that the page has."""
    sizes = content["sizes"]
    model = LIL(sizes, seeds=[0] * len(content["betas"]))
    whole, real = (
        np.frombuffer(base64.b64decode(content[name]), kind) for name, kind in (("weights", "i1"), ("floats", "<f4"))
    )
    with torch.no_grad():
        for member in range(model.members):
            for layer, (inputs, outputs) in enumerate(pairwise(sizes)):
                rows, whole = whole[: inputs * outputs].reshape(outputs, inputs), whole[inputs * outputs :]
                factors, biases, real = np.split(real, (outputs, 2 * outputs))
                model.weights[layer][member] = torch.tensor(rows * factors[:, None])
                model.biases[layer][member] = torch.tensor(biases)
    assert len(whole) == len(real) == 0
    return model


@pytest.mark.parametrize("name", play.CONSTANTS)
def test_the_script_is_whole(name):
    content = _read(name)
    assert content["sha256"] == play.checksum(content)
    assert (play.FOLDER / f"{name}.js").read_text(encoding="utf-8") == play.script(name, content)


def test_its_pictures_are_those_of_the_record_and_two_digits_of_each_class(content, record):
    pixels = np.frombuffer(base64.b64decode(content["images"]), np.uint8).reshape(-1, 28, 28)
    assert content["recorded"] == len(record.image) and content["betas"] == record.beta.values.tolist()
    np.testing.assert_array_equal(pixels[: len(record.image)], record.image[:, 0])
    assert content["labels"] == [*record.label.values.tolist(), *np.repeat(range(10), play.DIGITS).tolist()]
    digits, labels = mnist.data(mnist.QUICK, "train")
    known = {
        (bytes(image), label)
        for image, label in zip((255 * digits).round().byte().numpy(), labels.tolist(), strict=True)
    }
    assert {(bytes(image), label) for image, label in zip(pixels[3:], content["labels"][3:], strict=True)} <= known


@pytest.mark.skipif(not images.available("mnist"), reason="MNIST is not on this machine: set LIL_DATA.")
def test_rounding_costs_the_networks_of_the_record_no_accuracy(content, record):
    x, labels = mnist.inputs(mnist.PAPER, "test")
    right = accuracy(restored(content), x, labels)
    np.testing.assert_allclose(right.detach(), record.clean.isel(seed=0), atol=0.001)


def test_a_weight_is_rounded_by_half_a_unit_at_most():
    model = LIL((6, 5, 4), seeds=[0, 1]).requires_grad_(False)
    content = play.bench(model.state_dict(), (0.0, 1.0), model.sizes, np.zeros((3, 6)), [7, 2, 1], 3)
    for rounded, exact in zip(restored(content).weights, model.weights, strict=True):
        unit = exact.abs().amax(-1, keepdim=True) / 127
        assert (rounded - exact).abs().le(0.51 * unit).all() and not torch.equal(rounded, exact)
    assert all(map(torch.equal, restored(content).biases, model.biases))


def test_the_digits_are_those_that_most_networks_recognise():
    labels = torch.arange(10).repeat(3)
    answers = torch.stack((labels, labels)).clone()
    answers[0, :10] = -1  # the first of each class is recognised once, the others twice
    assert play.recognised(answers, labels) == [k for label in range(10) for k in (10 + label, 20 + label)]


# The torus


@pytest.fixture(scope="module")
def torus():
    return xr.load_dataset(ROOT / "results" / "fig4_torus.nc")


@pytest.fixture(scope="module")
def hierarchy():
    return xr.load_dataset(ROOT / "results" / "hierarchy.nc")


def array(content: dict, name: str, kind: str, *shape: int) -> np.ndarray:
    return np.frombuffer(base64.b64decode(content[name]), kind).reshape(*shape)


def test_the_stacks_of_the_page_are_those_of_the_records(torus, hierarchy):
    """Bits of distances may differ between machines and libraries; a stale script differs in more than a rounding."""
    found, expected = _read("stacks"), play.stacks(torus, hierarchy)
    texts = [name for name, value in expected.items() if isinstance(value, str)]
    assert {name: value for name, value in found.items() if name not in texts} == {
        name: value for name, value in expected.items() if name not in texts
    }
    for name, kind in STORED.items():
        one, other = (array(content, name, kind, -1).astype(float) for content in (found, expected))
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1 if kind[1] in "iu" else 0)


def test_its_points_and_colours_are_those_of_the_figures(torus):
    content, shape = _read("stacks"), (len(torus.cut), len(torus.level), len(torus.seed))
    points = array(content, "points", "<u2", 2, 1600, 3) / 65535
    np.testing.assert_allclose(points, torus.x.values, atol=1e-5)
    heat = array(content, "heat", "u1", *shape, 1600) / 255
    one = torus.sel(cut="tube", level=4, seed=3, saliency="norm")
    np.testing.assert_allclose(heat[1, 1, 3], drawn_torus.heat(one.gradient.values), atol=0.5 / 255 + 1e-6)
    layout = array(content, "layouts", "<i2", 3, 5, 1600, 3)[2, 4] / 32767
    recorded = torus.umap.sel(level=8, seed=4).values
    recorded = recorded - recorded.mean(0)
    np.testing.assert_allclose(layout * np.abs(recorded).max(), recorded, atol=1e-4 * np.abs(recorded).max())


def test_its_numbers_are_those_of_the_record(torus, hierarchy):
    content = _read("stacks")
    one = torus.sel(cut="ring", level=8, seed=2)
    medians = one.gradient.sel(saliency="norm").groupby(one.cut_angle).median()
    np.testing.assert_array_equal(array(content, "gradient", "<f4", 2, 3, 5, 40)[0, 2, 2], medians.astype("f4"))
    numbers = array(content, "measures", "<f4", 2, 3, 5, 6)[0, 2, 2]
    expected = [one.accuracy, one.correlation, *one.ratio, one.contrast.sel(saliency="norm")]
    np.testing.assert_array_equal(numbers, np.array(expected, "f4"))
    distortion = hierarchy.distortion.sel(variant="text", level=2, seed=4, tangent="along")
    np.testing.assert_array_equal(array(content, "distortion", "<f4", 3, 5, 2, 21)[0, 4, 1], distortion)


def test_the_points_of_a_class_follow_each_other(torus):
    """The page takes a point's class from its position."""
    position = np.arange(torus.sizes["point"])
    for level in torus.level.values:
        assert (torus.labels.sel(level=level) == position * level // len(position)).all()


def test_the_table_of_the_torus_has_the_range_of_the_seeds(torus):
    lines = play.stacks_table([torus]).splitlines()
    assert len(lines) == 2 + 6
    one = torus.accuracy.sel(cut="tube", level=8)
    assert lines[-1].startswith(f"| public code | 8 | {float(one.min()):.3f} to {float(one.max()):.3f} |")


# The curves of Figure 3


@pytest.fixture(scope="module")
def curves():
    return {name: xr.load_dataset(ROOT / "results" / f"{name}.nc") for name in play.ROBUSTNESS}


def test_the_curves_of_the_page_are_those_of_the_records(curves):
    found, expected = _read("robustness"), play.robustness(curves)
    for name in ("accuracy", "means", "differences"):
        one, other = (array(content, name, "<i2", -1).astype(int) for content in (found, expected))
        np.testing.assert_allclose(one, other, rtol=0, atol=0 if name == "accuracy" else 1)
    texts = {"accuracy", "means", "differences", "sha256"}
    assert {k: v for k, v in found.items() if k not in texts} == {k: v for k, v in expected.items() if k not in texts}


def test_an_accuracy_of_the_page_is_exact_and_an_interval_that_of_the_seeds(curves):
    content, record = _read("robustness"), curves["fig3_mnist"]
    values = array(content, "accuracy", "<i2", -1)[: 12 * 11 * 10].reshape(2, 6, 11, 10) * play.UNIT
    np.testing.assert_allclose(values[:, :, 0], np.broadcast_to(record.clean, (2, 6, 10)), atol=1e-7)
    np.testing.assert_allclose(
        values[:, :, 1:], record.accuracy.transpose("objective", "beta", "epsilon", "seed"), atol=1e-7
    )
    one, other = (record.accuracy.isel(beta=5, epsilon=6).sel(objective=name).astype(float) for name in ATTACKS)
    means = array(content, "means", "<i2", -1)[: 12 * 11 * 3].reshape(12, 11, 3)
    np.testing.assert_allclose(means[5, 7] * play.UNIT, over_seeds(one)[:3], atol=5.1e-5)
    pair = list(combinations(range(12), 2)).index((5, 11))
    differences = array(content, "differences", "<i2", -1)[: 66 * 11 * 3].reshape(66, 11, 3)
    np.testing.assert_allclose(differences[pair, 7] * play.UNIT, over_seeds(one - other)[:3], atol=5.1e-5)


def test_one_seed_has_no_interval(curves):
    single = play.robustness({"fig3_cifar10_public": curves["fig3_cifar10_public"]})
    means = array(single, "means", "<i2", 12, 11, 3)
    assert (means[..., 1:] == play.NO_INTERVAL).all() and (means[..., 0] >= 0).all()


def test_the_table_of_the_curves_has_a_row_for_each_beta(curves):
    lines = play.robustness_table([*curves.values()]).splitlines()
    assert len(lines) == 2 + 4 * 6
    clean = over_seeds(curves["fig3_cifar10"].clean.sel(beta=10).astype(float))
    assert lines[2 + 17].startswith(f"| CIFAR10, the text | 3 | 10 | {clean:.3f} |")


def test_the_table_of_the_curves_names_networks_as_the_menu_does():
    page = (ROOT / "book" / "play_curves.md").read_text("utf-8")
    menu = re.findall(r"<option value=.\d.>(\w+, [^<]+ seeds?)<", page)
    assert len(menu) == len(play.ROBUSTNESS)
    assert all(words.startswith(name) for words, name in zip(menu, play.ROBUSTNESS.values(), strict=True))
