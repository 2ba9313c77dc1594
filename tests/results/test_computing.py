"""How far two results lie apart."""

import math

import numpy as np
import pytest
import xarray as xr

from lil.results.computing import differences

RECORD = xr.Dataset(
    {"a": (("beta", "seed"), [[1.0, -4.0], [2.0, np.nan]]), "right": ("seed", [True, False]), "zero": ("seed", [0, 0])},
    coords={"beta": [0.0, 1.0], "word": ("seed", ["p", "q"])},
)


@pytest.mark.parametrize(
    "now, name, share",
    [
        (RECORD, "a", 0),
        (RECORD.assign(a=RECORD.a + 0.5), "a", 0.125),  # of 4, the largest value
        (RECORD.assign(a=RECORD.a.fillna(7.0)), "a", math.inf),
        (RECORD.assign(a=RECORD.a.where(RECORD.a > 0)), "a", math.inf),
        (RECORD.assign(right=~RECORD.right), "right", 1),
        (RECORD.assign(zero=RECORD.zero + 3), "zero", 3),  # there is no value to be a share of
        (RECORD.assign_coords(beta=[0.0, 1.5]), "beta", 0.5),
        (RECORD.assign_coords(word=("seed", ["p", "r"])), "word", math.inf),
        (RECORD.assign_coords(word=("seed", [1, 2])), "word", math.inf),
        (RECORD.drop_vars("a"), "a", math.inf),
        (RECORD.assign(b=1), "b", math.inf),
        (RECORD.isel(beta=[0]), "a", math.inf),
        (RECORD.assign(right=("another", RECORD.right.values)), "right", math.inf),
        (RECORD.assign(right=("seed", ["yes", "no"])), "right", math.inf),
    ],
)
def test_the_difference_is_a_share_of_the_record_s_largest_value(now, name, share):
    assert differences(now, RECORD)[name] == pytest.approx(share)
    assert {other for other, found in differences(now, RECORD).items() if found} <= {name, "beta"}
