from dataclasses import replace

import numpy as np
import pytest
import torch

from lil import attacks, evaluation, stronger_attacks, targeted
from lil.evaluation import Fgsm
from lil.experiments import worst_case
from lil.experiments._worst_case import ATTACKS, NOT_RUN, RIGHT, STEPS, WRONG, Trial
from lil.models import derived_seed
from lil.paper.headlines import headline
from lil.recipes import mnist

SMALL = dict(n_train=600, betas=(0.0, 0.1, 10.0), batch_size=50)
TINY = replace(
    worst_case.QUICK,
    text=replace(mnist.QUICK, **SMALL),
    public=replace(mnist.QUICK_PUBLIC, **SMALL),
    trial=replace(worst_case.QUICK.trial, n_images=50),
)
EPSILON, POSITION = 0.1, 1


@pytest.fixture(scope="module")
def whole(networks):
    return worst_case.evaluate(TINY, networks)


@pytest.fixture(scope="module")
def result(whole):
    """The answers at the larger ε."""
    return whole.sel(epsilon=EPSILON)


@pytest.fixture(scope="module")
def given(networks):
    """The networks of each reading, and the images that they meet."""
    x, labels = (part[:50] for part in mnist.data(TINY.text, "test"))
    models = {
        name: mnist.restore(getattr(TINY, name), networks[name]).requires_grad_(False) for name in worst_case.RECIPES
    }
    return models, x, labels


def members(settings=TINY.text):
    return list(enumerate(mnist.members(settings)))


def right(model, x, labels):
    return (model(attacks.pixels(x)).argmax(-1) == labels).numpy()


@pytest.mark.parametrize("reading", ["text", "public"])
def test_one_step_is_figure_3s_attack_with_the_readings_k(given, result, reading):
    models, x, labels = given
    settings = getattr(TINY, reading)
    sweep = evaluation.Sweep(models[reading], attacks.pixels, settings.betas, settings.seeds, settings.scale)
    fgsm = Fgsm(epsilons=(EPSILON,), batch_size=20, pictured=())
    expected = evaluation.robustness(sweep, x, labels, fgsm).isel(epsilon=0)
    found = result.right.sel(reading=reading)
    assert settings.scale == {"text": 1, "public": 10}[reading]
    for name in evaluation.OBJECTIVES:
        share = expected.accuracy.sel(objective=name)
        assert found.sel(attack=name).mean("image").values == pytest.approx(share.values)
    assert found.sel(attack="none").mean("image").values == pytest.approx(expected.clean.values)
    other = replace(sweep, scale=11 - sweep.scale)
    wrong = evaluation.robustness(other, x, labels, fgsm, objectives=["total"]).isel(epsilon=0, objective=0)
    assert not np.allclose(wrong.accuracy, expected.accuracy.sel(objective="total"))


def test_answers_are_those_to_each_image(given, result):
    """By an attack on one network at a time."""
    models, x, labels = given
    for name, objective in (("classification", attacks.classification), ("margin", stronger_attacks.margin)):
        for k, (beta, seed) in members():
            one = evaluation.select(models["public"], [k])
            settings = dict(epsilon=EPSILON, step_size=EPSILON, steps=1)
            made = attacks.attack(one, attacks.pixels, objective(one, labels), x, labels, **settings)
            found = result.right.sel(reading="public", attack=name, beta=beta, seed=seed)
            assert (found.values == ~made.success[0].numpy()).mean() >= 0.98  # a last digit may turn a sign


def test_many_steps_are_those_of_their_functions(given, result):
    models, x, labels = given
    trial = TINY.trial
    settings = dict(epsilon=EPSILON, steps=trial.steps, batch_size=trial.batch_size)
    for k, (beta, seed) in members():
        one, here = evaluation.select(models["text"], [k]), dict(reading="text", beta=beta, seed=seed)
        generator = torch.Generator().manual_seed(derived_seed(trial.draw, 1, seed, POSITION))
        attacked = (one, attacks.pixels, attacks.pixels, x, labels)
        pgd = targeted.pgd(*attacked, starts=trial.starts, generator=generator, **settings)
        many = targeted.multi_targeted(*attacked, **settings)
        for name, each in (("pgd", pgd), ("targeted", many)):
            assert (result.right.sel(attack=name, **here).values == each.right.numpy()).all()
            assert float(result.change.sel(attack=name, **here)) == pytest.approx(each.change)


def test_transfer_shows_the_others_what_was_made_for_beta_0_of_their_seed(given, result):
    models, x, labels = given
    found = result.right.sel(reading="public", attack="transfer")
    assert (found.sel(beta=0) == NOT_RUN).all()
    steps = TINY.trial.steps
    for j, seed in enumerate(TINY.public.seeds):
        source = evaluation.select(models["public"], [j])
        objective = attacks.classification(source, labels)
        size = dict(epsilon=EPSILON, step_size=2.5 * EPSILON / steps, steps=steps)
        made = attacks.attack(source, attacks.pixels, objective, x, labels, **size).x[0]
        expected = right(models["public"], made, labels).reshape(3, 2, -1)[1:, j]
        assert (found.sel(seed=seed).values[1:] == expected).mean() >= 0.98


def test_noise_is_the_same_for_all(given, result):
    models, x, labels = given
    moved = stronger_attacks.noise(
        x, EPSILON, torch.Generator().manual_seed(derived_seed(TINY.trial.draw, 0, POSITION))
    )
    for reading in ("text", "public"):
        expected = right(models[reading], moved, labels).reshape(3, 2, -1)
        assert (result.right.sel(reading=reading, attack="noise").values == expected).all()


def test_autoattack_has_the_images_that_all_others_left(given, result):
    models, x, labels = given
    others = result.right.drop_sel(attack="autoattack")
    left, auto = (others != WRONG).all("attack"), result.right.sel(attack="autoattack")
    assert ((auto != NOT_RUN) == left).all() and left.any()
    assert (auto.where(left) == WRONG).any() or (auto.where(left) == RIGHT).any()
    for k, (beta, seed) in members():
        here = dict(reading="text", beta=beta, seed=seed)
        at = torch.as_tensor(np.flatnonzero(left.sel(**here).values))
        if not len(at):
            continue
        effort = dict(iterations=TINY.trial.iterations, queries=TINY.trial.queries)
        effort |= dict(seed=derived_seed(TINY.trial.draw, 2, seed, POSITION))
        one = evaluation.select(models["text"], [k])
        expected = stronger_attacks.autoattack(one, attacks.pixels, x[at], labels[at], epsilon=EPSILON, **effort)
        assert (auto.sel(**here).values[at] == expected.right[-1].numpy()).all()


def test_autoattack_is_run_at_its_epsilons_alone(whole):
    run = (whole.right.sel(attack="autoattack") != NOT_RUN).any(("reading", "beta", "seed", "image"))
    assert whole.autoattacked.values.tolist() == [False, True] == run.values.tolist()
    assert whole.epsilon.values.tolist() == list(TINY.trial.epsilons)


def test_a_larger_epsilon_leaves_less(whole):
    for attack in ("classification", "margin", "pgd", "targeted"):
        left = (whole.right.sel(attack=attack) == RIGHT).mean("image").mean(("seed", "beta", "reading"))
        assert float(left[0]) > float(left[1]) + 0.1


def test_attacks_stay_in_the_ball_and_wrong_images_stay_wrong(result):
    reach = result.change.drop_sel(attack=["none", "autoattack", "transfer"])
    assert float(reach.min()) > 0.9 * EPSILON and float(result.change.max()) <= EPSILON + 1e-6
    assert (result.change.sel(attack="none") == 0).all()
    wrong = result.right.sel(attack="none") == WRONG
    assert wrong.any() and (result.right.sel(attack=["pgd", "targeted"]).where(wrong) != RIGHT).all()


def test_without_isometry_the_papers_attack_is_the_cross_entropys(result):
    alike = result.sel(beta=0)
    for table in (alike.right, alike.change):
        assert (table.sel(attack="total") == table.sel(attack="classification")).all()
    other = result.right.sel(beta=10)
    assert (other.sel(attack="total") != other.sel(attack="classification")).any()


@pytest.mark.parametrize(("beta", "k"), [(0.0, 1), (10.0, 5)])
def test_a_network_alone_gives_the_same_answers(networks, whole, beta, k):
    """Only images made for β = 0 need that network beside it, and so does what AutoAttack meets."""
    cut = dict(betas=(beta,), seeds=(1,))
    one = replace(TINY, **{name: replace(getattr(TINY, name), **cut) for name in worst_case.RECIPES})
    weights = {name: {key: value[[k]] for key, value in each.items()} for name, each in networks.items()}
    alone = worst_case.evaluate(one, weights).right.drop_sel(attack=["transfer", "autoattack"])
    there = whole.right.sel(beta=[beta], seed=[1]).sel(attack=alone.attack)
    assert float((alone != there).mean()) < 0.01


def test_dimensions_have_names_and_answers_are_bytes(whole, result):
    assert dict(whole.right.sizes) == dict(reading=2, epsilon=2, attack=len(ATTACKS), beta=3, seed=2, image=50)
    assert whole.reading.values.tolist() == ["text", "public"]
    assert set(STEPS) < set(ATTACKS) and set(np.unique(result.right)) == {WRONG, RIGHT, NOT_RUN}
    assert (str(result.right.dtype), str(result.change.dtype)) == ("uint8", "float32")


def test_the_papers_scale():
    config = worst_case.PAPER
    assert (config.text, config.public) == (mnist.FIVE, mnist.FIVE_PUBLIC)
    assert config.trial.epsilons == (Fgsm().epsilons[3], 0.1) and config.trial.n_images == 1000
    assert (config.trial.iterations, config.trial.queries) == (100, 5000)  # AutoAttack's standard version


def test_run_gives_what_evaluate_gives(whole):
    assert worst_case.run(TINY).equals(whole)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(epsilons=(0.0,), auto_epsilons=()), "must be > 0"),
        (dict(auto_epsilons=(0.2,)), "auto_epsilons must be among the ε"),
        (dict(n_images=0), "n_images must be at least 1, not 0"),
        (dict(starts=0), "starts must be at least 1, not 0"),
    ],
)
def test_settings_that_make_no_attack_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        Trial(**{"epsilons": (0.1,), "auto_epsilons": (0.1,), "n_images": 10} | change)


def test_the_headline_is_the_accuracy_that_the_worst_case_leaves(whole, result):
    found = headline("worst_case", whole)
    here = result.right.sel(reading="public", beta=10)
    expected = float((here != WRONG).all("attack").mean())
    assert len(found) == 12 and found["public, ε = 0.1, β = 10, worst case"] == (None, pytest.approx(expected))
