import copy
from dataclasses import asdict, replace

import pytest
import torch
import torch.nn.functional as F

from lil import checkpoints, features
from lil.datasets import images
from lil.isometry import isometry_loss, pair_distances, within_class
from lil.recipes import trained_along
from lil.training import batch_orders

TINY = replace(trained_along.QUICK_CNN, n_train=60, n_test=6, hidden=(8, 8), epochs=2)
VGG13 = replace(trained_along.QUICK_VGG13, n_train=20, n_test=4, hidden=(8,), batch_size=10, epochs=1)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The folder of checkpoints, in a cache of this test alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "lil" / "partial"


def test_the_readings():
    cnn, vgg13 = trained_along.PAPER_CNN, trained_along.PAPER_VGG13
    assert (cnn.hidden, cnn.init, cnn.epochs, cnn.batch_size) == ((1000,) * 4, "orthogonal", 10, 100)
    assert (cnn.scale, cnn.learning_rate, trained_along.features_of(cnn)) == (1.0, 1e-3, 16384)
    assert (vgg13.hidden, vgg13.init, vgg13.epochs, vgg13.weights) == ((1000,) * 3, "default", 5, "cifar10")
    other = copy.copy(cnn)
    object.__setattr__(other, "backbone", "vgg16")  # the checks of types in tests come first otherwise
    with pytest.raises(ValueError, match="backbone must be one of"):
        other.__post_init__()


def test_the_cnn_is_two_convolutions_with_pooling_on_swapped_axes():
    x, _ = trained_along.data(TINY, "test")
    network = trained_along.build(TINY)[0]
    first, _, _, second, _, _ = network.backbone
    z = x.permute(0, 1, 3, 2)
    for layer in (first, second):
        assert layer.weight.abs().max() <= 1 / (layer.in_channels * 9) ** 0.5
        z = F.max_pool2d(F.relu(F.conv2d(z, layer.weight, layer.bias, padding=1)), 2)
    assert (first.in_channels, first.out_channels, second.out_channels) == (3, *TINY.channels)
    assert torch.allclose(network(x), z.flatten(1), atol=1e-6)
    assert torch.allclose(network(torch.stack((x, x)))[1], z.flatten(1), atol=1e-6)


def test_the_vgg13_starts_as_that_of_the_frozen_networks():
    x, _ = trained_along.data(VGG13, "test")
    expected = features.VGGFeatures("random", "as-published")(x)
    assert torch.allclose(trained_along.build(VGG13)[0](x), expected, atol=1e-5)


def test_backbones_multiply_bfloat16_where_that_is_asked_for_and_there(monkeypatch):
    x, _ = trained_along.data(TINY, "test")
    exact = trained_along.build(TINY)[0](x)
    monkeypatch.setattr(features, "multiplies_bfloat16", lambda: True)
    halved = trained_along.build(replace(TINY, precision="bfloat16"))[0](x)
    assert halved.dtype == torch.float32 and 0 < (halved - exact).abs().max() < 0.02 * exact.abs().max()
    monkeypatch.setattr(features, "multiplies_bfloat16", lambda: False)
    assert torch.equal(trained_along.build(replace(TINY, precision="bfloat16"))[0](x), exact)


@pytest.mark.parametrize("config", [replace(TINY, scale=2.0), VGG13], ids=["cnn", "vgg13"])
@pytest.mark.parametrize("beta", [0.0, 10.0])
def test_training_is_adam_on_the_weighted_loss_with_pixel_distances(config, beta):
    config = replace(config, betas=(beta,))
    trained = trained_along.train(config)
    network = trained_along.build(config)[0]
    optimizer = torch.optim.Adam(network.parameters(), lr=config.learning_rate)
    x, labels = trained_along.data(config, "train")
    for order in batch_orders(len(x), config.epochs, [0]):
        for chosen in order[0].split(config.batch_size):
            z = network.lil.represent(network(x[chosen]))[0]
            loss = F.cross_entropy(network.lil.classify(z[None])[0], labels[chosen])
            kept = pair_distances(x[chosen].flatten(1))
            loss = loss + beta * isometry_loss(z, kept, within_class(labels[chosen]), scale=config.scale)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    for name, value in network.state_dict().items():
        if name != "history":
            assert torch.allclose(trained[f"0.{name}"], value, atol=2e-5), name


def test_the_whole_network_learns_and_the_statistics_of_batch_norms_stay():
    trained, before = trained_along.train(VGG13), trained_along.build(VGG13).state_dict()
    assert trained.keys() == before.keys()
    for name, value in trained.items():
        kept = "running" in name or "num_batches" in name
        assert torch.equal(value, before[name]) == kept, name


def test_no_call_puts_batch_norms_into_training_mode():
    ensemble = trained_along.build(VGG13).train()
    assert not any(layer.training for network in ensemble for layer in network.backbone)


def test_a_member_learns_as_if_it_were_alone():
    both, alone = trained_along.train(TINY), trained_along.train(replace(TINY, betas=(10.0,)))
    assert all(torch.equal(both[name.replace("0.", "1.", 1)], value) for name, value in alone.items())


def test_the_history_has_the_terms_of_each_epoch_and_restoring_keeps_it():
    trained = trained_along.train(TINY)
    plain, isometric = trained_along.restore(TINY, trained)
    assert plain.history.shape == (3, TINY.epochs)
    assert (plain.history[1] == 0).all() and (isometric.history[1] > 0).all()
    untrained = replace(TINY, learning_rate=0.0, epochs=1, betas=(10.0,))
    (network,) = trained_along.restore(untrained, trained_along.train(untrained))
    x, labels = trained_along.data(untrained, "train")
    right = (network.lil(network(x))[0].argmax(-1) == labels).float().mean()
    assert network.history[2, 0] == pytest.approx(right.item(), abs=1e-6)
    entropy = F.cross_entropy(network.lil(network(x))[0], labels)
    assert network.history[0, 0] == pytest.approx(entropy.item(), rel=1e-5)


class Killed(Exception):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("config", [TINY, replace(VGG13, epochs=2)], ids=["cnn", "vgg13"])
def test_a_killed_training_goes_on_from_its_last_epoch(config, cache, monkeypatch):
    whole = trained_along.train(config)
    monkeypatch.setattr(trained_along, "SPACING", -1.0)
    steps = config.epochs * -(-config.n_train // config.batch_size)

    def kill(label, done, total):
        assert total == 2 * steps
        if done == total:  # in the last step of the second network's second epoch
            raise Killed

    with pytest.raises(Killed):
        trained_along.train(config, progress=kill)
    assert sorted(path.suffix for path in cache.iterdir()) == [checkpoints.SUFFIX] * 2
    told = []
    resumed = trained_along.train(config, progress=lambda label, done, total: told.append(done))
    assert told == list(range(steps + steps // 2 + 1, 2 * steps + 1))
    assert 0 < resumed[trained_along.SECONDS_BEFORE] < 60 and trained_along.SECONDS_BEFORE not in whole
    assert trained_along.restore(config, resumed).members == 2
    assert all(torch.equal(resumed[name], value) for name, value in whole.items())
    assert list(cache.iterdir()) == []


def test_a_damaged_checkpoint_is_named(cache, monkeypatch):
    monkeypatch.setattr(trained_along, "SPACING", -1.0)

    def kill(label, done, total):
        if done == total:
            raise Killed

    with pytest.raises(Killed):
        trained_along.train(TINY, progress=kill)
    for path in cache.iterdir():
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    with pytest.raises(checkpoints.CheckpointDamaged, match="is damaged: delete it to start anew"):
        trained_along.train(TINY)


def test_a_short_training_writes_no_checkpoint(cache):
    trained_along.train(TINY)
    assert not cache.exists()


def test_a_checkpoint_belongs_to_one_network_and_its_settings():
    place = trained_along._checkpoint(TINY, 10.0, 0, "cpu")
    assert place == trained_along._checkpoint(replace(TINY, n_test=None, betas=(10.0,)), 10.0, 0, "cpu")
    others = [
        trained_along._checkpoint(replace(TINY, learning_rate=1e-2), 10.0, 0, "cpu"),
        trained_along._checkpoint(TINY, 0.0, 0, "cpu"),
        trained_along._checkpoint(TINY, 10.0, 0, "cuda"),
    ]
    assert len({place, *others}) == 4


def test_the_fingerprint_names_images_and_the_weights_that_training_starts_from():
    assert trained_along.data_fingerprint(TINY) == images.fingerprint("digits")
    assert trained_along.data_fingerprint(VGG13) == f"{images.fingerprint('digits')} random 0"
    assert asdict(TINY)["backbone"] == "cnn"
