"""The record of mutants: none has survived without a reason, and its counts are those of its rows."""

from lil.paper import shipped, trust
from tests.trust import mutants


def test_no_mutant_has_survived_without_a_reason():
    record = shipped.read_sealed(trust.RECORDS / "mutants.json")
    rows, reasons = record["rows"], mutants.equivalent()
    survivors = [row for row in rows if row["noticed by"] == "nothing"]
    for row in survivors:
        assert row["equivalent because"] == reasons[row["file"], row["line"], row["becomes"]]
    assert all(row["equivalent because"] == "" for row in rows if row["noticed by"] != "nothing")
    killed = len(rows) - len(survivors)
    assert record["counts"] == {
        "mutants": len(rows), "killed": killed, "equivalent": len(survivors), "survived": 0,
    }  # fmt: skip
    assert {row["file"] for row in rows} <= set(mutants.MODULES)


def test_each_module_and_its_tests_are_there():
    for file, tests in mutants.MODULES.items():
        assert len(mutants.mutants(file)) >= mutants.EACH and all((mutants.ROOT / test).is_file() for test in tests)
