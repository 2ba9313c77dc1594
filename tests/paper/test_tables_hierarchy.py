"""Numbers of the variants of Figure 4's stacks, of a made-up result."""

import json

import numpy as np
import pytest
import xarray as xr

from lil.paper.intervals import over_seeds
from lil.paper.tables import hierarchy as tables

VARIANTS = list(tables.NAMES)
FLAT = [name for name in VARIANTS if name.startswith(("deep", "shallow"))]


def config():
    text = dict(grid=40, hidden=[20] * 4, beta=10.0, learning_rate=1e-3)
    more = dict(classes=[2, 4, 8], reduction="n2", decay=[1.0], stop_gradient=True)
    changed = dict.fromkeys(VARIANTS, text | more) | {"text": text}
    changed["both"] = text | more | dict(reduction="pairs", decay=[1.0, 0.3, 0.1])
    changed["deep"] = text | more | dict(classes=[8], hidden=[20] * 12)
    changed["connected"] = text | more | dict(stop_gradient=False)
    return json.dumps(changed)


@pytest.fixture
def result():
    """Twelve variants, three seeds; flat networks have the finest level alone."""
    rng = np.random.default_rng(0)
    sizes = dict(variant=12, level=3, seed=3, points=2, quantile=3, kind=3, tangent=2, distance=6, region=2)
    member = ("variant", "level", "seed")

    def drawn(*dims):
        return ((*member, *dims), rng.uniform(0.5, 1, [sizes[dim] for dim in (*member, *dims)]))

    made = xr.Dataset(
        {
            "accuracy": drawn("points"),
            "correlation": drawn("points"),
            "tear": drawn("kind", "quantile"),
            "distortion": drawn("tangent", "distance"),
            "isometric": drawn("region"),
            "within": np.float32(0.1),
        },
        coords={
            "variant": VARIANTS,
            "level": [2, 4, 8],
            "seed": [0, 1, 4],
            "points": ["training", "held-out"],
            "quantile": [0.05, 0.5, 0.95],
            "kind": ["own", "inherited", "inside"],
            "tangent": ["across", "along"],
            "distance": [0.0, 0.5, 1.0, 1.5, 2.0, 2.5],
            "region": ["near", "far"],
        },
        attrs={"config": config()},
    )
    for name in ("correlation", "tear", "distortion", "isometric"):
        made[name].loc[dict(variant=FLAT, level=[2, 4])] = np.nan
    made.tear.loc[dict(level=2, kind="inherited")] = np.nan
    made.tear.loc[dict(variant=FLAT, kind="inherited")] = np.nan
    return made


def set_finest(result, measure, variant, values):
    result[measure].loc[dict(variant=variant, level=8)] = np.array(values)[:, None]


def test_the_variants_are_told_apart_by_their_settings(result):
    table = tables.variant_table(result)
    assert table.index.tolist() == list(tables.NAMES.values())
    text, both, deep = (table.loc[tables.NAMES[name]] for name in ("text", "both", "deep"))
    assert text.tolist() == ["2, 4, 8", 4, "10", "N²", "0.001", "yes"]
    assert both.tolist() == ["2, 4, 8", 4, "10", "pairs", "0.001, 0.0003, 0.0001", "yes"]
    assert deep.tolist() == ["8", 12, "10", "N²", "0.001", "yes"]
    assert table.loc[tables.NAMES["connected"], "gradients stop"] == "no"


def test_the_outcomes_are_of_held_out_and_of_training_points(result):
    table = tables.outcome_table(result)
    accuracy = result.accuracy.sel(variant="both", level=4, points="held-out").values
    correlation = result.correlation.sel(variant="deep", level=8, points="training").values
    row = table.loc[tables.NAMES["both"]]["accuracy", "4 classes"]
    assert row.tolist() == pytest.approx([accuracy.mean(), accuracy.min(), accuracy.max()])
    assert table.loc[tables.NAMES["deep"]]["correlation", "8 classes"].tolist() == pytest.approx(
        [correlation.mean(), correlation.min(), correlation.max()]
    )
    assert np.isnan(table.loc[tables.NAMES["deep"]]["correlation", "2 classes", "mean"])


def test_differences_are_paired_by_seed_at_the_finest_level(result):
    set_finest(result, "accuracy", "text", [0.9, 0.8, 0.7])
    set_finest(result, "accuracy", "plain", [0.6, 0.4, 0.5])
    found = tables.difference(result, "accuracy", "text", "plain")
    assert found == pytest.approx(over_seeds(xr.DataArray([0.3, 0.4, 0.2], dims="seed")))


@pytest.fixture
def decided(result):
    """The text's stack is behind the deep network and ahead of the shallow one; the other comparisons are open."""
    for measure in ("accuracy", "correlation"):
        for variant in VARIANTS:
            set_finest(result, measure, variant, [0.8, 0.81, 0.82])
        set_finest(result, measure, "deep", [0.9, 0.92, 0.91])
        set_finest(result, measure, "shallow", [0.6, 0.62, 0.61])
    return result


def test_the_comparisons_are_counted(decided):
    found = tables.tally(decided, "accuracy")
    assert found == (
        "At eight classes and on held-out points the stack has more accuracy than a flat network in 1 of 6 comparisons "
        "and less in 1; in 4 no difference is shown."
    )
    set_finest(decided, "correlation", "deep", [0.1, 0.12, 0.11])
    assert (
        "more correlation of distances than a flat network in 2 of 6 comparisons and less in 0; in 4"
        in tables.tally(decided, "correlation")
    )
    table = tables.stacking_table(decided)
    assert table["accuracy: the stack has"].tolist() == ["less", "more", *["no difference shown"] * 4]
    assert table.index.tolist()[3] == f"{tables.NAMES['both']} − {tables.NAMES['shallow_both']}"


@pytest.mark.parametrize(
    ("plain", "lead"),
    [
        ([0.3, 0.32, 0.31], "A stack needs the isometry term: accuracy at eight classes is 0.810 with it and 0.310"),
        ([0.97, 0.98, 0.99], "A stack does better without the isometry term: accuracy"),
        ([0.8, 0.81, 0.82], "No effect of the isometry term on a stack's accuracy is shown: accuracy"),
    ],
)
def test_the_need_for_the_term_is_said_in_all_three_ways(decided, plain, lead):
    set_finest(decided, "accuracy", "plain", plain)
    assert tables.need(decided).startswith(lead)
    assert tables.numbers(decided)["stacking"].endswith(tables.need(decided))


def test_the_isometry_table_has_no_rows_of_levels_that_are_not_there(result):
    table = tables.isometry_table(result)
    assert len(table) == 3 + 3 + 1
    row = table.loc[tables.NAMES["shallow_both"], 8]
    one = result.sel(variant="shallow_both", level=8)
    assert row["isometric, far"] == pytest.approx(one.isometric.sel(region="far").values.mean())
    assert row["distortion at 0.5"] == pytest.approx(one.distortion.sel(tangent="across", distance=0.5).values.mean())


def test_the_numbers_of_the_page(decided):
    found = tables.numbers(decided)
    assert (found["seeds"], found["points"]) == (3, 1600)
    assert found["within"] == pytest.approx(0.1)
    correlation = decided.correlation.sel(points="training", variant="both", level=4).values
    assert found["correlation_both_4"] == pytest.approx(correlation.mean())
    assert (found["least_correlation_both_4"], found["most_correlation_both_4"]) == (
        correlation.min(),
        correlation.max(),
    )
    held_out = decided.accuracy.sel(points="held-out", variant="plain", level=2).values
    assert found["accuracy_plain_2"] == pytest.approx(held_out.mean())
    assert found["verdict_both"] == "no difference shown" and found["change_both"].startswith("+0.000")
    assert (found["verdict_stack_deep"], found["verdict_stack_shallow"]) == ("less", "more")
    far = decided.isometric.sel(region="far", variant="text", level=8).values
    assert found["isometric_far_text_8"] == pytest.approx(far.mean())
    assert found["least_isometric_far_text_8"] == far.min()
    tear = decided.tear.sel(variant="text", level=8, quantile=0.5)
    ratio = tear.sel(kind="inherited").values / tear.sel(kind="own").values
    assert found["inherited_8"] == f"{over_seeds(xr.DataArray(ratio, dims='seed')):.1f}"
    gap = abs(decided.correlation.sel(points="training") - decided.correlation.sel(points="held-out", drop=True))
    assert found["gap"] == pytest.approx(float(gap.mean("seed").max()))
