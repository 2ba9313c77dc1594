"""Numbers of the choices that the text leaves open, beside the seed's."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from lil.paper import sensitivity
from lil.paper.numbers import Row
from lil.paper.tables import Numbers, comparing, config, flat

MEASURES = {"clean": "clean (Table 1)", "total": "the paper's attack", "classification": "the attacker's"}
CHOICES = {
    "scale": "K",
    "reduction": "the reduction",
    "layers": "the depth",
    "batch_size": "the batch size",
    "seed": "the seed",
}
CODE = 10  # K of the public code
OPTIONS = {
    "scale": "K = {:g}",
    "reduction": "reduction {}",
    "layers": "{} hidden layers",
    "batch_size": "batches of {}",
}


def set_name(result: xr.Dataset, name: str) -> str:
    """Return the settings in which a set of networks differs from the text's: "K = 10"."""
    one, text = result.sel(networks=name), result.sel(networks="text")
    changed = [choice for choice in OPTIONS if one[choice] != text[choice]]
    return ", ".join(OPTIONS[choice].format(one[choice].item()) for choice in changed) or "the text"


def accuracy_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the accuracy of each set, clean and under each attack, a column a β: means over the shared seeds."""
    means = sensitivity.means(result).transpose("measure", "networks", "beta")
    parts = {title: means.sel(measure=measure).to_pandas() for measure, title in MEASURES.items()}
    table = pd.concat(parts, names=["", "networks"]).astype(float)
    return table.rename(index=lambda name: set_name(result, name), level=1)


def span_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the spread over the options of each choice, as means over β, and the β at which it exceeds the seeds'."""
    apart = sensitivity.spans(result)
    more = (apart > apart.sel(choice="seed")).sum("beta")
    columns = {}
    for measure, title in MEASURES.items():
        columns[title, "apart by"] = apart.sel(measure=measure).mean("beta").to_series()
        columns[title, "β beyond the seeds"] = more.sel(measure=measure).to_series()
    return pd.DataFrame(columns).rename(index=CHOICES).rename_axis("")


@comparing(0.0)
def outcome_table(result: xr.Dataset, printed: Row) -> pd.DataFrame:
    """Return each set's say on Table 1 and on Figure 3: means over the shared seeds.

    ``from the paper`` is the mean distance from its row. A gain is that of the best β > 0 over β = 0, under one attack.
    """
    clean, gain = sensitivity.means(result).sel(measure="clean"), sensitivity.gains(result)
    largest = float(clean.beta.max())
    columns = {
        ("clean", "β = 0"): clean.sel(beta=0),
        ("clean", "best"): clean.max("beta"),
        ("clean", "at β"): clean.idxmax("beta"),
        ("clean", f"β = {largest:g}"): clean.sel(beta=largest),
        ("clean", "from the paper"): sensitivity.from_paper(result, printed),
    }
    for measure in ("total", "classification"):
        one, head = gain.sel(measure=measure), f"gain, {MEASURES[measure]}"
        columns |= {(head, "best"): one.max("beta"), (head, "at β"): one.idxmax("beta")}
    index = [set_name(result, name) for name in result.networks.values]
    return pd.DataFrame({name: values.values for name, values in columns.items()}, index=index).astype(float)


def weight_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the distance of other K and reductions from the text's networks: at the same β and at equal weight."""
    apart = sensitivity.at_equal_weight(result)
    if not apart.size:
        return pd.DataFrame()
    table = apart.stack(column=("measure", "compared")).to_pandas().astype(float)
    table.columns = pd.MultiIndex.from_tuples([(MEASURES[measure], compared) for measure, compared in table.columns])
    return table.rename(index=lambda name: set_name(result, name)).rename_axis("")


@comparing(0.0)
def numbers(result: xr.Dataset, printed: Row) -> Numbers:
    """Return the numbers of the page; those of one measure end in its name.

    ``seeds``: those that all sets have, over which all means are; ``text_seeds``: those of the text's networks.
    ``base`` is the text's accuracy at β = 0 over the former, ``base_text`` over the latter. ``options`` counts the
    options of a choice.
    ``more``: the choices whose options lie further apart than the seeds, as means over β; ``largest``: the first among
    the four, and how many ``times`` the seeds' mean; ``gain``: that of the best β > 0, of the text's networks, and the
    lowest and highest of all sets. ``zero`` is the largest difference at β = 0 between networks of which only K or the
    reduction differ: none but rounding. ``code``: how far the clean accuracy with the public code's K lies from the
    text's, as a multiple of the seeds' range, as means over β.
    """
    spans, means = sensitivity.spans(result), sensitivity.means(result)
    apart = spans.mean("beta")
    four, seeds = apart.drop_sel(choice="seed"), apart.sel(choice="seed", drop=True)
    best = sensitivity.gains(result).max("beta").drop_sel(measure="clean")
    from_paper, equal = sensitivity.from_paper(result, printed), sensitivity.at_equal_weight(result)
    equal = equal.reindex(networks=result.networks[sensitivity.weights(result) != 1])
    equal = equal.assign_coords(compared=["same", "equal"])
    alike = sorted({*sensitivity.options(result, "scale"), *sensitivity.options(result, "reduction")})
    at_zero = means.sel(networks=alike, beta=0)
    units = config(result)["text"]["hidden"][-1]
    clean, seed = means.sel(measure="clean"), spans.sel(measure="clean", choice="seed")
    code = abs(clean.sel(networks=result.networks[result.scale == CODE]) - clean.sel(networks="text"))
    numbers: Numbers = {
        "code": float(code.mean() / seed.mean()),
        "seeds": int(sensitivity.shared_seeds(result).sum()),
        "text_seeds": int(result.clean.sel(networks="text").notnull().all("beta").sum()),
        "betas": result.sizes["beta"],
        "sets": result.sizes["networks"],
        "units": units,
        "farthest": 2 * units**0.5,
        "x_dist": float(result.x_dist),
        "nearest": set_name(result, from_paper.idxmin("networks").item()) if from_paper.notnull().any() else "none",
        "nearest_by": float(from_paper.min()),
        "text_by": float(from_paper.sel(networks="text")),
        "zero": float((at_zero.max("networks") - at_zero.min("networks")).max()),
    } | {f"options_{choice}": len(sensitivity.options(result, choice)) for choice in sensitivity.CHOICES}
    for measure in MEASURES:
        one = four.sel(measure=measure)
        more = [CHOICES[choice] for choice in one.choice.values[one > seeds.sel(measure=measure)]]
        numbers[f"more_{measure}"] = ", ".join(more) or "none of the four"
        numbers[f"largest_{measure}"] = CHOICES[one.idxmax("choice").item()]
    for end, sets in (("low", best.idxmin("networks")), ("high", best.idxmax("networks"))):
        numbers |= {f"gain_{end}_of_{measure}": set_name(result, name) for measure, name in sets.to_series().items()}
    return numbers | flat(
        base=means.sel(networks="text", beta=0, drop=True),
        base_text=sensitivity.measures(result).sel(networks="text", beta=0, drop=True).mean("seed"),
        seed=seeds,
        times=four.max("choice") / seeds,
        pairs=equal.sel(networks="pairs", drop=True),
        scale=equal.drop_sel(networks="pairs").mean("networks"),
        gain_text=best.sel(networks="text", drop=True),
        gain_low=best.min("networks"),
        gain_high=best.max("networks"),
    )
