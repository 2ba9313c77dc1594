import numpy as np
import pytest

from lil import topology

pytest.importorskip("gudhi", reason="GUDHI, which counts loops, has no build for this platform")


def circle(n, *, radius=1.0, centre=(0.0, 0.0, 0.0)):
    angle = 2 * np.pi * np.arange(n) / n
    return radius * np.stack((np.cos(angle), np.sin(angle), 0 * angle), 1) + np.array(centre)


def test_a_circle_has_one_bar_with_the_ends_that_geometry_gives():
    bars = topology.loop_bars(circle(60, radius=2.0))
    assert bars.shape == (1, 2)
    assert bars[0] == pytest.approx([2 * 2.0 * np.sin(np.pi / 60), np.sqrt(3) * 2.0])


def test_a_circle_is_one_loop_whatever_its_place_and_size():
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    for points in (circle(60), 1e-3 * circle(60), circle(60) @ rotation + 5):
        loops = topology.loops(points, share=0.1)
        assert loops.number == 1
        assert loops.longest == pytest.approx(np.sqrt(3) / 2 - np.sin(np.pi / 60), abs=1e-6)
        assert loops.second == pytest.approx(0, abs=1e-6)


def test_two_circles_of_two_sizes_are_two_loops():
    points = np.concatenate((circle(60), circle(60, radius=0.5, centre=(4.0, 0.0, 0.0))))
    loops = topology.loops(points, share=0.05)
    assert loops.number == 2
    diameter = 5.5
    assert loops.longest * diameter == pytest.approx(np.sqrt(3) - 2 * np.sin(np.pi / 60), abs=1e-6)
    assert loops.second * diameter == pytest.approx(np.sqrt(3) / 2 - np.sin(np.pi / 60), abs=1e-6)
    assert topology.loops(points, share=0.2).number == 1  # the smaller one is 0.14 diameters


def test_a_figure_of_eight_is_two_loops():
    points = np.concatenate((circle(60), circle(60, centre=(2.0, 0.0, 0.0))))
    assert topology.loops(points, share=0.1).number == 2


@pytest.mark.parametrize(
    "points",
    [
        np.linspace(0, 1, 50)[:, None] * np.array([[1.0, 2.0, 3.0]]),  # a segment
        circle(60)[:40],  # an arc: cut, not closed
        np.zeros((10, 3)),  # everything in one place
        np.eye(3)[:2],
    ],
    ids=["segment", "arc", "point", "two points"],
)
def test_what_has_no_loop(points):
    assert topology.loops(points, share=0.1) == (0, 0.0, 0.0)


def test_noise_makes_short_bars_only():
    points = circle(120) + 0.05 * np.random.default_rng(0).normal(size=(120, 3))
    loops = topology.loops(points, share=0.1)
    assert loops.number == 1 and 0 < loops.second < 0.1 < loops.longest


@pytest.mark.parametrize(
    "points, share, words",
    [
        (circle(10), 0.0, "share is a part of the diameter"),
        (circle(1), 0.1, "at least 2 points"),
        (np.full((5, 3), np.nan), 0.1, "NaN or infinite"),
    ],
)
def test_bad_input_gets_one_sentence(points, share, words):
    with pytest.raises(ValueError, match=words):
        topology.loops(points, share=share)
