"""Names, devices and places that there are not get one sentence of the store's own errors."""

import json
import subprocess
import sys

import pytest
import torch
from fake_package import fake as fake
from fake_package import in_process as in_process

from lil import results
from lil.experiments import fig2_rings
from lil.recipes import rings
from lil.results import computing, errors, files, registry


@pytest.fixture(autouse=True)
def as_for_a_reader(monkeypatch):
    """Switch the tests' checks of types off: a reader has none."""
    monkeypatch.setattr("jaxtyping.config.jaxtyping_disable", True)


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: results.get("fig2_rings"), errors.UnknownName, "'fig2_rings' is no experiment: import its module"),
        (lambda: results.get(None), errors.UnknownName, "None is no experiment"),
        (lambda: results.networks(rings, 3), errors.SettingRefused, "3 is no Config of the recipe rings"),
        (lambda: results.listing("no.such"), errors.UnknownName, "no package 'no.such' of experiments"),
        (lambda: results.listing("json.decoder"), errors.UnknownName, "no package 'json.decoder' of experiments"),
        (lambda: results.get(fig2_rings, "quick", device="tpu"), errors.UnknownName, "no device 'tpu' on this machine"),
        (lambda: results.networks(rings, rings.QUICK, device="meta"), errors.UnknownName, "no device 'meta'"),
    ],
)
def test_a_name_that_there_is_not_gets_one_sentence(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_package_that_an_experiment_imports_is_no_unknown_name(fake):
    fake.write("experiments/__init__.py", "import no_such_package\n")
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        registry.names("fake.experiments")


@pytest.mark.parametrize("name", ["../x.nc", "networks/../../x.nc", "{above}/x.nc"])
def test_a_record_stays_below_its_folder(tmp_path, name):
    root = tmp_path / "results"
    root.mkdir()
    with pytest.raises(errors.NotWritten, match="outside results/: give a name below"):
        files.write(root, name.format(above=tmp_path), b"1")
    assert [path.name for path in tmp_path.rglob("*")] == ["results"]


def test_another_default_device_gets_one_sentence():
    code = """
import json, torch
torch.set_default_device("meta")
from lil import results
from lil.experiments import fig1_mappings
try:
    results.get(fig1_mappings, "quick", "live")
except results.errors.SettingRefused as reason:
    print(json.dumps(str(reason)))
"""
    run = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
    assert "default device is meta: call torch.set_default_device('cpu')" in json.loads(run.stdout), run.stderr


def test_the_processor_is_a_device_by_any_of_its_names():
    for name in ("cpu", "cpu:0", torch.device("cpu")):
        computing.check_device(name)
