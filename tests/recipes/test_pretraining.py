"""lil.recipes.pretraining: one step against plain torch, the recipe's parts, resuming, and what is written."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from lil import checkpoints, features
from lil.recipes import pretraining
from lil.recipes.pretraining import CheckpointMismatch, Pretraining, Settings

SETTINGS = Settings(cycles=1, epochs=2, batch_size=8)


def images(n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(n, 3, 32, 32, generator=generator), torch.randint(0, 10, (n,), generator=generator)


def plain(settings: Settings) -> nn.Sequential:
    """The network in torch's own layers and in float64, with the same initial weights."""
    ours = pretraining.network(settings.seed)
    layers = features.initial_layers(torch.Generator())
    network = nn.Sequential(layers, nn.Flatten(), nn.Linear(512, 10))
    network.load_state_dict(ours.state_dict())
    return network.double()


@pytest.fixture
def float32(monkeypatch) -> None:
    """No bfloat16, whatever this processor multiplies in hardware."""
    monkeypatch.setattr(pretraining, "autocast", lambda device: torch.autocast(device.type, enabled=False))


@pytest.mark.usefixtures("float32")
def test_a_step_is_that_of_torchs_own_layers_in_float64() -> None:
    x, labels = images(4)
    run = Pretraining(SETTINGS)
    reference = plain(SETTINGS).train()
    loss = F.cross_entropy(reference(pretraining.normalise(x.double())), labels, label_smoothing=0.1)
    gradients = torch.autograd.grad(loss, list(reference.parameters()))
    found = pretraining.train_step(run, pretraining.normalise(x), labels, 0.0)
    assert found == pytest.approx(loss.item(), rel=1e-5)
    for (name, parameter), right in zip(run.network.named_parameters(), gradients, strict=True):
        # The absolute part is for gradients that are zero but for rounding: of biases before a batch norm, for one.
        assert (parameter.grad - right).norm() <= 1e-4 * right.norm() + 1e-4, name
    statistics = dict(reference.named_buffers())
    for name, buffer in run.network.named_buffers():
        torch.testing.assert_close(buffer.to(statistics[name].dtype), statistics[name], rtol=1e-4, atol=1e-5)
    x, labels = images(20, seed=1)
    with torch.no_grad():
        logits = reference.eval()(pretraining.normalise(x.double()))
    right = float((logits.argmax(1) == labels).double().mean())
    assert pretraining.accuracy(run.network, x, labels) == pytest.approx(right, abs=1e-6)


def test_steps_lower_the_loss() -> None:
    x, labels = images(4)
    run = Pretraining(SETTINGS)
    losses = [pretraining.train_step(run, pretraining.normalise(x), labels, 0.01) for _ in range(5)]
    assert losses[-1] < 0.7 * losses[0]


def test_names_of_the_parameters_are_torchvisions() -> None:
    from torchvision.models import vgg13_bn

    with torch.device("meta"):
        features = vgg13_bn().features
    names = [f"0.{name}" for name in features.state_dict()] + ["2.weight", "2.bias"]
    assert list(pretraining.network(0).state_dict()) == names


def test_initial_weights_are_a_function_of_the_seed() -> None:
    first, again, other = (pretraining.network(seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    assert not torch.equal(first["0.0.weight"], other["0.0.weight"])
    assert not torch.equal(first["0.7.weight"][64:], other["0.7.weight"][64:])
    assert torch.equal(first["0.7.weight"][:64], nn.init.dirac_(torch.empty(64, 64, 3, 3)))


def test_learning_rate_is_a_triangle_and_then_one_half_as_high() -> None:
    settings = Settings(learning_rate=2.0, warmup=0.2)
    rates = [pretraining.learning_rate(step, 100, settings) for step in range(200)]
    assert rates[19] == rates[20] == max(rates) == 2.0
    assert rates[9] == pytest.approx(1.0) and rates[60] == pytest.approx(1.0) and rates[99] == pytest.approx(2 / 80)
    assert rates[100:] == [rate / 2 for rate in rates[:100]]


def test_an_epoch_is_drawn_from_its_number_and_flips_alternate() -> None:
    (order, flip, shift), again = pretraining.draws(500, 3, SETTINGS), pretraining.draws(500, 3, SETTINGS)
    assert all(torch.equal(a, b) for a, b in zip((order, flip, shift), again, strict=True))
    other_order, other_flip, other_shift = pretraining.draws(500, 4, SETTINGS)
    assert torch.equal(order.sort().values, torch.arange(500)) and not torch.equal(order, other_order)
    assert torch.equal(flip, ~other_flip) and 200 < flip.sum() < 300
    assert set(shift.unique().tolist()) == set(range(9)) and not torch.equal(shift, other_shift)


def test_augmented_images_are_crops_of_the_reflected_frame_mirrored_where_told() -> None:
    x, _ = images(4)
    flip = torch.tensor([False, True, False, True])
    shift = torch.tensor([[4, 4], [4, 4], [0, 8], [7, 1]])
    found = pretraining.augment(x, flip, shift, 4)
    framed = F.pad(x, (4,) * 4, mode="reflect")
    assert torch.equal(found[0], x[0]) and torch.equal(found[1], x[1].flip(2))
    assert torch.equal(found[2], framed[2, :, :32, 8:])
    assert torch.equal(found[3], framed[3, :, 7:39, 1:33].flip(2))


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_end(tmp_path: Path) -> None:
    settings = replace(SETTINGS, cycles=3, epochs=1, batch_size=4)
    data = (*images(4), *images(4, seed=1))

    def run(path: Path, progress=lambda *_: None) -> Pretraining:
        return pretraining.pretrain(*data, settings, checkpoint=path, checkpoint_every=2, progress=progress)

    def killed(label: str, done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    whole = run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "part", killed)
    resumed = run(tmp_path / "part")
    assert resumed.step == whole.step == 3 and resumed.history == whole.history
    for name, value in whole.network.state_dict().items():
        assert torch.equal(resumed.network.state_dict()[name], value), name
    for name, value in whole.mean.items():
        assert torch.equal(resumed.mean[name], value), name
    assert run(tmp_path / "part").history == whole.history  # a finished run is only read


@pytest.mark.slow
def test_the_mean_is_that_of_the_cycles_ends_the_later_counting_more(tmp_path: Path) -> None:
    settings = replace(SETTINGS, cycles=3, epochs=1, batch_size=4)
    x, labels = images(4)
    ends = []
    for cycles in (1, 2, 3):
        run = pretraining.pretrain(
            x, labels, x, labels, replace(settings, cycles=cycles), checkpoint=tmp_path / str(cycles)
        )
        ends.append({name: value.clone() for name, value in run.network.named_parameters()})
    assert not torch.equal(ends[1]["2.weight"], ends[2]["2.weight"])
    for name, mean in run.mean.items():
        right = sum(t * end[name] for t, end in enumerate(ends, start=1)) / 6
        torch.testing.assert_close(mean, right.detach(), rtol=1e-5, atol=1e-7)


def test_the_averaged_network_has_its_own_batch_norm_statistics() -> None:
    """Those of one epoch, in equal shares of its batches, whatever the statistics were before."""
    x, _ = images(10)
    run = Pretraining(replace(SETTINGS, batch_size=4))
    run.end_cycle(1)
    weights = {name: value.clone() for name, value in run.mean.items()}
    with torch.no_grad():
        for parameter in run.network.parameters():
            parameter.zero_()
    pretraining.average(run, x)
    assert all(torch.equal(value, weights[name]) for name, value in run.network.named_parameters())
    order, flip, shift = pretraining.draws(10, 0, run.settings)
    first = run.network[0][0]
    assert isinstance(first, nn.Conv2d)
    means, variances = [], []
    for chosen in (order[:4], order[4:8], order[8:]):
        augmented = pretraining.augment(pretraining.normalise(x[chosen]), flip[chosen], shift[chosen], 4)
        y = F.conv2d(augmented.double(), first.weight.double(), first.bias.double(), padding=1)
        means.append(y.mean((0, 2, 3)))
        variances.append(y.var((0, 2, 3)))
    norm = run.network[0][1]
    torch.testing.assert_close(norm.running_mean.double(), torch.stack(means).mean(0).detach(), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(norm.running_var.double(), torch.stack(variances).mean(0).detach(), rtol=1e-4, atol=1e-5)
    assert norm.momentum == 0.1


def test_checkpoints_of_other_settings_and_damaged_ones_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    Pretraining(SETTINGS).save(path)
    with pytest.raises(CheckpointMismatch, match="other settings"):
        Pretraining(replace(SETTINGS, seed=1)).load(path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(checkpoints.CheckpointDamaged, match="delete it to start anew"):
        Pretraining(SETTINGS).load(path)


def small_network(seed: int) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Conv2d(3, 4, 3, 8), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(64, 10))


@pytest.mark.usefixtures("float32")
def test_the_accuracy_of_an_epoch_is_that_on_the_test_images(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(pretraining, "network", small_network)
    (x, labels), (x_test, labels_test) = images(8), images(5, seed=1)

    def run(name: str, truth: Tensor) -> Pretraining:
        return pretraining.pretrain(
            x, labels, x_test, truth, replace(SETTINGS, batch_size=4), checkpoint=tmp_path / name
        )

    answers = run("first", labels_test).network.eval()(pretraining.normalise(x_test)).argmax(1)
    last = run("second", answers)
    assert last.history[-1].test_accuracy == 1 > pretraining.accuracy(last.network, x, labels)


def test_nothing_to_train_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one"):
        pretraining.pretrain(*images(4), *images(4), SETTINGS, checkpoint=tmp_path / "none")


def test_written_weights_are_halved_and_their_card_has_their_checksum(tmp_path: Path) -> None:
    run = Pretraining(SETTINGS)
    tensors = pretraining.halve(run.network.state_dict())
    card = pretraining.card(run, 0.5)
    path = tmp_path / "weights" / "vgg.safetensors"
    pretraining.write(path, tensors, card)
    written = json.loads(path.with_suffix(".json").read_text("utf-8"))
    assert written == {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), **card}
    assert written["test_accuracy"] == 0.5 and written["settings"]["epochs"] == 2
    state = load_file(path)
    assert state["0.3.weight"].dtype == torch.float16 and state["0.1.running_var"].dtype == torch.float32
    torch.testing.assert_close(state["2.weight"].float(), run.network[2].weight.data, rtol=1e-3, atol=1e-6)
    assert not any(name.endswith("num_batches_tracked") for name in state)
    assert sorted(part.name for part in path.parent.iterdir()) == ["vgg.json", "vgg.safetensors"]


@pytest.mark.parametrize(
    "capabilities, native",
    [({"avx512_bf16": True, "amx_bf16": True}, True), ({"avx512_bf16": True, "amx_bf16": False}, True), ({}, False)],
)
def test_bfloat16_only_where_the_processor_multiplies_matrices_of_it(
    capabilities: dict, native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    with pretraining.autocast(torch.device("cpu")):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == (torch.bfloat16 if native else torch.float32)
