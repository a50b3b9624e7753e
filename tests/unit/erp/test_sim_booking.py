"""What the simulated ERP books of a line: sent, derived, refused."""

from typing import Any

import pytest
from msgspec.structs import replace

from app.erp.simulator.booking import Mode, SimMasterData, confirmed_before, movements_of
from app.erp.simulator.messages import Master, SentLine, SentMovement, SimComponent, SimItem, SimMaterial, SimOrder
from tables.refusal import Refusal


def master(**flags: Any) -> SimMasterData:
    data = SimMasterData()
    order = SimOrder(
        "1001",
        items=[SimItem("4711", "main", "FG")],
        receiving_operations=["0020"],
        components=[
            SimComponent("RESIN", 319, 4, "kg", "erp_backflush", "0020", issue_location="LINE"),
            SimComponent("CARTON", 1, 0, "PC", "erp_backflush", "0020", base=48),
            SimComponent("LABEL", 1, 0, "PC", "declared", "0020"),
        ],
        **flags,
    )
    parts = [SimMaterial("4711", "PC", 0), SimMaterial("RESIN", "kg", 3), SimMaterial("CARTON", "PC", 0)]
    assert data.add(Master([order], parts, ["STORE"])) is None
    return data


def line(kind: str = "yield", amount: int = 100, operation: str = "0020", *movements: SentMovement) -> SentLine:
    return SentLine(
        "7KQ2M9XD4TWB1C0F", "h", kind, "1001", operation, "4711", "L1", "", "", "", amount, 0, "PC", "2026-01-15",
        "2026-01-15", list(movements),
    )  # fmt: skip


def derived(data: SimMasterData, mode: Mode, sent: SentLine) -> list[tuple[str, str, int, int]]:
    booked = movements_of(sent, data, mode)
    assert not isinstance(booked, Refusal)
    return [(m.sent.type, m.sent.material, m.sent.amount, m.sent.scale) for m in booked if not m.posting_id]


RECEIPT = ("receipt", "4711", 100, 0)
ISSUES = [("issue", "RESIN", 3190, 3), ("issue", "CARTON", 2, 0)]


@pytest.mark.parametrize(
    ("flags", "mode", "expected"),
    [
        ({}, "by_order", []),
        ({"automatic_receipt": True}, "by_order", [RECEIPT]),
        ({"backflush": True}, "by_order", ISSUES),
        ({"automatic_receipt": True, "backflush": True}, "by_order", [RECEIPT, *ISSUES]),
        ({"automatic_receipt": True, "backflush": True}, "explicit", []),
        ({}, "auto_receipt", [RECEIPT]),
        ({}, "backflush", ISSUES),
    ],
)
def test_what_the_erp_derives(flags: dict[str, bool], mode: Mode, expected: list[object]) -> None:
    assert derived(master(**flags), mode, line()) == expected


def test_only_the_receiving_operation_and_only_yield() -> None:
    data = master(automatic_receipt=True, backflush=True)
    assert derived(data, "by_order", line(operation="0010")) == []
    assert derived(data, "by_order", line(kind="scrap")) == []


@pytest.mark.parametrize("role", ["co", "by"])
def test_nothing_is_derived_for_what_is_not_the_main_product(role: str) -> None:
    data = master(automatic_receipt=True, backflush=True)
    data.orders["1001"].items.append(SimItem("4712", role, "FG"))
    assert derived(data, "auto_receipt", replace(line(), material="4712")) == []
    assert derived(data, "by_order", replace(line(), material="4712")) == []


def test_a_correction_derives_the_reverse() -> None:
    assert derived(master(automatic_receipt=True), "by_order", line(amount=-6)) == [("receipt", "4711", -6, 0)]


def test_sending_what_the_erp_derives_books_it_twice() -> None:
    sent = line("yield", 100, "0020", SentMovement("receipt", "4711", 100, 0, "PC", "L1", "FG"))
    booked = movements_of(sent, master(automatic_receipt=True), "by_order")
    assert not isinstance(booked, Refusal)
    assert [(m.posting_id, m.sent.amount) for m in booked] == [("7KQ2M9XD4TWB1C0F", 100), ("", 100)]


@pytest.mark.parametrize("status", ["closed", "locked"])
def test_an_order_that_takes_no_postings(status: str) -> None:
    refused = master(status=status).refusal([line()])
    assert refused is not None
    assert refused.code == "ORDER_NOT_OPEN"


def test_a_technically_complete_order_still_takes_postings() -> None:
    assert master(status="technically_complete").refusal([line()]) is None


@pytest.mark.parametrize(("operation", "before"), [("10", []), ("20", ["10"]), ("40", []), ("50", ["40"])])
def test_a_milestone_confirms_back_to_the_one_before(operation: str, before: list[str]) -> None:
    """And none that has no confirmation."""
    order = SimOrder("1001", operations=["10", "20", "30", "40", "50"], milestones=["20", "50"], unconfirmed=["30"])
    assert confirmed_before(line("yield", 100, operation), order, "by_order") == before
