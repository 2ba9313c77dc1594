from dataclasses import replace

import numpy as np
import pytest
import torch

from lil import topology
from lil.experiments import fig2_rings
from lil.models import LIL
from lil.recipes import rings

pytest.importorskip("gudhi", reason="GUDHI, which counts loops, has no build for this platform")

TINY = replace(fig2_rings.QUICK, rings=replace(rings.QUICK, n_points=30, epochs=5), n_neighbors=5)


def test_it_measures_the_test_draw_with_the_plain_formulas(networks, result):
    x = rings.data(TINY.rings).x_test
    z = rings.restore(TINY.rings, networks["rings"]).represent(x).detach()
    assert np.array_equal(result.x.values.reshape(-1, 3), x.numpy())
    for member, (beta, seed) in enumerate(rings.members(TINY.rings)):
        for ring, points in enumerate((slice(0, 30), slice(30, 60))):
            one = result.sel(beta=beta, seed=seed, ring=ring)
            before, after = torch.pdist(x[points]).numpy(), torch.pdist(z[member, points]).numpy()
            assert one.correlation.item() == pytest.approx(np.corrcoef(before, after)[0, 1], abs=1e-5)
            assert one.ratio.values == pytest.approx(np.quantile(after / before, [0.05, 0.5, 0.95]), rel=1e-4)
            assert np.array_equal(one["count"].values, np.histogram(after, result.edges.values)[0])


def test_the_histograms_hold_every_pair(result):
    assert (result["count"].sum("bin") == 30 * 29 // 2).all()
    assert (result.data_count.sum("bin") == 30 * 29 // 2).all()


def test_the_rings_themselves_are_linked_loops(result):
    assert abs(result.linking_number.item()) == pytest.approx(1)
    assert result.data_loops.values.tolist() == [1, 1]


def test_the_first_rank_is_the_longest_bar(networks, result):
    x = rings.data(TINY.rings).x_test
    z = rings.restore(TINY.rings, networks["rings"]).represent(x)[3].detach()  # β = 1, seed 1
    for points, found in ((x, result.data_bar), (z, result.bar.sel(beta=1, seed=1))):
        expected = topology.loops(points[30:].numpy(), share=TINY.loop_share)
        bars = found.sel(ring=1)
        assert bars.sel(rank=1).item() == pytest.approx(expected.longest, rel=1e-6)
        assert bars.sel(rank=2).item() == pytest.approx(expected.second, rel=1e-6)
        assert expected.longest > expected.second


def test_networks_that_do_nothing_keep_everything():
    """With the identity in place of the networks, every measure says so."""

    class Identity(LIL):
        def represent(self, x):
            return x.expand(4, -1, -1)

        def classify(self, z):
            return z[..., :2]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rings, "restore", lambda config, networks: Identity((3, 3, 2), seeds=(0, 1, 0, 1)))
        result = fig2_rings.evaluate(TINY, {"rings": {}})
    assert result.correlation.values == pytest.approx(np.ones((2, 2, 2)))
    assert result.ratio.values == pytest.approx(np.ones((2, 2, 2, 3)), abs=1e-5)
    for name in ("count", "misfit", "bar", "loops"):
        assert np.array_equal(result[name].isel(beta=0, seed=0).values, result[f"data_{name}"].values)


def test_the_misfits_know_their_laws():
    """Distances lie at equally spaced quantiles of each law: a sample's mean, and the law with it, would be off."""
    share = (np.arange(20_000) + 0.5) / 20_000
    exponential, chord = fig2_rings.law_misfits(-3 * np.log1p(-share))
    assert exponential < 0.001 and chord > 0.15
    exponential, chord = fig2_rings.law_misfits(10 * np.sin(np.pi / 2 * share))
    assert exponential > 0.15 and chord < 0.001


def test_the_misfit_of_one_distance_is_the_closed_form():
    # One distance d has mean d: the exponential law is 1 − 1/e there, the chord law (2/π) arcsin(2/π).
    exponential, chord = fig2_rings.law_misfits(np.array([2.0]))
    assert exponential == pytest.approx(1 - 1 / np.e)
    assert chord == pytest.approx(1 - 2 / np.pi * np.arcsin(2 / np.pi))


def test_records_are_small_and_single_precision(result):
    assert result.nbytes < 1e6
    assert {str(v.dtype) for name, v in result.data_vars.items() if name not in ("edges", "linking_number")} <= {
        "float32",
        "int32",
        "int64",
    }


def test_run_gives_what_evaluate_gives(result):
    assert fig2_rings.run(TINY).equals(result)
