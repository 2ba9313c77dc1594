from dataclasses import replace

import numpy as np
import pytest

from lil import attacks, evaluation, stronger_attacks
from lil.experiments import attackers_view, attackers_view_cifar10, fig3_cifar10
from lil.recipes import cifar10

TINY = replace(
    attackers_view_cifar10.QUICK,
    cifar10=replace(cifar10.QUICK, betas=(0.0, 10.0), seeds=(0, 1), n_test=12),
    n_seeds=1,
    view=replace(attackers_view_cifar10.QUICK.view, n_images=12, n_few=6),
)
EPSILON = 8 / 255


def test_attacks_go_through_the_vgg13(networks, result):
    x, labels = cifar10.data(TINY.cifar10, "test")
    front, model = cifar10.front(TINY.cifar10), cifar10.restore(TINY.cifar10, networks["cifar10"]).requires_grad_(False)
    for beta, k in ((0, 0), (10, 2)):
        one, here = evaluation.select(model, [k]), dict(beta=beta, seed=0, epsilon=EPSILON)
        for attack, objective in (("classification", attacks.classification), ("margin", stronger_attacks.margin)):
            made = attacks.attack(
                one, front, objective(one, labels), x, labels, epsilon=EPSILON, step_size=EPSILON, steps=1
            )
            expected = 1 - float(made.success.float().mean())
            assert float(result.accuracy.sel(images=12, attack=attack, **here)) == pytest.approx(expected)


def test_what_is_run_and_how_far_it_goes(result):
    assert dict(result.accuracy.sizes) == dict(images=2, attack=6, beta=2, seed=1, epsilon=3)
    run = result.accuracy.sel(images=6, epsilon=EPSILON)
    assert run.sel(attack="autoattack").notnull().all()
    assert np.isnan(result.transferred.sel(beta=0)).all() and result.transferred.sel(beta=10).notnull().all()
    assert (result.change.max(("attack", "beta", "seed")) <= result.epsilon + 1e-6).all()
    assert (result.accuracy.sel(attack="pgd") <= result.clean).all() and float(result.clean.mean()) > 0.1


def test_its_papers_scale_is_figure_3bs_networks():
    assert attackers_view_cifar10.PAPER.cifar10 == fig3_cifar10.PAPER.cifar10
    view = attackers_view_cifar10.PAPER.view
    assert view.auto_epsilons == (EPSILON,) and set(view.epsilons) == set(attackers_view.PAPER.view.epsilons)


@pytest.mark.parametrize("n_seeds", (0, 3))
def test_there_are_no_more_seeds_than_networks(n_seeds):
    with pytest.raises(ValueError, match=f"n_seeds must be 1 to 2, as many as are trained, not {n_seeds}"):
        replace(TINY, n_seeds=n_seeds)
