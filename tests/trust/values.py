"""Values as people and programs get them wrong: numbers, words, nested data and tensors."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy as Draw

numbers = st.one_of(
    st.integers(-3, 6),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from((0, -1, 10**30, 10**400, -(2**63), 1e308, -0.0, float("nan"), float("inf"))),
)
words = st.one_of(
    st.text(max_size=8), st.sampled_from(("", " ", "None", "NaN", "[0, 1", "[" * 5000, "1" * 5000, "../..", "β"))
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, words),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=2)),
    max_leaves=4,
)
odd = st.sampled_from((0.0, 1.0, -1.0, 1e-30, 1e20, float("nan"), float("inf"), -float("inf")))
kinds = st.sampled_from((torch.float32, torch.float64, torch.float16, torch.int64, torch.uint8, torch.bool))


@st.composite
def tensors(draw: Any, *shapes: tuple[int, ...], dtypes: Draw[torch.dtype] = kinds) -> torch.Tensor:
    """Draw a tensor of one of some shapes: from a normal distribution, and now and then with one odd value."""
    shape = draw(st.sampled_from(shapes))
    x = torch.randn(shape, generator=torch.Generator().manual_seed(draw(st.integers(0, 3))))
    if x.numel() and draw(st.booleans()):
        x.view(-1)[draw(st.integers(0, x.numel() - 1))] = draw(odd)
    dtype = draw(dtypes)
    return x.nan_to_num(0, 9, -9).to(dtype) if not dtype.is_floating_point else x.to(dtype)


def plain(x: torch.Tensor) -> bool:
    """Return True if squares of all values, and sums of them, are finite in float32."""
    return bool((x.double().abs() < 1e15).all())
