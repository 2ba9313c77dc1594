"""The ledger: its measures on results made by hand, its verdicts against those frozen, its exports, its command."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from lil import cli
from lil.paper import export, judging, ledger, measures
from lil.paper.judging import EXPERIMENTS, recorded
from lil.paper.verdicts import Number, Verdict, decide
from lil.results import registry
from lil.results.errors import CorruptRecord, MissingRecord, StaleRecord

BY_NAME = {claim.name: claim for claim in ledger.CLAIMS}


# The rule


KEPT, MISSED, BETWEEN = (1.0, 1.0, 1.0), (1.0, 0.0, 0.0), (1.0, 1.0, 0.0)


@pytest.mark.parametrize(
    "own, beyond, verdict",
    [
        ([KEPT, KEPT], [KEPT], Verdict.HOLDS),
        ([KEPT], [], Verdict.HOLDS),
        ([MISSED], [MISSED], Verdict.FAILS),
        ([KEPT, KEPT], [MISSED, MISSED], Verdict.PROTOCOL),
        ([KEPT], [KEPT, MISSED], Verdict.IN_PART),
        ([KEPT], [BETWEEN], Verdict.IN_PART),
        ([BETWEEN], [MISSED], Verdict.IN_PART),
        ([KEPT, MISSED], [], Verdict.IN_PART),
        ([BETWEEN], [], Verdict.IN_PART),
    ],
)
def test_the_rule(own, beyond, verdict):
    numbers = [Number("own", values, "≥", 1) for values in own]
    numbers += [Number("beyond", values, "≥", 1, beyond=True) for values in beyond]
    assert decide([*numbers, Number("without a condition", (0.0,))]) is verdict


def test_half_of_the_seeds_is_not_enough():
    assert Number("", (1.0, 0.0), ">", 0.5).missed
    assert not Number("", (1.0, 1.0, 0.0), ">", 0.5).missed


def test_a_verdict_needs_a_condition():
    with pytest.raises(ValueError, match="at least one condition within the paper's protocol"):
        decide([Number("gain", (1.0,), ">", 0, beyond=True), Number("level", (1.0,))])


@pytest.mark.parametrize("relation, met", [("≥", 2), (">", 1), ("≤", 2), ("<", 1)])
def test_relations_and_what_is_not_a_number(relation, met):
    assert Number("", (0.0, 1.0, 2.0, np.nan), relation, 1).met == met


@pytest.mark.parametrize(
    "values, words", [((1.0, -2.5, 3.0), "1 (−2.5 to 3)"), ((0.25,), "0.25"), ((0.99999, 0.999991), "1")]
)
def test_a_number_says_its_median_and_range(values, words):
    assert str(Number("", values)) == words


@pytest.mark.parametrize(
    "wrong", [dict(values=()), dict(values=(1.0,), relation="≥"), dict(values=(1.0,), relation="=", threshold=1)]
)
def test_a_wrong_number_is_refused(wrong):
    with pytest.raises(ValueError):
        Number("n", **wrong)


# Results made by hand, in which each claim holds. Each change breaks the conditions that it names, and no other.


SEEDS = [0, 1, 2]
BETAS = [0.0, 0.001, 0.01, 0.1, 1.0, 10.0]


def _full(sizes, value):
    return tuple(sizes), np.full(tuple(sizes.values()), value, dtype=np.float32)


def rings():
    sizes = dict(beta=2, seed=3, ring=2)
    result = xr.Dataset(
        {
            "accuracy": _full(dict(beta=2, seed=3), 1.0),
            "correlation": _full(sizes, 0.999),
            "ratio": _full(sizes | dict(quantile=3), 1.0),
            "loops": (tuple(sizes), np.ones((2, 3, 2), dtype=int)),
            "misfit": _full(sizes | dict(law=2), 0.4),
        },
        coords={"beta": [0.0, 1.0], "seed": SEEDS, "quantile": [0.05, 0.5, 0.95], "law": ["exponential", "chord"]},
    )
    result.correlation[0], result.ratio[0], result.loops[0, :, 1], result.misfit[0, ..., 0] = 0.3, 0.2, 4, 0.05
    return result


def lipschitz(*names):
    networks = [(data, beta, seed) for data in names for beta in (0.0, 10.0) for seed in SEEDS]
    data, betas, seeds = map(list, zip(*networks, strict=True))
    n = len(networks)
    halved = np.where(np.array(betas) > 0, 0.5, 1.0).astype(np.float32)
    by = ("network",)
    return xr.Dataset(
        {
            "upper": ((*by, "map"), np.full((n, 2), 9, np.float32)),
            "lower": ((*by, "pairs"), 2 * np.stack([halved, halved], 1)),
            "local": ((*by, "map", "quantile"), np.full((n, 2, 2), [1, 3], np.float32) * halved[:, None, None]),
            "violated": ((*by, "term", "constant"), np.zeros((n, 2, 3), np.float32)),
        },
        coords={
            "data": (by, data),
            "beta": (by, betas),
            "seed": (by, seeds),
            "map": ["representation", "logits"],
            "pairs": ["within", "between"],
            "quantile": [0.5, 1.0],
            "constant": ["local", "product", "one"],
        },
    )


def attacked(level=0.3):
    accuracy = level + 0.03 * np.arange(6)[None, :, None, None] + np.zeros((2, 6, 3, 4))
    return xr.Dataset(
        {"accuracy": (("objective", "beta", "seed", "epsilon"), accuracy)},
        coords={
            "objective": ["total", "classification"],
            "beta": BETAS,
            "seed": SEEDS,
            "epsilon": [0.05, 0.2, 0.4, 1.0],
        },
    )


def of_sets(names, by_beta, variable):
    values = np.array(by_beta, dtype=np.float32)[None, :, None] + np.zeros((len(names), 6, 3), np.float32)
    values[-1, :, 1:] = np.nan  # the last set has one seed
    return xr.Dataset(
        {variable: (("networks", "beta", "seed"), values)},
        coords={"networks": list(names), "beta": BETAS, "seed": SEEDS},
    )


def table1():
    return of_sets(
        ["mnist_text", "mnist_public", "cifar10_text", "cifar10_public"],
        [0.96, 0.97, 0.955, 0.96, 0.9, 0.8],
        "accuracy",
    )


def figure_a1():
    return of_sets(["mnist_text", "mnist_public", "cifar10_text"], [0.9, 0.8, 0.6, 0.4, 0.2, 0.05], "wasserstein")


def torus():
    levels = dict(cut=2, level=3, seed=3)
    at_cut = np.zeros((2, 3, 8), dtype=bool)
    at_cut[..., :2] = True
    gradient = np.ones((2, 2, 3, 3, 8), np.float32)
    gradient[..., 0] = 5.0
    return xr.Dataset(
        {
            "accuracy": _full(levels, 0.995),
            "correlation": _full(levels, 0.995),
            "ratio": _full(levels | dict(quantile=1), 1.0),
            "contrast": _full(dict(cut=2, saliency=2, level=3, seed=3), 4.0),
            "at_cut": (("cut", "level", "point"), at_cut),
            "gradient": (("cut", "saliency", "level", "seed", "point"), gradient),
        },
        coords={
            "cut": ["ring", "tube"],
            "level": [2, 4, 8],
            "seed": SEEDS,
            "quantile": [0.5],
            "saliency": ["norm", "largest"],
        },
    )


def by_hand():
    return {
        "fig2_rings": rings(),
        "fig4_torus": torus(),
        "lipschitz_bound": lipschitz("rings", "MNIST"),
        "lipschitz_bound_cifar10": lipschitz("CIFAR10"),
        "fig3_mnist": attacked(),
        "fig3_mnist_public": attacked(),
        "fig3_cifar10": attacked(),
        "fig3_cifar10_public": attacked().isel(seed=[0]),
        "table1": table1(),
        "figA1_distances": figure_a1(),
    }


@pytest.mark.parametrize("name", BY_NAME)
def test_a_claim_holds_where_all_its_conditions_do(name):
    entry = judging.judge(BY_NAME[name], by_hand().__getitem__)
    assert entry.verdict is (Verdict.HOLDS if entry.claim.measures else Verdict.NOT_TESTABLE), entry.numbers
    assert entry.seeds == (3 if entry.claim.measures else 0)


def put(variable, value, **where):
    """A change of a result: one variable gets a value at these labels."""

    def change(result):
        result[variable].loc[where] = value

    return change


@pytest.mark.parametrize(
    "name, experiment, change, broken",
    [
        ("rings-with-isometry", "fig2_rings", put("accuracy", 0.98, beta=1, seed=2), {0}),
        ("rings-with-isometry", "fig2_rings", put("correlation", 0.98, beta=1, seed=2), {1}),
        ("rings-with-isometry", "fig2_rings", put("ratio", 0.8, beta=1, seed=2, quantile=0.05), {2}),
        ("rings-with-isometry", "fig2_rings", put("ratio", 1.2, beta=1, seed=2, quantile=0.95), {3}),
        ("rings-with-isometry", "fig2_rings", put("loops", 0, beta=1, seed=2), {4}),
        ("rings-without", "fig2_rings", put("ratio", 0.95, beta=0, seed=0, quantile=0.5), {0}),
        ("rings-without", "fig2_rings", put("correlation", 0.995, beta=0, seed=0), {1}),
        ("rings-without", "fig2_rings", put("loops", 1, beta=0, seed=0), {2}),
        ("rings-without", "fig2_rings", put("misfit", 0.01, beta=0, seed=0, law="chord"), {3}),
        ("rings-without", "fig2_rings", put("misfit", 0.2, beta=0, seed=0, law="exponential"), {4}),
        ("lipschitz-derivative", "lipschitz_bound", lambda result: result.lower.__setitem__((3, 1), 9.1), {0}),
        ("lipschitz-derivative", "lipschitz_bound", lambda result: result.local.__setitem__((3, 0, 1), 9.1), {1}),
        ("gradient-bound", "lipschitz_bound", lambda result: result.violated.__setitem__((0, 1, 0), 1e-3), {0}),
        ("gradient-bound", "lipschitz_bound", lambda result: result.violated.__setitem__((0, 1, 1), 1e-3), {1}),
        ("gradient-bound", "lipschitz_bound", lambda result: result.violated.__setitem__((3, 1, 2), 0.06), {2}),
        ("gradient-bound", "lipschitz_bound", lambda result: result.violated.__setitem__((0, 1, 2), 0.06), set()),
        ("smaller-constant", "lipschitz_bound", lambda result: result.local.__setitem__((4, 0, 0), 1.5), {1}),
        ("smaller-constant", "lipschitz_bound", lambda result: result.local.__setitem__((4, 0, 1), 3.5), {3}),
        ("smaller-constant", "lipschitz_bound", lambda result: result.lower.__setitem__((4, 0), 3.5), {3}),
        ("smaller-constant", "lipschitz_bound", lambda result: result.local.__setitem__((10, 0, 0), 1.5), {6}),
        ("lipschitz-derivative", "lipschitz_bound_cifar10", lambda result: result.lower.__setitem__((3, 1), 9.1), {2}),
        ("gradient-bound", "lipschitz_bound_cifar10", lambda result: result.violated.__setitem__((3, 1, 2), 0.06), {5}),
        ("smaller-constant", "lipschitz_bound_cifar10", lambda result: result.local.__setitem__((4, 0, 0), 1.5), {11}),
        ("robustness-grows", "fig3_mnist", put("accuracy", 0.46, objective="total", beta=0), {1, 2}),
        ("robustness-grows", "fig3_mnist", put("accuracy", 0.32, objective="classification", beta=10, seed=0), {5}),
        ("robustness-grows", "fig3_cifar10", put("accuracy", 0.41, objective="total", beta=0.0, seed=0), {13, 14}),
        ("accuracy-and-beta", "table1", put("accuracy", 0.94, networks="mnist_text", beta=0.01, seed=1), {1}),
        ("accuracy-and-beta", "table1", put("accuracy", 0.96, networks="cifar10_public", beta=10, seed=0), {11}),
        ("accuracy-and-beta", "table1", put("accuracy", 0.5, networks="mnist_text", beta=1, seed=1), set()),
        (
            "histograms-follow",
            "figA1_distances",
            put("wasserstein", 0.15, networks="mnist_public", beta=10, seed=1),
            {4},
        ),
        ("histograms-follow", "figA1_distances", put("wasserstein", 0.1, networks="cifar10_text", beta=0, seed=0), {8}),
        ("torus-levels", "fig4_torus", put("accuracy", 0.99, cut="ring", level=4, seed=0), {0}),
        ("torus-levels", "fig4_torus", put("correlation", 0.9, cut="tube", level=8, seed=0), {4}),
        ("torus-levels", "fig4_torus", put("ratio", 0.8, cut="ring", level=2, seed=0), {2}),
        (
            "torus-gradients",
            "fig4_torus",
            put("gradient", 9.0, cut="ring", saliency="norm", level=8, seed=0, point=7),
            {0},
        ),
        ("torus-gradients", "fig4_torus", put("contrast", 1.5, cut="tube", saliency="largest", level=2, seed=0), {3}),
        ("torus-gradients", "fig4_torus", put("contrast", 1.5, cut="tube", saliency="norm"), set()),
        ("not-competitive", "fig3_mnist", put("accuracy", 0.85, objective="total", beta=0, seed=1, epsilon=0.2), {0}),
        ("not-competitive", "fig3_mnist", put("accuracy", 0.85, objective="total", beta=0, seed=1, epsilon=0.4), set()),
        ("not-competitive", "fig3_mnist", put("accuracy", 0.84, objective="total", beta=0, seed=1, epsilon=0.2), set()),
    ],
)
def test_a_change_breaks_the_conditions_that_it_should(name, experiment, change, broken):
    there = by_hand()
    if "point" not in there[experiment].coords and "gradient" in there[experiment]:
        there[experiment] = there[experiment].assign_coords(point=range(8))
    change(there[experiment])
    entry = judging.judge(BY_NAME[name], there.__getitem__)
    not_kept = {position for position, number in enumerate(entry.numbers) if number.relation and not number.kept}
    assert not_kept == broken, [str(number) for number in entry.numbers]
    assert (entry.verdict is Verdict.HOLDS) == (not broken)


def test_the_papers_protocol_only():
    there = by_hand()
    for name in BY_NAME["robustness-grows"].experiments:
        there[name].accuracy.loc[dict(objective="classification")] = 0.3 - 0.01 * np.arange(6)[:, None, None]
    assert judging.judge(BY_NAME["robustness-grows"], there.__getitem__).verdict is Verdict.PROTOCOL


def test_the_published_number_is_compared_with_a_weaker_attack_only():
    number, _ = measures.against_published("MNIST", attacked())
    assert "ε = 0.2" in number.label and number.threshold == pytest.approx(0.843)


# Records


def test_the_verdicts_are_those_frozen():
    """A verdict changed, or a claim is new or gone. If that is right: `lil claims --freeze`, and say why."""
    assert export.verdicts(judging.judge_all()) == export.frozen()


def test_that_test_would_notice():
    def worse(name):
        result = recorded(name)
        return result.assign(correlation=result.correlation - 0.1) if name == "fig2_rings" else result

    changed = {
        name for name, verdict in export.verdicts(judging.judge_all(worse)).items() if verdict != export.frozen()[name]
    }
    assert changed == {"rings-with-isometry"}


@pytest.mark.parametrize(
    "error, state", [(MissingRecord, "missing"), (StaleRecord, "stale"), (CorruptRecord, "damaged")]
)
def test_without_a_record_there_is_no_verdict(error, state):
    def load(name):
        if name == "fig3_cifar10":
            raise error("not there")
        return by_hand()[name]

    entry = judging.judge(BY_NAME["robustness-grows"], load)
    assert entry.verdict is Verdict.NOT_RECORDED and entry.missing == {"fig3_cifar10": state}
    assert len(entry.conditions) == 12 and entry.score == "12 of 12"  # those of the other three records


def test_a_defect_is_not_taken_for_a_missing_record():
    with pytest.raises(KeyError):
        judging.judge(BY_NAME["robustness-grows"], {}.__getitem__)


# The list itself


def test_the_claims_are_complete():
    assert [claim.number for claim in ledger.CLAIMS] == list(range(1, 13))
    assert len(BY_NAME) == len({claim.title for claim in ledger.CLAIMS}) == 12
    for claim in ledger.CLAIMS:
        for text in (claim.title, claim.statement, claim.place, claim.measured, claim.criterion, claim.reason):
            assert text.strip() == text and text
        assert claim.pages and set(claim.experiments) <= set(registry.names(EXPERIMENTS))


# Exports and the command


def nothing(name):
    raise MissingRecord(name)


@pytest.mark.parametrize("load", [lambda name: by_hand()[name], nothing], ids=["everything", "nothing"])
def test_exports_have_no_empty_cell(load):
    entries = judging.judge_all(load)
    rows = list(csv.DictReader(io.StringIO(export.to_csv(entries))))
    assert len(rows) == 12 and all(cell for row in rows for cell in row.values())
    whole = json.loads(export.to_json(entries))
    assert [(each["name"], each["verdict"]) for each in whole] == [(row["name"], row["verdict"]) for row in rows]
    for each, entry in zip(whole, entries, strict=True):
        assert [number["values"] for number in each["numbers"]] == [list(number.values) for number in entry.numbers]


@pytest.fixture
def judged(monkeypatch):
    entries = judging.judge_all(lambda name: by_hand()[name] if name != "table1" else nothing(name))
    monkeypatch.setattr("lil.paper.judging.judge_all", lambda: entries)
    return entries


def test_the_command_prints_a_table(judged, capsys):
    assert cli.main(["claims"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["claim", "verdict", "met", "seeds"] and len(lines) == 15
    assert lines[6].split() == [
        "6",
        *["Small", "β", "keeps", "accuracy,", "large", "β", "costs", "it", "not", "recorded", "yet", "none", "–"],
    ]
    assert lines[-1].startswith("Not recorded yet: table1.")


def test_the_table_fits_a_terminal(judged, capsys):
    cli.main(["claims"])
    longest = max(map(len, Verdict))
    widest = max(len(line) - len("not recorded yet") for line in capsys.readouterr().out.splitlines()[1:13])
    assert widest + longest <= 100


@pytest.mark.parametrize("option, write", [("--json", export.to_json), ("--csv", export.to_csv)])
def test_the_command_exports(judged, capsys, option, write):
    assert cli.main(["claims", option]) == 0
    assert capsys.readouterr().out == write(judged)


def test_the_command_freezes(judged, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(export, "FROZEN", tmp_path / "frozen.json")
    assert cli.main(["claims", "--freeze"]) == 0
    assert export.frozen() == export.verdicts(judged)


def test_one_output_at_a_time():
    command = [Path(sys.executable).parent / "lil", "claims", "--json", "--csv"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2 and "not allowed with argument" in done.stderr
