"""Numbers of Figures 1, 2 and 4: three kinds of mapping, two rings, a torus."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from lil.paper.measures import KEPT, WITHIN
from lil.paper.numbers import TORUS_ACCURACY
from lil.paper.tables import NotComparable, Numbers, config, every_seed, flat, lacking


def ratio_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the correlation of distances and the quantiles of their ratio, one row for each network and class."""
    table = result.ratio.to_series().unstack("quantile").add_prefix("quantile ")
    table.insert(0, "correlation", result.correlation.to_series())
    return table.astype(float).rename_axis(columns=None)


def loop_table(result: xr.Dataset) -> pd.DataFrame:
    """Return the number of loops of each ring and the length of its longest bar."""
    longest = result.bar.sel(rank=1).to_series().astype(float)
    return pd.DataFrame({"loops": result.loops.to_series(), "longest": longest})


def kept_pairs(result: xr.Dataset) -> xr.DataArray:
    """Count the seeds for which all quantiles of the distance ratio lie within 0.1 of 1: (mapping, pairs)."""
    return (abs(result.ratio - 1) <= WITHIN).all("quantile").sum("seed")


def mappings(result: xr.Dataset) -> Numbers:
    """Return the numbers of the page on Figure 1; names end in the mapping, and in the kind of pairs."""
    medians = result.ratio.sel(quantile=0.5)
    lowest = result.ratio.sel(mapping="all", pairs="within", quantile=0.05).min("seed")
    return {"seeds": result.sizes["seed"], "sizes": str(result["sizes"].values.tolist())} | flat(
        accuracy=result.accuracy.min("seed"),
        kept=kept_pairs(result).transpose("mapping", "pairs"),
        least=medians.min("seed").transpose("mapping", "pairs"),
        most=medians.max("seed").transpose("mapping", "pairs"),
        all_low=lowest,
    )


def rings(result: xr.Dataset) -> Numbers:
    """Return the numbers of the page on Figure 2; names end in ``without`` (β = 0) or ``with`` (the largest β)."""
    betas = {"without": 0.0, "with": float(result.beta.max())}
    there = {name: beta for name, beta in betas.items() if beta in result.beta and (beta > 0) == (name == "with")}
    both = result.sel(beta=list(there.values())).assign_coords(beta=list(there))
    rings, quantiles = ("seed", "ring"), result["quantile"]
    exponential, chord = (both.misfit.sel(law=law) for law in ("exponential", "chord"))
    umap = config(result)
    found = {
        "seeds": result.sizes["seed"],
        "rings": result.sizes["seed"] * result.sizes["ring"],
        "n_neighbors": umap["n_neighbors"],
        "min_dist": umap["min_dist"],
    } | flat(
        data_misfit=result.data_misfit.sel(law="chord").max(),
        linking=abs(result.linking_number),
        accuracy=both.accuracy.min("seed"),
        least=both.correlation.min(rings),
        most=both.correlation.max(rings),
        low=both.ratio.sel(quantile=quantiles.min()).min(rings),
        median=both.ratio.sel(quantile=0.5).median(rings),
        high=both.ratio.sel(quantile=quantiles.max()).max(rings),
        one_loop=(both.loops == 1).sum(rings),
        exponential=(exponential < chord).sum(rings),
        misfit=exponential.median(rings),
    )
    if "with" in there:
        found["kept"] = int((both.correlation.sel(beta="with").min("ring") >= KEPT).sum())
        found["verdict"] = every_seed(found["kept"], result.sizes["seed"])
    return NotComparable(reason, found) if (reason := lacking(result, 0.0)) else found


def contrasts(result: xr.Dataset) -> xr.Dataset:
    """Return the contrast of the gradient's norm at a level's new cuts and at those it inherits: (level, seed).

    The coarsest level inherits none and is left out.
    """
    one = result.sel(cut="ring", saliency="norm")
    new = one.at_cut & ~one.at_cut.shift(level=1, fill_value=False)
    elsewhere = one.gradient.where(~one.at_cut).median("point")
    finer = result.level.where(result.level > result.level.min(), drop=True).astype(int)
    return xr.Dataset(
        {
            name: one.gradient.where(points).median("point").sel(level=finer) / elsewhere.sel(level=finer)
            for name, points in (("new", new), ("inherited", one.at_cut & ~new))
        }
    )


def _range(values: xr.DataArray) -> xr.DataArray:
    """Return the largest distance between two seeds on the finest level, over the cuts."""
    finest = values.sel(level=values.level.max())
    return (finest.max("seed") - finest.min("seed")).max()


def torus(result: xr.Dataset) -> Numbers:
    """Return the numbers of the page on Figure 4; names end in the cut and the level."""
    by_level, quantiles = ("cut", "level"), result["quantile"]
    high = result.accuracy > TORUS_ACCURACY
    everywhere = high.all("level").sum("seed")
    norm = result.sel(saliency="norm")
    hottest = norm.at_cut.isel(point=norm.gradient.argmax("point")).sel(cut="ring")
    each = {
        "high": high.sum("seed"),
        "lowest": result.accuracy.min("seed"),
        "kept": (result.correlation >= KEPT).sum("seed"),
        "correlation": result.correlation.min("seed"),
        "low_ratio": result.ratio.sel(quantile=quantiles.min()).min("seed"),
        "high_ratio": result.ratio.sel(quantile=quantiles.max()).max("seed"),
        "contrast": norm.contrast.min("seed"),
        "most": norm.contrast.max("seed"),
    }
    found = contrasts(result)
    seeds = result.sizes["seed"]
    return {
        "threshold": TORUS_ACCURACY,
        "seeds": seeds,
        "apart": float(_range(result.accuracy)),
        "correlation_apart": float(_range(result.correlation)),
        **{f"verdict_{cut}": every_seed(int(everywhere.sel(cut=cut)), seeds) for cut in ("ring", "tube")},
    } | flat(
        all_levels=everywhere,
        hottest=hottest.sum("seed"),
        new_least=found.new.min("seed"),
        new_most=found.new.max("seed"),
        inherited_least=found.inherited.min("seed"),
        inherited_most=found.inherited.max("seed"),
        **{name: values.transpose(*by_level) for name, values in each.items()},
    )
