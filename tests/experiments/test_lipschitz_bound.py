from dataclasses import replace

import numpy as np
import pytest
import torch

from lil import lipschitz
from lil.experiments import _lipschitz, lipschitz_bound
from lil.models import StackedLIL
from lil.paper import measures
from lil.recipes import mnist, rings, torus

QUICK = lipschitz_bound.QUICK
TINY = replace(
    QUICK,
    rings=replace(rings.QUICK, n_points=15, epochs=3),
    torus=replace(torus.QUICK, epochs=2),
    mnist_public=replace(mnist.QUICK_PUBLIC, n_train=200, epochs=1),
    mnist=replace(mnist.QUICK, n_train=200, epochs=1),
    n_images=30,
    drawn=6,
    epsilons=(1e-3, 0.1),
)
PUBLIC, TEXT = "scikit-learn's digits, K = 10", "scikit-learn's digits"
GROUPS = ["rings", "torus, 2 classes", "torus, 4 classes", "torus, 8 classes", PUBLIC, TEXT]


def of(result, data):
    return result.isel(network=np.flatnonzero(result.data.values == data))


def test_every_network_stands_there_with_its_name(result):
    assert list(dict.fromkeys(result.data.values)) == GROUPS
    members = {"rings": rings.members(TINY.rings), GROUPS[2]: [(10, 0), (10, 1)], TEXT: mnist.members(TINY.mnist)}
    members[PUBLIC] = mnist.members(TINY.mnist_public)
    for data, expected in members.items():
        assert list(zip(of(result, data).beta.values, of(result, data).seed.values, strict=True)) == expected
        assert (of(result, data).points == (576 if "torus" in data else 30)).all()
        assert (of(result, data).scale == (10 if data == PUBLIC else 1)).all()


def test_a_level_of_a_stack_is_the_network_up_to_there():
    stack = StackedLIL(3, (5, 4), (2, 3, 4), seeds=(0, 1))
    x = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    for level, (z, logits) in enumerate(zip(stack.represent(x), stack(x), strict=True)):
        model = lipschitz_bound.network_to_level(stack, level)
        assert torch.equal(model.represent(x), z) and torch.equal(model(x), logits)


def test_constants_are_those_of_the_networks(networks, result):
    model = rings.restore(TINY.rings, networks["rings"]).double().requires_grad_(False)
    x, labels = rings.data(TINY.rings)[2:]
    x = x.double()
    found = of(result, "rings")
    pairs = lipschitz.lower_pairs(x, model.represent(x), labels)
    assert found.lower.values == pytest.approx(torch.stack(pairs, -1).numpy(), rel=1e-6)
    for name, call in (("representation", model.represent), ("logits", model)):
        local = np.quantile(lipschitz.local_jacobian(call, x.expand(4, -1, -1)).numpy(), TINY.quantiles, axis=-1).T
        assert found.local.sel(map=name).values == pytest.approx(local, rel=1e-6)
    for name, weights in (("representation", model.weights[:-1]), ("logits", model.weights)):
        assert found.upper.sel(map=name).values == pytest.approx(lipschitz.upper_product(weights).numpy(), rel=1e-6)


def test_the_estimates_are_in_order_and_the_inequality_holds(result):
    rounding = 1 + 1e-6
    lower, upper = result.lower.max("pairs"), result.upper.sel(map="representation")
    largest = result.local.sel(map="representation").max("quantile")
    assert (lower <= upper * rounding).all() and (largest <= upper * rounding).all()
    assert (result.forced <= result.lower.sel(pairs="between") * rounding).all()
    assert (result.along.max(("direction", "quantile")) <= largest * rounding).all()
    assert (result.violated.sel(constant=["local", "product"]) == 0).all()
    assert (result.tightness.sel(constant=["local", "product"]) <= rounding).all() and (result.tightness > 0).any()
    assert (result.left <= result.right.sel(constant="local") * rounding).all()


def test_the_constant_of_an_isometry_is_one_over_k(networks, result):
    """With K = 10 the bound of Eq. 6 has Λ = 0.1: a tenth of the cross-entropy's bound, and the factor 1 + K Λ = 2."""
    public = mnist.restore(TINY.mnist_public, networks["mnist_public"])
    x, labels = (part[:30] for part in mnist.inputs(TINY.mnist_public, "test"))
    group = _lipschitz.Group(PUBLIC, public, mnist.members(TINY.mnist_public), 10.0, x, labels, 20, (0.0, 1.0))
    plain, found = _lipschitz.measure(TINY, [group], "cpu", lambda *_: None), of(result, PUBLIC)
    for name in ("bound", "right"):
        ours, theirs = (each[name].sel(constant="one") for each in (found, plain))
        assert ours.sel(term="cross_entropy").values == pytest.approx(theirs.sel(term="cross_entropy") / 10, rel=1e-5)
        assert ours.sel(term="isometry").values == pytest.approx(theirs.sel(term="isometry") * 2 / 11, rel=1e-5)
    tight = found.tightness.sel(constant="one", term="cross_entropy")
    assert tight.values == pytest.approx(10 * plain.tightness.sel(constant="one", term="cross_entropy"), rel=1e-5)
    violated = found.violated.sel(constant="one")
    assert (violated >= plain.violated.sel(constant="one") - 1e-6).all() and (violated > 0).any()
    over = (tight.isel(quantile=-1) > 1 + 1e-6).values
    assert np.array_equal(over, violated.sel(term="cross_entropy").values > 0)
    others = ["gradient", "local", "lower", "left", "certified", "attacked"]
    assert found[others].drop_vars("constant", errors="ignore").equals(plain[others])
    assert found.sel(constant=["local", "product"])["bound"].equals(plain.sel(constant=["local", "product"])["bound"])


def test_the_inequality_fails_where_the_constant_is_taken_too_small(networks, monkeypatch):
    local = lipschitz.local_jacobian
    monkeypatch.setattr(lipschitz, "local_jacobian", lambda of, x: local(of, x) / 10)
    violated = lipschitz_bound.evaluate(TINY, networks).violated
    assert (violated.sel(constant="local", term="cross_entropy") > 0).any()
    assert (violated.sel(constant="product") == 0).all()


def test_no_attack_goes_below_the_certificate(result):
    certified, attacked = result.certified.sel(norm="Linf"), result.attacked
    assert (certified <= attacked).all()
    assert (result.certified.sel(norm="Linf") <= result.certified.sel(norm="L2")).all()
    assert (certified.isel(epsilon=0) > 0).any() and (attacked <= result.accuracy + 1e-6).all()


def test_an_isometry_within_classes_stretches_its_neighbours_by_one(networks, monkeypatch):
    """With a rotation in place of Φ, the measures say isometry; only the product, of weights, knows nothing of it."""
    rotation = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)).Q

    def represent(self, x):
        return (x @ rotation).expand(self.members, *x.shape[-2:])

    model = rings.restore(TINY.rings, networks["rings"])
    model.weights[-1].data = model.weights[-1].data[..., :3]
    monkeypatch.setattr(type(model), "represent", represent)
    x, labels = rings.data(TINY.rings)[2:]
    turned = _lipschitz.Group("rings", model, rings.members(TINY.rings), 1.0, x, labels, 30, _lipschitz.UNBOUNDED)
    measured = _lipschitz.measure(TINY, [turned], "cpu", lambda *_: None)
    for estimate in (measured.lower, measured.local.sel(map="representation"), measured.along):
        assert estimate.values == pytest.approx(np.ones(estimate.shape), rel=1e-6)
    assert measured.gradient.sel(term="isometry").values == pytest.approx(np.zeros((4, 7)), abs=1e-12)


def test_the_rank_correlation_is_spearmans(result):
    from scipy.stats import spearmanr

    images = of(result, TEXT)
    a, b = images.upper.sel(map="logits"), images.attacked.mean("epsilon").round(1)  # rounded: with ties
    assert lipschitz_bound.rank_correlation(a, b) == pytest.approx(spearmanr(a, b).statistic)


def test_the_ledger_reads_it_by_data_set_and_reading(result):
    assert measures.bounded_estimate(result, where="here", of="pair").interval.value <= 1
    assert measures.equation_6(result, where="here").interval.value == 0
    for data in ("rings", TEXT, PUBLIC):
        at = dict(where="here", data=data)
        violated = of(result, data).violated.sel(constant="one", term="cross_entropy")
        shares = violated[violated.beta.values == violated.beta.values.max()]
        found = measures.isometrys_bound(result, **at, term="cross_entropy").interval.value
        assert found == pytest.approx(float(shares.mean()))
        assert measures.constant_factor(result, **at, of="median").interval.value > 0


def test_run_gives_what_evaluate_gives(result):
    assert lipschitz_bound.run(TINY).equals(result)


def test_records_are_small_and_single_precision(result):
    assert result.nbytes < 1e6
    assert {str(values.dtype) for values in result.data_vars.values()} == {"float32"}
