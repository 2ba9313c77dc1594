r"""Certified margins in the L∞ ball: linear bound propagation for networks of hyperbolic tangents (CROWN).

A certificate is a proof: no image within ε of a certified image, in any pixel, changes its class. CROWN (Zhang et al.,
2018) finds one in three steps ({prf:ref}`prop-crown`):

1. each hyperbolic tangent is enclosed between two lines on the interval of its inputs: :func:`relax`;
2. the lines are carried back, layer by layer, to a linear function of the pixels that lies below the margin;
3. the smallest value of that function on the ball is a lower bound of the margin: :func:`certified_margins`.

Step 1 needs the interval of each unit's inputs. The same three steps give it, from the first layer on.

All numbers are in float64, and rounding is accounted for. Each line is moved outwards by more than the error of its
slope and intercept, and each bound by more than the error of its sums (:data:`_ROUNDING`). A bound so holds for the
network in exact arithmetic: the map that its stored weights define.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor

from lil.checks import BOUNDS, check_epsilons, check_images, check_labels
from lil.models import LIL

Labels = Integer[Tensor, "n"]

_HALVINGS = 32  # of the interval of a point of tangency: 2e-10 of it is left
_EPS = torch.finfo(torch.float64).eps
# A sum of n products is wrong by at most n/2 · eps times the sum of their sizes, in any order. Here 4 eps times n, plus
# some terms for the single operations, is allowed for each step, so that the allowance may be rounded itself.
_ROUNDING = 4 * _EPS
# Rounding of tanh, slope and intercept moves a line by at most 12 eps + 24 eps · slope · (size of the interval's ends).
_LINE = 64 * _EPS
_POINTS = 8  # times members, whose bounds are propagated at once: with 100 units and 784 pixels in 10 MB


class Lines(NamedTuple):
    """The slope and the intercept of a line for each unit, below tanh and above it."""

    lower_slope: Float[Tensor, "*units"]
    lower: Float[Tensor, "*units"]
    upper_slope: Float[Tensor, "*units"]
    upper: Float[Tensor, "*units"]


def relax(low: Float[Tensor, "*units"], high: Float[Tensor, "*units"]) -> Lines:
    """Return the lines that enclose tanh on each interval [low, high] with the least area between them.

    The line above touches the concave envelope of tanh on the interval at its middle ({prf:ref}`prop-tanh-lines`):
    it is the chord, or a tangent. The line below is the same, mirrored.
    """
    (slope, mirrored_slope), (above, mirrored) = _upper_line(torch.stack((low, -high)), torch.stack((high, -low)))
    return Lines(mirrored_slope, -mirrored, slope, above)


def _upper_line(low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    touching = torch.maximum(_point_of_tangency(low), (low + high) / 2)
    # With a chord no tangent from the left end touches before the right end. An interval that is a point has none.
    chord = (touching >= high) & (high > low)
    at = torch.where(chord, low, torch.minimum(touching, high))
    rise = (torch.tanh(high) - torch.tanh(low)) / torch.where(chord, high - low, 1.0)
    slope = torch.where(chord, rise.clamp(0, 1), _derivative(at))
    reach = torch.maximum(low.abs(), high.abs())
    return slope, torch.tanh(at) - slope * at + _LINE * (1 + slope * reach)


def _point_of_tangency(low: Float[Tensor, "*units"]) -> Float[Tensor, "*units"]:
    """Return the point d ≥ 0 whose tangent meets tanh at ``low``, or a point just above d; 0 where low ≥ 0.

    Tangents at all greater points lie above the curve from ``low`` on, so the upper end of the bisection is sound.
    """
    low = low.clamp(max=0)
    left, right = torch.zeros_like(low), torch.minimum(-low, (8 * (1 - low)).log() / 2)
    for _ in range(_HALVINGS):
        middle = (left + right) / 2
        small = torch.exp(-2 * middle)  # tanh d = (1 − small)/(1 + small)
        gap = 4 * small / (1 + small) ** 2 * (middle - low) - ((1 - small) / (1 + small) - torch.tanh(low))
        below = gap > 0  # at ``low`` the tangent at the middle is below the curve
        left, right = torch.where(below, middle, left), torch.where(below, right, middle)
    return right


def _derivative(x: Float[Tensor, "*units"]) -> Float[Tensor, "*units"]:
    """Return 1 − tanh², with all its digits also where it is small."""
    small = torch.exp(-2 * x.abs())
    return 4 * small / (1 + small) ** 2


@torch.no_grad()
def certified_margins(
    model: LIL, x: Float[Tensor, "n d"], labels: Labels, epsilon: float, bounds: tuple[float, float] = BOUNDS
) -> Float[Tensor, "m n classes"]:
    """Return a lower bound of each margin, own logit less that of class c, over all images within ε of each point.

    An image is within ε if each pixel differs by ε at most and lies within the ``bounds``. At an image's own class the
    bound is ∞. Raises ValueError for images outside the bounds and for an ε that is no step within them.
    """
    check_epsilons((epsilon,), bounds)
    check_images(x, bounds)
    labels = check_labels(labels, len(x), model.sizes[-1])
    model.check(x.to(model.weights[0].dtype))
    weights, biases = ([value.detach().double() for value in values] for values in (model.weights, model.biases))
    size = max(1, _POINTS // model.members)
    parts = []
    for points, classes in zip(x.double().split(size), labels.split(size), strict=True):
        low, high = (points - epsilon).clamp(min=bounds[0]), (points + epsilon).clamp(max=bounds[1])
        network = _Relaxed(weights, biases, low, high)
        rows = weights[-1][:, classes, None] - weights[-1][:, None]  # (m, n, classes, width)
        margins = network.lower_bound(rows, biases[-1][:, classes, None] - biases[-1][:, None])
        own = classes.expand(model.members, -1)[..., None]
        parts.append(margins.scatter(-1, own, math.inf))
    return torch.cat(parts, dim=1)


def certified(
    model: LIL, x: Float[Tensor, "n d"], labels: Labels, epsilon: float, bounds: tuple[float, float] = BOUNDS
) -> Bool[Tensor, "m n"]:
    """Return True where no image within ε of a point is taken for another class than the point's label."""
    return certified_margins(model, x, labels, epsilon, bounds).amin(-1) > 0


class _Relaxed:
    """The hidden layers of all members on a box of inputs around each point, each unit enclosed between two lines."""

    def __init__(self, weights: list[Tensor], biases: list[Tensor], low: Tensor, high: Tensor):
        self.weights, self.biases = weights, biases
        self.middle, self.reach = (low + high) / 2, (high - low) / 2
        self.terms = max(weight.shape[-1] for weight in weights) + 4 * len(weights) + 16
        # No input of a tanh is larger than these, as |tanh| < 1 in the layer below.
        sizes = [torch.maximum(low.abs(), high.abs()) @ weights[0].abs().mT + biases[0].abs()[:, None]]
        sizes += [(w.abs().sum(-1) + b.abs())[:, None] for w, b in zip(weights[1:-1], biases[1:-1], strict=True)]
        self.sizes = [(1 + _ROUNDING * self.terms) * size for size in sizes]
        # The first layer's inputs to its hyperbolic tangents go from this by at most |weights| · reach.
        self.first = self.middle @ weights[0].mT + biases[0][:, None]
        wide = self.reach @ weights[0].abs().mT + _ROUNDING * self.terms * self.sizes[0]
        self.lines: list[Lines] = [relax(self.first - wide, self.first + wide)]
        for weight, bias, size in zip(weights[1:-1], biases[1:-1], self.sizes[1:], strict=True):
            rows, offset = (torch.cat((part, -part), dim=1)[:, None] for part in (weight, bias))
            ends = self.lower_bound(rows.expand(-1, len(low), -1, -1), offset.expand(-1, len(low), -1))
            below, above = ends.chunk(2, dim=-1)
            self.lines.append(relax(torch.maximum(below, -size), torch.minimum(-above, size)))

    def lower_bound(self, rows: Float[Tensor, "m n k width"], offset: Float[Tensor, "m n k"]) -> Float[Tensor, "m n k"]:
        """Return a lower bound of rows · h + offset on each box; h is the last layer with lines."""
        sizes = offset.abs()  # sums of the sizes of what is added, for the rounding
        for layer in reversed(range(len(self.lines))):
            lines, (weight, bias) = self.lines[layer], (self.weights[layer], self.biases[layer])
            raised, lowered = rows.clamp(min=0), rows.clamp(max=0)  # a negative factor turns an inequality around
            sizes = sizes + rows.abs().sum(-1)
            offset = offset + _dot(raised, lines.lower) + _dot(lowered, lines.upper)
            rows = raised * lines.lower_slope[..., None, :] + lowered * lines.upper_slope[..., None, :]
            sizes = sizes + 4 * _dot(rows.abs(), self.sizes[layer])
            offset = offset + _dot(rows, bias[:, None] if layer else self.first)
            rows = torch.bmm(rows.flatten(1, 2), weight).unflatten(1, rows.shape[1:3])
        return offset - _dot(rows.abs_(), self.reach) - _ROUNDING * self.terms * sizes


def _dot(rows: Float[Tensor, "m n k width"], values: Float[Tensor, "*lead width"]) -> Float[Tensor, "m n k"]:
    """Return the product of each row with the values of its member and point, which some values share."""
    return (rows @ values[..., None]).squeeze(-1)
