from dataclasses import replace

import numpy as np
import pytest
import torch
import xarray as xr

from lil import attacks, checkpoints, evaluation
from lil.datasets.images import load
from lil.evaluation import Fgsm, Sweep
from lil.models import LIL

BETAS, SEEDS = (0.0, 0.5, 20.0), (3, 4)
FGSM = Fgsm(epsilons=(0.02, 0.1, 1.0), batch_size=20, pictured=(0, 2), pictures=2)


def flatten(x):
    return x.flatten(-3)


@pytest.fixture(scope="module")
def data():
    return load("digits", "test", 50)  # two batches of 20 and one of 10


@pytest.fixture(scope="module")
def sweep(data):
    """Networks that tell some of the digits, each in its own way."""
    x, labels = data
    model = LIL((784, 12, 10), seeds=SEEDS * 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(12):
        optimizer.zero_grad()
        logits = model(flatten(x))
        torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.repeat(6), reduction="sum").backward()
        optimizer.step()
    return Sweep(model.requires_grad_(False), flatten, BETAS, SEEDS, 2.0)


@pytest.fixture(scope="module")
def result(sweep, data):
    return evaluation.robustness(sweep, *data, FGSM)


def test_the_counts_are_those_of_the_plain_loop(sweep, data, result):
    """One network, one batch, one ε at a time, with autograd through everything at once."""
    x, labels = data
    for k, (beta, seed) in enumerate((beta, seed) for beta in BETAS for seed in SEEDS):
        alone = evaluation.select(sweep.model, [k])
        right = np.zeros((2, 3))
        for images, classes in zip(x.split(20), labels.split(20), strict=True):
            for o, name in enumerate(evaluation.OBJECTIVES):
                if name == "total":
                    objective = attacks.total(alone, classes, [beta], scale=2.0)
                else:
                    objective = attacks.classification(alone, classes)
                at = images[None].clone().requires_grad_()
                objective(flatten(at), at).sum().backward()
                for e, epsilon in enumerate(FGSM.epsilons):
                    attacked = (images + epsilon * at.grad[0].sign()).clamp(0, 1)
                    right[o, e] += int((alone(flatten(attacked))[0].argmax(-1) == classes).sum())
        found = result.accuracy.sel(beta=beta, seed=seed)
        assert found.transpose("objective", "epsilon").values * 50 == pytest.approx(right, abs=1.01)
        clean = (sweep.model(flatten(x))[k].argmax(-1) == labels).float().mean()
        assert result.clean.sel(beta=beta, seed=seed).item() == pytest.approx(clean.item())


def test_the_objectives_are_one_at_beta_zero_and_two_beyond(result):
    total, classification = (result.sel(objective=name) for name in evaluation.OBJECTIVES)
    for name in ("accuracy", "change", "zero_gradient"):
        assert np.array_equal(total[name].sel(beta=0), classification[name].sel(beta=0))
    assert (total.accuracy.sel(beta=20.0) != classification.accuracy.sel(beta=20.0)).any()


@pytest.mark.parametrize("name", evaluation.OBJECTIVES)
def test_one_objective_alone_finds_what_it_finds_beside_the_other(name, sweep, data, result):
    """At β = 0 too, where the attacks of both are one."""
    alone = evaluation.robustness(sweep, *data, FGSM, objectives=(name,))
    assert alone.objective.values.tolist() == [name]
    xr.testing.assert_equal(alone, result.sel(objective=[name]))
    x, labels = data
    shown = evaluation.pictures(sweep, x, labels, FGSM, (name,))
    xr.testing.assert_equal(shown, evaluation.pictures(sweep, x, labels, FGSM).sel(objective=[name]))


def test_without_a_network_of_beta_zero_the_others_have_the_same_accuracy(sweep, data, result):
    others = Sweep(evaluation.select(sweep.model, [2, 3, 4, 5]), flatten, BETAS[1:], SEEDS, 2.0)
    found = evaluation.robustness(others, *data, FGSM)
    xr.testing.assert_allclose(found, result.sel(beta=list(BETAS[1:])), rtol=0, atol=1.01 / 50)  # one image


def test_an_unknown_objective_is_named(sweep, data):
    with pytest.raises(ValueError, match="one of total, classification, not 'clasification'"):
        evaluation.robustness(sweep, *data, FGSM, objectives=("clasification",))


def test_no_pixel_moves_further_than_epsilon(result):
    assert (result.change <= result.epsilon + 1e-6).all()
    assert (result.change > 0.99 * result.epsilon).all()


def test_images_without_a_gradient_are_counted(data):
    """Weights of 0 in the classifier leave nothing to follow; a pixel that no unit reads leaves the others."""
    model = LIL((784, 5, 10), seeds=(0, 1))
    model.weights[0].data[0, :, 3] = 0
    model.weights[1].data[1] = 0
    sweep = Sweep(model.requires_grad_(False), flatten, (0.0,), (0, 1), 1.0)
    result = evaluation.robustness(sweep, *data, FGSM)
    assert result.zero_gradient.sel(objective="classification", beta=0).values.tolist() == [0, 1]
    assert (result.change.sel(seed=1) == 0).all() and (result.change.sel(seed=0) > 0).all()


def test_an_evaluation_that_was_cut_off_goes_on_where_it_was(sweep, data, result, tmp_path, monkeypatch):
    partial = tmp_path / "new" / "counts.checkpoint"
    seen = []
    plain = attacks.gradients
    monkeypatch.setattr(attacks, "gradients", lambda *a: seen.append(len(a[2])) or plain(*a))

    def cut_off(label, done, total):
        assert (label, total) == ("attacks", 3)
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluation.robustness(sweep, *data, FGSM, progress=cut_off, partial=partial)
    assert seen == [20, 20, 20, 20] and partial.exists()
    before = checkpoints.read(partial)[1]["seconds"]
    resumed = evaluation.robustness(sweep, *data, FGSM, partial=partial)
    assert seen[4:] == [10, 10]
    assert resumed.equals(result)
    assert resumed.attrs["seconds_before"] == before > 0 and result.attrs["seconds_before"] == 0
    assert list(partial.parent.iterdir()) == []


def test_pictures_are_what_the_first_seed_was_given(sweep, data):
    x, labels = data
    shown = evaluation.pictures(sweep, x, labels, FGSM)
    assert np.array_equal(shown.image.values, (255 * x[:2]).round().numpy())
    assert shown.label.values.tolist() == labels[:2].tolist()
    assert dict(shown.attacked.sizes) == dict(objective=2, beta=3, pictured=2, example=2, channel=1, row=28, column=28)
    for i, beta in enumerate(BETAS):
        alone = evaluation.select(sweep.model, [2 * i])
        objective = attacks.total(alone, labels[:20], [beta], scale=2.0)
        (gradient,) = attacks.gradients(objective, flatten, x[:20], 1)
        attacked = attacks.fgsm(x[:2], gradient[:2].sign(), 0.02)
        here = shown.sel(objective="total", beta=beta, pictured=0.02)
        assert (here.attacked.values == (255 * attacked).round().numpy()).mean() > 0.99
        assert here.taken_for.values.tolist() == alone(flatten(attacked))[0].argmax(-1).tolist()


def test_selected_networks_are_those_of_the_ensemble(sweep, data):
    inputs = flatten(data[0])
    chosen = evaluation.select(sweep.model, [4, 1])
    assert torch.allclose(chosen(inputs), sweep.model(inputs)[[4, 1]], atol=1e-6)


def test_accuracy_is_the_share_of_right_answers(sweep, data):
    inputs = flatten(data[0])
    answers = sweep.model(inputs).argmax(-1)
    assert evaluation.accuracy(sweep.model, inputs, answers[2])[2] == 1
    wrong = answers[2].clone()
    wrong[:5] = (wrong[:5] + 1) % 10
    assert evaluation.accuracy(sweep.model, inputs, wrong)[2].item() == pytest.approx(0.9)


def test_the_default_is_the_papers_range():
    epsilons = Fgsm().epsilons
    assert len(epsilons) == 10 and (epsilons[0], epsilons[-1]) == (0.01, 1.0)
    assert np.diff(np.log(epsilons)) == pytest.approx(np.full(9, np.log(100) / 9))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (dict(epsilons=(0.1, 1.5)), r"ε \(the paper's γ\) must be > 0 and at most 1, the range of a pixel, not 1.5"),
        (dict(batch_size=1), "batch_size must be at least 2"),
        (dict(pictured=(3,)), "pictured must be positions of the 3 epsilons"),
        (dict(pictures=21), "pictures must be 0 to 20"),
    ],
)
def test_bad_settings_are_refused(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        replace(FGSM, **change)
