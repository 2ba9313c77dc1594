"""Near decimals pass, and nothing else does."""

import base64

import numpy as np
import pytest
from nbformat import from_dict
from tolerance import RTOL, adopt_near, shares


@pytest.mark.parametrize(
    ("new", "reference"),
    [
        ("ratio 1.0005", "ratio 1.0000"),
        ("ratio 0.998", "ratio 0.997"),  # one step of the last printed digit: rounding alone can do that
        ("loss 3.0002e-05 of 7", "loss 3.0000e-05 of 7"),
        ("a   -0.0001\nb  12.5000", "a    0.0000\nb  12.5000"),
        ("−0.5000", "−0.5001"),
        ("<td>0.12340</td>", "<td>0.12341</td>"),
        ("nothing to compare", "nothing to compare"),
    ],
)
def test_near_text_becomes_the_reference(new, reference):
    assert adopt_near(new, reference) == reference


@pytest.mark.parametrize(
    ("new", "reference"),
    [
        ("ratio 1.0050", "ratio 1.0000"),
        ("ratio 0.500", "ratio -0.500"),
        ("5 of 5 seeds", "4 of 5 seeds"),  # whole numbers are exact
        ("1000001", "1000000"),
        ("version 2.15.1", "version 2.15.0"),  # no decimal
        ("holds 0.99", "does not hold 0.99"),
        ("0.1 0.2", "0.1"),
        ("1.0", "1"),
    ],
)
def test_other_text_stays_as_it_is(new, reference):
    assert adopt_near(new, reference) == new != reference


def test_structures_are_compared_leaf_by_leaf():
    reference = [
        from_dict({"output_type": "display_data", "data": {"text/plain": "0.12345", "json": {"a": [1.0, 2], "b": 3}}})
    ]
    near = [
        from_dict(
            {
                "output_type": "display_data",
                "data": {"text/plain": "0.12346", "json": {"a": [1.0 + RTOL / 2, 2], "b": 3}},
            }
        )
    ]
    far = [
        from_dict({"output_type": "display_data", "data": {"text/plain": "0.12346", "json": {"a": [1.01, 2], "b": 4}}})
    ]
    assert adopt_near(near, reference) == reference
    assert adopt_near(far, reference)[0]["data"] == {"text/plain": "0.12345", "json": {"a": [1.01, 2], "b": 4}}


def test_what_one_side_lacks_is_left_to_the_comparison():
    assert adopt_near({"a": 1.0, "b": 2.0}, {"a": 1.0}) == {"a": 1.0, "b": 2.0}
    assert adopt_near([1.0], [1.0, 2.0]) == [1.0]
    assert adopt_near(float("nan"), 1.0) != 1.0


def plotly_array(values, dtype):
    return {"dtype": dtype, "bdata": base64.b64encode(np.asarray(values, dtype).tobytes()).decode()}


@pytest.mark.parametrize(("dtype", "near"), [("f8", True), ("f4", True), ("i4", False)])
def test_plotly_arrays(dtype, near):
    reference, new = plotly_array([1000, 2000], dtype), plotly_array([1000, 2001], dtype)
    assert adopt_near(new, reference) == (reference if near else new)
    far = plotly_array([1000, 2100], dtype)
    assert adopt_near(far, reference) == far


def test_a_share_tells_how_much_of_the_tolerance_a_number_takes():
    (half, nothing) = shares("loss 1000.5 of 7.25", "loss 1000.0 of 7.25")
    assert half == pytest.approx(0.5 / (1.0005 + 0.1001)) and nothing == 0
    assert list(shares([{"a": 1.0, "b": "5 of 5"}], [{"a": 1.0, "b": "4 of 5"}])) == [0, np.inf]
    assert list(shares(plotly_array([1.0, 2.0], "f8"), plotly_array([1.0, 2.002], "f8"))) == [
        0,
        pytest.approx(1, rel=1e-3),
    ]
    assert list(shares({"a": 1.0}, {"b": 1.0})) == list(shares([1.0], [])) == list(shares(1.0, "1.0")) == [np.inf]
    assert list(shares(float("nan"), 1.0)) == [np.inf] and list(shares(float("nan"), float("nan"))) == [0]
