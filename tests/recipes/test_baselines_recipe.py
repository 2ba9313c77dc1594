import re
from dataclasses import replace

import pytest
import torch

from lil.evaluation import select
from lil.recipes import baselines, mnist

NONE = dict.fromkeys(baselines.METHODS, ())
TINY = replace(
    baselines.QUICK,
    n_train=70,
    n_test=20,
    hidden=(9, 8),
    batch_size=20,
    epochs=2,
    seeds=(0, 3),
    learning_rate=3e-3,
    jacobian=(0.1, 1.0),
    spectral=(2.0,),
    decay=(1.0, 10.0),
    fgsm=(0.1,),
    pgd=(0.1, 0.2),
    pgd_steps=2,
)


@pytest.fixture(scope="module")
def networks():
    return baselines.train(TINY)


def test_its_networks_are_those_of_the_mnist_recipe_but_for_the_method():
    for ours, theirs in ((baselines.PAPER, mnist.PAPER), (baselines.QUICK, mnist.QUICK)):
        for name in ("dataset", "n_train", "n_test", "hidden", "batch_size", "epochs", "learning_rate"):
            assert getattr(ours, name) == getattr(theirs, name)
        assert set(ours.seeds) <= set(theirs.seeds)
    assert baselines.build(replace(baselines.PAPER, seeds=(0,))).sizes == (784, 100, 100, 100, 100, 10)
    assert all(4 <= len(getattr(baselines.PAPER, method)) <= 5 for method in baselines.METHODS)


@pytest.mark.parametrize("method", ["jacobian", "decay", "fgsm", "pgd"])
def test_a_method_without_strength_trains_the_plain_networks(method):
    config = replace(TINY, **NONE | {method: (0.0,)})
    plain = mnist.Config(
        dataset="digits",
        n_train=70,
        n_test=20,
        hidden=(9, 8),
        batch_size=20,
        epochs=2,
        seeds=(0, 3),
        betas=(0.0,),
        learning_rate=3e-3,
    )
    expected = mnist.train(plain)
    for name, value in baselines.train(config).items():
        assert value == pytest.approx(expected[name], abs=1e-5)


def test_each_network_is_what_it_would_be_alone(networks):
    for k, (method, strength, seed) in enumerate(baselines.members(TINY)):
        if seed == 3:
            alone = baselines.train(replace(TINY, **NONE | {method: (strength,)}, seeds=(seed,)))
            for name, value in alone.items():
                assert value[0] == pytest.approx(networks[name][k], abs=2e-4)  # other products: last digits


def test_members_differ_and_come_back_from_their_weights(networks):
    x = baselines.data(TINY, "test")[0].flatten(1)
    logits = baselines.restore(TINY, networks)(x).detach()
    apart = (logits[:, None] - logits).abs().amax((2, 3))
    assert (apart + torch.eye(len(apart)) > 1e-4).all()
    assert [member[:2] for member in baselines.members(TINY)[::2]] == baselines.methods(TINY)
    assert not torch.allclose(baselines.build(TINY)(x), logits, atol=1e-2)


def norms(networks, method):
    """The spectral norm of each layer of a method's first seed, by strength."""
    where = [k for k, member in enumerate(baselines.members(TINY)) if member[0] == method and member[2] == 0]
    weights = [value for name, value in networks.items() if name.startswith("weights")]
    return torch.stack([torch.linalg.svdvals(weight[where])[:, 0] for weight in weights], dim=1)


def test_trained_networks_have_what_their_method_asks_for(networks):
    assert norms(networks, "spectral") == pytest.approx(torch.full((1, 3), 2.0), rel=1e-5)
    plain = baselines.train(replace(TINY, **NONE | {"decay": (0.0, 1.0)}))
    where = [baselines.members(TINY).index(("decay", strength, 0)) for strength in (1.0, 10.0)]
    sizes = [
        sum(value[k].square().sum() for name, value in networks.items() if name.startswith("weights")) for k in where
    ]
    unregularised = sum(value[0].square().sum() for name, value in plain.items() if name.startswith("weights"))
    assert unregularised > sizes[0] > sizes[1]


def test_a_stronger_jacobian_penalty_leaves_a_smaller_jacobian():
    config = replace(TINY, **NONE | {"jacobian": (0.0, 10.0)}, epochs=8, seeds=(0,))
    model = baselines.restore(config, baselines.train(config))
    x = baselines.data(config, "test")[0].flatten(1)

    def size(k):
        one = select(model, [k])
        rows = torch.autograd.functional.jacobian(lambda points: one(points)[0].sum(0), x)
        return rows.square().sum()

    assert size(1) < 0.7 * size(0)


def test_the_fingerprint_reads_no_data(monkeypatch, tmp_path):
    monkeypatch.setenv("LIL_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert baselines.data_fingerprint(baselines.PAPER) == mnist.data_fingerprint(mnist.PAPER)
    assert baselines.data_fingerprint(TINY) != baselines.data_fingerprint(baselines.PAPER)
    assert baselines.data_available(TINY) and not baselines.data_available(baselines.PAPER)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (dict(jacobian=(-1.0,)), "the strengths of jacobian must be finite numbers ≥ 0, not (-1.0,)."),
        (dict(decay=(float("nan"),)), "the strengths of decay must be finite numbers ≥ 0"),
        (dict(pgd=(0.2, 0.1)), "the strengths of pgd must rise and each stand there once, which (0.2, 0.1) do not."),
        (dict(spectral=(0.0, 1.0)), "a spectral norm must be greater than 0"),
        (dict(seeds=(0, 0)), "seeds must be different from each other"),
        (dict(pgd_steps=0), "pgd_steps must be at least 1, not 0."),
    ],
)
def test_bad_settings_are_refused(change, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        replace(TINY, **change)
