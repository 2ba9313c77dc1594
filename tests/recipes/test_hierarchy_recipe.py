import math
import re
from dataclasses import asdict, replace

import pytest
import torch

from lil import engine, training
from lil.datasets import toy
from lil.recipes import hierarchy, torus
from lil.training import Settings

TINY = replace(hierarchy.PAPER, grid=8, seeds=(0, 3), epochs=7)
NAMED = {name: value for name, value in vars(hierarchy).items() if name.startswith("PAPER_")}
BETTER = {"reduction", "decay"}
CHANGED = {
    "PAPER_PAIRS": {"reduction"},
    "PAPER_DECAYED": {"decay"},
    "PAPER_BOTH": BETTER,
    "PAPER_CONNECTED": {"stop_gradient"},
    "PAPER_PLAIN": {"beta"},
    "PAPER_DEEP": {"classes", "hidden"},
    "PAPER_DEEP_BOTH": {"classes", "hidden"} | BETTER,
    "PAPER_DEEP_PLAIN": {"classes", "hidden", "beta"},
    "PAPER_SHALLOW": {"classes"},
    "PAPER_SHALLOW_BOTH": {"classes"} | BETTER,
    "PAPER_SHALLOW_PLAIN": {"classes", "beta"},
}


def test_each_variant_differs_from_the_text_in_what_its_name_says():
    text = asdict(torus.PAPER) | {"classes": (2, 4, 8), "reduction": "n2", "decay": (1.0,), "stop_gradient": True}
    assert asdict(hierarchy.PAPER) == text
    changed = {name: {key for key, value in asdict(one).items() if value != text[key]} for name, one in NAMED.items()}
    assert changed == CHANGED


def test_flat_networks_have_the_stack_s_depth_or_one_lil_s():
    stack, deep, shallow = (hierarchy.build(one) for one in (hierarchy.PAPER, *_flat()))
    assert [lil.sizes for lil in deep.lils] == [(3, *[20] * 12, 8)]
    assert sum(len(lil.sizes) - 2 for lil in stack.lils) == 12
    assert [lil.sizes for lil in shallow.lils] == [(3, 20, 20, 20, 20, 8)]


def _flat():
    return hierarchy.PAPER_DEEP, hierarchy.PAPER_SHALLOW


def test_the_text_s_settings_make_the_text_s_networks():
    fields = {name: getattr(TINY, name) for name in asdict(torus.PAPER)}
    ours, theirs = hierarchy.train(TINY), torus.train(torus.Config(**fields))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_the_stages_are_trainings_one_after_the_other():
    """Seven epochs in three stages: 2, 2 and 3, each with its rate and with Adam anew."""
    config = replace(TINY, decay=(1.0, 0.5, 0.1), reduction="pairs")
    model, points = hierarchy.build(config), hierarchy.data(config)
    for epochs, rate in ((2, 1e-3), (2, 5e-4), (3, 1e-4)):
        settings = Settings(epochs=epochs, learning_rate=rate, reduction="pairs")
        engine.train(model, points.x, points.labels, settings, betas=[10.0, 10.0], seeds=[0, 3])
    found = hierarchy.train(config)
    assert all(torch.equal(found[name], value) for name, value in model.state_dict().items())
    once = hierarchy.train(replace(config, decay=(1.0,)))
    assert not torch.allclose(once["lils.2.weights.1"], found["lils.2.weights.1"], atol=1e-4)


@pytest.mark.parametrize("name", ["PAPER_BOTH", "PAPER_CONNECTED", "PAPER_DEEP", "PAPER_SHALLOW_PLAIN"])
def test_the_engine_trains_each_kind_as_the_plain_code_does(name, monkeypatch):
    config = replace(NAMED[name], grid=8, seeds=(0, 3), epochs=9)
    fast = hierarchy.train(config)
    monkeypatch.setattr(engine, "train", training.train)
    for key, value in hierarchy.train(config).items():
        apart = (value - fast[key]).abs()  # near 0 rounding turns signs of Adam's first steps
        assert apart.max() < 2e-3 and (apart > 2e-5).float().mean() < 0.01


def test_without_the_stop_the_coarse_lils_learn_from_the_fine_ones():
    stopped, connected = (hierarchy.train(replace(TINY, stop_gradient=stop)) for stop in (True, False))
    assert not torch.allclose(stopped["lils.0.weights.0"], connected["lils.0.weights.0"], atol=1e-5)


def test_a_flat_network_learns_the_finest_labels():
    config = replace(hierarchy.PAPER_SHALLOW, grid=16, seeds=(0,), epochs=300, learning_rate=0.01, beta=0.1)
    (logits,) = hierarchy.restore(config, hierarchy.train(config))(hierarchy.data(config).x)
    assert torch.nn.functional.cross_entropy(logits[0], hierarchy.data(config).labels[2]) < 0.8 * math.log(8)


@pytest.mark.parametrize("cut", ["ring", "tube"])
def test_held_out_points_are_half_a_step_from_the_training_points(cut):
    config = replace(TINY, grid=16, noise=0.0, cut=cut)
    train, held = hierarchy.data(config), hierarchy.held_out(config)
    step = 2 * math.pi / 16
    for name in ("ring_angle", "tube_angle"):
        apart = (getattr(held, name)[:, None] - getattr(train, name)) % step
        assert apart == pytest.approx(torch.full_like(apart, step / 2), abs=1e-4)
    from_axis = 0.67 + 0.33 * torch.cos(held.tube_angle)
    across, along = from_axis * torch.cos(held.ring_angle), from_axis * torch.sin(held.ring_angle)
    raw = torch.stack((across, along, 0.33 * torch.sin(held.tube_angle)), -1)
    assert torch.allclose(held.x, (raw + 1) / 2, atol=1e-6)  # the training points reach from −1 to 1


@pytest.mark.parametrize("cut", ["ring", "tube"])
def test_held_out_points_have_the_class_of_their_neighbours_and_none_on_a_cut(cut):
    config = replace(TINY, grid=24, noise=0.0, cut=cut)
    train, held = hierarchy.data(config), hierarchy.held_out(config)
    angle, own = (getattr(points, f"{cut}_angle") for points in (train, held))
    for classes, labels, known in zip((2, 4, 8), held.labels, train.labels, strict=True):
        for row in range(24):
            assert float(own[24 * row] - angle[24 * row]) == pytest.approx(math.pi / 24, abs=1e-5)
            sides = {int(known[24 * row]), int(known[24 * ((row + 1) % 24)])}
            expected = sides.pop() if len(sides) == 1 else -1
            assert set(labels[24 * row : 24 * (row + 1)].tolist()) == {expected}
        assert (labels < 0).sum() == 24 * classes


def test_noise_is_in_the_scale_of_the_training_draw():
    config = replace(TINY, grid=16, noise=0.05)
    clean = hierarchy._raw(toy.torus(grid=16, noise=0.0, seed=config.draw))
    noise = torch.randn(256, 3, generator=torch.Generator().manual_seed(config.draw))
    assert torch.allclose(hierarchy._scaled(config, clean + 0.05 * noise), hierarchy.data(config).x, atol=1e-6)
    smooth, rough = (hierarchy.held_out(replace(config, noise=noise)).x for noise in (1e-6, 0.05))
    scale = 1 / (clean + 0.05 * noise).max().sub((clean + 0.05 * noise).min())
    assert (rough - smooth).std() == pytest.approx(0.05 * float(scale), rel=0.2)
    assert not torch.allclose(rough[:20] - smooth[:20], 0.05 * scale * noise[:20], atol=0.02)  # noise of its own


@pytest.mark.parametrize("cut", ["ring", "tube"])
def test_tangents_are_derivatives_of_the_surface_of_length_one(cut):
    config = replace(TINY, grid=8, noise=0.0, cut=cut)
    found = hierarchy.surface(config)
    grid = found.x.double().view(16, 8, 3)
    assert torch.equal(found.position.view(16, 8)[:, 0], torch.arange(16) / 2)
    fine = hierarchy.surface(replace(config, grid=1600))
    position = fine.position.view(3200, 1600)
    x, across, along = (part.view(3200, 1600, 3).double() for part in (fine.x, fine.across, fine.along))
    assert torch.allclose(x[::200, ::200].float(), grid.float(), atol=1e-5)
    for tangent, step in ((across, x.roll(-1, 0) - x.roll(1, 0)), (along, x.roll(-1, 1) - x.roll(1, 1))):
        assert torch.allclose((step / step.norm(dim=-1, keepdim=True))[::177, ::91], tangent[::177, ::91], atol=2e-3)
        assert torch.allclose(tangent.norm(dim=-1), torch.ones(3200, 1600, dtype=torch.float64), atol=1e-6)
    assert position[1, 0] == 0.5


def test_the_distance_to_a_cut_is_the_shortest_way_around():
    position = torch.arange(80) / 2
    for classes in (2, 4, 8):
        cuts = 40 / classes * torch.arange(classes + 1) - 0.5
        expected = (position[:, None] - torch.cat((cuts, cuts - 40))).abs().min(1).values
        assert torch.equal(hierarchy.distance_to_cut(position, 40, classes), expected)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (dict(classes=(2, 3)), "classes must be among (2, 4, 8), not (2, 3)."),
        (dict(decay=()), "decay must have between 1 and 7 stages, not 0."),
        (dict(decay=(1.0,) * 8), "decay must have between 1 and 7 stages, not 8."),
    ],
)
def test_bad_settings_are_refused(change, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        replace(TINY, **change)
