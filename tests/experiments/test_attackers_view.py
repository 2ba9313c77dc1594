from dataclasses import replace

import numpy as np
import pytest
import torch

from lil import attacks, evaluation, stronger_attacks
from lil.evaluation import Fgsm
from lil.experiments import attackers_view
from lil.experiments._attackers import ATTACKS
from lil.models import derived_seed
from lil.paper.checklist import checklist
from lil.recipes import mnist
from lil.results import computing

TINY = replace(
    attackers_view.QUICK,
    mnist=replace(mnist.QUICK, n_train=600, betas=(0.0, 0.1, 1.0), batch_size=50),
    view=replace(attackers_view.QUICK.view, n_images=40, n_few=20, batch_size=20, iterations=10, queries=20),
)


@pytest.fixture(scope="module")
def given(networks):
    """The networks, and the images that they meet."""
    x, labels = (part[:40] for part in mnist.data(TINY.mnist, "test"))
    return mnist.restore(TINY.mnist, networks["mnist"]).requires_grad_(False), x, labels


def left(model, x, labels):
    return (model(attacks.pixels(x)).argmax(-1) == labels).float().mean(-1)


def test_one_step_is_figure_3s_attack(given, result):
    """By the code of Figure 3: the same accuracies on the same images, of all and of the few."""
    model, x, labels = given
    sweep = evaluation.Sweep(model, attacks.pixels, TINY.mnist.betas, TINY.mnist.seeds, TINY.mnist.scale)
    for count in (40, 20):
        fgsm = Fgsm(epsilons=TINY.view.all_epsilons, batch_size=20, pictured=())
        expected = evaluation.robustness(sweep, x[:count], labels[:count], fgsm)
        for objective in evaluation.OBJECTIVES:
            found = result.accuracy.sel(images=count, attack=objective).values
            assert np.array_equal(found, expected.accuracy.sel(objective=objective).values)
        assert np.array_equal(result.clean.sel(images=count).values, expected.clean.values)
    found = result.change.sel(attack=list(evaluation.OBJECTIVES)).values
    assert found == pytest.approx(np.broadcast_to(TINY.view.all_epsilons, found.shape), rel=1e-6)


def test_the_margins_step_and_pgd_are_those_of_their_functions(given, result):
    model, x, labels = given
    for k, (beta, seed) in enumerate(mnist.members(TINY.mnist)):
        one, here = evaluation.select(model, [k]), dict(beta=beta, seed=seed, epsilon=0.1)
        found = attacks.attack(
            one, attacks.pixels, stronger_attacks.margin(one, labels), x, labels, epsilon=0.1, step_size=0.1, steps=1
        )
        margin = result.accuracy.sel(images=40, attack="margin", **here)
        assert float(margin) == pytest.approx(float(left(one, found.x, labels)))
        position = TINY.view.all_epsilons.index(0.1)
        pgd = stronger_attacks.escalating_pgd(
            one,
            attacks.pixels,
            x,
            labels,
            epsilon=0.1,
            steps=TINY.view.steps,
            doublings=TINY.view.doublings,
            generator=torch.Generator().manual_seed(derived_seed(TINY.view.draw, 1, seed, position)),
        )
        trace = result.trace.sel(**here).values
        assert trace[: len(pgd.trace)] == pytest.approx(np.array(pgd.trace) / 40)
        assert (trace[len(pgd.trace) :] == trace[-1]).all()
        assert float(result.settled.sel(**here)) == stronger_attacks.converged(pgd.trace)
        for count in (40, 20):
            pgd_left = result.accuracy.sel(images=count, attack="pgd", **here)
            assert float(pgd_left) == pytest.approx(float(pgd.right[:count].float().mean()))


def test_transfer_shows_the_others_what_was_made_for_beta_0_of_their_seed(given, result):
    model, x, labels = given
    found = result.transferred.sel(images=40, epsilon=0.1)
    assert np.isnan(found.sel(beta=0)).all()
    for j, seed in enumerate(TINY.mnist.seeds):
        source = evaluation.select(model, [j])
        made = attacks.attack(
            source,
            attacks.pixels,
            attacks.classification(source, labels),
            x,
            labels,
            epsilon=0.1,
            step_size=0.25 / TINY.view.transfer_steps,
            steps=TINY.view.transfer_steps,
        )
        expected = left(model, made.x[0], labels).view(3, 2)[1:, j]
        assert found.sel(seed=seed).values[1:] == pytest.approx(expected.numpy())
    assert not np.array_equal(found.values[1:, 0], found.values[1:, 1])


def test_noise_is_the_same_for_all(given, result):
    model, x, labels = given
    position = TINY.view.all_epsilons.index(0.3)
    moved = stronger_attacks.noise(x, 0.3, torch.Generator().manual_seed(derived_seed(TINY.view.draw, 0, position)))
    found = result.accuracy.sel(images=40, attack="noise", epsilon=0.3).values
    assert found == pytest.approx(left(model, moved, labels).view(3, 2).numpy())


def test_autoattack_has_the_few_images_at_its_epsilons(result):
    auto = result.accuracy.sel(attack="autoattack")
    assert auto.sel(images=40).isnull().all()
    assert (auto.sel(images=20).notnull() == (result.epsilon == 0.1)).all()
    assert (auto.sel(images=20, epsilon=0.1) == result.after_stage.sel(epsilon=0.1, stage="square")).all()
    assert (result.after_stage.sel(epsilon=0.1).diff("stage") <= 0).all()
    pgd = result.accuracy.sel(images=20, attack="pgd", epsilon=0.1)
    assert (auto.sel(images=20, epsilon=0.1) <= pgd + 0.01 + 1e-6).all()


def sharpened(networks, factor, members):
    """The networks with some classifiers so large that the softmax is 1 for one digit; without AutoAttack."""
    weights = networks["mnist"]["weights.4"].clone()
    weights[members] *= factor
    settings = replace(TINY, view=replace(TINY.view, auto_epsilons=()))
    return attackers_view.evaluate(settings, {"mnist": networks["mnist"] | {"weights.4": weights}})


def test_gradients_that_vanish_are_counted(networks):
    found = sharpened(networks, 1e6, slice(2))
    assert (found.zero_gradient.sel(beta=0) > 0.3).all() and (found.zero_gradient.sel(beta=[0.1, 1.0]) == 0).all()
    assert "no gradient vanishes" in [item.question for item in checklist(found) if not item.passed]


def test_what_rounding_takes_from_a_gradient_is_seen_in_double_precision(networks):
    found = sharpened(networks, 100, slice(None))
    single, double = (found.zero_gradient.sel(precision=name) for name in ("float32", "float64"))
    assert (single.sum() > 0) and (double == 0).all() and (found.turned >= single - 1e-6).all()


@pytest.mark.parametrize(("beta", "k"), [(0.0, 1), (1.0, 5)])
def test_a_network_alone_has_the_same_results(networks, result, beta, k):
    """Only images made for β = 0 need that network beside it. A last digit may turn the sign of a gradient."""
    one = replace(TINY, mnist=replace(TINY.mnist, betas=(beta,), seeds=(1,)))
    alone = attackers_view.evaluate(one, {"mnist": {name: value[[k]] for name, value in networks["mnist"].items()}})
    there = result.sel(beta=[beta], seed=[1])
    apart = computing.differences(alone, there)
    assert np.isnan(alone.transferred).all() and (beta == 0) == (apart.pop("transferred") == 0)
    near = dict(clean=0.02, accuracy=0.08, after_stage=0.08, trace=0.08, change=1e-6)
    near |= dict(settled=1.0, zero_gradient=1.0, turned=1.0)  # too few to compare
    assert all(share <= near.get(name, 0) for name, share in apart.items())


def test_dimensions_have_names_and_records_are_small(result):
    assert dict(result.accuracy.sizes) == dict(images=2, attack=6, beta=3, seed=2, epsilon=4)
    assert tuple(result.attack.values) == ATTACKS
    assert result.in_paper.values.tolist() == [True, True, False, True]
    assert {str(values.dtype) for values in result.data_vars.values()} == {"float32"} and result.nbytes < 1e4


def test_the_papers_scale():
    view = attackers_view.PAPER.view
    assert attackers_view.PAPER.mnist == mnist.FIVE and view.epsilons == Fgsm().epsilons
    assert len(view.all_epsilons) == 12 and 0.3 in view.auto_epsilons
    assert (view.iterations, view.queries) == (100, 5000)  # AutoAttack's standard version


def test_run_gives_what_evaluate_gives(result):
    assert attackers_view.run(TINY).equals(result)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(auto_epsilons=(0.2,)), "auto_epsilons must be among the ε"),
        (dict(n_few=40), "n_few must be greater than 0 and less than n_images, 40"),
        (dict(doublings=1), "doublings must be at least 2"),
        (dict(more_epsilons=(1.5,)), r"ε \(the paper's γ\) must be > 0 and at most 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        replace(TINY.view, **change)
