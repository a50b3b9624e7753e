"""Delivery: which postings travel in one document, what a refusal of it means, and what goes again under a later date."""

from math import log2
from typing import Any

import pytest

from schemas.records import Outcome, Posting, TimerFired
from tables.delivery.outbox import Dispatch, ReadBack
from tests.unit.streams.quality_bench import Bench, S, configuration, lot_state, posting
from tests.unit.streams.test_delivery import ended

CUT = 10 * S


def bench(lines: int = 50, rules: dict[str, Any] | None = None, **erp: Any) -> Bench:
    return Bench(configuration(erp={"erp": {"adapter": "sim", "lines_per_document": lines}, **erp}, rules=rules))


def documents(entries: list[Any]) -> list[list[str]]:
    return [[name for name, _ in entry.lines] for entry in entries if isinstance(entry, Dispatch)]


def test_what_is_queued_of_an_order_travels_in_one_document() -> None:
    desk = bench()
    desk.fold(
        posting("P1", account="A1"),
        posting("P2", account="A2", kind="scrap"),
        posting("P3", account="A3", order="O2"),
        posting("P4", account="A4"),
    )
    assert documents(desk.clock(CUT)) == [["P1", "P2", "P4"], ["P3"]]
    assert {desk.row(name).document for name in ("P1", "P2", "P4")} == {"P1/1"}
    assert [desk.row(name).calls for name in ("P1", "P2", "P4")] == [1, 0, 0]


@pytest.mark.parametrize(("lines", "expected"), [(1, [["P1"]]), (2, [["P1", "P2"]]), (3, [["P1", "P2", "P3"]])])
def test_a_document_has_at_most_so_many_lines(lines: int, expected: list[list[str]]) -> None:
    desk = bench(lines)
    desk.fold(*(posting(f"P{n}", account=f"A{n}") for n in range(1, 5)))
    assert documents(desk.clock(CUT)) == expected


def test_lines_share_what_a_document_says_once() -> None:
    """Another business date, another way to book, another stock type: another document, after this one."""
    desk = bench(rules={"on_hold": {"receipt": "into_blocked_stock"}})
    desk.fold(
        lot_state("L9", True),
        posting("P1", account="A1"),
        posting("P2", account="A2", business_date="2026-11-19"),
        posting("P3", account="A3", kind="consumption"),
        posting("P4", account="A4", lot="L9"),
        posting("P5", account="A5", posting_date="2026-12-01"),
        posting("P6", account="A6"),
    )
    assert documents(desk.clock(CUT)) == [["P1", "P6"]]


def test_a_correction_travels_with_what_it_corrects_and_never_before_it() -> None:
    desk = bench()
    desk.fold(posting("P1"), posting("P2", amount=-5, sequence=2), posting("P3", amount=3, sequence=3))
    assert documents(desk.clock(CUT)) == [["P1", "P2", "P3"]]
    desk = bench(rules={"on_hold": {"receipt": "wait"}})
    desk.fold(lot_state("L1", True), posting("P1"), posting("P2", amount=-5, sequence=2), posting("P3", account="B", lot="L2"))
    assert documents(desk.clock(CUT)) == [["P3"]]


def test_a_correction_stays_behind_while_what_it_corrects_waits_for_its_retry() -> None:
    desk = bench()
    desk.fold(posting("P1"))
    desk.clock(CUT)
    desk.fold(ended("P1", "retry", code="ERP_BUSY"))
    sent = desk.fold(posting("P3", account="B"), posting("P2", amount=-5, sequence=2))
    assert documents(sent) == [["P3"]]


def test_the_final_posting_waits_for_what_does_not_fit_into_its_document() -> None:
    desk = bench()
    desk.fold(
        posting("P1", account="A1"), posting("P2", account="A2", kind="consumption"), posting("P3", account="A3", final=True)
    )
    assert documents(desk.clock(CUT)) == [["P1"]]
    assert documents(desk.fold(ended("P1", "accepted", erp_document="D1"))) == [["P2"]]
    assert documents(desk.fold(ended("P2", "accepted", erp_document="D2"))) == [["P3"]]


def test_one_document_number_for_all_lines() -> None:
    desk = bench()
    desk.fold(posting("P1", account="A1"), posting("P2", account="A2"))
    desk.clock(CUT)
    desk.fold(*(ended(name, "accepted", erp_document="D1") for name in ("P1", "P2")))
    assert [(desk.row(name).state, desk.row(name).erp_document) for name in ("P1", "P2")] == [("accepted", "D1")] * 2


def test_a_refused_document_is_split_and_only_the_wrong_line_stays_refused() -> None:
    desk = bench()
    desk.fold(*(posting(f"P{n}", account=f"A{n}") for n in (1, 2, 3)))
    desk.clock(CUT)
    split = [ended(f"P{n}", "retry", code="DOCUMENT_SPLIT") for n in (1, 2, 3)]
    assert documents(desk.fold(*split)) == [["P1"]], "half of what is suspected"
    assert documents(desk.fold(ended("P1", "rejected", attempt=2, code="LOT_UNKNOWN"))) == [["P2", "P3"]], "it was the one"
    assert desk.row("P3").failures == 0, "a split is no failure: it gets no back-off"


def booked(desk: Bench, entries: list[Any], wrong: set[str]) -> list[list[str]]:
    """The documents that leave until nothing does, at an ERP that refuses each one with a wrong line."""
    sent: list[list[str]] = []
    while entries:
        (entry,) = [one for one in entries if isinstance(one, Dispatch)]
        names = [name for name, _ in entry.lines]
        sent.append(names)
        if wrong.isdisjoint(names):
            answer: dict[str, Any] = {"result": "accepted", "erp_document": f"D{len(sent)}"}
        elif len(names) > 1:
            answer = {"result": "retry", "code": "DOCUMENT_SPLIT"}
        else:
            answer = {"result": "rejected", "code": "LOT_UNKNOWN"}
        entries = desk.fold(*(ended(name, attempt=attempt, **answer) for name, attempt in entry.lines))
    return sent


@pytest.mark.parametrize("lines", [8, 16, 50])
def test_a_wrong_line_is_found_by_halving_and_the_rest_goes(lines: int) -> None:
    """50 lines, one of them wrong: 51 calls, each line by itself."""
    for at in range(lines):
        desk = bench()
        desk.fold(*(posting(f"P{n:02}", account=f"A{n:02}") for n in range(lines)))
        sent = booked(desk, desk.clock(CUT), {f"P{at:02}"})
        assert len(sent) <= 2 * log2(lines), sent
        states = desk.states()
        assert states.pop(f"P{at:02}") == "rejected"
        assert set(states.values()) == {"accepted"}


def test_several_wrong_lines_are_found_one_after_the_other() -> None:
    desk, wrong = bench(), {"P03", "P04", "P31", "P49"}
    desk.fold(*(posting(f"P{n:02}", account=f"A{n:02}") for n in range(50)))
    sent = booked(desk, desk.clock(CUT), wrong)
    assert {name for name, state in desk.states().items() if state == "rejected"} == wrong
    assert list(desk.states().values()).count("accepted") == 46
    assert len(sent) <= len(wrong) * 2 * log2(50)


def test_a_correction_goes_by_halves_behind_what_it_corrects() -> None:
    desk = bench()
    desk.fold(*(posting(f"P{n}", account=f"A{n}") for n in range(3)), posting("P9", account="A0", amount=-1, sequence=2))
    sent = booked(desk, desk.clock(CUT), {"P2"})
    assert [name for names in sent for name in names].index("P0") < [name for names in sent for name in names].index("P9")
    assert desk.states() == {"P0": "accepted", "P1": "accepted", "P2": "rejected", "P9": "accepted"}


def test_a_refused_resend_of_a_document_is_read_back_and_not_sent_for_ever() -> None:
    desk = bench()
    desk.fold(*(posting(f"P{n}", account=f"A{n}") for n in (1, 2)))
    desk.clock(CUT)
    desk.fold(*(ended(f"P{n}", "unknown") for n in (1, 2)))
    desk.fold(*(TimerFired(f"P{n}", 1, "retry") for n in (1, 2)))
    again = desk.fold(*(ended(f"P{n}", "retry", attempt=2, code="DOCUMENT_SPLIT") for n in (1, 2)))
    assert again == [ReadBack("P1", 2), ReadBack("P2", 2)]


def test_an_unknown_document_goes_again_as_the_same_document() -> None:
    desk = bench()
    desk.fold(*(posting(f"P{n}", account=f"A{n}") for n in (1, 2)))
    desk.clock(CUT)
    desk.fold(posting("P3", account="A3"))
    assert desk.crash() == [Dispatch("P1", 2, True, (("P2", 2),))], "without what came since"


def test_half_of_a_document_is_no_document() -> None:
    """While the outcome of one line has not come, the other one is asked for: alone it would be a second document."""
    desk = bench()
    desk.fold(*(posting(f"P{n}", account=f"A{n}") for n in (1, 2)))
    desk.clock(CUT)
    desk.fold(ended("P1", "unknown"))
    assert desk.fold(TimerFired("P1", 1, "retry")) == [ReadBack("P1", 1)]


def test_a_document_with_a_line_whose_lot_was_blocked_meanwhile_is_read_back_line_by_line() -> None:
    desk = bench(rules={"on_hold": {"receipt": "block"}})
    desk.fold(posting("P1", account="A1"), posting("P2", account="A2", lot="L2"))
    desk.clock(CUT)
    desk.fold(lot_state("L2", True))
    assert desk.crash() == [ReadBack("P1", 1), ReadBack("P2", 1)]


# -- dates

PERIODS = {"periods": {"close": "2nd workday 12:00"}}
DECEMBER = 1_796_212_800 * S + 12 * 3600 * S
"""2026-12-02T24:00Z: November closed twelve hours ago."""


def refused(desk: Bench, name: str = "P1") -> list[Any]:
    desk.fold(posting(name, cumulative=5, born_epoch=1))
    desk.clock(DECEMBER)
    desk.step.take()
    return desk.fold(ended(name, "rejected", code="PERIOD_CLOSED", detail="closed"))


@pytest.mark.parametrize("erp", [PERIODS, {}], ids=["by the calendar", "by the clock"])
def test_a_posting_that_crossed_the_cut_off_goes_again_under_a_new_id(erp: dict[str, Any]) -> None:
    desk = bench(**erp)
    (again,) = documents(refused(desk))[0]
    old, new = desk.row("P1"), desk.row(again)
    assert (old.state, old.code, old.replaced_by) == ("rejected", "PERIOD_CLOSED", again)
    assert (new.posting.posting_date, new.posting.business_date) == ("2026-12-01", "2026-11-20")
    assert (new.posting.revision, new.posting.sequence, new.posting.amount) == (1, 1, 5)
    assert new.posting.content_hash != old.posting.content_hash
    (told,) = [record for record in desk.step.take("orders.inbox") if isinstance(record, Outcome)]
    assert (told.posting_id, told.status, told.replaced_by, told.posting_date) == ("P1", "rejected", again, "2026-12-01")
    desk.fold(ended(again, "accepted", erp_document="D1"))
    later = posting("P9", amount=-1, sequence=2, cut=DECEMBER, born_epoch=1)
    assert desk.fold(later) != [], "corrections follow the replacement"


def test_nothing_is_redated_twice_to_the_same_day() -> None:
    desk = bench(**PERIODS)
    (again,) = documents(refused(desk))[0]
    assert documents(desk.fold(ended(again, "rejected", code="PERIOD_CLOSED"))) == []
    assert (desk.row(again).state, desk.row(again).replaced_by) == ("rejected", "")


def test_late_park_leaves_it_to_a_person() -> None:
    desk = bench(periods={"close": "2nd workday 12:00", "late": "park"})
    assert refused(desk) == []
    assert (desk.row("P1").state, desk.row("P1").code) == ("parked", "PERIOD_CLOSED")


def test_an_answer_that_never_came_is_no_definite_rejection() -> None:
    """The first attempt may be booked under its own date: only reading back tells."""
    desk = bench(**PERIODS)
    desk.fold(posting("P1", born_epoch=1))
    desk.clock(DECEMBER)
    desk.crash()
    assert desk.fold(ended("P1", "rejected", attempt=2, code="PERIOD_CLOSED")) == [ReadBack("P1", 2)]
    assert desk.row("P1").replaced_by == ""


def test_a_replaced_posting_that_comes_again_is_known() -> None:
    desk = bench(**PERIODS)
    refused(desk)
    known: Posting = desk.row("P1").posting
    assert desk.fold(known) == []
