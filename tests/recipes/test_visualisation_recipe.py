from dataclasses import asdict, replace

import pytest
import torch

from lil.recipes import mnist, visualisation

NAMED = {name: value for name, value in vars(visualisation).items() if name.startswith("PAPER_")}


def test_only_the_last_layer_and_k_differ_from_the_text():
    text = asdict(mnist.PAPER)
    shapes = {name: (one.hidden, one.scale) for name, one in NAMED.items()}
    three = (100, 100, 100)
    assert shapes == {
        "PAPER_PLANE": ((*three, 2), 1.0),
        "PAPER_SPACE": ((*three, 3), 1.0),
        "PAPER_PLANE_10": ((*three, 2), 10.0),
        "PAPER_SPACE_10": ((*three, 3), 10.0),
    }
    for one in NAMED.values():
        assert {key for key, value in asdict(one).items() if value != text[key]} <= {"hidden", "scale", "seeds"}
        assert set(one.seeds) < set(mnist.PAPER.seeds)


def test_the_quick_networks_keep_units_and_k():
    for one in NAMED.values():
        quick = visualisation.quick(one)
        assert (quick.hidden[-1], quick.scale, quick.dataset) == (one.hidden[-1], one.scale, "digits")


def test_k_reaches_the_training_and_the_units_the_networks():
    tiny = dict(n_train=60, epochs=1, hidden=(8, 2), betas=(1.0,), seeds=(0,), batch_size=20)
    one, ten = (visualisation.train(replace(visualisation.quick(each), **tiny)) for each in _planes())
    assert not torch.allclose(one["weights.0"], ten["weights.0"], atol=1e-3)
    assert visualisation.build(visualisation.PAPER_SPACE).sizes == (784, 100, 100, 100, 3, 10)


def _planes():
    return visualisation.PAPER_PLANE, visualisation.PAPER_PLANE_10


def test_the_fingerprint_is_that_of_the_images():
    assert visualisation.data_fingerprint(visualisation.PAPER_PLANE) == mnist.data_fingerprint(mnist.PAPER)
    with pytest.raises(ValueError, match="must be different"):
        replace(visualisation.PAPER_PLANE, seeds=(0, 0))
