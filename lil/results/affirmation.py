"""Records that outlive a change of their code: affirmed by recomputing one member, chosen at random.

A member is one network of each recipe, for one β and one seed. Its settings are those of the record with ``betas`` and
``seeds`` cut down to it; its result has to be the record's at ``beta`` and ``seed``, and its weights the recorded ones.
"""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from types import ModuleType
from typing import Any

import xarray as xr

from lil.progress import Progress, silent
from lil.results import computing, keys, provenance, records, registry
from lil.results.errors import MissingRecord, NotAffirmed
from lil.results.records import Networks


def affirm(
    experiment: ModuleType,
    *,
    device: str = "cpu",
    progress: Progress = silent,
    choice: random.Random = random.SystemRandom(),
) -> dict[str, Any]:
    """Recompute one member of an experiment's stale record and, if it agrees, make the record current again.

    The record keeps its numbers and its provenance and gets what this returns: when and where, which member, the
    largest difference of each variable and of each recipe's networks from the recorded ones, as a share of the
    largest value. All must lie within the bands that the record states.

    Raises NotAffirmed where they do not, or where more than the code has changed; the record then stays as it is.
    """
    name = registry.stem(experiment)
    config = registry.settings(experiment, "paper")
    record = records.read_evaluation(experiment)
    if record is None:
        raise MissingRecord(
            f"There is no record results/{name}.nc to affirm: compute it with `lil reproduce {name} --record`."
        )
    inputs = keys.of_evaluation(experiment, config)
    _refuse_unless_code_alone(name, inputs.differences(record.attrs))
    member = _choose(experiment, config, record, choice)
    one = replace(
        config,
        **{
            field: computing.only(settings, member)
            for field, (_, settings) in computing.recipes(experiment, config).items()
        },
    )

    networks, recorded, distances = {}, {}, {}
    for field, (recipe, settings) in computing.recipes(experiment, one).items():
        networks[field] = computing.train(recipe, settings, device=device, progress=progress)
        recorded[field] = records.read_networks(recipe, getattr(config, field))
        if recorded[field] is not None:
            distances[field] = _distance(recipe, networks[field], settings, recorded[field], getattr(config, field))
    result = computing.evaluate(experiment, one, networks, device=device, progress=progress)
    differences = computing.differences(result, _at(record, member))

    bands = json.loads(record.attrs["bands"])
    _refuse_beyond(name, member, differences, bands)
    _refuse_beyond(name, member, distances, {field: recorded[field].attrs["band"] for field in distances})
    affirmation = {
        "date": provenance.now(),
        "machine": provenance.machine(),
        "device": provenance.device_name(device),
        "member": member,
        "differences": differences,
        "networks": distances,
        "code_before": record.attrs["code"],
    }
    for field, (recipe, settings) in computing.recipes(experiment, config).items():
        if recorded[field] is not None:
            attrs = _affirmed(recorded[field].attrs, keys.of_networks(recipe, settings), affirmation)
            records.write_networks(recipe, settings, Networks(recorded[field].tensors, attrs))
    records.write_evaluation(experiment, config, record.assign_attrs(_affirmed(record.attrs, inputs, affirmation)))
    return affirmation


def _refuse_unless_code_alone(name: str, changed: list[str]) -> None:
    if not changed:
        raise NotAffirmed(f"The record results/{name}.nc is current: there is nothing to affirm.")
    if beyond := [word for word in changed if word in ("settings", "data")]:
        raise NotAffirmed(
            f"The record results/{name}.nc cannot be affirmed, because its {' and '.join(beyond)} changed and not its "
            f"code alone: compute it anew with `lil reproduce {name} --record`."
        )


def _choose(experiment: ModuleType, config: Any, record: xr.Dataset, choice: random.Random) -> dict[str, Any]:
    """One β and one seed that all recipes have, of those that they have at all, and that the record shows."""
    member = {}
    for axis, field in computing.AXES.items():
        offered = [
            getattr(settings, field)
            for _, settings in computing.recipes(experiment, config).values()
            if hasattr(settings, field)
        ]
        if axis in record.dims:
            offered.append(record[axis].values.tolist())
        if offered:
            member[axis] = choice.choice([value for value in offered[0] if all(value in each for each in offered)])
    return member


def _at(record: xr.Dataset, member: dict[str, Any]) -> xr.Dataset:
    """What a record says of one member, whether β and seed are dimensions or stand beside one, as with a row a network."""
    for axis, value in member.items():
        if axis in record.coords:
            (dimension,) = record[axis].dims
            record = record.isel({dimension: record[axis].values == value})
    return record


def _distance(recipe: ModuleType, networks: Networks, one: Any, recorded: Networks, config: Any) -> float:
    """The largest difference of the weights from those recorded for the same members."""
    where = [recipe.members(config).index(member) for member in recipe.members(one)]
    return max(
        computing.largest_difference(values.numpy(), recorded.tensors[name][where].numpy())
        for name, values in networks.tensors.items()
    )


def _refuse_beyond(name: str, member: dict[str, Any], found: dict[str, float], bands: dict[str, float]) -> None:
    """One sentence on the first that differs by more than its band.

    The values of what has a band of 1 or more are not compared; that it is there, in its shape, is.
    """
    for what, share in found.items():
        band = bands.get(what, computing.ROUNDING)
        if share > band and (band < 1 or math.isinf(share)):
            raise NotAffirmed(
                f"The record results/{name}.nc does not hold: recomputed at {_in_words(member)}, {what} differs by "
                f"{share:.1e} of its largest value, more than the {band:.0e} that the record allows; "
                f"find out why, or compute it anew with `lil reproduce {name} --record`."
            )


def _in_words(member: dict[str, Any]) -> str:
    return " and ".join(f"{axis} = {value}" for axis, value in member.items())


def _affirmed(attrs: dict[str, Any], inputs: keys.Inputs, affirmation: dict[str, Any]) -> dict[str, Any]:
    """A record's provenance with its new inputs and one affirmation more."""
    before = json.loads(attrs.get("affirmations", "[]"))
    return attrs | inputs.attrs() | {"affirmations": json.dumps([*before, affirmation])}
