from dataclasses import replace

import numpy as np
import pytest
import torch

from lil.datasets import toy
from lil.experiments import fig1_mappings
from lil.recipes import mappings

TINY = replace(fig1_mappings.QUICK, mappings=replace(mappings.QUICK, mesh=(6, 2), epochs=5), mesh=(5, 3))


def test_ratios_and_accuracy_agree_with_a_loop_over_pairs(networks, result):
    model = mappings.restore(TINY.mappings, networks["mappings"])
    x, labels = toy.crescents(5, 3)
    z = model.represent(x).detach()
    for member, (kind, seed) in enumerate((kind, seed) for kind in mappings.MAPPINGS for seed in (0, 1)):
        ratios = {"within": [], "between": []}
        for i in range(len(x)):
            for j in range(i):
                ratio = (z[member, i] - z[member, j]).norm() / (x[i] - x[j]).norm()
                ratios["within" if labels[i] == labels[j] else "between"].append(ratio.item())
        for pairs, values in ratios.items():
            found = result.ratio.sel(mapping=kind, seed=seed, pairs=pairs)
            assert found.values == pytest.approx(np.quantile(values, [0.05, 0.5, 0.95]), rel=1e-4)
        right = (model(x)[member].argmax(-1) == labels).float().mean().item()
        assert result.accuracy.sel(mapping=kind, seed=seed).item() == pytest.approx(right)


def test_the_mesh_keeps_its_order(networks, result):
    x, _ = toy.crescents(5, 3)
    z = mappings.restore(TINY.mappings, networks["mappings"]).represent(x)
    assert result.x.sel({"class": 1}).values[2, 1].tolist() == x[15 + 2 * 3 + 1].tolist()
    picked = result.z.sel(mapping="all", seed=1, axis=0).values[1, 2, 1]
    assert picked == pytest.approx(z[5, 15 + 2 * 3 + 1, 0].item())
    assert (
        result.sizes.values.tolist()
        if callable(result.sizes)
        else list(result["sizes"].values) == [2, 20, 20, 20, 2, 2]
    )


def test_an_isometry_has_ratio_one_for_every_pair():
    """With a mirror in place of the networks, both kinds of pairs have ratio 1."""

    class Mirror(torch.nn.Module):
        sizes = (2, 2)

        def represent(self, x):
            return (x * torch.tensor([-1.0, 1.0])).expand(6, -1, -1)

        def classify(self, z):
            return z

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mappings, "restore", lambda config, networks: Mirror())
        ratio = fig1_mappings.evaluate(TINY, {"mappings": {}}).ratio
    assert ratio.values == pytest.approx(np.ones(ratio.shape), abs=1e-5)


def test_run_gives_what_evaluate_gives(result):
    assert fig1_mappings.run(TINY).equals(result)
