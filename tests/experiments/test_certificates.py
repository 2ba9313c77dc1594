from dataclasses import replace

import numpy as np
import pytest
import torch

from lil import crown, lipschitz, stronger_attacks
from lil.attacks import pixels
from lil.evaluation import select
from lil.experiments import certificates
from lil.models import derived_seed
from lil.recipes import mnist

EPSILONS = (0.003, 0.02, 0.1)
TINY = replace(
    certificates.QUICK,
    mnist_text=replace(mnist.QUICK, betas=(0.0, 10.0), epochs=2),
    mnist_public=replace(mnist.QUICK_PUBLIC, betas=(0.0, 10.0), epochs=2),
    n_images=25,
    batch_size=10,
    epsilons=EPSILONS,
)


def given(networks, name):
    settings = getattr(TINY, name)
    model = mnist.restore(settings, networks[name]).double().requires_grad_(False)
    x, labels = (part[:25] for part in mnist.data(settings, "test"))
    return settings, model, x.double(), labels


def test_it_is_laid_out_by_reading_beta_and_seed(result):
    assert dict(result.crown.sizes) == dict(networks=2, beta=2, seed=2, epsilon=3, image=25)
    assert result.networks.values.tolist() == ["mnist_text", "mnist_public"]
    assert result.quantity.values.tolist() == ["cross_entropy", "isometry", "total", "margin", "local", "reach"]
    kinds = {name: str(values.dtype) for name, values in result.data_vars.items()}
    assert kinds == dict.fromkeys(("right", "pgd", "crown", "settled"), "bool") | dict(
        product="float32", spread="float32"
    )


@pytest.mark.parametrize("name", certificates.RECIPES)
def test_each_image_has_its_certificates_and_its_attacks(networks, result, name):
    settings, model, x, labels = given(networks, name)
    upper = lipschitz.upper_product(model.weights[:-1])
    radius = lipschitz.certified_radius(model(pixels(x)), labels, model.weights[-1], upper)
    for k, (beta, seed) in enumerate(mnist.members(settings)):
        one = result.sel(networks=name, beta=beta, seed=seed)
        network = select(model, [k]).requires_grad_(False)
        assert np.array_equal(one.right, (network(pixels(x)).argmax(-1) == labels)[0])
        assert one["product"].values == pytest.approx(radius[k].numpy() / 28, rel=1e-5)
        for at, epsilon in enumerate(EPSILONS):
            here = one.sel(epsilon=epsilon)
            larger = [crown.certified(network, pixels(x), labels, each)[0] for each in EPSILONS[at:]]
            assert np.array_equal(here.crown, torch.stack(larger).any(0))
            generator = torch.Generator().manual_seed(derived_seed(TINY.draw, seed, at))
            size = dict(epsilon=epsilon, steps=TINY.steps, doublings=TINY.doublings, generator=generator)
            pgd = stronger_attacks.escalating_pgd(network, pixels, x, labels, **size)
            assert np.array_equal(here.pgd, pgd.right)
            assert bool(here.settled) == stronger_attacks.converged(pgd.trace)


def test_no_certified_image_is_broken_and_the_larger_ball_has_fewer(result):
    """Two certificates, below the attack, below what is right without one; each ordering is strict somewhere."""
    product = result["product"] >= result.epsilon
    assert (result.crown <= result.pgd).all() and (result.pgd <= result.right).all() and (product <= result.pgd).all()
    for name in ("crown", "pgd"):
        shares = result[name].mean(("image", "beta", "seed"))
        assert (shares.diff("epsilon") <= 0).all() and (shares[:, 0] > shares[:, -1]).all()
    assert (result.crown.mean() < result.pgd.mean()) and (product.mean() < result.crown.mean())


@pytest.mark.parametrize("name", certificates.RECIPES)
def test_gradients_are_those_of_the_losses_written_out(networks, result, name):
    settings, model, x, labels = given(networks, name)
    for k, (beta, seed) in enumerate(mnist.members(settings)):
        norms = {"cross_entropy": [], "total": []}
        for rows in torch.arange(25).split(10):
            at = pixels(x)[rows].requires_grad_()
            z, logits = model.represent(at)[k], model(at)[k]
            classification = torch.nn.functional.cross_entropy(logits, labels[rows])
            isometry = 0.0
            for i in range(len(rows)):
                for j in range(len(rows)):
                    if i != j and labels[rows[i]] == labels[rows[j]]:
                        distance = settings.scale * (z[i] - z[j]).norm() - (at[i] - at[j]).norm()
                        isometry = isometry + distance**2 / len(rows) ** 2
            for term, loss in (("cross_entropy", classification), ("total", classification + beta * isometry)):
                (gradient,) = torch.autograd.grad(loss, at, retain_graph=True)
                norms[term] += (len(rows) * gradient.norm(dim=-1)).tolist()
        for term, found in norms.items():
            spread = result.spread.sel(networks=name, beta=beta, seed=seed, quantity=term)
            assert spread.values == pytest.approx(np.quantile(found, TINY.quantiles), rel=1e-5)


def test_margins_and_reach_are_those_of_each_image(networks, result):
    settings, model, x, labels = given(networks, "mnist_text")
    logits, local = model(pixels(x)), lipschitz.local_jacobian(model, pixels(x).expand(4, -1, -1))
    for k, (beta, seed) in enumerate(mnist.members(settings)):
        margins = []
        for row, label in zip(logits[k].tolist(), labels.tolist(), strict=True):
            margins.append(row[label] - max(value for c, value in enumerate(row) if c != label))
        one = result.spread.sel(networks="mnist_text", beta=beta, seed=seed)
        reach = np.array(margins) / local[k].numpy() / 2**0.5
        for quantity, values in (("margin", margins), ("local", local[k].numpy()), ("reach", reach)):
            expected = np.quantile(values, TINY.quantiles)
            assert one.sel(quantity=quantity).values == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_within_reach_a_linear_network_would_keep_its_class():
    """The reach of a linear map with opposite rows is the distance to the boundary itself."""
    rows = torch.tensor([[2.0, 1.0], [-2.0, -1.0]], dtype=torch.float64)
    x = torch.tensor([0.3, 0.4], dtype=torch.float64)
    margin, local = (rows[0] - rows[1]) @ x, torch.linalg.matrix_norm(rows, ord=2)
    assert float(margin / (2**0.5 * local)) == pytest.approx(float(rows[0] @ x / rows[0].norm()))


def test_networks_that_differ_in_more_than_the_reading_are_refused():
    with pytest.raises(ValueError, match="must share their seeds"):
        replace(TINY, mnist_text=replace(TINY.mnist_text, seeds=(0,)))


def test_its_papers_scale():
    paper = certificates.PAPER
    assert (paper.mnist_text, paper.mnist_public) == (mnist.FIVE, mnist.FIVE_PUBLIC)
    assert paper.epsilons == (0.003, 0.01, 0.02) and paper.n_images == 300


def test_run_gives_what_evaluate_gives(result):
    assert certificates.run(TINY).equals(result)
