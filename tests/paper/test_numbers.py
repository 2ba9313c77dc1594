import dataclasses

import pytest

from lil.paper import numbers as paper


def test_table_1_is_the_printed_table():
    """Typed again from the article, as its rows are printed."""
    printed = """
        beta=0 | 0.001 | 0.01 | 0.1 | 1 | 10
        0.9664 | 0.9714 | 0.9679 | 0.9701 | 0.9693 | 0.9517
        0.8479 | 0.8593 | 0.8675 | 0.8545 | 0.7928 | 0.2542
    """
    head, mnist, cifar10 = (line.replace("beta=", "").split("|") for line in printed.strip().splitlines())
    for name, row in (("mnist", mnist), ("cifar10", cifar10)):
        assert [paper.TABLE_1[name].at(float(beta)) for beta in head] == [float(value) for value in row]


def test_a_beta_that_is_not_in_the_table_is_named():
    with pytest.raises(KeyError, match="Table 1, first row has no β = 0.5: it has 0, 0.001, 0.01, 0.1, 1, 10"):
        paper.TABLE_1["mnist"].at(0.5)


def test_what_the_paper_says_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        paper.TABLE_1["mnist"].values = (0.5,)
