"""What a generated shift consists of: the same bytes for a seed, records in the order of their arrival, all refusals planted."""

from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest

from app.configuration import load, mappers
from app.demo.lines import Line, write
from app.demo.master import CONFIGURATION, materials, opening_stock, orders
from app.demo.plant_simulator import FILES, generate
from app.demo.shift import END_MS, START_MS
from app.demo.truth import Truth
from streams.mapping import RawRecord, Reading, RefusedRecord
from tests.unit.demo.raw_files import SCALE, Shift, raw_lines


def digests(truth: Truth) -> dict[str, str]:
    return {source: sha256(path.read_bytes()).hexdigest() for source, path in truth.files.items()}


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not(shift: Shift, tmp_path: Path) -> None:
    again = generate(tmp_path / "again", seed=1, scale=SCALE)
    other = generate(tmp_path / "other", seed=2, scale=SCALE)
    assert digests(again) == digests(shift.truth)
    assert again.accounts == shift.truth.accounts
    assert digests(other)["presses"] != digests(shift.truth)["presses"]


def test_the_floor_does_not_depend_on_how_often_machines_report(shift: Shift, tmp_path: Path) -> None:
    full = generate(tmp_path, seed=1)
    assert full.accounts == shift.truth.accounts
    assert full.parked == shift.truth.parked
    assert 100_000 <= sum(full.records.values()) <= 150_000
    assert 0.3 <= full.process_values / sum(full.records.values()) <= 0.4


def test_a_scale_must_be_above_zero(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="above 0"):
        generate(tmp_path, scale=0)


def test_lines_are_written_by_arrival_then_occurrence(tmp_path: Path) -> None:
    lines = [Line(20, 5, 1, "", "c"), Line(10, 9, 2, "", "b"), Line(10, 8, 3, "", "a")]
    assert write(tmp_path / "x.jsonl", lines) == 3
    assert (tmp_path / "x.jsonl").read_text() == "a\nb\nc\n"


@pytest.mark.parametrize("source", FILES)
def test_received_at_never_falls_and_lies_within_the_shift(shift: Shift, source: str) -> None:
    mapper = mappers(load(CONFIGURATION))[source]
    path = shift.truth.files[source]
    latest = 0
    for offset, line in enumerate(raw_lines(path), 1):
        received = mapper.arrival(RawRecord(line, source, path.name, offset))
        if received is None:
            continue  # a damaged line
        assert received >= latest, line
        latest = received
    assert latest <= END_MS * 1000
    assert source != "erp_orders" or latest < START_MS * 1000


@pytest.mark.parametrize("source", FILES)
def test_every_line_maps_except_the_planted_ones(shift: Shift, source: str) -> None:
    mapper = mappers(load(CONFIGURATION))[source]
    path = shift.truth.files[source]
    lines = raw_lines(path)
    assert len(lines) == shift.truth.records[source]
    refused = Counter[tuple[str, str]]()
    for offset, line in enumerate(lines, 1):
        items = mapper.map(RawRecord(line, source, path.name, offset))
        assert len(items) == 1
        if isinstance(items[0], RefusedRecord):
            refused[source, items[0].code] += 1
    planted = {key: count for key, count in shift.truth.planted.refused.items() if key[0] == source}
    assert refused == planted


def test_readings_and_process_values_are_as_many_as_stated(shift: Shift) -> None:
    found = Counter[str]()
    for source in ("presses", "stations"):
        mapper, path = mappers(load(CONFIGURATION))[source], shift.truth.files[source]
        for offset, line in enumerate(raw_lines(path), 1):
            found.update(type(item).__name__ for item in mapper.map(RawRecord(line, source, path.name, offset)))
    assert found[Reading.__name__] == shift.truth.readings
    assert found["ProcessValue"] == shift.truth.process_values


def test_canaries_are_in_the_process_values_and_nowhere_else(shift: Shift) -> None:
    name, *values = shift.truth.canaries
    assert len(values) > 100
    assert all(len(value) == 12 and value.isdecimal() for value in values)
    presses = b"\n".join(raw_lines(shift.truth.files["presses"])).decode()
    assert all(f'"{value}"' in presses for value in values)
    for source in FILES.keys() - {"presses"}:
        text = b"\n".join(raw_lines(shift.truth.files[source])).decode()
        assert name not in text
        assert not any(value in text for value in values)


def test_master_data_is_whole(shift: Shift) -> None:
    found = orders(shift.directory)
    known = {material.material: material for material in materials(shift.directory)}
    assert 20 <= len(found) <= 32
    assert len({order.order for order in found}) == len(found)
    for order in found:
        assert [operation.receipt for operation in order.operations].count(True) == 1
        assert all(item.material in known for item in order.items)
        assert all(part.material in known for part in order.components)
    assert {len(order.operations) for order in found} == {1, 2, 3}
    confirms = {operation.confirm for order in found for operation in order.operations}
    assert confirms == {"each", "milestone", "none"}
    modes = {part.mode for order in found for part in order.components}
    assert modes == {"declared", "metered", "ledger_backflush", "erp_backflush"}
    changed = next(order for order in found if order.order == "1001203")
    assert changed.change_number == "2"
    assert changed.items[0].quantity.amount > 500


def test_opening_stock_covers_what_the_shift_consumes(shift: Shift) -> None:
    stock = {(lot.material, lot.lot): lot.quantity for lot in opening_stock(shift.directory)}
    consumed = Counter[tuple[str, str]]()
    for account, amount in shift.truth.accounts.items():
        if account.kind == "consumption":
            consumed[account.material, account.lot] += amount  # type: ignore[assignment]  # exact fractions
    assert len(consumed) >= 10
    assert all(stock[lot] > amount for lot, amount in consumed.items())
