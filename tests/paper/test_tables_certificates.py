"""Numbers and tables of the certificates, of a made-up result."""

import re

import numpy as np
import pytest
from made_up import certificates_result

from lil.paper.headlines import headline
from lil.paper.intervals import Interval, over_seeds_and_images
from lil.paper.pages import ROOT
from lil.paper.tables import certificates


@pytest.fixture
def result():
    return certificates_result()


def at(result, name="mnist_public", beta=10.0, epsilon=0.01):
    return result.sel(networks=name, beta=beta, epsilon=epsilon)


def test_every_image_counts_as_right_withstanding_or_certified(result):
    each = certificates.every_image(result)
    assert dict(each.sizes) == dict(kind=4, networks=2, beta=3, seed=2, epsilon=2, image=30)
    one = each.sel(networks="mnist_public", beta=10, epsilon=0.01)
    for method, expected in (
        ("right", at(result).right),
        ("pgd", at(result).pgd),
        ("crown", at(result).crown),
        ("product", at(result)["product"] > 0.01),
    ):
        assert np.array_equal(one.sel(kind=method), expected)


def test_the_table_has_means_over_seeds_and_images(result):
    found = certificates.accuracy_table(result)
    assert found.columns.tolist() == [0, 0.1, 10] and len(found) == 16
    assert found.loc[("K = 10", "ε = 0.01", "PGD"), 10] == pytest.approx(float(at(result).pgd.mean()))
    assert found.loc[("K = 1", "ε = 0.003", "clean"), 0] == pytest.approx(
        float(result.right.sel(networks="mnist_text", beta=0).mean())
    )


def test_gains_are_paired_image_by_image(result):
    gain = certificates.gains(result).sel(networks="mnist_text", epsilon=0.003, kind="crown")
    one = result.crown.sel(networks="mnist_text", epsilon=0.003).astype(int)
    assert np.array_equal(gain, one.sel(beta=10) - one.sel(beta=0))
    found = certificates.gains_table(result)
    assert found.loc[("K = 1", "certified by CROWN"), "ε = 0.003"] == f"{over_seeds_and_images(gain):+.3f}"


def test_medians_and_their_factors(result):
    found = certificates.spread_table(result)
    median = result.spread.sel(networks="mnist_public", quantity="total", quantile=0.5)
    assert found.loc[("K = 10", certificates.QUANTITIES["total"]), 0.1] == pytest.approx(
        float(median.sel(beta=0.1).mean())
    )
    ratio = (median.sel(beta=10) / median.sel(beta=0)).values
    factor = certificates.factor(result, "mnist_public", "total")
    assert factor.value == pytest.approx(np.sqrt(ratio.prod())) and factor.seeds == 2
    assert factor.low * factor.high == pytest.approx(factor.value**2)
    result["spread"].loc[dict(quantity="margin", beta=10)] = -1.0
    change = certificates.difference(result, "mnist_text", "margin")
    margin = result.spread.sel(networks="mnist_text", quantity="margin", quantile=0.5, beta=0)
    assert change.value == pytest.approx(float((-1 - margin).mean()))
    assert certificates.numbers(result)["text_change_margin"] == certificates.moved(change)


def test_ranks_are_over_the_networks_of_one_reading(result):
    shares = result.pgd.sel(networks="mnist_text", epsilon=0.01).mean("image")
    result["spread"].loc[dict(networks="mnist_text", quantity="local", quantile=0.5)] = -shares
    found = certificates.ranks(result, "mnist_text")
    rank = found[certificates.QUANTITIES["local"], "PGD, ε = 0.01"]
    assert rank.value == pytest.approx(-1) and rank.seeds == 6
    table = certificates.ranks_table(result)
    assert table.columns.tolist() == ["PGD, ε = 0.01", "CROWN, ε = 0.01"] and len(table) == 6
    assert table.loc[("K = 1", certificates.QUANTITIES["local"]), "PGD, ε = 0.01"] == f"{rank:+.2f}"


UP, DOWN, NONE = Interval(0.2, 0.1, 0.3, 5, 300), Interval(-0.2, -0.3, -0.1, 5, 300), Interval(0.01, -0.1, 0.1, 5, 300)


def test_the_sentence_claims_no_more_than_both_intervals_show():
    assert certificates.sentence(UP, NONE) == (
        "certified accuracy rises, +0.200 (+0.100 to +0.300), "
        "and accuracy under PGD shows no clear change, +0.010 (−0.100 to +0.100)"
    )


def test_a_gain_says_its_direction_only_where_the_interval_leaves_zero_out():
    assert certificates.moved(UP) == "rises, +0.200 (+0.100 to +0.300)"
    assert certificates.moved(DOWN) == "falls, −0.200 (−0.300 to −0.100)"
    assert certificates.moved(NONE) == "shows no clear change, +0.010 (−0.100 to +0.100)"


def test_a_factor_says_its_direction_only_where_the_interval_leaves_one_out():
    assert certificates.scaled(Interval(24, 20, 28, 5)) == "grows by a factor of 24 (20 to 28)"
    assert certificates.scaled(Interval(578, 303, 1127, 5)) == "grows by a factor of 580 (300 to 1100)"
    assert certificates.scaled(Interval(0.5, 0.4, 0.6, 5)) == "shrinks by a factor of 0.5 (0.4 to 0.6)"
    assert certificates.scaled(Interval(1.2, 0.9, 1.6, 5)) == "shows no clear change, a factor of 1.2 (0.9 to 1.6)"
    assert certificates.scaled(Interval(3, np.nan, np.nan, 1)) == "shows no clear change, a factor of 3"


def test_numbers_name_reading_and_end(result):
    numbers = certificates.numbers(result)
    gains = (at(result)[kind].astype(float) - at(result, beta=0.0)[kind].astype(float) for kind in ("crown", "pgd"))
    assert numbers["public_sentence"] == certificates.sentence(*map(over_seeds_and_images, gains))
    undecided = float(at(result).pgd.mean()) - float(at(result).crown.mean())
    assert numbers["public_open_last"] == pytest.approx(undecided)
    assert numbers["broken"] == 0 and (numbers["images"], numbers["seeds"], numbers["networks"]) == (30, 2, 6)
    result["pgd"][0, 0, 0, 0] = False
    assert certificates.numbers(result)["broken"] == int(result.crown[0, 0, 0, 0].sum()) > 0


def test_every_number_that_a_page_names_is_there(result):
    named = set()
    for page in ("notebooks/certificates.py", "book/theory/limits.md"):
        named |= set(re.findall(r"\bce_(\w+)", (ROOT / page).read_text("utf-8")))
    assert named and named <= set(certificates.numbers(result))


def test_the_headline_is_the_certified_accuracy(result):
    found = headline("certificates", result)
    assert found["mnist_public, β = 10: certified at ε = 0.01"] == (None, pytest.approx(float(at(result).crown.mean())))
