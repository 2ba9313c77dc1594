"""Numbers and tables of the theory, of a made-up result: no data set, reading or β is pooled with another."""

import re

import numpy as np
import pytest
from made_up import lipschitz_result

from lil.paper import theory
from lil.paper.intervals import Interval, extent, over_seeds
from lil.paper.pages import ROOT
from lil.paper.tables import lipschitz
from lil.results.errors import StaleRecord


@pytest.fixture
def result():
    return lipschitz_result()


def network(result, data, beta, seed):
    (at,) = np.flatnonzero((result.data == data) & (result.beta == beta) & (result.seed == seed))
    return result.isel(network=at)


def test_data_sets_keep_their_order_and_the_texts_reading_stands_before_the_other(result):
    assert lipschitz.data_names(result) == ["rings", "torus, 8 classes", "MNIST", "MNIST, K = 10"]
    assert lipschitz.of_data(result, "MNIST").beta.values.tolist() == [0, 0, 10, 10]
    found = lipschitz.readings(result)
    assert {short: lipschitz.title(each) for short, each in found.items()} == dict(
        images="MNIST", public="MNIST, K = 10"
    )
    alone = lipschitz.of_data(result, "MNIST").drop_vars("scale")
    assert list(lipschitz.readings(alone)) == ["images"] and (lipschitz.scales(alone) == 1).all()


@pytest.mark.parametrize("data, scale", [("MNIST", 1), ("MNIST, K = 10", 10)])
def test_constants_are_multiplied_by_k(result, data, scale):
    constants, one = lipschitz.constants_table(result), network(result, data, 10, 1)
    assert len(constants) == 14 and constants.index.names == ["data", "beta", "seed"]
    assert constants.loc[(data, 10.0, 1)].to_dict() == pytest.approx(
        {
            "within": scale * float(one.lower[0]),
            "between": scale * float(one.lower[1]),
            "forced": scale * float(one.forced),
            "median": scale * float(one.local[0, 1]),
            "largest": scale * float(one.local[0, 3]),
            "product": scale * float(one.upper[0]),
        }
    )
    stretches = lipschitz.stretch_table(result).loc[(data, 10.0, 1)]
    assert stretches["attack"] == pytest.approx(scale * float(one.along.sel(direction="attack", quantile=0.5)))
    assert stretches["most"] == pytest.approx(scale * float(one.local[0, 1]))


def test_sides_say_how_tight_the_bound_is_and_where_an_isometrys_holds(result):
    sides, one = lipschitz.sides_table(result), network(result, "MNIST", 10, 0)
    row = sides.loc[("MNIST", 10.0, 0)]
    assert row["product", "isometry"] == pytest.approx(float(one.tightness[1, 1, 1]))
    assert row["holds", "cross_entropy"] == pytest.approx(1 - float(one.violated[0, 2]))
    assert row["holds", "isometry"] == pytest.approx(1 - float(one.violated[1, 2]))


def test_summaries_are_by_data_set_and_beta(result):
    constants = lipschitz.constants_table(result)
    medians, ranges = lipschitz.by_beta(constants), lipschitz.ranges(constants, ".2f")
    assert medians.index.tolist() == [
        ("rings", 0.0),
        ("rings", 1.0),
        ("torus, 8 classes", 10.0),
        ("MNIST", 0.0),
        ("MNIST", 10.0),
        ("MNIST, K = 10", 0.0),
        ("MNIST, K = 10", 10.0),
    ]
    pair = constants.within.xs(("MNIST", 10.0), level=[0, 1]).values
    assert medians.loc[("MNIST", 10.0), "within"] == pytest.approx(pair.mean())
    assert ranges.loc[("MNIST", 10.0), "within"] == f"{pair.min():.2f} to {pair.max():.2f}"
    assert (lipschitz.ranges(constants * 0 + 1, ".1f") == "1.0").all(axis=None)


def test_certificates_are_means_over_seeds_of_each_reading(result):
    found = lipschitz.certificate_table(result)
    assert found.index.tolist() == [(data, beta) for data in ("MNIST", "MNIST, K = 10") for beta in (0.0, 10.0)]
    networks = [network(result, "MNIST, K = 10", 10, seed) for seed in (0, 1)]
    expected = np.mean([float(one.certified.sel(norm="Linf")[3]) for one in networks])
    assert found.loc[("MNIST, K = 10", 10.0), ("certified", "ε = 0.1")] == pytest.approx(expected)


def test_epsilons_that_agree_in_two_digits_keep_their_columns(result):
    near = result.assign_coords(epsilon=[0.1, 0.1002, 0.1004, 0.101, 0.11])
    columns = [("certified", "ε = 0.1"), ("attacked", "ε = 0.1"), ("certified", "ε = 0.101"), ("attacked", "ε = 0.101")]
    assert lipschitz.certificate_table(near).columns.tolist() == columns


def test_measures_are_those_of_the_median_point(result):
    bound, representation, logits = lipschitz.measures(result).values()
    assert np.allclose(bound, result.bound[:, 0, 0, 1])
    assert np.allclose(representation, result.local[:, 0, 1]) and np.allclose(logits, result.local[:, 1, 1])


def test_robustness_is_taken_where_about_half_of_the_right_points_are_left(result):
    networks = lipschitz.readings(result)["images"]
    left = np.array([0.99, 0.9, 0.45, 0.1, 0.0])
    networks["attacked"][:] = left * networks.accuracy.values[:, None]
    found = lipschitz.robustness(networks)
    assert found.values == pytest.approx(np.full(4, 0.45)) and float(found.epsilon) == pytest.approx(1e-2)


def test_ranks_have_their_interval_and_number_of_networks(result):
    networks = lipschitz.readings(result)["public"]
    networks["bound"][:] = -lipschitz.robustness(networks)  # the smaller the bound, the more robust: −1
    rank = lipschitz.ranks(networks)["bound on the gradient"]
    assert rank.value == pytest.approx(-1) and rank.high == pytest.approx(-1) and rank.seeds == 4
    table = lipschitz.ranks_table(result)
    assert len(table) == 6 and (table.networks == 4).all() and (table.low <= table.high).all()


def test_a_relation_is_claimed_only_where_the_interval_leaves_zero_out():
    assert lipschitz.relation(Interval(-0.3, -0.7, 0.1, 30)) == "−0.30 (−0.70 to +0.10): no relation shown"
    assert lipschitz.relation(Interval(-0.3, -0.7, -0.1, 30)).endswith(": the smaller the value, the more robust")
    assert lipschitz.relation(Interval(0.3, 0.1, 0.7, 30)).endswith(": the smaller the value, the less robust")
    assert lipschitz.relation(Interval(np.nan, np.nan, np.nan, 2)) == "not defined for these networks"


@pytest.mark.parametrize(
    "a, b", [([1.0, 2.0], [2.0, 1.0]), ([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]), ([1.0, 2.0, 3.0], [0.0] * 3)]
)
def test_too_few_networks_or_one_value_of_all_have_no_rank(a, b):
    found = lipschitz.rank(np.array(a), np.array(b))
    assert np.isnan(found.value) and found.seeds == len(a)


def test_the_change_of_a_constant_is_paired_by_seed(result):
    networks = lipschitz.readings(result)["images"]
    median = networks.local.sel(map="representation", quantile=0.5).values
    expected = over_seeds(lipschitz.by_seed(networks.isel(network=[0, 1]).forced) * 0 + median[2:] / median[:2])
    assert lipschitz.change(networks) == expected
    backwards = networks.isel(network=[1, 0, 2, 3])  # the seeds of β = 0 in another order
    assert lipschitz.change(backwards) == expected


def test_numbers_are_those_of_each_data_set(result):
    numbers = lipschitz.numbers(result)
    assert numbers["public_data"] == "MNIST, K = 10" and numbers["points"] == 500 and numbers["networks"] == 14
    pair = [network(result, "MNIST, K = 10", 10, seed) for seed in (0, 1)]
    assert numbers["public_last_median"] == pytest.approx(np.mean([10 * float(one.local[0, 1]) for one in pair]))
    assert numbers["public_last_logits"] == pytest.approx(np.mean([float(one.local[1, 1]) for one in pair]))
    shares = [1 - float(one.violated[0, 2]) for one in pair]
    assert numbers["public_last_holds_cross_entropy"] == extent(shares, ".1%")
    certified = [float(one.certified.sel(norm="Linf")[0]) for one in pair]
    assert numbers["public_certified_last"].startswith(f"{np.mean(certified):.1%} (")
    violated = result.violated.sel(constant=["local", "product"]).max(("network", "term"))
    assert [numbers["violated_local"], numbers["violated_product"]] == violated.values.tolist()
    alone = lipschitz.numbers_cifar10(lipschitz.readings(result)["images"])
    assert alone["last_median"] == numbers["images_last_median"] and alone["networks"] == 4


PAGES = {
    "lb": [
        "notebooks/lipschitz_bound.py",
        *(f"book/theory/{name}.md" for name in ("lipschitz", "gradient_bound", "limits")),
    ],
    "lc": ["notebooks/lipschitz_bound_cifar10.py", "book/theory/gradient_bound.md"],
}


@pytest.mark.parametrize("prefix", PAGES)
def test_every_number_that_a_page_names_is_there(result, prefix):
    numbers = (
        lipschitz.numbers(result) if prefix == "lb" else lipschitz.numbers_cifar10(lipschitz.readings(result)["images"])
    )
    named = set()
    for page in PAGES[prefix]:
        named |= set(re.findall(rf"\b{prefix}_(\w+)", (ROOT / page).read_text("utf-8")))
    assert named and named <= set(numbers)


# The tables that are written into the theory's pages


def rows(text):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]


@pytest.mark.parametrize("tabulate", [theory.constants, theory.stretches, theory.both_sides])
def test_a_table_has_a_row_for_each_data_set_reading_and_beta(result, tabulate):
    features = lipschitz.of_data(result, "MNIST").drop_vars("scale")
    features = features.assign_coords(data=("network", ["CIFAR10"] * 4))
    header, _, *found = rows(tabulate([result, features]))
    assert all(len(row) == len(header) for row in found)
    data = ["rings", "rings", "torus, 8 classes", "MNIST", "MNIST", "MNIST, K = 10", "MNIST, K = 10"]
    assert [row[0] for row in found] == [*data, "CIFAR10, in features", "CIFAR10, in features"]
    assert [row[1] for row in found] == ["0", "1", "10", "0", "10", "0", "10", "0", "10"]
    assert found[3][2:] == found[7][2:] and found[3][2:] != found[5][2:]


def test_the_tables_print_lowest_and_highest_seed(result):
    pair = [network(result, "MNIST, K = 10", 0, seed) for seed in (0, 1)]
    low, high = sorted(10 * float(one.lower[0]) for one in pair)
    assert rows(theory.constants([result]))[7][2] == f"{low:.3g} to {high:.3g}"
    low, high = sorted(1 - float(one.violated[0, 2]) for one in pair)
    assert rows(theory.both_sides([result]))[7][6] == f"{low:.1%} to {high:.1%}"


def test_a_record_that_is_not_current_leaves_a_sentence():
    def load(name):
        raise StaleRecord(name)

    assert theory.generated(theory.constants, load=load) == "*This table waits for a record that is stale.*"
