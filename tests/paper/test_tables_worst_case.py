"""Numbers and tables of the worst case, of made-up answers."""

from itertools import product

import numpy as np
import pytest
import xarray as xr

from lil.experiments import _worst_case
from lil.paper.intervals import extent, over_seeds_and_images
from lil.paper.tables import worst_case as tables

BETAS, SEEDS, IMAGES = [0.0, 0.1, 10.0], [0, 4], 60
ATTACKS = list(_worst_case.ATTACKS)


@pytest.fixture
def result():
    """Two readings, two ε, three β, two seeds, 60 images: all that :mod:`lil.paper.tables.worst_case` reads."""
    rng = np.random.default_rng(0)
    chance = dict(zip(ATTACKS, (0.95, 0.5, 0.4, 0.45, 0.9, 0.4, 0.4, 0.6, 0.5), strict=True))
    right = np.stack([rng.uniform(size=(2, 3, 2, IMAGES)) < chance[attack] for attack in ATTACKS], 1).astype(np.uint8)
    right[:, ATTACKS.index("transfer"), 0] = 2
    left = (right[:, :-1] != 0).all(1)
    right[:, -1][~left] = 2
    smaller = right.copy()
    smaller[:, 1:-1] |= rng.integers(2, size=smaller[:, 1:-1].shape, dtype=np.uint8)
    smaller[:, -1], smaller[:, ATTACKS.index("transfer"), 0] = 2, 2
    dims = ("reading", "epsilon", "attack", "beta", "seed")
    coords = dict(reading=["text", "public"], epsilon=[0.05, 0.1], attack=ATTACKS, beta=BETAS, seed=SEEDS)
    coords["autoattacked"] = ("epsilon", [False, True])
    return xr.Dataset({"right": ((*dims, "image"), np.stack([smaller, right], 1))}, coords)


def by_hand(result, reading, beta, seed, attack):
    """Return the answers to each image under one attack, as a loop over attacks makes them."""
    here = result.right.sel(reading=reading, beta=beta, seed=seed, epsilon=0.1)
    if attack != "worst":
        return here.sel(attack=attack).values.astype(float)
    worst = np.ones(IMAGES)
    for each in ATTACKS:
        worst[here.sel(attack=each).values == 0] = 0
    return worst


def test_the_numbers_that_stand_for_an_answer_are_those_of_the_experiment():
    assert (_worst_case.WRONG, _worst_case.RIGHT) == (0, 1) and _worst_case.NOT_RUN > 1
    assert set(tables.NAMES) == {*ATTACKS, "worst"} - {"autoattack"}


def test_the_worst_case_is_wrong_where_anything_is_autoattack_and_noise_included(result):
    found = tables.answers(result).sel(epsilon=0.1)
    for attack in ("total", "worst"):
        expected = by_hand(result, "public", 10.0, 4, attack)
        assert (found.sel(reading="public", beta=10, seed=4, attack=attack).values == expected).all()
    before = found.sel(attack="worst").copy(deep=True)
    assert before.any()
    left = dict(zip(before.dims, np.argwhere(before.values)[0], strict=True))
    for attack in ("autoattack", "noise"):
        changed = result.copy(deep=True)
        worse = changed.right.sel(attack=attack, epsilon=0.1).copy()
        worse[left] = 0
        changed.right.loc[dict(attack=attack, epsilon=0.1)] = worse
        assert int(tables.answers(changed).sel(attack="worst", epsilon=0.1).sum()) == int(before.sum()) - 1
    assert found.sel(attack="transfer", beta=0).isnull().all() and found.sel(beta=[0.1, 10]).notnull().all()


def test_epsilons_that_agree_in_two_digits_keep_their_rows(result):
    near = result.assign_coords(epsilon=[0.1, 0.101])
    for table in (tables.accuracy_table(near, "text"), tables.gain_table(near)):
        assert table.index.unique("ε").tolist() == ["0.1", "0.101"]


def test_the_accuracies_are_means_over_seeds_and_images(result):
    table = tables.accuracy_table(result, "text")
    assert table.index.tolist() == [(epsilon, beta) for epsilon in ("0.05", "0.1") for beta in BETAS]
    assert table.columns.tolist()[: len(tables.NAMES)] == list(tables.NAMES.values())
    for attack in ("none", "total", "pgd", "worst"):
        expected = np.mean([by_hand(result, "text", 0.1, seed, attack) for seed in SEEDS])
        assert table.loc[("0.1", 0.1), tables.NAMES[attack]] == pytest.approx(expected)
    assert table[tables.NAMES["transfer"]].isna().tolist() == [True, False, False] * 2
    low, high = map(float, table.loc[("0.1", 10.0), "95 % interval"].split(" to "))
    assert low <= table.loc[("0.1", 10.0), "worst case"] <= high
    auto = result.right.sel(reading="text", attack="autoattack", beta=10, epsilon=0.1)
    taken = table["of it, AutoAttack took"]
    assert taken[("0.1", 10.0)] == pytest.approx(float((auto == 0).sum()) / 2 / IMAGES) and taken["0.05"].isna().all()


def test_a_gain_is_paired_seed_by_seed_and_image_by_image(result):
    right = tables.answers(result).sel(reading="text", attack="total", epsilon=0.1)
    found = tables.gain(right, 10.0)
    apart = [by_hand(result, "text", 10.0, s, "total") - by_hand(result, "text", 0.0, s, "total") for s in SEEDS]
    assert found == over_seeds_and_images(xr.DataArray(np.array(apart), dims=("seed", "image")))
    assert (found.seeds, found.images) == (2, IMAGES)
    same = xr.concat([right.sel(beta=0)] * 2, "beta").assign_coords(beta=[0.0, 1.0])
    assert tables.gain(same, 1.0)[:3] == (0, 0, 0)


def test_what_is_kept_is_the_share_of_rightly_classified_images(result):
    right = tables.answers(result).sel(reading="public", epsilon=0.1)
    found = tables.kept(right, right.sel(attack="none", drop=True))
    for seed in SEEDS:
        clean, attacked = (by_hand(result, "public", 0.1, seed, attack) for attack in ("none", "total"))
        share = attacked[clean == 1].mean()
        assert float(found.sel(attack="total", beta=0.1, seed=seed).mean()) == pytest.approx(share)
    assert np.allclose(found.sel(attack="none"), 1)


def test_the_interval_of_what_is_kept_is_near_a_bootstraps_of_the_ratio():
    rng = np.random.default_rng(1)
    clean = (rng.uniform(size=400) < 0.7).astype(float)
    attacked = clean * (rng.uniform(size=400) < 0.4)
    image = ("seed", "image")
    values = tables.kept(xr.DataArray(attacked[None], dims=image), xr.DataArray(clean[None], dims=image))
    found = over_seeds_and_images(values)
    drawn = rng.integers(400, size=(4000, 400))
    ends = np.quantile(attacked[drawn].sum(1) / clean[drawn].sum(1), [0.025, 0.975])
    assert [found.low, found.high] == pytest.approx(ends.tolist(), abs=0.006)
    assert found.high - found.low > 0.08


def test_a_network_that_knows_nothing_has_no_share(result):
    right = tables.answers(result).sel(reading="text")
    with pytest.raises(ValueError, match="classifies no image right"):
        tables.kept(right, 0 * right.sel(attack="none", drop=True))


def test_gains_stand_beside_those_among_rightly_classified_images(result):
    table = tables.gain_table(result)
    rows = product([tables.READINGS[name] for name in result.reading.values], ("0.05", "0.1"), BETAS[1:])
    assert table.index.tolist() == list(rows)
    right = tables.answers(result)
    shares, place = tables.kept(right, right.sel(attack="none", drop=True)), (tables.READINGS["public"], "0.1", 10.0)
    for attack in ("total", "worst"):
        name, here = tables.NAMES[attack], dict(reading="public", attack=attack, epsilon=0.1)
        expected, share = (format(tables.gain(values.sel(**here), 10.0), "+.3f") for values in (right, shares))
        assert table.loc[place, ("all images", name)] == expected
        assert table.loc[place, ("those right when clean", name)] == share
    assert (table["all images"] != table["those right when clean"]).to_numpy().any()


def test_the_words_speak_of_the_beta_that_gains_most_in_each_reading(result):
    result.right.loc[dict(reading="public", attack="total", beta=0.1, epsilon=0.1)] = 1
    numbers = tables.numbers(result)
    assert numbers["public_beta"] == "0.1" and (numbers["seeds"], numbers["images"], numbers["epsilon"]) == (
        2,
        60,
        "0.1",
    )
    right = tables.answers(result).sel(reading="public", epsilon=0.1)
    assert numbers["public_gain_total"] == format(tables.gain(right.sel(attack="total"), 0.1), "+.3f")
    worst = right.sel(attack="worst").mean(("seed", "image"))
    assert numbers["public_worst"] == extent(worst, ".3f")
    assert numbers["public_best_total"] == 1
    assert numbers["public_base_pgd"] == pytest.approx(float(right.sel(attack="pgd", beta=0).mean()))
    apart = right.sel(attack="pgd").mean("image") - right.sel(attack="worst").mean("image")
    assert numbers["public_pgd_above"] == pytest.approx(float(apart.max()))
    best = float(worst.sel(beta=[0.1, 10]).idxmax())
    assert numbers["public_finding"] == tables.finding(right, 0.1, best)


@pytest.mark.parametrize("reading", ["text", "public"])
def test_what_any_network_keeps_at_most_is_over_both_readings_at_the_largest_epsilon(result, reading):
    kept = dict(reading=reading, beta=0.1, seed=4, epsilon=0.1)
    result.right.loc[kept] = np.arange(IMAGES) < 48
    assert tables.numbers(result)["kept"] == "no network keeps more than 0.800 of the images"
    result.right.loc[kept | dict(epsilon=0.05)] = 1
    assert tables.numbers(result)["kept"] == "no network keeps more than 0.800 of the images"
    clean = result.right.sel(attack="none").copy()
    result.right.loc[dict(epsilon=0.1)], result.right.loc[dict(attack="none")] = 0, clean
    assert tables.numbers(result)["kept"] == "no network keeps an image"


def test_the_first_images_have_a_gain_of_their_own(result, monkeypatch):
    monkeypatch.setattr(tables, "FIRST", 20)
    right = tables.answers(result).sel(reading="text", epsilon=0.05)
    beta, _ = tables._best(right)
    worst = right.sel(attack="worst")
    few, every = (tables.gain(part, beta) for part in (worst[..., :20], worst))
    assert few != every
    expected = f"{few:+.3f} on the first 20 images and {every:+.3f} on 60"
    assert tables.numbers(result)["text_first"] == expected


def test_the_findings_at_all_other_epsilons_follow(result):
    right = tables.answers(result).sel(reading="text")
    said = tables.smaller(right)
    assert said.startswith("At ε = 0.05: Under the paper's attack") and said.count("ε") == 1
    assert tables.numbers(result)["text_smaller"] == said
    assert tables.smaller(right.sel(epsilon=[0.1])) == ""


def test_the_gains_at_the_smallest_epsilon_are_of_all_images_and_of_those_right_when_clean(result):
    right = tables.answers(result).sel(reading="text", epsilon=0.05)
    beta = float(right.sel(attack="total", beta=[0.1, 10]).mean(("seed", "image")).idxmax())
    share = tables.kept(right, right.sel(attack="none", drop=True))
    every, clean = (tables.gain(values.sel(attack="worst"), beta) for values in (right, share))
    assert tables.numbers(result)["text_smallest"] == (
        f"at ε = 0.05 β = {beta:g} changes the accuracy over all images by {every:+.3f}, {tables.verdict(every)}; "
        f"among the images that are right when clean it changes the share that stays right by {clean:+.3f}, "
        f"{tables.verdict(clean)}"
    )


def made(total, step, worst, images=200):
    """Return answers (attack, beta, seed, image) of one reading with these accuracies, by β; both seeds alike."""

    def column(accuracy):
        return np.broadcast_to(np.arange(images) < round(accuracy * images), (2, images))

    values = {
        name: np.stack([column(a) for a in accuracies])
        for name, accuracies in dict(total=total, classification=step, worst=worst).items()
    }
    return xr.DataArray(
        np.stack(list(values.values())).astype(float),
        dims=("attack", "beta", "seed", "image"),
        coords=dict(attack=list(values), beta=BETAS),
    )


STEP = (0.1, 0.1, 0.1)


@pytest.mark.parametrize(
    ("total", "worst", "worst_beta", "words"),
    [
        ((0.1, 0.3, 0.6), (0.1, 0.1, 0.4), 10.0, ["β = 10 gains most over β = 0, +0.500", ": a gain remains"]),
        (
            (0.1, 0.3, 0.6),
            (0.4, 0.1, 0.1),
            10.0,
            ["gains most over β = 0, +0.500", "+0.000", "−0.300", ": it is a loss"],
        ),
        ((0.1, 0.3, 0.6), (0.1, 0.1, 0.1), 10.0, [": neither a gain nor a loss is shown"]),
        ((0.1, 0.3, 0.6), (0, 0, 0), 10.0, ["in the worst case by +0.000", ": no network keeps a single image"]),
        ((0.1, 0.3, 0.6), (0.1, 0.3, 0.1), 0.1, ["The best β in the worst case is 0.1, +0.200", ": a gain remains"]),
        ((0.6, 0.3, 0.6), (0.1, 0.1, 0.1), 10.0, ["no β is shown to gain over β = 0; the best is 10, +0.000"]),
    ],
)
def test_each_finding_is_said_in_its_words(total, worst, worst_beta, words):
    said = tables.finding(made(total, STEP, worst), 10.0, worst_beta)
    assert all(each in said for each in words) and "nan" not in said
    assert ("The best β in the worst case" in said) == (worst_beta == 0.1)


@pytest.mark.parametrize(
    ("papers", "transferred", "words"),
    [
        (0.6, 0.5, "leaves 0.600, images made for β = 0 leave 0.500, a difference of +0.100"),
        (0.6, 0.5, "the paper's attack is weaker than a transferred one"),
        (0.5, 0.6, "the paper's attack is stronger than a transferred one"),
        (0.5, 0.5, "no difference between the two is shown"),
    ],
)
def test_the_papers_attack_is_set_beside_transfer(papers, transferred, words):
    right = made((0.1, 0.3, papers), STEP, (0.1, 0.1, transferred)).assign_coords(
        attack=["total", "classification", "transfer"]
    )
    assert words in tables.papers_against_transfer(right, 10.0)
