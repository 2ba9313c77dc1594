import re
from dataclasses import replace

import numpy as np
import pytest
import torch
import xarray as xr

from lil import evaluation, stronger_attacks
from lil.attacks import pixels
from lil.experiments import baselines as experiment
from lil.models import derived_seed
from lil.recipes import baselines, mnist
from lil.results import computing

SHARED = dict(n_train=200, n_test=40, batch_size=20, epochs=3)
TINY = replace(
    experiment.QUICK,
    mnist=replace(mnist.QUICK, betas=(0.0, 0.1), seeds=(1, 2, 0), hidden=(10, 10), **SHARED),
    public=replace(mnist.QUICK_PUBLIC, betas=(0.0, 0.1), seeds=(0, 1), hidden=(10, 10, 10), **SHARED),
    baselines=replace(
        baselines.QUICK,
        seeds=(0, 1),
        hidden=(10, 10),
        jacobian=(0.1,),
        spectral=(2.0,),
        decay=(1.0,),
        fgsm=(0.1,),
        pgd=(0.05, 0.1),
        pgd_steps=2,
        **SHARED,
    ),
    n_images=30,
    n_few=10,
    iterations=3,
    queries=5,
    epsilons=(0.1, 0.02),
    strongest_epsilon=0.02,
)
METHODS = ["plain", "lil", "plain_public", "lil_public", "jacobian", "spectral", "decay", "fgsm", "pgd", "pgd"]


@pytest.fixture(scope="module")
def given(networks):
    """Every network alone, by (recipe, member); and the images that they meet."""
    alone = {}
    for name, recipe in experiment.RECIPES.items():
        settings = getattr(TINY, name)
        model = recipe.restore(settings, networks[name])
        for k, member in enumerate(recipe.members(settings)):
            alone[name, member] = evaluation.select(model, [k]).requires_grad_(False)
    return alone, *mnist.data(TINY.mnist, "test")


MEMBERS = {
    "lil": ("mnist", (0.1, 1)),
    "plain": ("mnist", (0.0, 0)),
    "lil_public": ("public", (0.1, 1)),
    "plain_public": ("public", (0.0, 1)),
    "spectral": ("baselines", ("spectral", 2.0, 1)),
    "pgd": ("baselines", ("pgd", 0.1, 0)),
}


@pytest.mark.parametrize("method", MEMBERS)
def test_each_network_has_its_own_numbers(given, result, method):
    """Recomputed one by one, with the functions of the attacks and constants and with an independent Jacobian."""
    alone, x, labels = given
    network, (*_, strength, seed) = alone[MEMBERS[method]], MEMBERS[method][1]
    (where,) = np.flatnonzero((result.method == method) & (result.strength == strength))
    there = result.isel(setting=where).sel(seed=seed)
    right = network(x.flatten(1))[0].argmax(-1) == labels
    assert float(there.clean) == pytest.approx(float(right.float().mean()))
    for position, epsilon in enumerate(TINY.epsilons):
        pgd = stronger_attacks.escalating_pgd(
            network,
            pixels,
            x[:30],
            labels[:30],
            epsilon=epsilon,
            steps=TINY.steps,
            doublings=TINY.doublings,
            generator=torch.Generator().manual_seed(derived_seed(TINY.draw, 1, seed, position)),
        )
        assert float(there.pgd.sel(epsilon=epsilon)) == pytest.approx(float(pgd.right.float().mean()))
    assert there.pgd_right.values.tolist() == pgd.right.int().tolist()  # of the last ε, 0.02
    left = [k for k in range(10) if pgd.right[k]]
    auto = stronger_attacks.autoattack(
        network,
        pixels,
        x[left],
        labels[left],
        epsilon=0.02,
        iterations=3,
        queries=5,
        seed=derived_seed(TINY.draw, 2, seed, 1),
    )
    expected = [int(k in left and bool(auto.right[-1][left.index(k)])) for k in range(10)]
    assert there.strongest_right.values.tolist() == expected
    assert float(there.strongest) == pytest.approx(np.mean(expected))
    jacobian = torch.stack(
        [torch.autograd.functional.jacobian(lambda one: network(one[None])[0, 0], point.flatten()) for point in x[:30]]
    )
    local = torch.linalg.svdvals(jacobian)[:, 0]
    logits = network(x[:30].flatten(1))[0]
    own = logits.gather(1, labels[:30, None])[:, 0]
    other = logits.scatter(1, labels[:30, None], -torch.inf).amax(1)
    for name, values in (("local", local), ("reach", (own - other) / (2**0.5 * local))):
        assert there[name].values == pytest.approx(np.quantile(values.numpy(), TINY.quantiles), rel=1e-4, abs=1e-5)


def test_the_constant_scales_with_the_logits_and_the_reach_does_not(given):
    alone, x, labels = given
    network = alone["mnist", (0.0, 0)]
    local, reach = experiment._constants(network, x.flatten(1), labels, TINY.quantiles)
    scaled = evaluation.select(network, [0]).requires_grad_(False)
    scaled.weights[-1] *= 10
    scaled.biases[-1] *= 10
    ten_times, same = experiment._constants(scaled, x.flatten(1), labels, TINY.quantiles)
    assert ten_times == pytest.approx(10 * local, rel=1e-5) and same == pytest.approx(reach, rel=1e-5)


def test_every_network_is_there_once_with_the_baselines_seeds(result):
    assert result.method.values.tolist() == METHODS
    assert result.strength.values.tolist() == [0, 0.1, 0, 0.1, 0.1, 2, 1, 0.1, 0.05, 0.1]
    assert result.seed.values.tolist() == [0, 1] and TINY.mnist.seeds == (1, 2, 0)
    assert dict(result.sizes) == dict(setting=10, seed=2, epsilon=2, image=30, few=10, quantile=3)


def test_autoattack_only_takes_images_away(result):
    after = result.pgd_right.isel(image=slice(10)).rename(image="few")
    assert (result.strongest_right <= after).all() and (result.strongest_right < after).any()
    assert result.pgd_right.mean("image").values == pytest.approx(result.pgd.sel(epsilon=0.02).values)
    assert (result.change <= result.epsilon + 1e-6).all() and (result.change.sel(epsilon=0.02) > 0.019).any()


def test_autoattack_is_not_run_where_pgd_left_nothing(given, monkeypatch):
    alone, x, labels = given
    monkeypatch.setattr(stronger_attacks, "autoattack", lambda *_, **__: pytest.fail("it was run"))
    none = torch.zeros(30, dtype=torch.bool)
    few, change = experiment._autoattack(TINY, alone["mnist", (0.0, 0)], x[:30], labels[:30], none, 0)
    assert few.tolist() == [False] * 10 and change == 0


def test_a_seed_and_beta_alone_have_the_same_results(networks, result):
    """A last digit may turn the sign of a gradient, and an image of ten with it."""
    one = replace(
        TINY,
        mnist=replace(TINY.mnist, betas=(0.1,), seeds=(1,)),
        public=replace(TINY.public, betas=(0.1,), seeds=(1,)),
        baselines=replace(TINY.baselines, seeds=(1,)),
    )
    alone = {}
    for name, recipe in experiment.RECIPES.items():
        trained, asked = (recipe.members(getattr(config, name)) for config in (TINY, one))
        chosen = [trained.index(member) for member in asked]
        alone[name] = {key: value[chosen] for key, value in networks[name].items()}
    same = result.isel(setting=[k for k, method in enumerate(METHODS) if "plain" not in method]).sel(seed=[1])
    apart = computing.differences(experiment.evaluate(one, alone), same)
    near = dict(clean=0.02, pgd=0.1, strongest=0.2, pgd_right=1, strongest_right=1, local=1e-5, reach=1e-5, change=1e-6)
    assert all(share <= near.get(name, 0) for name, share in apart.items())


def made_up():
    """Both readings with two β > 0, of which the first is better under PGD, and methods near, far, and twice there."""
    rows = [  # method, strength, clean of two seeds, accuracy under PGD
        ("plain", 0.0, (0.98, 0.98), 0.9),
        ("lil", 0.1, (0.94, 0.96), 0.4),
        ("lil", 1.0, (0.97, 0.97), 0.3),
        ("plain_public", 0.0, (0.975, 0.975), 0.2),
        ("lil_public", 0.1, (0.9, 0.9), 0.1),
        ("lil_public", 1.0, (0.93, 0.93), 0.2),
        ("jacobian", 0.1, (0.97, 0.97), 0.5),
        ("jacobian", 1.0, (0.955, 0.955), 0.6),
        ("decay", 3.0, (0.957, 0.934), 0.7),
        ("pgd", 0.3, (0.5, 0.5), 0.8),
    ]
    method, strength, clean, pgd = zip(*rows, strict=True)
    values = np.broadcast_to(np.array(pgd)[:, None, None], (len(rows), 2, 1))
    return xr.Dataset(
        {
            "clean": (("setting", "seed"), np.array(clean, np.float32)),
            "pgd": (("setting", "seed", "epsilon"), values.astype(np.float32)),
        },
        coords={
            "method": ("setting", list(method)),
            "strength": ("setting", list(strength)),
            "seed": [0, 1],
            "epsilon": [0.1],
        },
    )


def test_methods_are_compared_at_the_clean_accuracy_of_the_best_lil():
    found = experiment.match(made_up(), "lil")
    assert found.method.values.tolist() == ["plain", "lil", "lil_public", "jacobian", "decay", "pgd"]
    assert found.strength.values.tolist() == [0, 0.1, 1.0, 1.0, 3.0, 0.3]  # the plain network, though better, is no LIL
    assert found.gap.mean("seed").values == pytest.approx([0.03, 0, -0.02, 0.005, -0.0045, -0.45], abs=1e-6)
    assert found.gap.sel(seed=0).values == pytest.approx([0.04, 0, -0.01, 0.015, 0.017, -0.44], abs=1e-6)
    assert found.near.values.tolist() == [False, True, False, True, True, False]  # 0.005 is near, in float32 too
    assert found.attrs["reading"] == "lil"


@pytest.mark.parametrize("reference", [0.92, 0.93, 0.945, 0.9636, 0.97])
@pytest.mark.parametrize(("gap", "near"), [(0.005, True), (-0.005, True), (0.0051, False), (-0.0051, False)])
def test_a_gap_of_the_tolerance_is_near_whatever_float32_makes_of_it(reference, gap, near):
    one = made_up().isel(setting=[1, 6])
    one["clean"] = one.clean.copy(data=np.array([[reference] * 2, [reference + gap] * 2], np.float32))
    assert experiment.match(one, "lil").near.values.tolist() == [True, near]


def test_the_draws_are_those_of_the_seed_and_the_same_for_all_methods(networks, monkeypatch):
    used = []

    def autoattack(network, front, x, labels, *, seed, **settings):
        used.append(seed)
        return stronger_attacks.AutoAttacked(torch.ones(1, len(x), dtype=torch.bool), 0.0)

    monkeypatch.setattr(stronger_attacks, "autoattack", autoattack)
    experiment.evaluate(TINY, networks)
    assert set(used) == {derived_seed(TINY.draw, 2, seed, 1) for seed in (0, 1)}


def test_robust_accuracy_chooses_for_the_isometry_term_alone():
    other = made_up()
    baselines_alone = np.array([method not in ("lil", "lil_public") for method in other.method.values])
    other["pgd"] = other.pgd.where(~baselines_alone[:, None, None], 0.0)
    assert (
        experiment.match(other, "lil").drop_vars("pgd").identical(experiment.match(made_up(), "lil").drop_vars("pgd"))
    )


def test_each_reading_and_beta_can_be_the_reference():
    found = experiment.match(made_up(), "lil_public", 0.1)
    assert found.method.values.tolist() == ["lil", "plain_public", "lil_public", "jacobian", "decay", "pgd"]
    assert found.strength.values.tolist() == [0.1, 0, 0.1, 1.0, 3.0, 0.3]
    assert [
        (one.attrs["reading"], float(one.strength[one.method == one.attrs["reading"]].item()))
        for one in experiment.match_each(made_up())
    ] == [("lil", 0.1), ("lil", 1.0), ("lil_public", 0.1), ("lil_public", 1.0)]
    with pytest.raises(KeyError, match=re.escape("lil has no β = 3: it has 0.1, 1.")):
        experiment.match(made_up(), "lil", 3.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(strongest_epsilon=0.2), "strongest_epsilon must be one of the ε, (0.1, 0.02), not 0.2."),
        (dict(n_few=31), "n_few must be 1 to n_images, 30, not 31."),
        (dict(epsilons=(1.5,), strongest_epsilon=1.5), "must be > 0 and at most 1"),
        (
            dict(mnist=replace(TINY.mnist, epochs=4)),
            "networks that are compared must share their epochs, not have 4 and 3",
        ),
        (dict(public=replace(TINY.public, betas=(0.0,))), "public.betas must have one above 0, not (0.0,) alone."),
        (dict(public=replace(TINY.public, epochs=2)), "must share their epochs, not have 3 and 2"),
        (dict(mnist=replace(TINY.mnist, hidden=(9, 9))), "the baselines' hidden layers must be (9, 9), not (10, 10)."),
        (dict(mnist=replace(TINY.mnist, seeds=(0, 2))), "the baselines' seeds must be among [0], not (0, 1)."),
    ],
)
def test_settings_that_make_no_sense_are_refused(change, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        replace(TINY, **change)


def test_the_papers_scale():
    config = experiment.PAPER
    assert (config.mnist, config.public) == (mnist.FIVE, mnist.FIVE_PUBLIC)
    assert config.epsilons[0] == pytest.approx(0.0464, abs=1e-4) and config.epsilons[1:] == (0.1, 0.3)
    assert config.baselines.seeds == (0, 1, 2)


def test_records_are_small(result):
    assert {str(values.dtype) for values in result.data_vars.values()} == {"float32", "int8"} and result.nbytes < 2e4


def test_run_gives_what_evaluate_gives(result):
    assert experiment.run(TINY).equals(result)
