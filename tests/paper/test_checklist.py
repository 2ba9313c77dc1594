import numpy as np
import pytest
import xarray as xr

from lil.paper import checklist as checks
from lil.paper.checklist import checklist

EPSILONS = [0.01, 0.1, 1.0]


LEFT = {  # at each ε
    "total": (0.9, 0.5, 0.1),
    "classification": (0.9, 0.5, 0.1),
    "margin": (0.9, 0.55, 0.1),
    "pgd": (0.9, 0.4, 0.0),
    "autoattack": (np.nan, 0.4, np.nan),
    "noise": (0.95, 0.9, 0.6),
}


def everywhere(values, *lead):
    return np.broadcast_to(values, (*lead, *np.shape(values))).copy()


@pytest.fixture
def result():
    """Two β, two seeds, three ε: an evaluation in which everything is as it should be."""
    member, epsilon = ("beta", "seed"), ("beta", "seed", "epsilon")
    attacks = np.array([everywhere(left, 2, 2) for left in LEFT.values()])
    transferred = everywhere(LEFT["noise"], 2, 2, 2)
    transferred[:, 0] = np.nan
    return xr.Dataset(
        {
            "accuracy": (("images", "attack", *epsilon), everywhere(attacks, 2)),
            "transferred": (("images", *epsilon), transferred),
            "after_stage": (("stage", *epsilon), everywhere(LEFT["autoattack"], 4, 2, 2)),
            "trace": (("rung", *epsilon), everywhere(LEFT["pgd"], 5, 2, 2)),
            "change": (("attack", *epsilon), everywhere(EPSILONS, 6, 2, 2)),
            "zero_gradient": (("precision", *member), np.zeros((2, 2, 2))),
            "turned": (member, np.zeros((2, 2))),
        },
        coords={
            "images": [50, 10],
            "attack": list(LEFT),
            "beta": [0.0, 1.0],
            "seed": [0, 1],
            "epsilon": EPSILONS,
            "in_paper": ("epsilon", [True, True, False]),
            "precision": ["float32", "float64"],
            "stage": ["apgd-ce", "apgd-t", "fab-t", "square"],
            "steps": ("rung", [10, 20, 20, 40, 40]),
            "starts": ("rung", [1, 1, 2, 2, 4]),
        },
    ).transpose("images", "attack", "precision", "stage", *epsilon, "rung")


def failed(result):
    return [item.question for item in checklist(result) if not item.passed]


def test_an_evaluation_without_fault_passes(result):
    assert failed(result) == []
    assert len({item.question for item in checklist(result)}) == 16


def set_one(result, name, value, **where):
    """One network's value at one place; single precision, as in a record."""
    result[name].loc[dict(seed=1, **where)] = value
    return result.astype(np.float32)


OBJECTIVE = "the paper's attack follows what decides the answer"
PAPERS = "the paper's attack is stronger than transfer"
SAME, ANY = "many steps are as strong as one, same objective", "many steps are as strong as one, any objective"


@pytest.mark.parametrize(
    ("name", "where", "value", "questions"),
    [
        ("change", dict(beta=1, attack="pgd", epsilon=0.1), 0.1001, ["no perturbation exceeds ε"]),
        ("zero_gradient", dict(beta=1, precision="float32"), 0.02, ["no gradient vanishes"]),
        ("turned", dict(beta=0), 0.02, ["no gradient is lost to rounding"]),
        ("accuracy", dict(images=50, beta=1, attack="classification", epsilon=0.1), 0.38, [SAME, ANY, OBJECTIVE]),
        ("accuracy", dict(images=50, beta=1, attack="margin", epsilon=0.1), 0.38, [ANY]),
        (
            "accuracy",
            dict(images=50, beta=1, attack="noise", epsilon=0.1),
            0.38,
            ["random noise is weaker than a gradient"],
        ),
        ("transferred", dict(images=50, beta=1, epsilon=0.1), 0.38, ["a black box is weaker: transfer", PAPERS]),
        ("transferred", dict(images=50, beta=1, epsilon=0.1), 0.45, [PAPERS]),  # of CSE + β · ISO 0.5, of PGD 0.4
        ("transferred", dict(images=50, beta=1, epsilon=0.1), 0.495, []),  # less than one percentage point
        ("transferred", dict(images=10, beta=1, epsilon=0.1), 0.38, []),  # of the few images
        ("after_stage", dict(beta=0, stage="square", epsilon=0.1), 0.38, ["a black box is weaker: queries"]),
        (
            "accuracy",
            dict(images=10, beta=0, attack="autoattack", epsilon=0.1),
            0.42,
            ["AutoAttack is as strong as our PGD"],
        ),
        (
            "accuracy",
            dict(images=10, beta=0, attack="autoattack", epsilon=0.1),
            0.38,
            ["our PGD is as strong as AutoAttack"],
        ),
        ("accuracy", dict(images=50, beta=1, attack="pgd", epsilon=1.0), 0.05, ["at the largest ε nothing withstands"]),
        ("accuracy", dict(images=50, beta=1, attack="pgd", epsilon=0.01), 0.38, ["a larger ε is a stronger attack"]),
        ("trace", dict(beta=1, epsilon=0.1, rung=[0, 1, 2]), 0.42, ["doubling the steps changes nothing"]),
        ("trace", dict(beta=1, epsilon=0.1, rung=[0, 1, 2, 3]), 0.42, ["doubling the random starts changes nothing"]),
        ("trace", dict(beta=1, epsilon=0.1, rung=[0, 1]), 0.42, []),  # changed by an earlier doubling
        ("accuracy", dict(images=50, beta=1, attack="total", epsilon=0.1), 0.6, [OBJECTIVE]),  # 0.1 / 2 / 2
        ("accuracy", dict(images=50, beta=1, attack="total", epsilon=1.0), 0.6, []),  # at an ε that is not the paper's
        ("accuracy", dict(images=50, beta=1, attack="total", epsilon=1.0), 0.7, [PAPERS]),  # transfer leaves 0.6 there
        ("accuracy", dict(images=10, beta=1, attack="total", epsilon=1.0), 0.7, []),  # of the few images
    ],
)
def test_each_fault_fails_its_own_item(result, name, where, value, questions):
    assert failed(set_one(result, name, value, **where)) == questions


def test_one_percentage_point_is_no_difference(result):
    assert failed(set_one(result, "accuracy", 0.41, images=10, beta=0, attack="autoattack", epsilon=0.1)) == []


def test_what_was_not_computed_does_not_pass(result):
    result["transferred"][:] = np.nan
    assert failed(result) == ["a black box is weaker: transfer", PAPERS]


def test_texts_fit_into_a_table_and_numbers_into_their_item(result):
    for item in checklist(result):
        assert max(len(item.question), len(item.computed)) <= 50
        assert item.limit in (0, checks.POINT) and type(item.value) is float
    assert tuple(item.question for item in checklist(result) if item.limit == 0) == checks.EXACT
