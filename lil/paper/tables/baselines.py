"""Numbers of the isometry term beside other methods.

``networks`` is a result of :mod:`lil.experiments.baselines`. ``matched`` is that of ``match`` there: one setting of
each method, among them the reference, a reading of the isometry term. Gains are a method's robust accuracy minus the
reference's, paired by seed and image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from lil.paper.intervals import Interval, over_seeds, over_seeds_and_images
from lil.paper.tables import Numbers, comparing, listed, prefixed, printed

NAMES = {
    "plain": "cross-entropy alone",
    "lil": "isometry term, K = 1",
    "plain_public": "cross-entropy alone, public code",
    "lil_public": "isometry term, K = 10",
    "jacobian": "Jacobian regularisation",
    "spectral": "spectral normalisation",
    "decay": "weight decay",
    "fgsm": "FGSM training",
    "pgd": "PGD training",
}
STRENGTHS = {"lil": "β", "lil_public": "β", "jacobian": "λ", "spectral": "norm", "decay": "λ", "fgsm": "ε", "pgd": "ε"}
BASELINES = ("jacobian", "spectral", "decay", "fgsm", "pgd")


def setting_names(networks: xr.Dataset) -> list[str]:
    """Return "cross-entropy alone", "Jacobian regularisation, λ = 0.1", …, in the order of the settings."""
    pairs = zip(networks.method.values.tolist(), networks.strength.values.tolist(), strict=True)
    return [NAMES[name] + (f", {STRENGTHS[name]} = {by:g}" if name in STRENGTHS else "") for name, by in pairs]


def accuracies(networks: xr.Dataset) -> dict[str, xr.DataArray]:
    """Return the accuracy (setting, seed): clean, under PGD at each ε, and under PGD and AutoAttack at one."""
    names = printed(networks.epsilon.values)
    pgd = {f"PGD, ε = {name}": networks.pgd.sel(epsilon=epsilon) for epsilon, name in names.items()}
    both = {f"PGD and AutoAttack, ε = {float(networks.strongest_epsilon):.2g}": networks.strongest}
    return {"clean": networks.clean} | pgd | both


def table(networks: xr.Dataset) -> pd.DataFrame:
    """Return every setting with its accuracies and the medians of its constants, as means over seeds."""
    medians = {"local constant": networks.local.sel(quantile=0.5), "reach": networks.reach.sel(quantile=0.5)}
    columns = {name: values.mean("seed").values for name, values in (accuracies(networks) | medians).items()}
    return pd.DataFrame(columns, pd.Index(setting_names(networks), name="networks")).astype(float)


def gains(matched: xr.Dataset, answers: str = "pgd_right") -> dict[str, Interval]:
    """Return each method's gain at the ε of AutoAttack, with its interval over seeds and images.

    ``answers`` is "pgd_right", or "strongest_right" for the images that AutoAttack leaves right too.
    """
    right = _by_method(matched)[answers].astype(float).rename({"few": "image"} if answers != "pgd_right" else {})
    gain = right - right.sel(_reference(matched), drop=True)
    return {name: over_seeds_and_images(gain.sel({"method": name})) for name in gain.method.values.tolist()}


def gaps(matched: xr.Dataset) -> dict[str, Interval]:
    """Return each method's clean accuracy minus the reference's, with its interval over seeds."""
    gap = _by_method(matched).gap
    return {name: over_seeds(gap.sel({"method": name}, drop=True)) for name in gap.method.values.tolist()}


def _by_method(matched: xr.Dataset) -> xr.Dataset:
    return matched.swap_dims(setting="method")


def _reference(matched: xr.Dataset) -> dict[str, str]:
    """Return the selection of the reference: a dictionary, because ``method`` is an argument of xarray's ``sel``."""
    return {"method": matched.attrs["reading"]}


def matched_table(matched: xr.Dataset) -> pd.DataFrame:
    """Return the comparison: accuracies as means over seeds, gaps and gains over the reference with intervals."""
    reading, methods = matched.attrs["reading"], matched.method.values.tolist()

    def beside(found: Mapping[str, Interval]) -> list[str]:
        return ["the reference" if name == reading else f"{found[name]:+.3f}" for name in methods]

    columns: dict[tuple[str, str], object] = {}
    for name, values in accuracies(matched).items():
        columns[name, "mean"] = values.astype(float).mean("seed").values
        if name == "clean":
            columns[name, "above the reference"] = beside(gaps(matched))
            columns[name, "near"] = np.where(matched.near, "yes", "NO")
        elif name == f"PGD, ε = {printed(matched.epsilon.values)[float(matched.strongest_epsilon)]}":
            columns[name, "gain"] = beside(gains(matched))
        elif name.startswith("PGD and"):
            columns[name, "gain"] = beside(gains(matched, "strongest_right"))
    return pd.DataFrame(columns, pd.Index(setting_names(matched), name="networks"))


def reference_table(comparisons: Sequence[xr.Dataset]) -> pd.DataFrame:
    """Return, for each reference, each baseline's gap in clean accuracy and its gain under PGD, as means over seeds.

    The gain is that at the ε of AutoAttack; see :func:`gains`.
    """
    rows = {}
    for matched in comparisons:
        gap, gain = gaps(matched), gains(matched)
        rows[NAMES[matched.attrs["reading"]], _beta(matched)] = {
            (NAMES[name], column): of[name].value for name in BASELINES for column, of in (("gap", gap), ("gain", gain))
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(index=["reference", "β"])


def _beta(matched: xr.Dataset) -> float:
    """Return the β of the reference."""
    return float(_by_method(matched).strength.sel(_reference(matched)))


def finding(matched: xr.Dataset) -> str:
    """Return the sentences on a reference and on Jacobian regularisation beside it, with their numbers."""
    reading, gain, gap = matched.attrs["reading"], gains(matched)["jacobian"], gaps(matched)["jacobian"]
    here = _by_method(matched).sel({"method": [reading, "jacobian"]})
    ours, theirs = here.pgd.sel(epsilon=matched.strongest_epsilon).mean("seed").values
    names = setting_names(here.swap_dims(method="setting"))
    lil, jacobian = (f"{method} ({settings})" for method, settings in (name.split(", ", 1) for name in names))
    said = gain.side("a gain of", "a loss of", "no clear difference,")
    equal = "count as equal." if here.near.sel({"method": "jacobian"}) else f"do not count as equal. {_equals(matched)}"
    return (
        f"Under PGD at ε = {float(matched.strongest_epsilon):.2g}, of the first {gain.images} test images, "
        f"the {lil} keeps {ours:.3f} right and {jacobian} keeps {theirs:.3f}: {said} {gain:+.3f}, with an interval of "
        f"95 % over {gain.seeds} seeds and the images. Their clean accuracies, which differ by {gap:+.3f}, {equal}"
    )


def _equals(matched: xr.Dataset) -> str:
    """Return the gains of the baselines whose clean accuracies count as equal to the reference's."""
    near = _by_method(matched).near
    found = [f"{NAMES[name]}, {gains(matched)[name]:+.3f}" for name in BASELINES if near.sel({"method": name})]
    return f"Of the methods whose clean accuracies do: {'; '.join(found)}." if found else "No method's do."


def verdicts(matched: xr.Dataset) -> dict[str, str]:
    """Return the baselines whose gain under PGD lies above 0 ("more"), below it ("fewer"), or on both sides ("alike").

    Baselines whose clean accuracy is not near the reference's are listed under "far" alone.
    """
    gain, near = gains(matched), _by_method(matched).near
    lists: dict[str, list[str]] = {"more": [], "fewer": [], "alike": [], "far": []}
    for name in BASELINES:
        sided = gain[name].side("more", "fewer", "alike")
        lists[sided if near.sel({"method": name}) else "far"].append(NAMES[name])
    return {word: ", ".join(names) or "none" for word, names in lists.items()}


@comparing(0.0)
def numbers(networks: xr.Dataset, matched: Mapping[str, xr.Dataset], comparisons: Sequence[xr.Dataset]) -> Numbers:
    """Return the numbers of the page. ``matched`` has the comparison for each reading, by its name on the page.

    ``excess`` is the largest share of the few images that AutoAttack takes beyond PGD, over all networks; ``beyond``
    is the largest change of a pixel minus ε. Of the ``references`` of the ``comparisons``, Jacobian regularisation is
    ``near`` some in clean accuracy, and ``ahead`` of some of those, its whole interval being above 0. ``least`` and
    ``most`` are its smallest and largest gain over the near ones, "none" without one.
    """
    few = networks.pgd_right.isel(image=slice(networks.sizes["few"])).astype(float).mean("image")
    near = [one for one in comparisons if _by_method(one).near.sel({"method": "jacobian"})]
    gain = sorted((gains(one)["jacobian"] for one in near), key=lambda each: each.value)
    found: Numbers = {
        "seeds": networks.sizes["seed"],
        "images": networks.sizes["image"],
        "few": networks.sizes["few"],
        "settings": networks.sizes["setting"],
        "epsilon": f"{float(networks.strongest_epsilon):.2g}",
        "first": f"{float(networks.epsilon.min()):.2g}",
        "epsilons": listed(networks.epsilon.values),
        "excess": float((few - networks.strongest).max()),
        "beyond": float((networks.change - networks.epsilon).max()),
        "references": len(comparisons),
        "near": len(near),
        "ahead": sum(each.low > 0 for each in gain),
        "least": f"{gain[0]:+.3f}" if gain else "none",
        "most": f"{gain[-1]:+.3f}" if gain else "none",
    }
    for name, one in matched.items():
        found |= prefixed(name, _one(one))
    return found


def _one(matched: xr.Dataset) -> Numbers:
    """Return the numbers of one comparison; after ``over_plain`` what the reference gains over its plain networks."""
    here, plain = _by_method(matched), {"method": "plain" if matched.attrs["reading"] == "lil" else "plain_public"}
    apart = here.sel(_reference(matched), drop=True).astype(float) - here.sel(plain, drop=True).astype(float)
    return {
        "beta": f"{_beta(matched):g}",
        "finding": finding(matched),
        "over_plain": f"{over_seeds_and_images(apart.pgd_right):+.3f}",
        "over_plain_first": f"{over_seeds(apart.pgd.sel(epsilon=apart.epsilon.min(), drop=True)):+.3f}",
        "over_plain_clean": f"{over_seeds(apart.clean):+.3f}",
    } | verdicts(matched)
