"""Decimals within their measured ranges pass, and nothing else does."""

import json

import pytest
from nbformat import from_dict
from tolerance import FACTOR, adopt_near, decimals, measured, ranges, read_executions, shares, write_executions

from lil.results.errors import CorruptFile


def printed(text):
    return [from_dict({"output_type": "stream", "name": "stdout", "text": text})]


def value(text, **more):
    return from_dict({"output_type": "execute_result", "data": {"text/plain": text, **more}})


def compared(new, reference, *others):
    """Return the text that nbval compares for a new output, beside a reference and its other executions."""
    each = ranges([decimals(printed(text)) for text in (reference, *others)])
    (output,) = adopt_near(printed(new), printed(reference), each)
    return output["text"]


@pytest.mark.parametrize(
    ("new", "reference", "other"),
    [
        ("ratio 1.0005", "ratio 1.0000", "ratio 1.0010"),
        ("ratio 1.0020", "ratio 1.0000", "ratio 1.0010"),  # as far again, beyond the upper end
        ("ratio 0.9990", "ratio 1.0000", "ratio 1.0010"),  # and beyond the lower one
        ("ratio 0.998", "ratio 0.997", "ratio 0.997"),  # one unit of the last printed digit: both are rounded
        ("loss 3.001e-05 of 7", "loss 3.000e-05 of 7", "loss 3.000e-05 of 7"),
        ("a   -0.0001\nb  12.5000", "a    0.0000\nb  12.5000", "a    0.0000\nb  12.5000"),
        ("−0.5000", "−0.5001", "−0.5001"),
        ("nothing to compare", "nothing to compare", "nothing to compare"),
    ],
)
def test_near_text_becomes_the_reference(new, reference, other):
    assert FACTOR == 1 and compared(new, reference, other) == reference


@pytest.mark.parametrize(
    ("new", "reference", "other"),
    [
        ("ratio 1.0022", "ratio 1.0000", "ratio 1.0010"),
        ("ratio 0.9988", "ratio 1.0000", "ratio 1.0010"),
        ("ratio 0.999", "ratio 0.997", "ratio 0.997"),
        ("ratio 0.500", "ratio -0.500", "ratio -0.500"),
        ("5 of 5 seeds", "4 of 5 seeds", "4 of 5 seeds"),  # whole numbers are exact
        ("1000001", "1000000", "1000000"),
        ("version 2.15.1", "version 2.15.0", "version 2.15.0"),  # no decimal
        ("holds 0.99", "does not hold 0.99", "does not hold 0.99"),
        ("0.1 0.2", "0.1", "0.1"),
        ("1.0", "1", "1"),
        ("nan", "1.0", "1.0"),
    ],
)
def test_other_text_stays_as_it_is(new, reference, other):
    assert compared(new, reference, other) == new != reference


def test_of_a_table_only_the_decimals_that_are_far_stay():
    reference, new = "a  1.000\nb  2.000\nc  3.000", "a  1.001\nb  2.100\nc  2.999"
    assert compared(new, reference, reference) == "a  1.000\nb  2.100\nc  3.000"


def test_ranges_go_over_all_outputs_of_a_cell_and_their_plain_text_alone():
    reference = [*printed("0.500"), value("1.50", **{"text/html": "<b>1.50</b>", "image/png": "1.5"})]
    new = [*printed("0.501"), value("1.70", **{"text/html": "<b>9.99</b>", "image/png": "1.5"})]
    assert decimals(new) == ["0.501", "1.70"]
    first, second = adopt_near(new, reference, [(0.5, 0.5), (1.5, 1.6)])
    assert first["text"] == "0.500" and second["data"]["text/plain"] == "1.50"
    assert second["data"]["text/html"] == "<b>9.99</b>" and new[0]["text"] == "0.501"  # the argument is not changed
    assert adopt_near(new, reference, [(0.5, 0.5), (1.5, 1.5)])[1]["data"]["text/plain"] == "1.70"
    assert adopt_near(new[:1], reference, [(0.5, 0.5), (1.5, 1.5)]) == new[:1]


def test_a_share_tells_how_much_of_what_is_granted_a_decimal_takes():
    found = shares(["1000.5", "7.25", "-1.0"], [(1000.0, 1000.2), (7.0, 8.0), (1.0, 1.0)])
    assert found == [pytest.approx(0.3 / 0.3001), 0, pytest.approx(2 / 0.1001)]


def test_a_range_is_that_of_the_reference_and_its_executions():
    executions = {"table1": {"Cell 7": {"AVX2": "0.25 −3.0", "SSE4.1": "0.75 −1.0"}}}
    reference = printed("from 0.50 to −2.0")
    assert measured(executions, "table1", "Cell 7", reference) == [(0.25, 0.75), (-3.0, -1.0)]
    assert measured(executions, "table1", "Cell 7", reference, without="SSE4.1") == [(0.25, 0.5), (-3.0, -2.0)]
    assert measured(executions, "table1", "Cell 8", reference) == [(0.5, 0.5), (-2.0, -2.0)]
    with pytest.raises(ValueError):
        measured({"table1": {"Cell 7": {"AVX2": "0.25"}}}, "table1", "Cell 7", reference)


def test_a_changed_character_of_the_executions_is_noticed(tmp_path):
    path, executions = tmp_path / "executions.json", {"table1": {"Cell 7": {"the plain engine": "0.25 −3.0"}}}
    write_executions(executions, path)
    assert read_executions(path) == executions and json.loads(path.read_text("utf-8"))["executions"] == executions
    path.write_text(path.read_text("utf-8").replace("0.25", "9.25"), "utf-8")
    with pytest.raises(CorruptFile, match="executions.json is damaged .* restore it"):
        read_executions(path)
