"""The public functions, and the values that :mod:`tests.trust.inputs` gives them."""

from __future__ import annotations

import contextlib
import io
import operator
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy as Draw

from lil import attacks, cli, corruptions, evaluation, lipschitz, results, stronger_attacks, targeted, topology
from lil.attacks import BOUNDS
from lil.isometry import IsometryLoss, isometry_loss, pair_distances, within_class
from lil.models import LIL
from lil.paper import intervals, pages, rerun
from lil.results import changes, registry
from tests.trust import small
from tests.trust.values import kinds, numbers, plain, tensors, values, words

NAMES = ("fig1_mappings", "fig2_rings", "fig3_mnist", "hierarchy", "baselines", "table1")  # of notebooks


class Target(NamedTuple):
    """A public function, and the values that it gets."""

    what: str
    given: Draw[Any]
    call: Callable[[Any], Any]
    right: Callable[[Any, Any], bool]  # of the values and the answer: is that the intended one?


def of_settings(fake: small.Small) -> Iterator[Target]:
    """Yield results by changed settings, the settings themselves, and the parameters of ``lil rerun``."""
    known = st.sampled_from(("betas", "seeds", "epochs", "epsilons", "batch_size", "nets.seeds", "nets", "config", ""))
    good = st.fixed_dictionaries(
        {},
        optional=dict(
            betas=st.just([0, 3]), seeds=st.sampled_from((1, "[7]")), epochs=st.integers(1, 3), epsilons=st.just([0.2])
        ),
    )
    some = st.dictionaries(st.one_of(known, st.text(max_size=5)), values, max_size=2)
    some = some.filter(
        lambda given: not _would_run_for_ever(given) and not {"profile", "mode", "device"} & given.keys()
    )
    fitting = st.tuples(st.sampled_from(("quick", "paper")), st.sampled_from(("live", "auto")), good)
    how = fitting | st.tuples(
        st.sampled_from(("quick", "quick", "paper", "", "QUICK", None, 3)),
        st.sampled_from(("live", "live", "auto", "recorded", "", "Live", None, 0)),
        some,
    )
    yield Target(
        "`lil.results.get`",
        how,
        lambda given: results.get(fake.experiment, given[0], given[1], **given[2]),
        lambda given, found: bool(found.accuracy.notnull().all()) and found.attrs["name"] == "fig9_small",
    )
    for name in NAMES:
        experiment = registry.load("lil.experiments", name)
        config = registry.settings(experiment, "quick")
        of_config = st.one_of(st.sampled_from([*changes.names(config), *changes.paths(config)]), words)
        yield Target(
            f"settings of {name}",
            _kept(config) | st.dictionaries(of_config, values, max_size=2),
            lambda given, config=config: changes.apply(config, given),
            lambda given, found, config=config: type(found) is type(config),
        )
    assignment = st.builds("{}={}".format, st.one_of(st.sampled_from(("betas", "epochs", "seeds")), words), words)
    yield Target(
        "parameters of `lil rerun fig2_rings`",
        st.sampled_from((["betas=[0, 3]"], ["epochs=5", "seeds=1"]))
        | st.lists(st.one_of(assignment, words), max_size=2),
        lambda given: rerun._check(pages.SOURCES / "fig2_rings.py", rerun.parse(given), "quick"),
        lambda given, found: found is None,
    )


def _kept(config: Any) -> Draw[dict[str, Any]]:
    """Return settings that stay as they are, which fit, by their dotted names."""
    paths = list(changes.paths(config))
    return st.sampled_from(paths).map(lambda path: {path: operator.attrgetter(path)(config)})


def _would_run_for_ever(given: dict[str, Any]) -> bool:
    """Return True for settings that no check can refuse and no machine can compute: 10³⁰ epochs."""
    return any(
        (name.endswith("epochs") and "1" + 4 * "0" in str(value)) or str(value).count("1") > 99
        for name, value in given.items()
    )


def of_commands(fake: small.Small) -> Iterator[Target]:
    """Yield the command line, which answers with an exit status and one sentence."""
    word = st.one_of(
        words.filter(lambda text: "\0" not in text), st.sampled_from(("fig9_small", "fig2_rings", "--json"))
    )
    options = st.sampled_from(
        ("--mode", "--profile", "--seeds", "--device", "--record", "--check", "--against", "--html")
    )
    commands = (
        ("reproduce",),
        ("results",),
        ("results", "affirm"),
        ("results", "witness"),
        ("rerun",),
        ("data", "verify"),
        (),
    )
    given = st.tuples(st.sampled_from(commands), st.lists(st.one_of(word, options), max_size=3))

    def call(given: Any) -> tuple[int, str]:
        error = _Sink()
        with contextlib.redirect_stderr(error), contextlib.redirect_stdout(_Sink()):
            try:
                status = cli.main([*given[0], *given[1]])
            except SystemExit as exit:  # argparse, with its usage
                status = int(exit.code or 0)
        return status, error.getvalue()

    def right(given: Any, found: tuple[int, str]) -> bool:
        status, error = found
        lines = error.strip().splitlines()
        return (
            not lines if status == 0 else len(lines) >= 1 and lines[-1].startswith("lil") and "Traceback" not in error
        )

    given = given.filter(lambda each: not _computes(each))
    yield Target("the command `lil`", given, call, right)


class _Sink(io.StringIO):
    def reconfigure(self, **_: Any) -> None:
        """Do nothing: a terminal sets its encoding here."""


def _computes(given: Any) -> bool:
    """Return True for a command line that is right and takes seconds or more: reruns and paper-scale recordings."""
    command, rest = given
    return command == ("rerun",) and "fig2_rings" in rest and any("=" in each for each in rest)


def of_the_loss() -> Iterator[Target]:
    """Yield the isometry loss.

    Left out, because lil/isometry.py answers with errors of torch or Python (each is a fault that is known): objects
    that are no tensors; labels of shape (n, 1), and x of shape (n,); an ``x_dist`` of truth values; and no point
    at all, for which :func:`lil.isometry.isometry_loss` is 0 / 0.
    """
    shapes = ((4, 2), (4, 3), (3, 2), (2, 4, 3), (0, 2), (1, 2), (4, 0), (4,))
    labels = tensors(
        (4,), (3,), (0,), (1,), dtypes=st.sampled_from((torch.int64, torch.int32, torch.uint8, torch.bool))
    )
    points = tensors((4, 3), (3, 2), (4, 2, 2), (0, 2), (1, 5), (4, 0))
    kinds_of_pairs = st.sampled_from(("within-class", "all", "some", "", None))
    reductions = st.sampled_from(("n2", "pairs", "n2", "pairs", "mean", None))
    four, pairs = (
        tensors((4,), dtypes=st.sampled_from((torch.int64, torch.bool))),
        st.sampled_from(("within-class", "all")),
    )
    yield Target(
        "`IsometryLoss`",
        st.tuples(tensors((4, 2), (2, 4, 3)), tensors((4, 3), (4, 2, 2)), four, pairs, reductions)
        | st.tuples(tensors(*shapes), points, labels, kinds_of_pairs, reductions),
        lambda given: IsometryLoss(pairs=given[3], reduction=given[4])(*given[:3]),
        lambda given, found: _is_loss(found, given[0], plain(given[0]) and plain(given[1])),
    )
    numeric = kinds.filter(lambda kind: kind != torch.bool)
    square = tensors((4, 4), (4, 4), (3, 3), (4, 3), (0, 0), (4,), dtypes=numeric)
    whole, mask = tensors((4, 4)).map(lambda x: x > 0), square.map(lambda x: x > 0)
    yield Target(
        "`isometry_loss`",
        st.tuples(tensors((4, 2), (2, 4, 3)), tensors((4, 4), dtypes=numeric), whole, reductions)
        | st.tuples(tensors(*shapes).filter(lambda z: len(z)), square, mask, reductions),
        lambda given: isometry_loss(*given[:3], reduction=given[3]),
        lambda given, found: _is_loss(
            found, given[0], plain(given[0]) and plain(given[1]) and not given[1].isnan().any()
        ),
    )
    yield Target(
        "`pair_distances`", tensors(*shapes), pair_distances, lambda x, found: found.shape[-2:] == (x.shape[-2],) * 2
    )
    yield Target(
        "`within_class`",
        st.tuples(labels, kinds_of_pairs),
        lambda given: within_class(*given),
        lambda given, found: not found.diagonal().any(),
    )


def _is_loss(found: torch.Tensor, z: torch.Tensor, finite: bool) -> bool:
    right = found.shape == z.shape[:-2] and found.is_floating_point()
    return right and (not finite or bool((found >= 0).all() and found.isfinite().all()))


def of_attacks() -> Iterator[Target]:
    """Yield attacks, their settings and the bounds of the Lipschitz constant.

    Left out, as known faults of the science, which end in torch's errors: images of another precision than the
    network's, and objects that are no tensors.
    """
    model = LIL((4, 3, 2), seeds=(0, 1)).requires_grad_(False)
    labels = torch.tensor([0, 1, 0])
    fitting = st.just(labels)
    some_labels = fitting | st.sampled_from((labels[:2], labels[:1], labels + 1, -labels, labels.float(), labels > 0))
    floats = st.sampled_from((torch.float32,))
    images = tensors((3, 1, 2, 2), dtypes=floats).map(lambda x: x.abs())
    small_images = images.map(lambda x: x.clamp(0, 1))
    bounds = st.sampled_from((BOUNDS, BOUNDS, (1.0, 0.0), (0.0, 0.0), (-9.0, 9.0), (float("nan"), 1.0), (0.0,)))
    step = st.sampled_from((0.1, 0.5)) | numbers
    sizes = st.sampled_from((0.1, 0.5, 1.0)) | numbers

    def run(given: Any) -> attacks.Attacked:
        x, epsilon, size, steps, start, within, classes = given
        objective = attacks.classification(model, classes)
        drawn = torch.Generator().manual_seed(0) if steps != 2 else None
        how = dict(epsilon=epsilon, step_size=size, steps=steps, random_start=start, bounds=within, generator=drawn)
        return attacks.attack(model, attacks.pixels, objective, x, classes, **how)

    def inside(given: Any, found: attacks.Attacked) -> bool:
        x, epsilon, (low, high) = given[0], given[1], given[5]
        return bool(
            ((found.x - x).abs() <= epsilon * 1.001 + 1e-6).all() and (found.x >= low).all() and (found.x <= high).all()
        )

    good = st.sampled_from((0.1, 0.5))
    clean = small_images.filter(lambda x: not x.isnan().any())
    drawn = st.tuples(clean, good, good, st.integers(1, 3), st.booleans(), st.just(BOUNDS), fitting) | st.tuples(
        st.one_of(small_images, images), sizes, step, st.integers(-1, 3), st.booleans(), bounds, some_labels
    )
    yield Target("`attack`", drawn, run, inside)
    epsilons = st.sampled_from((0.1, 1.0, 1e-9)) | numbers
    yield Target(
        "`fgsm`",
        st.tuples(st.one_of(small_images, images), epsilons, bounds),
        lambda given: attacks.fgsm(given[0], torch.ones(3, 1, 2, 2), given[1], given[2]),
        lambda given, found: bool(((found - given[0]).abs() <= given[1] * 1.001 + 1e-6).all()),
    )
    settings = st.fixed_dictionaries(
        {},
        optional=dict(
            epsilons=st.lists(sizes, max_size=3).map(tuple),
            batch_size=st.integers(-3, 9),
            pictured=st.lists(st.integers(-1, 12), max_size=3).map(tuple),
            pictures=st.integers(-2, 120),
        ),
    )
    yield Target(
        "`Fgsm`",
        settings,
        lambda given: evaluation.Fgsm(**given),
        lambda given, found: all(0 < e <= 1 for e in found.epsilons),
    )
    objective = st.sampled_from(("total", "classification", "", "Total", None, 3))
    sweep = evaluation.Sweep(model, attacks.pixels, (0.0,), (0, 1), 1.0)
    quick = evaluation.Fgsm((0.1,), batch_size=2, pictured=(), pictures=0)
    yield Target(
        "`evaluation.robustness`",
        st.tuples(st.one_of(small_images, images), st.lists(objective, max_size=2, unique=True), some_labels),
        lambda given: evaluation.robustness(sweep, given[0], given[2], quick, objectives=given[1]),
        lambda given, found: bool(found.accuracy.notnull().all() and found.sizes["objective"] == len(given[1])),
    )
    points, maps = tensors((3, 2), dtypes=floats), tensors((2, 3, 4), dtypes=floats)
    yield Target(
        "`lower_pairs`",
        st.tuples(points, maps | tensors((2, 1, 4), dtypes=floats), some_labels),
        lambda given: lipschitz.lower_pairs(*given),
        lambda given, found: all(bool((each >= 0).all() and each.isfinite().all()) for each in found),
    )
    weights = st.lists(tensors((2, 3, 3), (2, 3, 3), (1, 3, 3), (2, 3), dtypes=floats), max_size=3)
    weights = weights.filter(lambda each: all(plain(x) or not bool(x.isfinite().all()) for x in each))
    yield Target(
        "`upper_product`",
        weights,
        lipschitz.upper_product,
        lambda given, found: found.shape == given[0].shape[:1] and bool((found >= 0).all()),
    )


def of_stronger_attacks() -> Iterator[Target]:
    """Yield PGD with restarts, AutoAttack, adversarial training, and corruptions."""
    networks = {classes: LIL((4, 3, classes), seeds=(0,)).requires_grad_(False) for classes in (2, 5, 10)}
    x, labels = torch.rand(3, 1, 2, 2, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 0])
    some_labels = st.just(labels) | st.sampled_from((labels[:2], labels[:1], labels + 9, -labels, labels.float()))
    counts, epsilons = st.integers(1, 2) | st.integers(-1, 2), st.just(0.1) | numbers
    pgd = st.fixed_dictionaries(dict(epsilon=epsilons, steps=counts, starts=counts, batch_size=counts))
    yield Target(
        "`targeted.pgd`",
        st.tuples(some_labels, pgd),
        lambda given: targeted.pgd(
            networks[5], attacks.pixels, attacks.pixels, x, given[0], **given[1], generator=torch.Generator()
        ),
        lambda given, found: found.change <= given[1]["epsilon"] * 1.001,
    )
    yield Target(
        "`autoattack`",
        st.tuples(st.sampled_from((2, 5, 10)), some_labels, epsilons, counts),
        lambda given: stronger_attacks.autoattack(
            networks[given[0]], attacks.pixels, x, given[1], epsilon=given[2], iterations=given[3], queries=3, seed=0
        ),
        lambda given, found: found.change <= given[2] * 1.001 and found.right.shape == (4, 3),
    )
    severities = st.sampled_from((0.0, 0.1, 0.5, 2.0)) | numbers
    shapes = tensors((2, 1, 28, 28), (2, 3, 28, 28), (2, 2, 9, 28), (1, 28, 28), (0, 1, 28, 28))
    yield Target(
        "`corrupt`",
        st.tuples(st.sampled_from([*corruptions.CORRUPTIONS, ""]), shapes.map(lambda x: x.clamp(0, 1)), severities),
        lambda given: corruptions.corrupt(*given, torch.Generator()),
        lambda given, found: found.shape == given[1].shape and bool(((found >= 0) & (found <= 1)).all()),
    )


def of_clouds() -> Iterator[Target]:
    """Yield loops of point clouds, and means with intervals."""
    clouds = tensors((12, 2), (12, 3), (1, 2), (0, 2), (12,), (2, 3, 2)).map(lambda x: x.numpy())
    yield Target(
        "`topology.loops`",
        st.tuples(tensors((12, 2), (12, 3)).map(lambda x: x.float().numpy()), st.sampled_from((0.1, 0.5, 1.0)))
        | st.tuples(clouds | tensors((12, 2)) | st.just([[0.0, 1.0]]), st.just(0.1) | numbers),
        lambda given: topology.loops(given[0], share=given[1]),
        lambda given, found: found.number >= 0 and 0 <= found.second <= found.longest <= 1,
    )
    rows = st.lists(numbers.filter(lambda number: abs(number) != 10**400), max_size=5)
    yield Target(
        "`rank_correlation`",
        st.tuples(st.just([1, 2, 3, 4]) | rows, st.permutations((1.0, 2.0, 3.0, 5.0)) | rows),
        lambda given: intervals.rank_correlation(*given, draws=50),
        lambda given, found: -1.001 <= found.low <= found.high <= 1.001 and -1.001 <= found.value <= 1.001,
    )


def all_of(fake: small.Small) -> Iterator[Target]:
    """Yield all targets."""
    yield from of_settings(fake)
    yield from of_commands(fake)
    yield from of_the_loss()
    yield from of_attacks()
    yield from of_stronger_attacks()
    yield from of_clouds()
