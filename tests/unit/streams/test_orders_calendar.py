"""Month-end, clock changes, year change, changes of an order in mid-run: the postings written out, as a controller would."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas.records import CutOff, OrderChanged, OrderCompleted, ProductionDeclared, ScrapDeclared
from tests.unit.streams.ledger_bench import Ledger, component, item, released, total
from tests.unit.tables.floor_bench import HOUR, MIN, configuration, event, pieces

ZONE = "Europe/Prague"


def at(text: str, fold: int = 0) -> int:
    """Microseconds of a local time in Prague."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE), fold=fold).timestamp()) * 1_000_000


def ledger(
    *records: Any, rules: dict[str, Any] | None = None, erp: dict[str, Any] | None = None, quantity_from: str = "counters"
) -> Ledger:
    periods = {"periods": {"close": "2nd workday 12:00", "sweep_before": "2 h"}}
    bench = Ledger(
        configuration(
            {"plant": {"zone": ZONE, "quantity_from": quantity_from}},
            rules,
            {"erp": {"adapter": "sim"}, **periods, **(erp or {})},
        )
    )
    bench.fold(*records)
    return bench


def booked(bench: Ledger) -> list[tuple[str, int, str, str]]:
    return [(one.kind, one.amount, one.business_date, one.posting_date) for one in bench.postings]


COMPLETED_ONLY = {"post": [{"kind": kind, "when": "order_completed"} for kind in ("yield", "scrap", "consumption")]}

SHIFT_END = {"post": [{"kind": "yield", "when": "shift_end"}]}


# -- month-end: November 2026 closes on Wednesday, the 2nd of December, 12:00


def test_a_month_end() -> None:
    """Everything is swept out two hours before the close; what is told later belongs to December."""
    bench = ledger(released(at("2026-11-30T20:00")), rules=COMPLETED_ONLY)
    bench.fold(total("gross", 100, (1, 1), at("2026-11-30T21:00"), business_date="2026-11-30"))
    bench.tick(at("2026-12-02T09:59"))
    assert booked(bench) == []
    bench.tick(at("2026-12-02T10:00"))
    assert booked(bench) == [("yield", 100, "2026-11-30", "2026-11-30")]
    bench.fold(total("gross", 110, (1, 2), at("2026-12-02T11:00"), business_date="2026-11-30"))
    bench.tick(at("2026-12-02T11:00"))
    bench.fold(total("gross", 7, (1, 3), at("2026-12-02T11:30"), business_date="2026-12-02", source_key="M2"))
    bench.tick(at("2026-12-02T12:00"))
    bench.fold(event(OrderCompleted, at("2026-12-02T13:00"), at("2026-12-02T13:00"), order="O1"))
    bench.tick(at("2026-12-02T13:00"))
    assert booked(bench)[1:] == [("yield", 10, "2026-11-30", "2026-12-01"), ("yield", 7, "2026-12-02", "2026-12-02")]
    bench.check_conservation()


def test_the_cut_off_report_lists_what_stayed_behind() -> None:
    bench = ledger(released(at("2026-11-30T20:00"), items=[item(quantity=60)]), rules=COMPLETED_ONLY)
    label = at("2026-11-30T21:00")
    november = {"business_date": "2026-11-30"}
    bench.fold(total("gross", 100, (1, 1), label, **november))
    bench.fold(total("consumption", 3, (1, 1), label, material="XX", unit="kg", authority="declarations", **november))
    bench.tick(at("2026-12-02T10:00"))
    bench.fold(total("scrap", 2, (1, 2), at("2026-12-02T11:00"), **november))
    for moment in ("2026-12-02T11:00", "2026-12-02T11:59", "2026-12-02T12:00", "2026-12-02T12:01"):
        bench.tick(at(moment))
    found: list[CutOff] = bench.step.take("ledger.cut-off")
    assert [(one.period, one.kind, one.code, one.amount) for one in found] == [
        ("2026-11", "scrap", "NOT_DUE", 2),
        ("2026-11", "yield", "OVER_DELIVERY", 38),
        ("2026-11", "yield", "IN_FLIGHT", 60),
        ("2026-11", "consumption", "MATERIAL_NOT_IN_BOM", 3000),
    ]
    assert {one.closed_at for one in found} == {at("2026-12-02T12:00")}
    bench.tick(at("2026-12-03T12:00"))
    assert bench.step.take("ledger.cut-off") == [], "once"


def test_a_closed_period_may_park_instead() -> None:
    bench = ledger(released(at("2026-11-30T20:00")), erp={"periods": {"close": "2nd workday 12:00", "late": "park"}})
    bench.fold(total("gross", 100, (1, 1), at("2026-12-02T12:30"), business_date="2026-11-30"))
    bench.tick(at("2026-12-02T14:00"))
    assert booked(bench) == []
    assert bench.codes() == {"yield": "PERIOD_CLOSED"}
    bench.check_conservation()


# -- late scrap


@pytest.mark.parametrize(
    ("moment", "answer", "expected"),
    [
        ("2026-12-02T11:00", "scrap_from_stock", [("scrap", 6, "", "2026-12-01"), ("yield", -6, "", "2026-12-01")]),
        ("2026-12-02T12:30", "scrap_from_stock", [("scrap", 6, "stock", "2026-12-01")]),
        ("2026-12-02T12:30", "park", []),
    ],
    ids=["before the close: the receipt is corrected", "after it: scrap from stock", "after it: parked"],
)
def test_late_scrap(moment: str, answer: str, expected: list[tuple[str, int, str, str]]) -> None:
    bench = ledger(
        released(at("2026-11-30T20:00")),
        total("gross", 100, (1, 1), at("2026-11-30T21:00"), business_date="2026-11-30"),
        total("scrap", 4, (1, 1), at("2026-11-30T21:00"), business_date="2026-11-30"),
        rules={"yield": {"late_scrap": {"after_close": answer}}},
    )
    bench.tick(at("2026-12-02T10:00"))
    assert [(one.kind, one.amount) for one in bench.postings] == [("scrap", 4), ("yield", 96)]
    bench.fold(total("scrap", 10, (1, 2), at(moment), business_date="2026-11-30"))
    bench.tick(at(moment))
    bench.tick(at("2026-12-02T14:00"))
    late = [(one.kind, one.amount, one.account.split("|")[7], one.posting_date) for one in bench.postings[2:]]
    assert late == expected
    assert bench.codes() == ({"scrap": "LATE_SCRAP"} if answer == "park" else {})
    bench.check_conservation()


def test_late_scrap_that_is_taken_back_is_taken_back_from_stock() -> None:
    bench = ledger(
        released(at("2026-11-30T20:00")), total("gross", 100, (1, 1), at("2026-11-30T21:00"), business_date="2026-11-30")
    )
    bench.tick(at("2026-12-02T10:00"))
    for n, amount in enumerate((6, 9, 2)):
        moment = at("2026-12-02T13:00") + n * 9 * HOUR
        bench.fold(total("scrap", amount, (1, 2 + n), moment, business_date="2026-11-30"))
        bench.tick(moment)
        bench.tick(moment + 8 * HOUR)
    assert [(one.kind, one.amount, one.cumulative) for one in bench.postings[1:]] == [
        *(("scrap", 6, 6), ("scrap", 3, 9), ("scrap", -7, 2)),
    ]
    assert bench.account("yield").posted == 100
    bench.check_conservation()


# -- clock changes: the night shift begins at 22:00


@pytest.mark.parametrize(
    ("evening", "date", "hours"),
    [("2026-10-24", "2026-10-24", 9), ("2027-03-27", "2027-03-27", 7), ("2026-11-24", "2026-11-24", 8)],
    ids=["25 hours", "23 hours", "24 hours"],
)
def test_the_night_of_a_clock_change(evening: str, date: str, hours: int) -> None:
    """One piece an hour, declared by hand; the night shift ends at 06:00 and belongs to the day it began."""
    begin = at(f"{evening}T22:00")
    bench = ledger(released(begin - HOUR), rules=SHIFT_END, quantity_from="declarations")
    bench.tick(begin)
    for hour in range(10):
        moment = begin + hour * HOUR + 30 * MIN
        made = {"order": "O1", "operation": "10", "material": "4711", "lot": "L1", "quantity": pieces(1)}
        bench.fold(event(ProductionDeclared, moment, moment, **made))
        bench.tick(moment)
        bench.tick(begin + (hour + 1) * HOUR)
    assert [(one.amount, one.business_date, one.cut) for one in bench.postings] == [(hours, date, begin + hours * HOUR)]


def test_both_passes_of_the_repeated_hour_count() -> None:
    rules = {"post": [{"kind": "yield", "when": "every 30 min"}]}
    bench = ledger(released(at("2026-10-24T21:00")), rules=rules, quantity_from="declarations")
    for fold in (0, 1):
        moment = at("2026-10-25T02:15", fold)
        made = {"order": "O1", "operation": "10", "material": "4711", "lot": "L1", "quantity": pieces(2)}
        bench.fold(event(ProductionDeclared, moment, moment, **made))
        bench.tick(moment + 15 * MIN)
    assert [(one.amount, one.cut) for one in bench.postings] == [
        (2, at("2026-10-25T02:30", 0)),
        (2, at("2026-10-25T02:30", 1)),
    ]


# -- year change: December 2026 closes on Monday, the 4th of January, 12:00


def test_a_year_change() -> None:
    night = at("2026-12-31T22:00")
    bench = ledger(released(night - HOUR))
    for n, (moment, amount) in enumerate((("2026-12-31T23:30", 10), ("2027-01-01T05:30", 25), ("2027-01-04T13:00", 27))):
        bench.fold(total("gross", amount, (1, n), at(moment), business_date="2026-12-31"))
        bench.tick(at(moment))
        if n:
            bench.tick(at("2027-01-01T06:00" if n == 1 else "2027-01-04T14:00"))
    assert booked(bench) == [("yield", 25, "2026-12-31", "2026-12-31"), ("yield", 2, "2026-12-31", "2027-01-01")]


# -- an order changes in mid-run


def test_a_smaller_order_parks_what_is_beyond_it_from_then_on() -> None:
    start = at("2026-11-20T07:00")
    bench = ledger(released(start, items=[item(quantity=100)]), rules={"post": [{"kind": "yield", "when": "every 1 h"}]})
    for n, amount in enumerate((50, 90, 120)):
        if n == 1:
            bench.fold(released(start + HOUR, OrderChanged, change_number="2", items=[item(quantity=80)]))
        if n == 2:
            bench.fold(released(start + 2 * HOUR, OrderChanged, change_number="3", items=[item(quantity=110, over_delivery="5")]))
        bench.fold(total("gross", amount, (1, n), start + n * HOUR))
        bench.tick(start + n * HOUR)
    assert [one.amount for one in bench.postings] == [50, 30, 35]
    row = bench.account("yield")
    assert (row.parked, row.code) == (5, "OVER_DELIVERY")


def test_a_component_that_leaves_the_order_in_mid_run_parks_and_the_new_one_goes_on() -> None:
    start = at("2026-11-20T07:00")
    used = {"authority": "declarations", "unit": "kg", "lot": "R1"}
    bench = ledger(released(start), rules={"post": [{"kind": "consumption", "when": "every 1 h"}]})
    bench.fold(total("consumption", 5, (1, 1), start, material="PP", **used))
    bench.tick(start)
    bench.fold(released(start + HOUR, OrderChanged, change_number="2", components=[component("PE", item="0020")]))
    after = {"source_key": "after", "first_at": start + HOUR, "last_at": start + HOUR}
    bench.fold(total("consumption", 1, (1, 2), start + HOUR, material="PP", **used, **after))
    bench.fold(total("consumption", 3, (1, 2), start + HOUR, material="PE", **used))
    bench.tick(start + HOUR)
    assert [(one.material, one.amount, one.reservation_item) for one in bench.postings] == [
        ("PP", 5000, "0010"),
        ("PE", 3000, "0020"),
    ]
    parked = bench.account("consumption", material="PP")
    assert (parked.code, parked.posted, parked.parked) == ("MATERIAL_NOT_IN_BOM", 5000, 1000)


def test_scrap_and_corrected_yield_share_their_cut() -> None:
    start = at("2026-11-20T07:00")
    bench = ledger(released(start), total("gross", 100, (1, 1), start))
    bench.tick(at("2026-11-20T14:00"))
    late = at("2026-11-20T15:10")
    scrapped = {"order": "O1", "operation": "10", "material": "4711", "lot": "L1", "quantity": pieces(6)}
    bench.fold(event(ScrapDeclared, start, late, **scrapped))
    bench.tick(late)
    made = bench.tick(at("2026-11-20T22:00"))
    assert [(one.kind, one.amount) for one in made] == [("scrap", 6), ("yield", -6)]
    assert len({(one.cut, one.order, one.posting_date) for one in made}) == 1, "one document carries both"
