"""The ledger: when accounts become postings, what is parked and how it resumes, what a restart must not change."""

from dataclasses import replace
from typing import Any

import pytest

from schemas.records import (
    ConfigActivated,
    MaterialChanged,
    OperatorDecision,
    OrderChanged,
    OrderCompleted,
    Outcome,
    ScrapDeclared,
)
from tables.row_kinds import ORDER_ROWS
from tests.unit.streams.ledger_bench import CUT, Ledger, component, item, operation, released, total
from tests.unit.tables.floor_bench import HOUR, MIN, PLANT, at, configuration, event, pieces

T1, T2, T3 = at("07:00"), at("08:00"), at("09:00")


def ledger(*records: Any, rules: dict[str, Any] | None = None, **more: Any) -> Ledger:
    bench = Ledger(configuration(rules=rules, **more))
    bench.fold(*records)
    return bench


def amounts(postings: list[Any]) -> list[tuple[str, int, int]]:
    return [(posting.kind, posting.amount, posting.cumulative) for posting in postings]


# -- when


def test_at_the_shift_end_everything_up_to_it_is_posted_once() -> None:
    bench = ledger(released(T1), total("gross", 100, (1, 1), T1), total("scrap", 4, (1, 2), T1))
    assert bench.tick(T1) == []
    assert amounts(bench.tick(CUT)) == [("scrap", 4, 4), ("yield", 96, 96)]
    assert bench.tick(CUT + MIN) == []
    bench.check_conservation()


def test_nothing_labelled_after_the_cut_is_in_it() -> None:
    bench = ledger(released(T1), total("gross", 100, (1, 1), CUT), total("gross", 130, (1, 2), CUT + 1))
    assert amounts(bench.tick(CUT)) == [("yield", 100, 100)]
    assert amounts(bench.tick(at("22:00"))) == [("yield", 30, 130)]


def test_corrections_go_down_and_sequences_go_up() -> None:
    bench = ledger(released(T1), total("gross", 100, (1, 1), T1))
    bench.tick(CUT)
    bench.fold(total("gross", 90, (1, 2), CUT + MIN))
    bench.tick(CUT + MIN)
    assert amounts(bench.tick(at("22:00"))) == [("yield", -10, 90)]
    assert [posting.sequence for posting in bench.postings] == [1, 2]
    assert len({posting.posting_id for posting in bench.postings}) == 2
    assert len({posting.content_hash for posting in bench.postings}) == 2


def test_rounding_is_of_cumulative_quantities() -> None:
    """Three times a third of a kilogram are one kilogram, whenever each part is posted."""
    rules = {"consumption": [{"component": "*", "by": "meter"}], "post": [{"kind": "consumption", "when": ["every 1 h"]}]}
    bench = ledger(released(T1 - HOUR), rules=rules)
    for n in (1, 2, 3):
        third = total("consumption", n, (1, n), T1 + n * HOUR, denominator=3, unit="kg", material="PP", lot="R1")
        bench.fold(third)
        bench.tick(T1 + n * HOUR)
    assert amounts(bench.postings) == [("consumption", 333, 333), ("consumption", 334, 667), ("consumption", 333, 1000)]


def test_completion_posts_at_once_and_says_final() -> None:
    rules = {"post": [{"kind": "yield", "when": ["order_completed"], "at_least": "1000 PC"}]}
    bench = ledger(released(T1), total("gross", 100, (1, 1), T1), rules=rules)
    assert bench.tick(CUT) == []
    bench.fold(event(OrderCompleted, CUT, CUT + MIN, order="O1"))
    (posting,) = bench.tick(CUT + MIN)
    assert (posting.amount, posting.final) == (100, True)


def test_the_end_of_recorded_input_posts_what_a_minimum_held_back() -> None:
    rules = {"post": [{"kind": "yield", "when": ["shift_end"], "at_least": "1000 PC"}]}
    bench = ledger(released(T1), total("gross", 100, (1, 1), T1), rules=rules)
    assert bench.tick(CUT) == []
    assert amounts(bench.tick(at("22:00"), final=True)) == [("yield", 100, 100)]


def test_the_most_specific_rule_decides() -> None:
    rules = {"post": [{"kind": "yield", "when": ["shift_end"]}, {"kind": "yield", "material": "4711", "when": ["every 50 PC"]}]}
    bench = ledger(released(T1), total("gross", 60, (1, 1), T1), rules=rules)
    (posting,) = bench.tick(T1)
    assert posting.rule.startswith("yield at every 50")


def test_kinds_without_a_rule_are_never_posted() -> None:
    bench = ledger(released(T1), total("gross", 60, (1, 1), T1), rules={"post": [{"kind": "scrap", "when": ["shift_end"]}]})
    assert bench.tick(CUT) == []
    bench.check_conservation()


def test_scrap_before_its_counts_waits_with_a_negative_yield() -> None:
    bench = ledger(released(T1), total("scrap", 5, (1, 1), T1))
    assert amounts(bench.tick(CUT)) == []
    assert bench.account("yield").target == -5
    bench.fold(total("gross", 20, (1, 2), CUT + MIN))
    assert amounts(bench.tick(at("22:00"))) == [("scrap", 5, 5), ("yield", 15, 15)]


def test_scrap_of_an_operation_that_counts_good_pieces_lowers_no_yield_on_any_day() -> None:
    """It came on a day without counts, and before anybody knew what the operation counts."""
    early = {"business_date": "2026-11-19"}
    bench = ledger(released(T1), total("scrap", 5, (1, 1), T1, **early))
    bench.tick(CUT)
    assert bench.account("yield", business_date="2026-11-19").target == -5
    bench.fold(total("good", 20, (1, 2), CUT + MIN, authority="counters"))
    bench.tick(at("22:00"))
    assert bench.account("yield", business_date="2026-11-19").target == 0
    assert bench.account("yield", business_date="2026-11-20").target == 20
    bench.restart()
    assert bench.account("yield", business_date="2026-11-19").target == 0


def test_late_scrap_corrects_the_yield_of_its_business_date() -> None:
    bench = ledger(released(T1), total("gross", 100, (1, 1), T1))
    bench.tick(CUT)
    scrap = event(ScrapDeclared, T2, CUT + MIN, order="O1", operation="10", material="4711", lot="L1", quantity=pieces(6))
    bench.fold(scrap, scrap)
    bench.tick(CUT + MIN)
    late = bench.tick(at("22:00"))
    assert amounts(late) == [("scrap", 6, 6), ("yield", -6, 94)]
    assert {posting.business_date for posting in late} == {"2026-11-20"}


def test_versions_decide_not_arrival() -> None:
    bench = ledger(released(T1), total("gross", 120, (1, 9), T2), total("gross", 100, (1, 5), T3))
    assert amounts(bench.tick(CUT)) == [("yield", 120, 120)]


def test_two_sources_of_one_account_add_up() -> None:
    bench = ledger(
        released(T1), total("gross", 60, (1, 1), T1), total("gross", 30, (1, 1), T1, source_key="M2|A|gross", equipment="M2")
    )
    assert amounts(bench.tick(CUT)) == [("yield", 90, 90)]


# -- operations


@pytest.mark.parametrize(
    ("booking", "confirms", "posted"),
    [
        ("each", ("each", "each", "each"), ["10", "20", "30"]),
        ("each", ("each", "milestone", "each"), ["20", "30"]),
        ("each", ("none", "each", "each"), ["20", "30"]),
        ("each", ("milestone", "milestone", "each"), ["10", "20", "30"]),
        ("each", ("milestone", "each", "milestone"), ["10", "30"]),
        ("each", ("none", "milestone", "each"), ["20", "30"]),
        ("milestones", ("each", "milestone", "each"), ["20", "30"]),
        ("last", ("each", "milestone", "each"), ["30"]),
    ],
)
def test_milestones_confirm_what_went_before(booking: str, confirms: tuple[str, ...], posted: list[str]) -> None:
    operations = [operation(f"{n}0", receipt=n == 3, confirm=confirm) for n, confirm in enumerate(confirms, 1)]
    totals = [total("gross", 10, (1, n), T1, operation=f"{n}0", source_key=f"M{n}") for n in (1, 2, 3)]
    bench = ledger(released(T1, operations=operations), *totals, erp={"book": {"yield": {"operations": booking}}})
    bench.tick(CUT)
    assert [posting.operation for posting in bench.postings] == posted
    bench.check_conservation()


@pytest.mark.parametrize("confirm", ["each", "none"])
def test_all_that_a_confirmation_is_goes_with_the_milestone(confirm: str) -> None:
    """Scrap and times of a covered operation are not sent; what it consumed is."""
    operations = [operation("10", False, confirm=confirm), operation("20", confirm="milestone")]
    told = [
        total("gross", 10, (1, 1), T1),
        total("scrap", 2, (1, 2), T1),
        total("machine_time", 60_000, (1, 3), T1, unit="ms", material=""),
        total("consumption", 3, (1, 4), T1, unit="kg", material="PP", authority="declarations"),
        total("gross", 8, (1, 5), T1, operation="20", source_key="M2"),
    ]
    posts = [{"kind": kind, "when": "shift_end"} for kind in ("yield", "scrap", "machine_time", "consumption")]
    bench = ledger(released(T1, operations=operations), *told, rules={"post": posts})
    assert sorted((one.kind, one.operation) for one in bench.tick(CUT)) == [("consumption", "10"), ("yield", "20")]
    bench.check_conservation()


@pytest.mark.parametrize(("percent", "allowed"), [("0", 1000), ("5", 1050), ("unlimited", 1200)])
def test_over_delivery_parks_the_excess_only(percent: str, allowed: int) -> None:
    bench = ledger(released(T1, items=[item(over_delivery=percent)]), total("gross", 1200, (1, 1), T1))
    bench.tick(CUT)
    row = bench.account("yield")
    assert (row.posted, row.parked, row.code) == (allowed, 1200 - allowed, "OVER_DELIVERY" if allowed < 1200 else "")
    bench.check_conservation()


def test_over_delivery_counts_all_lots_and_days_of_the_item() -> None:
    bench = ledger(released(T1), total("gross", 700, (1, 1), T1), total("gross", 700, (1, 2), T1, lot="L2"))
    bench.tick(CUT)
    assert sum(posting.amount for posting in bench.postings) == 1000
    assert sorted(row.parked for row in bench.accounts().values()) == [0, 400]
    bench.fold(released(CUT + MIN, OrderChanged, change_number="2", items=[item(quantity=2000)]))
    bench.tick(at("22:00"))
    assert sum(posting.amount for posting in bench.postings) == 1400, "a larger order lets the excess through"


def test_the_excess_is_what_was_made_last() -> None:
    """Lot A2 was made after Z1; its name comes first, and its totals came first."""
    late, early = (
        total("gross", 30, (1, 1), T1, lot="A2", first_at=T1),
        total("gross", 980, (1, 2), T1, lot="Z1", first_at=T1 - MIN),
    )
    bench = ledger(released(T1), late, early)
    bench.tick(CUT)
    assert {row.lot: (row.posted, row.parked) for row in bench.accounts().values()} == {"Z1": (980, 0), "A2": (20, 10)}
    bench.check_conservation()


def test_what_was_made_before_has_its_room_although_it_is_not_due() -> None:
    late, early = (
        total("gross", 300, (1, 1), T1, lot="A2", first_at=T1),
        total("gross", 980, (1, 2), T1, lot="Z1", first_at=T1 - MIN),
    )
    bench = ledger(released(T1, items=[item(batch_managed=True)]), late, replace(early, lot=""))
    bench.tick(CUT)
    assert {row.lot: (row.posted, row.code) for row in bench.accounts().values()} == {
        "": (0, "LOT_MISSING"),
        "A2": (20, "OVER_DELIVERY"),
    }


def test_an_operator_lets_the_excess_through() -> None:
    bench = ledger(released(T1), total("gross", 1200, (1, 1), T1))
    bench.tick(CUT)
    who = {"account": "", "code": "OVER_DELIVERY", "decision": "post", "who": "lead", "why": "the customer takes it"}
    bench.fold(event(OperatorDecision, CUT, CUT + MIN, order="O1", **who))
    bench.tick(CUT + MIN)
    assert amounts(bench.tick(at("22:00"))) == [("yield", 200, 1200)]


# -- consumption

USED = {"authority": "declarations", "unit": "kg", "denominator": 1000, "material": "PP", "lot": "R1"}
MODES = {"post": [{"kind": "consumption", "when": ["shift_end"]}]}


@pytest.mark.parametrize(
    ("mode", "posted"), [("declared", 30), ("metered", 40), ("erp_backflush", None), ("ledger_backflush", 1000)]
)
def test_one_mode_per_component(mode: str, posted: int | None) -> None:
    """0.1 kg for each of 10 pieces; somebody declared 30 g, the meter says 40 g."""
    meter = {**USED, "authority": "counters", "source_key": "meter"}
    bench = ledger(
        released(T1, components=[component(mode=mode)]),
        total("gross", 10, (1, 1), T1),
        total("consumption", 30, (1, 2), T1, **{**USED, "lot": ""}),
        total("consumption", 40, (1, 3), T1, **{**meter, "lot": ""}),
        rules=MODES,
    )
    bench.tick(CUT)
    assert [posting.amount for posting in bench.postings] == ([posted] if posted is not None else [])


def test_backflush_follows_the_loaded_lots_across_a_changeover() -> None:
    def made(pieces_: int, lot: str, version: int, label: int) -> Any:
        loaded = {"position": "", "component_material": "PP", "component_lot": lot, "source_key": f"basis|{lot}"}
        return total("basis", pieces_, (1, version), label, **loaded)

    bench = ledger(released(T1, components=[component(mode="ledger_backflush")]), rules=MODES)
    bench.fold(total("gross", 100, (1, 1), T1), made(60, "R1", 1, T1), made(30, "R2", 1, T1))
    bench.tick(CUT)
    used = {posting.lot: posting.amount for posting in bench.postings}
    assert used == {"R1": 6000, "R2": 3000, "": 1000}, "what no loaded lot covers has none"
    bench.fold(made(30, "R1", 2, CUT + MIN), made(70, "R2", 2, CUT + MIN))
    bench.tick(at("22:00"))
    later = {posting.lot: posting.amount for posting in bench.postings[3:]}
    assert later == {"R1": -3000, "R2": 4000, "": -1000}, "the changeover was an hour earlier"
    bench.check_conservation()


def test_backflush_gives_each_component_its_own_lot() -> None:
    """Two materials whose lots have the same number, loaded at two positions."""
    parts = [
        component("PP", "ledger_backflush", position="hopper"),
        component("MB", "ledger_backflush", item="20", position="dosing"),
    ]
    bench = ledger(released(T1, components=parts), total("gross", 10, (1, 1), T1), rules=MODES)
    for material, position in (("PP", "hopper"), ("MB", "dosing")):
        loaded = {"position": position, "component_material": material, "component_lot": "R1", "source_key": f"basis|{position}"}
        bench.fold(total("basis", 10, (1, 1), T1, **loaded))
    bench.tick(CUT)
    assert [(one.material, one.lot, one.amount) for one in bench.postings] == [("MB", "R1", 1000), ("PP", "R1", 1000)]


def test_accounts_of_two_materials_with_one_lot_number_are_two() -> None:
    nests = [item("4711"), item("4712")]
    bench = ledger(released(T1, items=nests), total("gross", 10, (1, 1), T1), total("gross", 7, (1, 2), T1, material="4712"))
    bench.tick(CUT)
    assert [(one.material, one.lot, one.amount) for one in bench.postings] == [("4711", "L1", 10), ("4712", "L1", 7)]


def test_backflush_waits_for_the_order_and_then_follows() -> None:
    bench = ledger(total("gross", 10, (1, 1), T1), rules=MODES)
    assert bench.tick(CUT) == []
    bench.fold(released(CUT + MIN, components=[component(mode="ledger_backflush")]))
    assert amounts(bench.tick(at("22:00"))) == [("consumption", 1000, 1000)]


# -- the log and restarts


def test_a_restart_at_any_point_changes_nothing() -> None:
    def run(restarts: set[int]) -> list[tuple[str, str, int]]:
        bench, n = ledger(released(T1)), 0
        for number, now in enumerate((T1, T2, CUT, CUT + MIN, at("22:00"))):
            for step in (total("gross", 10 * (number + 1), (1, number), now), total("scrap", number, (1, number), now)):
                if n in restarts:
                    bench.restart()
                bench.fold(step)
                n += 1
            bench.tick(now)
        return [(posting.posting_id, posting.content_hash, posting.amount) for posting in bench.postings]

    plain = run(set())
    assert len(plain) == 4
    for n in range(10):
        assert run({n}) == plain
    assert run(set(range(10))) == plain


def test_outcomes_change_the_status_only() -> None:
    bench = ledger(released(T1), total("gross", 10, (1, 1), T1))
    (posting,) = bench.tick(CUT)
    said = {"posting_id": posting.posting_id, "account": posting.account, "inbox_offset": 1}
    bench.fold(Outcome(PLANT, "O1", status="accepted", erp_document="88/1", **said))
    bench.fold(Outcome(PLANT, "O1", status="rejected", code="LATE", **said))
    row = bench.account("yield")
    assert [(entry.status, entry.erp_document) for entry in row.issued] == [("accepted", "88/1")], "accepted is absorbing"
    assert row.posted == 10
    assert bench.tick(at("22:00")) == []


def test_a_new_configuration_holds_from_its_time() -> None:
    before = configuration(rules={"post": [{"kind": "yield", "when": ["shift_end"]}]})
    after = configuration(rules={"post": [{"kind": "yield", "when": ["every 10 PC"]}]})
    bench = Ledger(before, after)
    bench.fold(ConfigActivated(PLANT, after.hash, T2, "intake"))
    assert [record.hash for record in bench.step.take("delivery.inbox")] == [before.hash, after.hash]
    bench.fold(released(T1), total("gross", 20, (1, 1), T1))
    assert bench.tick(T1) == []
    assert bench.tick(T2) == []
    bench.fold(total("gross", 30, (1, 2), T3))
    (posting,) = bench.tick(T3)
    assert (posting.amount, posting.rule_version) == (30, after.rule_version)


def test_bad_conversions_of_master_data_are_refused_and_change_nothing() -> None:
    bad = {"unit": "PC", "decimals": 0, "batch_managed": False, "conversions": ["1 BOX = none"]}
    bench = ledger(released(T1), event(MaterialChanged, T1, T1, material="4711", **bad), total("gross", 5, label=T1))
    assert amounts(bench.tick(CUT)) == [("yield", 5, 5)]
    (refused,) = bench.step.take("exceptions")
    assert refused.code == "BAD_UNIT"


def test_the_newest_version_waits_even_when_an_older_one_is_repeated() -> None:
    bench = ledger(released(T1), total("gross", 120, (1, 9), T2), total("gross", 100, (1, 5), T2))
    assert amounts(bench.tick(CUT)) == [("yield", 120, 120)]


@pytest.mark.parametrize("ids", [("a", "b"), ("b", "a")])
def test_of_two_changes_in_one_record_the_later_element_holds(ids: tuple[str, str]) -> None:
    """Neither has a change number, and their ids say nothing of their order."""
    ledger = Ledger()
    ledger.fold(released(at("08:00")))
    ledger.tick(at("08:00"))
    for event_id, quantity in zip(ids, (100, 200), strict=True):
        change = released(at("08:01"), OrderChanged, items=[item(quantity=quantity)])
        ledger.fold(replace(change, event_id=event_id, raw_offset=77))
    ledger.tick(at("08:02"))
    row = ledger.step.rows.get(ORDER_ROWS.key(PLANT, "O1"))
    assert row.items[0].quantity.amount == 200
