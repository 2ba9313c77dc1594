"""Numbers and tables of the isometry term beside other methods, of a made-up result."""

import pytest
from made_up import baselines_result, matched_result

from lil.paper.tables import baselines


@pytest.fixture
def networks():
    return baselines_result()


@pytest.fixture
def matched(networks):
    return matched_result(networks)


def test_the_tables_have_means_over_seeds(networks, matched):
    table = baselines.table(networks)
    assert table.index.tolist()[:3] == ["cross-entropy alone", "isometry term, β = 0.1", "isometry term, β = 10"]
    row = table.loc["PGD training, ε = 0.1"]
    assert row["no attack"] == pytest.approx(networks.clean.values[7].mean())
    assert row["PGD, ε = 0.3"] == pytest.approx(networks.accuracy.values[0, 0, 7, :, 2].mean())
    assert row["AutoAttack, ε = 0.1"] == pytest.approx(networks.accuracy.values[1, 1, 7, :, 1].mean())
    assert row["reach"] == pytest.approx(networks.reach.values[7, :, 1].mean()) and table.notna().all().all()
    compared = baselines.matched_table(matched)
    assert compared.near.tolist() == ["NO", "yes", "yes", "yes", "yes", "NO", "yes"]
    assert compared.columns.tolist()[:3] == ["no attack", "above the reference", "near"]
    assert compared["above the reference"].tolist() == matched.gap.values.tolist()


def test_the_words_name_the_reference_and_who_is_above_it(networks, matched):
    matched["accuracy"].loc[dict(attack="pgd")] = 0.3
    matched["accuracy"][:, 0, 1], matched["accuracy"][:, 0, 2], matched["accuracy"][:, 0, 6] = 0.5, 0.6, 0.7
    numbers = baselines.numbers(networks, matched)
    assert (numbers["place"], numbers["methods"]) == (3, 7)
    assert numbers["better"] == "PGD training, Jacobian regularisation"
    assert numbers["far"] == "cross-entropy alone, FGSM training"
    assert (numbers["beta"], numbers["seeds"], numbers["every"], numbers["few"]) == ("10", 2, 50, 10)
    assert numbers["pgd_jacobian"] == pytest.approx(0.6) and numbers["pgd_plain"] == pytest.approx(0.3)
    assert numbers["auto_spectral"] == pytest.approx(matched.accuracy.values[1, 1, 3, :, 1].mean())
    assert numbers["clean_decay"] == pytest.approx(matched.clean.values[4].mean())
    assert (numbers["epsilons"], numbers["auto_epsilons"]) == ("0.05, 0.1, 0.3", "0.1")
    matched["accuracy"][:, 0, 1] = 0.9
    numbers = baselines.numbers(networks, matched)
    assert (numbers["place"], numbers["better"]) == (1, "none")


def test_the_attacks_health_is_their_worst_case(networks, matched):
    networks["accuracy"][1, 1, ..., 1] = networks.accuracy[1, 0, ..., 1] - 0.2
    networks["accuracy"][1, 1, 5, 1, 1] += 0.5
    networks["change"][0, 3, 1, 2] = 0.302
    numbers = baselines.numbers(networks, matched)
    assert (numbers["excess"], numbers["beyond"]) == pytest.approx((0.3, 0.002))
