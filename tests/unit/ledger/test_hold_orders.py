"""What `lineledger hold` writes is, once folded, what it said it would change."""

import itertools
import json
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.ledger.books.snapshot import Snapshot
from app.ledger.questions.genealogy import Genealogy, LotName
from app.ledger.questions.hold_lines import change_lines, list_lines, show_lines
from app.ledger.questions.holds import HoldOrder, Planned, effects, held_below, origins, planned, unheard_of
from streams.mapping import Operators, RawRecord, compile_source
from tables.refusal import Refusal
from tests.unit.ledger.test_reconciliation import books, yields
from tests.unit.streams.quality_bench import MATERIAL, Bench, configuration, edge, lot_state, placed, posting
from tests.unit.streams.test_lots import Lots

CONFIG = configuration()
_lines = itertools.count()
ORDER = HoldOrder("place", "8D-17", "hash", "bubbles", 90, 80, correlation_id="C9")


def name(lot: str) -> LotName:
    return LotName(MATERIAL, lot)


def graph_of(bench: Lots) -> Genealogy:
    return Genealogy(snapshot(bench))


def snapshot(bench: Lots, delivery: Bench | None = None) -> Snapshot:
    sent = {} if delivery is None else dict(delivery.step.rows.scan(""))
    return Snapshot({"lots": dict(bench.step.rows.scan("")), "delivery": sent, "orders": {}}, [], CONFIG, {"live": True})


def operators() -> Operators:
    source = {"read": {"topic": "raw.p.operators", "format": "replay"}}
    plant = configuration(plant={"sources": {"operators": source}}).plant
    found = compile_source("operators", plant.sources["operators"], plant)
    assert isinstance(found, Operators)
    return found


def carried_out(bench: Lots, order: HoldOrder, *lots: str) -> list[tuple[str, tuple[str, ...]]]:
    """Order it and fold it; what the command said of each lot, which is then so."""
    graph = graph_of(bench)
    plan = planned(graph, order, [name(lot) for lot in lots])
    assert isinstance(plan, Planned), plan
    said = effects(graph, order, plan.targets)
    for text in plan.lines:
        (record,) = operators().map(RawRecord(text.encode(), "operators", "raw.p.operators/0", next(_lines), order.at))
        bench.fold(record)
    bench.settle()
    for change in said:
        assert bench.holds(change.name.lot) == change.after.holds
    return [(change.name.lot, change.after.holds) for change in said]


def test_an_order_does_what_it_said() -> None:
    bench = Lots()
    bench.fold(edge("A", "B"), edge("B", "C"), edge("X", "C"), placed("X", "H2", 7))
    bench.settle()
    held = ("8D-17",)
    assert carried_out(bench, ORDER, "A") == [("A", held), ("B", held), ("C", ("8D-17", "H2"))]
    assert carried_out(bench, replace(ORDER, change="exempt"), "B") == [("B", ())]
    assert (bench.holds("A"), bench.holds("C")) == (held, ("8D-17", "H2"))
    assert held_below(graph_of(bench), "8D-17", [name("A")]) == [name("A"), name("C")]
    assert carried_out(bench, replace(ORDER, change="revoke"), "B") == [("B", held)]
    assert origins(graph_of(bench), "8D-17") == [name("A")]
    freed = carried_out(bench, replace(ORDER, change="release"), "A")
    assert freed == [("A", ()), ("B", ()), ("C", ("H2",))]
    assert carried_out(bench, ORDER, "A")[0] == ("A", held), "placed again, with a version of its own"
    assert carried_out(bench, replace(ORDER, change="release"), "A")[0] == ("A", ())


def test_what_changes_nothing_is_said() -> None:
    bench = Lots()
    bench.fold(edge("A", "B"), placed("A", "H", 1))
    bench.settle()
    graph, order = graph_of(bench), replace(ORDER, hold="H")

    def left(change: str, lot: str) -> str:
        plan = planned(graph, replace(order, change=change), [name(lot)])
        assert isinstance(plan, Planned) and not plan.lines
        return plan.left[0]

    assert "has H already" in left("place", "A")
    assert "hold exempt" in left("release", "B"), "B inherited it"
    assert "is not exempted" in left("revoke", "B")
    assert "is not held by" in left("exempt", "Z")
    unknown = planned(graph, replace(order, change="release", hold="nobody"), [name("A")])
    judged = planned(graph, replace(order, hold="disposition:4711|A"), [name("A")])
    assert isinstance(unknown, Refusal) and unknown.code == "NOT_FOUND"
    assert isinstance(judged, Refusal) and judged.code == "DECISION_INVALID"
    assert planned(graph, order, [name("NEW")]) == replace_lines(graph, order, "NEW"), "a hold may come before its lot"


def replace_lines(graph: Genealogy, order: HoldOrder, lot: str) -> Any:
    plan = planned(graph, order, [name(lot)])
    assert isinstance(plan, Planned)
    ((told,),) = ([json.loads(text)["hold"] for text in plan.lines],)
    assert (told["lot"], told["version"], told["change"]) == (lot, 1, "place")
    return plan


def test_a_lot_is_named_alone_where_one_material_has_it() -> None:
    bench = Lots()
    bench.fold(edge("A", "B"))
    bench.settle()
    graph = graph_of(bench)
    assert graph.named("B") == name("B") and graph.named("9|Z") == LotName("9", "Z")
    assert isinstance(graph.named("Z"), Refusal)
    graph.rows[LotName("9", "B")] = graph.rows[name("A")]
    several = graph.named("B")
    assert isinstance(several, Refusal) and "4711|B" in several.detail and "9|B" in several.detail


def test_a_dry_run_lists_the_postings_that_it_would_stop() -> None:
    config = configuration(rules={"on_hold": {"consumption": "wait"}})
    delivery = Bench(config)
    for number, lot in enumerate("ABZ"):
        delivery.fold(posting(f"P{number}", lot=lot, kind="consumption" if lot == "B" else "yield", order=f"O{number}"))
    bench = Lots()
    bench.fold(edge("A", "B"))
    bench.settle()
    rows = snapshot(bench, delivery)
    rows.configuration = config
    graph = Genealogy(rows)
    found, lines = change_lines(rows, graph, ORDER, effects(graph, ORDER, [name("A")]))
    assert [one["lot"] for one in found["lots"]] == ["4711|A", "4711|B"]
    told = {one["posting"]: one["then"] for one in found["postings"]}
    assert told == {"P0": "into_blocked_stock", "P1": "wait"}
    assert "2 lots stop" in lines[0] and any("P1" in line and "wait" in line for line in lines)


def test_a_hold_is_shown_with_its_gates() -> None:
    bench, delivery = Lots(), Bench(CONFIG)
    bench.fold(edge("A", "B"))
    bench.settle()
    carried_out(bench, ORDER, "A")
    delivery.fold(replace(lot_state("A", True, 5, 95), holds=["8D-17"]))
    delivery.fold(posting("P1", lot="B"))
    rows = snapshot(bench, delivery)
    found, lines = show_lines(rows, "8D-17")
    assert [(one["lot"], one["gate"]) for one in found["lots"]] == [("4711|A", "closed"), ("4711|B", "open")]
    assert [one["posting"] for one in found["postings"]] == ["P1"]
    assert "holds 2 lots; delivery has closed the gate of 1" in lines
    (entry,), (line,) = list_lines(rows, False)
    assert (entry["who"], entry["why"], entry["correlation_id"], entry["lots"]) == ("hash", "bubbles", "C9", 2)
    assert "8D-17" in line and "bubbles" in line
    assert list_lines(rows, False, name("B"))[0] == [entry], "what it inherited is told where it was placed"
    assert show_lines(rows, "nobody")[0]["ok"] is False
    carried_out(bench, replace(ORDER, change="release"), "A")
    assert list_lines(snapshot(bench), False)[0] == []
    assert [one["state"] for one in list_lines(snapshot(bench), True)[0]] == ["released"]


STEPS = st.tuples(st.sampled_from(["place", "release", "exempt", "revoke"]), st.sampled_from("ABCD"), st.sampled_from("HK"))
EDGES = st.lists(st.tuples(st.sampled_from("ABCD"), st.sampled_from("ABCD")), max_size=6)


@settings(max_examples=100, deadline=None)
@given(EDGES, st.lists(STEPS, max_size=8))
def test_whatever_is_ordered_comes_as_said(edges: list[tuple[str, str]], steps: list[tuple[str, str, str]]) -> None:
    bench = Lots()
    bench.fold(*(edge(*one) for one in edges), edge("A", "B"))
    bench.settle()
    for change, lot, hold in steps:
        order, graph = replace(ORDER, change=change, hold=hold), graph_of(bench)
        plan = planned(graph, order, [name(lot)])
        if isinstance(plan, Planned) and plan.lines:
            before = {lot: bench.holds(lot) for lot in "ABCD"}
            told = dict(carried_out(bench, order, lot))
            assert {lot: bench.holds(lot) for lot in "ABCD"} == {**before, **told}


def test_a_lot_that_was_only_made_is_known() -> None:
    """No quality event names it, but an account does."""
    made = books(quantity=44).snapshot()
    lot = LotName(yields(made).material, yields(made).lot)
    assert unheard_of(made, Genealogy(made), [lot, name("L9")]) == [name("L9")]
