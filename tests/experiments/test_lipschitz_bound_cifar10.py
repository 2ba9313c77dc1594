from dataclasses import replace

import numpy as np
import pytest
import torch

from lil import lipschitz
from lil.experiments import fig3_cifar10, lipschitz_bound, lipschitz_bound_cifar10
from lil.recipes import cifar10

TINY = replace(
    lipschitz_bound_cifar10.QUICK,
    cifar10=replace(cifar10.QUICK, betas=(0.0, 10.0), seeds=(0,), n_test=40),
    n_images=20,
    drawn=5,
    epsilons=(1e-3, 0.1, 10.0),
)


def test_it_measures_the_networks_on_the_vgg13s_features(networks, result):
    """Against Jacobians written out: W₂ diag(1 − φ₂²) … diag(1 − φ₁²) W₁ for tanh layers φ."""
    x = cifar10.inputs(TINY.cifar10, "test")[0][:20].double()
    state = {name: value.double() for name, value in networks["cifar10"].items()}
    assert result.points.values.tolist() == [20, 20] and result.beta.values.tolist() == [0, 10]
    assert dict(zip(result.data.values, result.seed.values, strict=True)) == {"scikit-learn's digits": 0}
    for k in range(2):
        largest = []
        for point in x:
            jacobian, layer = torch.eye(cifar10.FEATURES, dtype=torch.float64), point
            for depth in range(len(TINY.cifar10.hidden)):
                weight, bias = state[f"weights.{depth}"][k], state[f"biases.{depth}"][k]
                layer = torch.tanh(weight @ layer + bias)
                jacobian = (1 - layer**2)[:, None] * (weight @ jacobian)
            largest.append(float(torch.linalg.matrix_norm(jacobian, ord=2)))
        found = result.local.isel(network=k).sel(map="representation")
        assert found.values == pytest.approx(np.quantile(largest, TINY.quantiles), rel=1e-5)
        product = lipschitz.upper_product(
            [state[f"weights.{depth}"][k][None] for depth in range(len(TINY.cifar10.hidden))]
        )
        assert float(result.upper.isel(network=k).sel(map="representation")) == pytest.approx(float(product), rel=1e-5)


def test_the_estimates_are_in_order_and_the_certificate_is_below_the_attack(result):
    rounding = 1 + 1e-5
    local, upper = (result[name].sel(map="representation") for name in ("local", "upper"))
    assert (result.lower.max("pairs") <= upper * rounding).all() and (local.max("quantile") <= upper * rounding).all()
    assert (result.violated.sel(constant=["local", "product"]) == 0).all()
    assert (result.certified.sel(norm="Linf") <= result.attacked + 1e-6).all()
    assert (result.attacked.isel(epsilon=0) > result.attacked.isel(epsilon=-1)).any()


def test_its_papers_scale_is_figure_3bs_networks_measured_as_those_of_mnist():
    paper = lipschitz_bound_cifar10.PAPER
    assert paper.cifar10 == fig3_cifar10.PAPER.cifar10
    assert paper.epsilons == lipschitz_bound.PAPER.epsilons and paper.quantiles == lipschitz_bound.PAPER.quantiles
