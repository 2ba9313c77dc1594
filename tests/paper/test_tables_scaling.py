"""Numbers and tables of the isometry loss's cost, of a made-up result."""

import pytest
from made_up import scaling_result

from lil.paper.tables import scaling


@pytest.fixture
def result():
    return scaling_result()


def test_the_words(result):
    words = scaling.numbers(result)
    assert words["power_all"] == pytest.approx(2) and words["power_sampled"] == pytest.approx(0)
    assert words["ms_within-class"] == pytest.approx(64) and words["points"] == 800 and words["cores"] == 2
    assert (words["few"], words["spread_few"], words["many"], words["spread_many"]) == (100, 0.1, 10_000, 0.01)
    assert (words["calls"], words["estimates"]) == (5, 40)
    assert words["faster"] == pytest.approx(1.8) and words["member_ratio"] == pytest.approx(3)


def test_the_table_has_a_row_a_size(result):
    table = scaling.table(result)
    assert table.index.tolist() == [100, 200, 400, 800]
    assert table["milliseconds", "all pairs"].tolist() == pytest.approx([4, 16, 64, 256])
