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

SHARED = dict(n_train=200, n_test=40, hidden=(10, 10), batch_size=20, epochs=3)
TINY = replace(
    experiment.QUICK,
    mnist=replace(mnist.QUICK, betas=(0.0, 0.1), seeds=(1, 2, 0), **SHARED),
    baselines=replace(
        baselines.QUICK,
        seeds=(0, 1),
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
    epsilons=(0.02, 0.1),
)


@pytest.fixture(scope="module")
def given(networks):
    """Every setting and seed with its network alone, by name; and the images that they meet."""
    alone = {}
    for name, recipe in (("mnist", mnist), ("baselines", baselines)):
        settings = getattr(TINY, name)
        model = recipe.restore(settings, networks[name])
        for k, member in enumerate(recipe.members(settings)):
            alone[member] = evaluation.select(model, [k]).requires_grad_(False)
    return alone, *mnist.data(TINY.mnist, "test")


MEMBERS = [(0.1, 1), (0.0, 1), ("spectral", 2.0, 1), ("pgd", 0.1, 0)]


def of(result, member):
    """What a network's results are, by the names of the baselines'."""
    if len(member) == 2:
        return result.sel(beta=member[0], seed=member[1]), "lil_"
    method, strength, seed = member
    (where,) = np.flatnonzero((result.method == method) & (result.strength == strength))
    return result.isel(setting=where).sel(seed=seed), ""


@pytest.mark.parametrize("member", MEMBERS, ids=str)
def test_each_network_has_its_own_numbers(given, result, member):
    """Recomputed one by one, with the functions of the attacks and constants and with an independent Jacobian."""
    alone, x, labels = given
    network, (there, prefix) = alone[member], of(result, member)
    right = network(x.flatten(1))[0].argmax(-1) == labels
    assert float(there[prefix + "clean"]) == pytest.approx(float(right.float().mean()))
    for position, epsilon in enumerate(TINY.epsilons):
        pgd = stronger_attacks.escalating_pgd(
            network,
            pixels,
            x[:30],
            labels[:30],
            epsilon=epsilon,
            steps=TINY.steps,
            doublings=TINY.doublings,
            generator=torch.Generator().manual_seed(derived_seed(TINY.draw, 1, member[-1], position)),
        )
        found = there[prefix + "accuracy"].sel(attack="pgd", epsilon=epsilon)
        assert found.values == pytest.approx([float(pgd.right[:count].float().mean()) for count in (30, 10)])
    jacobian = torch.stack(
        [torch.autograd.functional.jacobian(lambda one: network(one[None])[0, 0], point.flatten()) for point in x[:30]]
    )
    local = torch.linalg.svdvals(jacobian)[:, 0]
    logits = network(x[:30].flatten(1))[0]
    own = logits.gather(1, labels[:30, None])[:, 0]
    other = logits.scatter(1, labels[:30, None], -torch.inf).amax(1)
    for name, values in (("local", local), ("reach", (own - other) / (2**0.5 * local))):
        expected = np.quantile(values.numpy(), TINY.quantiles)
        assert there[prefix + name].values == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_the_constant_scales_with_the_logits_and_the_reach_does_not(given):
    alone, x, labels = given
    network = alone[(0.0, 0)]
    local, reach = experiment._constants(TINY, network, x.flatten(1), labels)
    scaled = evaluation.select(network, [0]).requires_grad_(False)
    scaled.weights[-1] *= 10
    scaled.biases[-1] *= 10
    ten_times, same = experiment._constants(TINY, scaled, x.flatten(1), labels)
    assert ten_times == pytest.approx(10 * local, rel=1e-5) and same == pytest.approx(reach, rel=1e-5)


def test_autoattack_has_the_few_images_at_its_epsilons(result):
    for prefix in ("", "lil_"):
        auto = result[prefix + "accuracy"].sel(attack="autoattack")
        assert auto.isel(images=0).isnull().all()
        expected = np.broadcast_to(result.epsilon == 0.1, auto.isel(images=1).shape)
        assert np.array_equal(auto.isel(images=1).notnull().values, expected)
        change = result[prefix + "change"]
        assert (change.sel(attack="pgd") <= change.epsilon + 1e-6).all()
        assert np.array_equal(change.sel(attack="autoattack").notnull().values, expected)


def test_the_lil_s_networks_are_those_of_the_baselines_seeds(result):
    assert result.seed.values.tolist() == [0, 1] and TINY.mnist.seeds == (1, 2, 0)
    assert dict(result.lil_clean.sizes) == dict(beta=2, seed=2) and dict(result.clean.sizes) == dict(setting=6, seed=2)


def test_a_seed_and_beta_alone_have_the_same_results(networks, result):
    """A last digit may turn the sign of a gradient, and an image of ten with it."""
    one = replace(
        TINY, mnist=replace(TINY.mnist, betas=(0.1,), seeds=(1,)), baselines=replace(TINY.baselines, seeds=(1,))
    )
    alone = {}
    for name, recipe in experiment.RECIPES.items():
        trained, asked = (recipe.members(getattr(config, name)) for config in (TINY, one))
        chosen = [trained.index(member) for member in asked]
        alone[name] = {key: value[chosen] for key, value in networks[name].items()}
    apart = computing.differences(experiment.evaluate(one, alone), result.sel(beta=[0.1], seed=[1]))
    near = dict(clean=0.02, accuracy=0.1, local=1e-5, reach=1e-5, change=1e-6)
    assert all(share <= near.get(name.removeprefix("lil_"), 0) for name, share in apart.items())


def test_every_network_is_there_once(result):
    found = experiment.combine(result)
    assert found.method.values.tolist() == ["plain", "lil", "jacobian", "spectral", "decay", "fgsm", "pgd", "pgd"]
    assert found.strength.values.tolist() == [0, 0.1, 0.1, 2, 1, 0.1, 0.05, 0.1]
    assert np.array_equal(found.clean.isel(setting=1), result.lil_clean.sel(beta=0.1))
    assert np.array_equal(found.accuracy.isel(setting=7), result.accuracy.isel(setting=5), equal_nan=True)
    assert set(found.data_vars) == {"clean", "accuracy", "change", "local", "reach"}


def made_up():
    """Two β > 0, of which the first is better under PGD, and methods that are near it, far, and twice there."""
    clean = {
        "lil_clean": [[0.98, 0.98], [0.94, 0.96], [0.97, 0.97]],
        "clean": [[0.97, 0.97], [0.955, 0.955], [0.96, 0.93], [0.5, 0.5]],
    }
    pgd = {"lil_clean": [0.9, 0.4, 0.3], "clean": [0.5, 0.6, 0.7, 0.8]}
    values = {}
    for name, dims in (("lil_clean", "beta"), ("clean", "setting")):
        prefix = name.removesuffix("clean")
        n = len(clean[name])
        accuracy = np.broadcast_to(np.array(pgd[name])[:, None, None], (2, 2, n, 2, 1))
        values |= {
            name: ((dims, "seed"), np.array(clean[name])),
            prefix + "accuracy": (("images", "attack", dims, "seed", "epsilon"), accuracy),
        }
    return xr.Dataset(
        values,
        coords={
            "beta": [0.0, 0.1, 1.0],
            "seed": [0, 1],
            "images": [50, 10],
            "attack": ["pgd", "autoattack"],
            "epsilon": [0.1],
            "method": ("setting", ["jacobian", "jacobian", "decay", "pgd"]),
            "strength": ("setting", [0.1, 1.0, 3.0, 0.3]),
        },
    )


def test_methods_are_compared_at_the_clean_accuracy_of_the_best_lil():
    found = experiment.match(made_up())
    assert found.method.values.tolist() == ["plain", "lil", "jacobian", "decay", "pgd"]
    assert found.strength.values.tolist() == [0, 0.1, 1.0, 3.0, 0.3]  # the plain network, though better, is no LIL
    assert found.gap.values == pytest.approx([0.03, 0, 0.005, -0.005, -0.45])
    assert found.near.values.tolist() == [False, True, True, True, False]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(auto_epsilons=(0.2,)), "auto_epsilons must be among the ε"),
        (dict(n_few=30), "n_few must be greater than 0 and less than n_images, 30, not 30."),
        (dict(epsilons=(1.5,), auto_epsilons=()), "must be > 0 and at most 1"),
        (
            dict(mnist=replace(TINY.mnist, epochs=4)),
            "networks that are compared must share their epochs, not have 4 and 3",
        ),
        (dict(mnist=replace(TINY.mnist, seeds=(0, 2))), "the baselines' seeds must be among (0, 2), not (0, 1)."),
    ],
)
def test_settings_that_make_no_sense_are_refused(change, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        replace(TINY, **change)


def test_the_papers_scale():
    config = experiment.PAPER
    assert config.mnist == mnist.FIVE and config.epsilons[0] == pytest.approx(0.0464, abs=1e-4)
    assert config.epsilons[1:] == (0.1, 0.3) and (config.iterations, config.queries) == (100, 5000)


def test_records_are_small(result):
    assert {str(values.dtype) for values in result.data_vars.values()} == {"float32"} and result.nbytes < 1e4


def test_run_gives_what_evaluate_gives(result):
    assert experiment.run(TINY).equals(result)
