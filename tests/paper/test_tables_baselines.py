"""Numbers and tables of the isometry term beside other methods, of a made-up result."""

import pytest
import xarray as xr
from made_up import baselines_result

from lil.paper.intervals import over_seeds, over_seeds_and_images
from lil.paper.tables import baselines


@pytest.fixture
def networks():
    return baselines_result()


def compare(networks, reading, reference, chosen, near):
    gap = networks.clean - networks.clean.isel(setting=reference, drop=True)
    one = networks.isel(setting=chosen).assign(gap=gap.isel(setting=chosen).drop_vars(("method", "strength")))
    return one.assign(near=("setting", near)).assign_attrs(reading=reading)


@pytest.fixture
def text(networks):
    near = [False, True, False, True, True, False, True, True]
    return compare(networks, "lil", 2, [0, 2, 4, 5, 6, 7, 8, 9], near)


@pytest.fixture
def public(networks):
    return compare(networks, "lil_public", 4, [1, 3, 4, 5, 6, 7, 8, 9], [False] * 2 + [True] * 6)


def put(matched, method, right):
    """The answers of a method under PGD: the same for both seeds and all images."""
    matched["pgd_right"][matched.method.values.tolist().index(method)] = right


def test_epsilons_that_agree_in_two_digits_keep_their_columns(text):
    near = text.assign_coords(epsilon=[0.05, 0.1, 0.101])
    columns = baselines.matched_table(near).columns
    assert [name for name in columns.unique(0) if name.startswith("PGD, ")] == [
        "PGD, ε = 0.05",
        "PGD, ε = 0.1",
        "PGD, ε = 0.101",
    ]
    assert [name for name, what in columns if what == "gain"] == ["PGD, ε = 0.1", "PGD and AutoAttack, ε = 0.1"]


def test_the_table_has_means_over_seeds(networks):
    table = baselines.table(networks)
    assert table.index.tolist()[:3] == [
        "cross-entropy alone",
        "isometry term, K = 1, β = 0.1",
        "isometry term, K = 1, β = 10",
    ]
    assert table.index.tolist()[3:5] == ["cross-entropy alone, public code", "isometry term, K = 10, β = 10"]
    row = table.loc["PGD training, ε = 0.1"]
    assert row["clean"] == pytest.approx(networks.clean.values[9].mean())
    assert row["PGD, ε = 0.3"] == pytest.approx(networks.pgd.values[9, :, 2].mean())
    assert row["PGD and AutoAttack, ε = 0.1"] == pytest.approx(networks.strongest.values[9].mean())
    assert row["reach"] == pytest.approx(networks.reach.values[9, :, 1].mean()) and table.notna().all().all()


def test_gains_are_paired_by_seed_and_image(networks, text):
    found = baselines.gains(text)
    apart = networks.pgd_right.values[5].astype(float) - networks.pgd_right.values[2]
    expected = over_seeds_and_images(xr.DataArray(apart, dims=("seed", "image")))
    assert found["jacobian"] == expected and (expected.seeds, expected.images) == (2, 40)
    assert found["lil"].value == found["lil"].high == 0
    few = baselines.gains(text, "strongest_right")["pgd"]
    apart = networks.strongest_right.values[9].astype(float) - networks.strongest_right.values[2]
    assert few.images == 10 and few.value == pytest.approx(apart.mean())


def test_the_comparison_has_gaps_and_gains_with_intervals(networks, text):
    table = baselines.matched_table(text)
    assert table["clean", "near"].tolist() == ["NO", "yes", "NO", "yes", "yes", "NO", "yes", "yes"]
    row = table.loc["Jacobian regularisation, λ = 0.01"]
    gap = xr.DataArray(networks.clean.values[5] - networks.clean.values[2], dims="seed")
    assert row["clean", "above the reference"] == f"{over_seeds(gap):+.3f}"
    assert row["PGD, ε = 0.1", "gain"] == f"{baselines.gains(text)['jacobian']:+.3f}"
    strongest = baselines.gains(text, "strongest_right")["jacobian"]
    assert row["PGD and AutoAttack, ε = 0.1", "gain"] == f"{strongest:+.3f}"
    assert row["PGD, ε = 0.05", "mean"] == pytest.approx(networks.pgd.values[5, :, 0].mean())
    reference = table.loc["isometry term, K = 1, β = 10"]
    assert (reference == "the reference").sum() == 3 and table.shape == (8, 9)


def test_every_reference_has_its_row(text, public):
    table = baselines.reference_table([text, public])
    assert table.index.tolist() == [("isometry term, K = 1", 10.0), ("isometry term, K = 10", 10.0)]
    for one, (_, row) in zip((text, public), table.iterrows(), strict=True):
        assert row["weight decay", "gap"] == pytest.approx(float(one.gap[one.method == "decay"].mean()))
        assert row["weight decay", "gain"] == pytest.approx(baselines.gains(one)["decay"].value)
    assert table.shape == (2, 10)


@pytest.mark.parametrize(
    ("theirs", "said"), [(1, "a gain of +1.000"), (-1, "a loss of −1.000"), (0, "no clear difference, +0.000")]
)
def test_the_finding_says_what_the_interval_says(text, theirs, said):
    put(text, "lil", int(theirs < 0))
    put(text, "jacobian", int(theirs > 0))
    text["pgd"][:, :, 1] = text.pgd_right.mean("image")
    words = baselines.finding(text)
    assert said in words and "count as equal" in words and "do not count" not in words
    assert "of the first 40 test images" in words and "over 2 seeds" in words
    assert f"the isometry term (K = 1, β = 10) keeps {float(theirs < 0):.3f} right" in words
    assert f"Jacobian regularisation (λ = 0.01) keeps {float(theirs > 0):.3f}" in words
    text["near"][3] = False
    others = [f"{baselines.NAMES[name]}, {baselines.gains(text)[name]:+.3f}" for name in ("spectral", "fgsm", "pgd")]
    assert f"do not count as equal. Of the methods whose clean accuracies do: {'; '.join(others)}." in (
        baselines.finding(text)
    )
    text["near"][2:] = False
    assert baselines.finding(text).endswith("do not count as equal. No method's do.")


def test_the_baselines_are_listed_by_what_is_shown(text):
    put(text, "lil", 0)
    text["pgd_right"][1, :, :20] = 1
    for method, right in {"jacobian": 1, "spectral": 0, "decay": 1}.items():
        put(text, method, right)
    text["pgd_right"][6:] = text.pgd_right.isel(setting=1)
    expected = {
        "more": "Jacobian regularisation",
        "fewer": "spectral normalisation",
        "alike": "FGSM training, PGD training",
        "far": "weight decay",
    }
    assert baselines.verdicts(text) == expected
    text["near"][:] = False
    assert baselines.verdicts(text)["more"] == "none"


def test_the_words_have_their_numbers(networks, text, public):
    put(text, "lil", 0)
    put(text, "jacobian", 1)
    put(public, "jacobian", 0)
    found = baselines.numbers(networks, {"text": text, "public": public}, [text, public])
    assert (found["seeds"], found["images"], found["few"], found["settings"]) == (2, 40, 10, 10)
    assert (found["epsilon"], found["first"], found["epsilons"]) == ("0.1", "0.05", "0.05, 0.1, 0.3")
    assert (found["references"], found["near"], found["ahead"]) == (2, 2, 1)
    assert found["most"] == "+1.000 (+1.000 to +1.000)" and found["least"].startswith("−")
    assert (found["text_beta"], found["public_beta"]) == ("10", "10")
    assert found["text_finding"] == baselines.finding(text)
    assert found["public_far"] == "none" and "weight decay" in found["text_far"]
    for name, reading, lil, plain in (("text", text, 1, 0), ("public", public, 2, 1)):
        clean = xr.DataArray((reading.clean[lil] - reading.clean[plain]).values, dims="seed")
        first = xr.DataArray((reading.pgd[lil, :, 0] - reading.pgd[plain, :, 0]).values, dims="seed")
        right = xr.DataArray(
            reading.pgd_right.values[lil].astype(float) - reading.pgd_right.values[plain], dims=("seed", "image")
        )
        assert found[f"{name}_over_plain_clean"] == f"{over_seeds(clean):+.3f}"
        assert found[f"{name}_over_plain_first"] == f"{over_seeds(first):+.3f}"
        assert found[f"{name}_over_plain"] == f"{over_seeds_and_images(right):+.3f}"


def test_a_gain_whose_interval_reaches_0_is_not_ahead(networks, text):
    put(text, "lil", 0)
    put(text, "jacobian", 0)
    text["pgd_right"][3, :, 7] = 1
    found = baselines.numbers(networks, {}, [text])
    assert (found["near"], found["ahead"]) == (1, 0) and found["most"].startswith("+0.025 (−0.024")


def test_without_a_near_reference_there_is_no_gain(networks, text):
    text["near"][:] = False
    found = baselines.numbers(networks, {}, [text])
    assert (found["near"], found["ahead"], found["least"], found["most"]) == (0, 0, "none", "none")


def test_the_attacks_health_is_their_worst_case(networks, text):
    networks["pgd_right"][:, :, :10] = 0
    networks["strongest"][:] = 0
    networks["pgd_right"][5, 1, :4] = 1
    networks["strongest"][5, 1] = 0.1
    networks["change"][3, 1, 2] = 0.302
    found = baselines.numbers(networks, {}, [text])
    assert (found["excess"], found["beyond"]) == pytest.approx((0.3, 0.002))
