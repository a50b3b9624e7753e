"""Posting rules at work: sweeps, minimum, at once, corrections, technically complete orders, decisions."""

from typing import Any

import pytest

from schemas.records import (
    MaterialChanged,
    OperatorDecision,
    OrderChanged,
    OrderClosed,
    OrderCompleted,
    Outcome,
    QualityState,
    ScrapDeclared,
)
from tables.row_kinds import ACCOUNT_ROWS, ORDER_ROWS
from tests.unit.streams.ledger_bench import CUT, Ledger, component, item, released, total
from tests.unit.tables.floor_bench import HOUR, MIN, PLANT, at, configuration, event, pieces

T1, T2, T3, EVENING = at("07:00"), at("08:00"), at("09:00"), at("22:00")


def ledger(*records: Any, rules: dict[str, Any] | None = None, **more: Any) -> Ledger:
    bench = Ledger(configuration(rules=rules, **more))
    bench.fold(*records)
    return bench


def amounts(postings: list[Any]) -> list[tuple[str, int, int]]:
    return [(posting.kind, posting.amount, posting.cumulative) for posting in postings]


def yields(when: str, **fields: Any) -> dict[str, Any]:
    return {"post": [{"kind": "yield", "when": when, **fields}]}


# -- when


def test_a_sweep_takes_what_the_minimum_held_back() -> None:
    rules = {**yields("every 30 min", at_least="1000 PC"), "sweep_every": "4 h"}
    bench = ledger(released(T1), total("gross", 100, (1, 1), T1), rules=rules)
    assert [amounts(bench.tick(moment)) for moment in (T1, at("07:30"), T2)] == [[], [], [("yield", 100, 100)]]


@pytest.mark.parametrize("step", [MIN, 7 * MIN, 3 * HOUR])
def test_a_sweep_between_two_ticks_is_not_missed(step: int) -> None:
    rules = {**yields("every 30 min", at_least="1000 PC"), "sweep_every": "4 h"}
    bench = ledger(released(T1), total("gross", 100, (1, 1), T1), rules=rules)
    for moment in range(T1, T2 + step + 1, step):
        bench.tick(moment)
    assert amounts(bench.postings) == [("yield", 100, 100)]


def test_one_large_declaration_is_posted_at_once_many_small_ones_are_not() -> None:
    rules = {"post": [{"kind": "scrap", "when": ["shift_end", "above 200 PC at once"]}]}
    bench = ledger(released(T1), total("gross", 900, (1, 1), T1), rules=rules)
    for n in range(1, 6):
        bench.fold(total("scrap", 100 * n, (1, n), T1 + n * MIN))
        assert bench.tick(T1 + n * MIN) == []
    bench.fold(total("scrap", 701, (1, 6), T2))
    assert amounts(bench.tick(T2)) == [("scrap", 701, 701)]
    bench.fold(total("scrap", 702, (1, 7), T3))
    assert bench.tick(T3) == [], "what was urgent has gone"


def test_what_was_urgent_while_it_was_parked_goes_when_it_resumes_after_a_restart() -> None:
    rules = {"post": [{"kind": "scrap", "when": "above 200 PC at once"}]}
    bench = ledger(total("gross", 900, (1, 1), T1), total("scrap", 500, (1, 1), T1), rules=rules)
    assert bench.tick(T1) == []
    bench.restart()
    bench.fold(released(T2))
    assert amounts(bench.tick(T2)) == [("scrap", 500, 500)]


def test_a_take_over_finds_what_is_due() -> None:
    bench = ledger(released(T1), total("gross", 10, (1, 1), T1))
    bench.tick(T1)
    bench.restart()
    assert amounts(bench.tick(CUT)) == [("yield", 10, 10)]


def test_rules_by_order_type() -> None:
    rules = {"post": [{"kind": "yield", "when": "shift_end"}, {"kind": "yield", "order_type": "PP02", "when": "order_completed"}]}
    bench = ledger(released(T1, order_type="PP02"), total("gross", 10, (1, 1), T1), rules=rules)
    assert bench.tick(CUT) == []
    bench.fold(event(OrderCompleted, CUT, CUT + MIN, order="O1"))
    assert amounts(bench.tick(CUT + MIN)) == [("yield", 10, 10)]


# -- corrections


@pytest.mark.parametrize(
    ("corrections", "target", "expected"),
    [
        ("net", 95, [(-15, 95, "")]),
        ("net", 120, [(10, 120, "")]),
        ("reversal", 120, [(10, 120, "")]),
        ("reversal", 95, [(-30, 80, "#3"), (15, 95, "")]),
        ("reversal", 80, [(-30, 80, "#3")]),
        ("reversal", 30, [(-30, 80, "#3"), (-40, 40, "#2"), (-40, 0, "#1"), (30, 30, "")]),
        ("reversal", 0, [(-30, 80, "#3"), (-40, 40, "#2"), (-40, 0, "#1")]),
    ],
)
def test_corrections(corrections: str, target: int, expected: list[tuple[int, int, str]]) -> None:
    """Posted so far: 40, 40 and 30."""
    bench = ledger(released(T1 - HOUR), rules=yields("every 1 h", corrections=corrections))
    for n, amount in enumerate((40, 80, 110)):
        bench.fold(total("gross", amount, (1, n), T1 + n * HOUR))
        bench.tick(T1 + n * HOUR)
    names = {posting.posting_id: f"#{posting.sequence}" for posting in bench.postings} | {"": ""}
    bench.fold(total("gross", target, (1, 9), CUT))
    made = bench.tick(CUT)
    assert [(posting.amount, posting.cumulative, names[posting.reverses]) for posting in made] == expected
    assert len({posting.posting_id for posting in bench.postings}) == 3 + len(expected)
    bench.check_conservation()


def test_a_reversed_posting_is_not_reversed_again() -> None:
    bench = ledger(released(T1 - HOUR), rules=yields("every 1 h", corrections="reversal"))
    for n, amount in enumerate((40, 100, 90, 80, 35)):
        bench.fold(total("gross", amount, (1, n), T1 + n * HOUR))
        bench.tick(T1 + n * HOUR)
    assert [posting.amount for posting in bench.postings] == [40, 60, -60, 50, -50, 40, -40, -40, 35]
    taken = [posting.reverses for posting in bench.postings if posting.reverses]
    assert len(taken) == len(set(taken))


# -- over-delivery


def test_a_posting_that_shrinks_frees_what_was_parked() -> None:
    bench = ledger(released(T1), total("gross", 1000, (1, 1), T1), total("gross", 400, (1, 2), T1, lot="L2"))
    bench.tick(CUT)
    assert bench.account("yield", lot="L2").parked == 400
    bench.fold(total("gross", 900, (1, 3), CUT + MIN))
    assert amounts(bench.tick(CUT + MIN)) == []
    assert amounts(bench.tick(EVENING)) == [("yield", -100, 900), ("yield", 100, 100)]
    assert bench.account("yield", lot="L2").parked == 300
    bench.check_conservation()


# -- technically complete


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("post_corrections", [("yield", 5, 105), ("yield", 3, 3)]),
        ("post", [("yield", 5, 105), ("yield", 7, 7), ("yield", 3, 3)]),
        ("park", []),
    ],
)
def test_technically_complete_takes_what_was_made_before(answer: str, expected: list[tuple[str, int, int]]) -> None:
    """100 pieces were posted; 5 more of before are told late, and 3 of a lot that nobody had told of; 7 are made afterwards, as
    another lot."""
    bench = ledger(released(T1), total("gross", 100, (1, 1), T1, first_at=T1), rules={"order": {"technically_completed": answer}})
    bench.tick(CUT)
    bench.fold(
        event(OrderClosed, CUT, CUT + MIN, order="O1", status="technically_complete"),
        total("gross", 105, (1, 2), CUT + MIN, first_at=T1),
        total("gross", 7, (1, 3), CUT + HOUR, lot="L2", first_at=CUT + 30 * MIN),
        total("gross", 3, (1, 4), CUT + HOUR, lot="L3", first_at=T2),
    )
    bench.tick(CUT + MIN)
    bench.tick(CUT + HOUR)
    assert amounts(bench.tick(EVENING)) == expected
    parked = {row.lot for row in bench.accounts().values() if row.code == "ORDER_TECHNICALLY_COMPLETE"}
    assert parked == {"post_corrections": {"L2"}, "post": set(), "park": {"L1", "L2", "L3"}}[answer]
    bench.check_conservation()


def test_a_technically_complete_order_has_no_reservations() -> None:
    used = {"authority": "declarations", "unit": "kg", "material": "PP", "lot": "R1"}
    bench = ledger(released(T1), total("consumption", 5, (1, 1), T1, **used))
    assert [posting.reservation_item for posting in bench.tick(CUT)] == ["0010"]
    bench.fold(event(OrderClosed, CUT, CUT + MIN, order="O1", status="technically_complete"))
    bench.fold(total("consumption", 8, (1, 2), CUT + MIN, **used))
    bench.tick(CUT + MIN)
    assert [(posting.amount, posting.reservation_item) for posting in bench.tick(EVENING)] == [(3000, "")]
    twice = [component("PP", item="10"), component("PP", item="20")]
    bench.fold(released(EVENING + MIN, OrderChanged, change_number="2", status="technically_complete", components=twice))
    bench.fold(total("consumption", 500, (1, 3), EVENING + MIN, **used))
    bench.tick(EVENING + MIN)
    assert [(posting.amount, posting.reservation_item) for posting in bench.tick(at("06:00", 21))] == [(492_000, "")]


# -- decisions


def decided(code: str, decision: str, label: int, account: str = "", why: str = "agreed") -> OperatorDecision:
    return event(OperatorDecision, label, label, order="O1", account=account, code=code, decision=decision, who="h:1", why=why)


def test_a_decision_is_kept_with_who_when_and_why() -> None:
    bench = ledger(released(T1), total("gross", 1200, (1, 1), T1))
    bench.tick(CUT)
    bench.fold(decided("OVER_DELIVERY", "post", CUT + MIN, why="the customer takes it"))
    bench.tick(CUT + MIN)
    (kept,) = bench.account("yield").decisions
    assert (kept.code, kept.decision, kept.who, kept.why, kept.at) == (
        *("OVER_DELIVERY", "post", "h:1", "the customer takes it"),
        CUT + MIN,
    )


def test_a_person_lets_one_problem_pass_and_not_the_next() -> None:
    bench = ledger(released(T1, items=[item(quantity=5, batch_managed=True)]), total("gross", 8, (1, 1), T1, lot=""))
    bench.tick(CUT)
    assert bench.codes() == {"yield": "LOT_MISSING"}
    bench.fold(decided("LOT_MISSING", "post", CUT + MIN))
    bench.tick(CUT + MIN)
    assert amounts(bench.tick(EVENING)) == [("yield", 5, 5)]
    assert bench.codes() == {"yield": "OVER_DELIVERY"}


def test_what_is_dropped_stays_parked_and_retry_takes_a_decision_back() -> None:
    bench = ledger(released(T1), total("gross", 1200, (1, 1), T1))
    bench.tick(CUT)
    row = bench.account("yield")
    for decision, dropped, parked in (("drop", True, 200), ("retry", False, 200), ("post", False, 0), ("retry", False, 0)):
        now = bench.step.state.clocks[next(iter(bench.step.state.clocks))] + MIN
        bench.fold(decided("OVER_DELIVERY", decision, now))
        bench.tick(now)
        bench.tick(at("22:00") if decision == "post" else now)
        assert (row.dropped, row.parked) == (dropped, parked), decision
    assert row.posted == 1200, "what was posted by decision stays posted"
    assert [one.decision for one in row.decisions] == ["drop", "retry", "post", "retry"]


def test_a_decision_for_one_account_leaves_the_others() -> None:
    bench = ledger(released(T1, items=[item(batch_managed=True)]))
    bench.fold(*(total("gross", 5, (1, n), T1, lot="", operation=name) for n, name in enumerate(("10", "20"))))
    bench.fold(released(T1, change_number="1", cls=OrderChanged, items=[item(batch_managed=True)]))
    bench.tick(CUT)
    first = next(key[2:] for key, row in bench.accounts().items() if row.operation == "10")
    bench.fold(decided("LOT_MISSING", "post", CUT + MIN, account=first))
    bench.tick(CUT + MIN)
    assert sorted(row.code for row in bench.accounts().values()) == ["", "UNKNOWN_OPERATION"]


def test_a_decision_about_nothing_is_refused() -> None:
    bench = ledger(released(T1), total("gross", 10, (1, 1), T1), decided("LOT_MISSING", "post", T1))
    bench.tick(T1)
    (refused,) = bench.step.take("exceptions")
    assert refused.code == "NOTHING_PARKED"


# -- what costs what


def test_a_quality_state_touches_its_order_only() -> None:
    bench = ledger(released(T1), released(T1, order="O2"))
    bench.fold(QualityState(PLANT, "4711", "L1", True, ["H"], T1, 1, "O2"))
    bench.tick(T1)
    held = {row.order: row.held_lots for _, row in bench.step.rows.scan(ORDER_ROWS.prefix)}
    assert held == {"O1": [], "O2": ["4711|L1"]}


def test_a_material_touches_its_accounts_only(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = ledger(released(T1), *(total("gross", 5, (1, n), T1, order=f"X{n}", material=f"M{n}") for n in range(50)))
    bench.tick(T1)
    read: list[str] = []
    rows = bench.step.rows
    monkeypatch.setattr(type(rows), "get", lambda self, key: (read.append(key), self.rows.get(key))[1])
    bench.fold(event(MaterialChanged, T2, T2, material="M7", unit="PC", decimals=0, batch_managed=False))
    bench.tick(T2)
    assert {key for key in read if ACCOUNT_ROWS.has(key)} == {ACCOUNT_ROWS.key("P|X7|10|M7|L1|yield|||2026-11-20")}


def test_a_tick_costs_what_is_due_not_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = {"post": [{"kind": "yield", "when": "shift_end"}, {"kind": "yield", "material": "M7", "when": "every 1 h"}]}
    made = [total("gross", 5, (1, n), T1, order=f"X{n}", material=f"M{n}") for n in range(50)]
    bench = ledger(*(released(T1, order=f"X{n}", items=[item(f"M{n}")]) for n in range(50)), *made, rules=rules)
    bench.tick(T1 - MIN)
    bench.tick(T1 + MIN)
    read: list[str] = []
    rows = bench.step.rows
    monkeypatch.setattr(type(rows), "get", lambda self, key: (read.append(key), self.rows.get(key))[1])
    assert [posting.order for posting in bench.tick(T2)] == ["X7"]
    assert {key for key in read if ACCOUNT_ROWS.has(key)} == {ACCOUNT_ROWS.key("P|X7|10|M7|L1|yield|||2026-11-20")}


def test_a_replaced_posting_keeps_its_place_in_the_account() -> None:
    bench = ledger(released(T1), total("gross", 10, (1, 1), T1))
    (posting,) = bench.tick(CUT)
    said = {"posting_id": posting.posting_id, "account": posting.account, "inbox_offset": 1, "code": "PERIOD_CLOSED"}
    bench.fold(Outcome(PLANT, "O1", status="rejected", replaced_by="NEW", posting_date="2026-12-01", **said))
    bench.fold(Outcome(PLANT, "O1", posting.account, "NEW", "accepted", 2, erp_document="D1"))
    (kept,) = bench.account("yield").issued
    assert (kept.posting_id, kept.replaced_ids, kept.posting_date) == ("NEW", [posting.posting_id], "2026-12-01")
    assert (kept.status, kept.erp_document) == ("accepted", "D1")


def test_scrap_without_order_at_the_machine_keeps_its_reason() -> None:
    scrap = event(ScrapDeclared, T1, T1, order="O1", operation="10", material="4711", lot="L1", quantity=pieces(6), reason="burn")
    bench = ledger(released(T1), total("gross", 20, (1, 1), T1), scrap)
    assert amounts(bench.tick(CUT)) == [("scrap", 6, 6), ("yield", 14, 14)]
    assert bench.postings[0].reason == "burn"


def test_components_of_one_need_have_their_own_accounts() -> None:
    parts = [component("PP"), component("MB", item="0020")]
    bench = ledger(released(T1, components=parts))
    used = {"authority": "declarations", "unit": "kg"}
    bench.fold(*(total("consumption", 5, (1, 1), T1, material=name, lot="R1", **used) for name in ("PP", "MB")))
    assert [(one.material, one.reservation_item) for one in bench.tick(CUT)] == [("MB", "0020"), ("PP", "0010")]


# -- how erp.yaml says that a kind is booked


def test_a_kind_that_is_booked_by_nothing_is_recorded_and_never_posted() -> None:
    """The other kinds go on as before; scrap still lowers the yield."""

    def posted(by: str) -> dict[str, int]:
        bench = Ledger(configuration(erp={"erp": {"adapter": "sim"}, "book": {"scrap": {"by": by}}}))
        bench.fold(released(T1), total("gross", 100, (1, 1), T1), total("scrap", 8, (1, 2), T1, reason="burr"))
        bench.tick(T1)
        made = {posting.kind: posting.amount for posting in bench.tick(CUT)}
        assert bench.account("scrap").target == 8
        bench.check_conservation()
        return made

    assert posted("confirmation") == {"yield": 92, "scrap": 8}
    assert posted("none") == {"yield": 92}


@pytest.mark.parametrize(
    ("reservation", "item", "expected", "code"),
    [
        ("optional", "0010", [(5000, "0010")], ""),
        ("required", "0010", [(5000, "0010")], ""),
        ("none", "0010", [(5000, "")], ""),
        ("optional", "", [(5000, "")], ""),
        ("required", "", [], "RESERVATION_MISSING"),
        ("none", "", [(5000, "")], ""),
    ],
)
def test_issues_reduce_reservations_as_erp_yaml_says(reservation: str, item: str, expected: list[Any], code: str) -> None:
    bench = Ledger(configuration(erp={"book": {"consumption": {"by": "goods_movement", "reservation": reservation}}}))
    used = total("consumption", 5, (1, 1), T1, authority="declarations", unit="kg", material="PP", lot="R1")
    bench.fold(released(T1, components=[component("PP", item=item)]), used)
    bench.tick(T1)
    assert [(posting.amount, posting.reservation_item) for posting in bench.tick(CUT)] == expected
    assert bench.account("consumption").code == code
