"""Accounts: what counts in them, what they hold, what may be posted; identity of postings."""

from fractions import Fraction

import pytest

from schemas.records import AccountRow, RawRange, SourceTotal
from tables.orders.account import (
    account_key,
    accounts_of,
    apart,
    lineage,
    parse_key,
    receive,
    recorded,
    unposted,
    weights,
)
from tables.orders.posting_id import content_hash, posting_id
from tables.plant.units import UnitTable
from tests.unit.streams.ledger_bench import total

FULL = "gross - scrap - rework"


def account(kind: str = "yield", **fields: object) -> AccountRow:
    row = AccountRow("P", "O1", "10", "4711", "L1", kind, "", "", "2026-11-20", 1)
    for name, value in fields.items():
        setattr(row, name, value)
    return row


def source(kind: str, amount: int, authority: str = "counters", unit: str = "PC", denominator: int = 1) -> SourceTotal:
    ranges = [RawRange("raw.p/0", amount, amount + 1, 2)]
    return SourceTotal(kind, authority, amount, denominator, unit, 1, 0, 1, records=2, ranges=ranges)


@pytest.mark.parametrize(
    ("authority", "yield_is", "sources", "expected"),
    [
        ("counters", FULL, [("gross", 100, "counters"), ("scrap", 5, "declarations"), ("rework", 3, "declarations")], 92),
        (
            "counters",
            "gross - scrap",
            [("gross", 100, "counters"), ("scrap", 5, "declarations"), ("rework", 3, "declarations")],
            95,
        ),
        ("counters", "gross", [("gross", 100, "counters"), ("scrap", 5, "declarations"), ("rework", 3, "declarations")], 100),
        ("counters", FULL, [("good", 100, "counters"), ("scrap", 5, "declarations")], 100),
        ("counters", FULL, [("gross", 100, "counters"), ("good", 96, "declarations"), ("scrap", 5, "declarations")], 95),
        ("declarations", FULL, [("gross", 100, "counters"), ("good", 96, "declarations"), ("scrap", 5, "declarations")], 96),
        ("declarations", FULL, [("gross", 100, "counters"), ("scrap", 5, "declarations")], 0),
        ("counters", FULL, [("good", 96, "declarations")], 0),
        ("counters", FULL, [("scrap", 5, "declarations"), ("rework", 1, "declarations")], -6),
        ("counters", FULL, [("gross", 60, "counters"), ("gross", 40, "counters"), ("scrap", 5, "counters")], 95),
        ("counters", FULL, [("gross", 100, "counters"), ("good", 90, "counters"), ("scrap", 5, "declarations")], 95),
    ],
)
def test_yield_is_what_the_plant_says(authority: str, yield_is: str, sources: list[tuple[str, int, str]], expected: int) -> None:
    row = account()
    row.sources = {f"s{n}": source(*entry) for n, entry in enumerate(sources)}
    assert recorded(row, weights(row, authority, yield_is), "PC", UnitTable()) == expected


@pytest.mark.parametrize(
    ("sources", "counted", "expected"),
    [
        pytest.param([("gross", 100, "A"), ("good", 50, "B")], (), 150, id="one counts gross, the other good"),
        pytest.param([("gross", 100, "A"), ("good", 95, "A"), ("good", 50, "B")], (), 150, id="good is a check beside gross"),
        pytest.param([("gross", 100, "A"), ("good", 50, "B"), ("scrap", 7, "A")], (), 143, id="scrap of the one lowers"),
        pytest.param([("gross", 100, "A"), ("good", 50, "B"), ("scrap", 7, "B")], (), 150, id="scrap of the other is on top"),
        pytest.param([("gross", 100, "A"), ("good", 50, "B"), ("scrap", 7, "")], (), 143, id="scrap of nobody lowers"),
        pytest.param([("scrap", 7, "A")], (), -7, id="scrap before its counts"),
        pytest.param([("scrap", 7, "A")], ("gross",), -7, id="of an operation that counts gross"),
        pytest.param([("scrap", 7, "A")], ("good",), 0, id="of an operation that counts good pieces, on a day without any"),
    ],
)
def test_each_equipment_counts_in_its_own_way(
    sources: list[tuple[str, int, str]], counted: tuple[str, ...], expected: int
) -> None:
    row = account()
    for n, (kind, amount, equipment) in enumerate(sources):
        row.sources[f"s{n}"] = source(kind, amount, "declarations" if kind == "scrap" else "counters")
        row.sources[f"s{n}"].equipment = equipment
    assert recorded(row, weights(row, "counters", FULL, counted), "PC", UnitTable()) == expected


def test_other_kinds_add_up_all_sources() -> None:
    row = account("scrap")
    row.sources = {"a": source("scrap", 2, "declarations"), "b": source("scrap", 3)}
    assert recorded(row, weights(row, "counters", FULL), "PC", UnitTable()) == 5


def test_units_convert_exactly_or_not_at_all() -> None:
    row = account("consumption")
    row.sources = {"a": source("consumption", 1, denominator=3, unit="kg"), "b": source("consumption", 500, unit="g")}
    counts = dict.fromkeys(row.sources, 1)
    assert recorded(row, counts, "kg", UnitTable()) == Fraction(1, 3) + Fraction(1, 2)
    assert recorded(row, counts, "PC", UnitTable()) == 0
    found = apart(row, counts, "PC", UnitTable())
    assert [(one.unit, one.numerator, one.denominator) for one in found] == [("g", 500, 1), ("kg", 1, 3)]
    row.sources["c"] = source("consumption", -1, denominator=3, unit="kg")
    assert [one.unit for one in apart(row, dict.fromkeys(row.sources, 1), "PC", UnitTable())] == ["g"]


def test_lineage_names_what_counts() -> None:
    row = account()
    row.sources = {"a": source("gross", 10), "b": source("good", 9, "declarations"), "c": source("gross", 0)}
    records, ranges = lineage(row, weights(row, "counters", FULL))
    assert records == 2
    assert ranges == [RawRange("raw.p/0", 10, 11, 2)]


@pytest.mark.parametrize(
    ("kind", "fields", "accounts"),
    [
        ("gross", {}, [("yield", "", "")]),
        ("good", {}, [("yield", "", "")]),
        ("scrap", {"reason": "burn"}, [("scrap", "burn", ""), ("yield", "", "")]),
        ("scrap", {"position": "stock"}, [("scrap", "", "stock")]),
        ("rework", {}, [("rework", "", ""), ("yield", "", "")]),
        ("basis", {"position": "hopper"}, [("basis", "", "")]),
        ("consumption", {"position": "hopper"}, [("consumption", "", "hopper")]),
        ("machine_time", {}, [("machine_time", "", "")]),
    ],
)
def test_accounts_that_a_total_concerns(kind: str, fields: dict[str, str], accounts: list[tuple[str, str, str]]) -> None:
    assert [(row.kind, row.reason, row.place) for row in accounts_of(total(kind, 1, **fields), 1)] == accounts


def test_only_a_newer_version_replaces() -> None:
    row = account()
    assert receive(row, total("gross", 5, version=(1, 10)))
    assert not receive(row, total("gross", 6, version=(1, 10))), "the same version again"
    assert not receive(row, total("gross", 4, version=(1, 9))), "an older one"
    assert receive(row, total("gross", 7, version=(1, 11)))
    assert receive(row, total("gross", 1, version=(2, 0))), "a higher log epoch"
    assert [entry.numerator for entry in row.sources.values()] == [1]


def test_unposted_is_neither_posted_nor_parked_nor_covered() -> None:
    assert unposted(account(target=10, posted=4, parked=1)) == 5
    assert unposted(account(target=10, posted=12)) == -2
    assert unposted(account(target=10, covered=True)) == 0


@pytest.mark.parametrize("order", ["1001210", "1|2", "50 %", "%7C", "%", "|", "1|2%3"])
def test_an_account_key_is_read_back(order: str) -> None:
    """With and without what has to be escaped."""
    row = AccountRow("P", order, "10", "M", "L", "yield", "", "", "2026-11-20", 0)
    assert account_key(row).count("|") == 8
    assert parse_key(account_key(row)) == row


def test_account_keys_of_different_accounts_differ() -> None:
    odd = [account(order="A|B", operation="C"), account(order="A", operation="B|C"), account(order="A%7CB", operation="C")]
    assert len({account_key(row) for row in odd}) == 3


def test_posting_ids_are_stable_and_fit_a_reference_field() -> None:
    """Vectors: a change of them posts everything twice."""
    assert posting_id("P", "P|O1|10|4711|L1|yield|||2026-11-20", 1, 1) == "B6353NQH1BFNJ0MV"
    assert posting_id("P", "P|O1|10|4711|L1|yield|||2026-11-20", 1, 2) == "4JRP3QQ5RV26ZCJM"
    names = {
        posting_id("P", "A", epoch, sequence, revision) for epoch in (1, 2) for sequence in (1, 2, 12) for revision in (0, 1)
    }
    assert len(names) == 12
    assert {len(name) for name in names} == {16}
    assert set("".join(names)) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")


def test_content_hash_sees_every_part() -> None:
    assert content_hash("A", 1, 23) != content_hash("A", 12, 3)
    assert content_hash("A", 1) == content_hash("A", 1)
    assert len(content_hash("A")) == 32
