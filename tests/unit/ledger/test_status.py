"""`lineledger status`: what it says of an installation that was read."""

from dataclasses import replace
from typing import Any

from app.ledger.questions.status import SeenInstallation, lines_of, status_of
from schemas.records import AccountRow, Apart, Decision, EndpointRow, ExceptionRecord, PartitionPosition, PostingRow, Tick
from streams.clock import observe
from streams.silence import Watch
from tables.delivery.endpoint_marks import AWAY_SINCE, QUOTA_UNTIL
from tests.unit.streams.quality_bench import posting

PLANT, S = "P", 1_000_000
A, B, EQUIPMENT = "intake/raw.a/0", "intake/raw.b/0", "equipment/equipment.inbox/0"


def account(**fields: Any) -> AccountRow:
    return AccountRow(PLANT, "O1", "10", "4711", "", "yield", "", "", "2026-11-20", 1, unit="PC", **fields)


def seen(orders: PartitionPosition, equipment: PartitionPosition, now: int, *accounts: AccountRow) -> SeenInstallation:
    return SeenInstallation(
        stages={"orders": "orders.inbox", "equipment": "equipment.inbox"},
        positions={"orders": {0: orders}, "equipment": {0: equipment}},
        partitions={"orders": 1, "equipment": 1},
        ends={},
        members={},
        accounts=accounts,
        postings=[],
        letters=[],
        needs={},
        now=now,
    )


def position() -> PartitionPosition:
    state = PartitionPosition(0, 1, 1, "")
    state.configurations[PLANT] = "h"
    return state


def test_a_source_that_the_plant_goes_on_without_does_not_hold_it_back() -> None:
    orders, equipment = position(), position()
    of_equipment = Watch([A, B], frozenset({A, B}), frozenset({A, B}), 10 * S)
    of_orders = Watch([A, B, EQUIPMENT], frozenset({A, B}), frozenset({A, B}), 10 * S)
    for at in (S, *range(2 * S, 200 * S, S)):
        for sender in (A, B) if at == S else (A,):
            observe(equipment, Tick(PLANT, at, sender, False), of_equipment)
            observe(orders, Tick(PLANT, at, sender, False), of_orders)
        observe(orders, Tick(PLANT, equipment.reached[PLANT], EQUIPMENT, False), of_orders)
    assert orders.reached[PLANT] == 199 * S
    (found,) = status_of(seen(orders, equipment, 200 * S)).plants
    assert (found.clock, found.behind_s) == (199 * S, 1)
    assert B not in found.held_back_by


def test_parked_is_what_waits_for_somebody() -> None:
    """A code with nothing parked only says what would happen to more; of an order that is closed each account has one."""
    over, waits = account(code="ORDER_CLOSED"), account(code="LOT_MISSING", parked=3)
    dropped, apart = account(code="OVER_DELIVERY", parked=2, dropped=True), account(apart=[Apart("KAR", 5, 1)])
    (found,) = status_of(seen(position(), position(), S, over, waits, dropped, apart)).plants
    assert found.parked == {"BAD_UNIT": 1, "LOT_MISSING": 1}


def test_an_erp_that_a_person_paused_needs_attention() -> None:
    order = Decision("", "pause", "hash-of-a-person", "stock count", S, "e")
    paused = replace(seen(position(), position(), S), orders={"erp": EndpointRow("pause", [order])})
    found = status_of(paused)
    assert found.plants[0].stopped == {"erp": "paused, by hash-of-a-pe: stock count"}
    assert "P: the ERP `erp` is paused, by hash-of-a-pe: stock count; `lineledger erp resume erp` ends it" in found.problems
    assert any("erp is paused, by hash-of-a-pe: stock count; circuit closed" in line for line in lines_of(found))
    after = EndpointRow("resume", [order, replace(order, decision="resume", event_id="f")])
    assert status_of(replace(paused, orders={"erp": after})).plants[0].stopped == {}


def test_of_several_erps_a_plant_is_told_of_those_that_its_postings_are_for() -> None:
    """Its own, and the one that it posted to before; what stands still elsewhere is not its problem."""
    order = Decision("", "pause", "w", "y", S, "e")
    rows = {name: EndpointRow("pause", [order]) for name in ("old", "tryton", "others")}
    away = position()
    away.marks[AWAY_SINCE] = S
    installation = replace(
        seen(position(), position(), S),
        endpoints={PLANT: "tryton"},
        places={"old": 0, "tryton": 1, "others": 2},
        orders=rows,
        postings=[PostingRow(posting("P1", endpoint="old", plant=PLANT), "queued")],
    )
    with_away = {**installation.positions, "delivery": {2: away}}
    (found,) = status_of(replace(installation, positions=with_away)).plants
    assert (found.endpoint, sorted(found.stopped), found.circuit) == ("tryton", ["old", "tryton"], "closed")
    (found,) = status_of(replace(installation, positions={**with_away, "delivery": {1: away}})).plants
    assert found.circuit == "no answer"
    (found,) = status_of(replace(installation, positions=with_away, places={})).plants
    assert found.circuit == "no answer", "without the document nobody knows whose it is"


def test_a_quota_that_is_used_up_is_why_postings_wait() -> None:
    """Until some of it comes back; of its own endpoint."""
    spent = position()
    spent.marks[QUOTA_UNTIL] = 400 * S
    waits = [PostingRow(posting(name, endpoint="tryton", plant=PLANT), "queued") for name in ("P1", "P2")]
    installation = replace(
        seen(position(), position(), 100 * S), endpoints={PLANT: "tryton"}, places={"old": 0, "tryton": 1}, postings=waits
    )
    of_it = {**installation.positions, "delivery": {1: spent}}
    status = status_of(replace(installation, positions=of_it))
    assert (status.plants[0].quota, status.plants[0].codes) == ({"tryton": 400 * S}, {"ERP_QUOTA": 2})
    assert any("the quota of tryton is used up; circuit closed" in line and "2 ERP_QUOTA" in line for line in lines_of(status))
    (elsewhere,) = status_of(replace(installation, positions={**of_it, "delivery": {0: spent}})).plants
    (later,) = status_of(replace(installation, positions=of_it, now=400 * S)).plants
    assert elsewhere.quota == later.quota == {}


def test_what_needs_somebody_is_told_by_code() -> None:
    """Without it a rule whose amount has no effect is in no live question (`rules explain` knows only who asks)."""
    installation = replace(seen(position(), position(), S), needs={PLANT: ["RULE_UNIT_UNKNOWN", "WIP_NEGATIVE"] * 2, "Q": ["X"]})
    status = status_of(installation)
    assert status.plants[0].needs == {"RULE_UNIT_UNKNOWN": 2, "WIP_NEGATIVE": 2}
    assert any("2 RULE_UNIT_UNKNOWN, 2 WIP_NEGATIVE" in line for line in lines_of(status))


def test_what_waits_for_people_needs_attention() -> None:
    letter = ExceptionRecord("l", PLANT, "intake", "BAD_JSON", "", "s", "raw.s/0", 1, b"{", "", 1)
    quiet = replace(seen(position(), position(), S), stages={})
    nothing = status_of(quiet)
    assert not nothing.needs_attention
    assert any("needs somebody nothing" in line for line in lines_of(nothing))
    for waits in (
        replace(quiet, letters=[letter] * 2),
        replace(quiet, accounts=[account(code="LOT_MISSING", parked=3)]),
        replace(quiet, needs={PLANT: ["WIP_NEGATIVE"]}),
    ):
        assert status_of(waits).needs_attention
    found = status_of(replace(quiet, letters=[letter] * 2))
    (line,) = [line for line in lines_of(found) if "needs" in line]
    assert "2 dead letters (`lineledger exceptions`)" in line


def test_the_lag_of_the_books_is_shown_where_there_are_books() -> None:
    looked = seen(position(), position(), S)
    assert not any("books" in line for line in lines_of(status_of(looked)))
    found = status_of(replace(looked, books_lag=17))
    assert [line.split() for line in lines_of(found) if "books" in line] == [["books", "lag", "17"]]
    assert found.as_json()["books_lag"] == 17
