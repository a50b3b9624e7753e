"""What every ERP adapter has to do, as plain cases: the real ERP and the simulator pass the same ones.

A test module gives its ERP the master data below (`master_data`, `OPENING_STOCK`; one open order per case, so that cases
do not disturb each other and may share one ERP) and runs each case:

    @pytest.mark.parametrize("case", CASES, ids=case_name)
    async def test_contract(case: Case, adapter: ErpAdapter) -> None:
        await case(adapter, order_of(case))

Every posting id is derived from the order, so a case can run again on another order (`master_data(["K-AGAIN"])`).
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from app.erp.port import Answer, BookedMovement, Document, DocumentLine, ErpAdapter
from schemas.records import Component, MaterialChanged, Movement, Operation, OrderItem, OrderReleased, Quantity

Case = Callable[[ErpAdapter, str], Awaitable[None]]

PART, CO_PART, RESIN, CARTON = "K-PART", "K-COPART", "K-RESIN", "K-CARTON"
RESIN_LOT = "K-R778"
PART_LOT = "K-L1"
"""PART and RESIN are batch managed. PART_LOT is made by the first receipt, RESIN_LOT is there from the start."""
RECEIPT_LOCATION, ISSUE_LOCATION = "K-FG", "K-LINE"
OPENING_STOCK = (
    (RESIN, RESIN_LOT, ISSUE_LOCATION, Decimal("100000"), "kg"),
    (CARTON, "", ISSUE_LOCATION, Decimal("100000"), "PC"),
)
"""(material, lot, location, quantity, unit) in stock before the first case."""
DATE = "2026-01-15"
MOST_ATTEMPTS = 200
"""Bound of `settle`: how often a call that the ERP answers with `retry` is repeated."""
LONGEST_WAIT_MS = 1000
"""What the ERP wants to have repeated later than this is an answer, not a race."""


def case_name(case: Case) -> str:
    return getattr(case, "__name__", str(case)).removeprefix("case_")


def order_of(case: Case) -> str:
    return "K-" + case_name(case).upper()


def master_data(orders: Iterable[str] = ()) -> tuple[list[OrderReleased], list[MaterialChanged]]:
    """One open order per case (or the given ones), each making PART and CO_PART of RESIN and CARTON; the materials."""
    numbers = list(orders) or [order_of(case) for case in (*CASES, *STOCK_CASES)]
    materials = [("PC", 0, PART, True), ("PC", 0, CO_PART, False), ("kg", 3, RESIN, True), ("PC", 0, CARTON, False)]
    return [_released(number) for number in numbers], [
        MaterialChanged(
            event_id=f"m-{material}", plant="K", occurred_at=0, received_at=0, source="erp", raw_source="contract",
            raw_offset=0, material=material, unit=unit, decimals=decimals, batch_managed=batch,
        )
        for unit, decimals, material, batch in materials
    ]  # fmt: skip


def _released(order: str) -> OrderReleased:
    return OrderReleased(
        event_id=f"o-{order}", plant="K", occurred_at=0, received_at=0, source="erp", raw_source="contract",
        raw_offset=0, order=order,
        items=[
            OrderItem("1", PART, Quantity(5000, 0, "PC"), "main", RECEIPT_LOCATION, True, "unlimited"),
            OrderItem("2", CO_PART, Quantity(5000, 0, "PC"), "co", RECEIPT_LOCATION, False, "unlimited"),
        ],
        operations=[Operation("0010", "IMM", "milestone"), Operation("0020", "PACK", "each", True)],
        components=[
            Component("1", "0010", RESIN, Quantity(319, 4, "kg"), "metered", batch_managed=True,
                      issue_location=ISSUE_LOCATION),
            Component("2", "0020", CARTON, Quantity(1, 0, "PC"), "declared", base=48, issue_location=ISSUE_LOCATION),
        ],
    )  # fmt: skip


# Lines


def posting_id(order: str, number: int) -> str:
    """16 characters, as the ledger makes them."""
    return hashlib.sha256(f"{order}/{number}".encode()).hexdigest()[:16].upper()


def hashed(line: DocumentLine) -> DocumentLine:
    """The line with the hash of its content (any stable text will do for an ERP)."""
    return replace(line, content_hash=hashlib.sha256(repr(replace(line, content_hash="")).encode()).hexdigest())


def line(order: str, number: int, kind: str, quantity: str, unit: str, movement: Movement | None) -> DocumentLine:
    """A line of `quantity` (decimal text) and, unless None, its one movement, which has the line's quantity."""
    amount, scale = exact(quantity)
    moves = () if movement is None else (replace(movement, amount=amount, scale=scale, unit=unit),)
    return hashed(
        DocumentLine(
            posting_id=posting_id(order, number), content_hash="", kind=kind, order=order, operation="0020",
            material=movement.material if movement else "", lot=movement.lot if movement else "",
            reason="burn_mark" if kind == "scrap" else "", location=movement.location if movement else "",
            reservation_item="", amount=amount, scale=scale, unit=unit, document_date=DATE, posting_date=DATE,
            movements=moves,
        )
    )  # fmt: skip


def receipt(order: str, number: int, quantity: str, material: str = PART, lot: str = PART_LOT) -> DocumentLine:
    return line(order, number, "yield", quantity, "PC", Movement("receipt", material, 0, 0, "", lot, RECEIPT_LOCATION))


def issue(order: str, number: int, quantity: str, lot: str = RESIN_LOT) -> DocumentLine:
    movement = Movement("issue", RESIN, 0, 0, "", lot, ISSUE_LOCATION)
    return line(order, number, "consumption", quantity, "kg", movement)


def scrap(order: str, number: int, quantity: str) -> DocumentLine:
    """Output scrap: no location, the ERP knows where scrap goes."""
    return line(order, number, "scrap", quantity, "PC", Movement("scrap", PART, 0, 0, "", PART_LOT))


def machine_time(order: str, number: int, hours: str) -> DocumentLine:
    return line(order, number, "machine_time", hours, "h", None)


def moved(source: DocumentLine, **changes: str) -> DocumentLine:
    """The line with its movement changed (material, lot, location, unit, type)."""
    return hashed(replace(source, movements=[Movement.from_avro(m.to_avro() | changes) for m in source.movements]))


def exact(text: str) -> tuple[int, int]:
    """(amount, scale) of decimal text."""
    value = Decimal(text)
    scale = -int(value.as_tuple().exponent)
    return int(value.scaleb(scale)), scale


# Reading what the ERP has


def net(movements: Iterable[BookedMovement]) -> dict[tuple[str, str, str], Decimal]:
    """Net quantity per (type, material, lot); what nets to zero is left out."""
    sums: Counter[tuple[str, str, str]] = Counter()
    for m in movements:
        sums[m.type, m.material, m.lot] += Decimal(m.amount).scaleb(-m.scale)  # type: ignore[assignment]
    return {key: Decimal(value) for key, value in sums.items() if value}


async def settle(adapter: ErpAdapter, document: Document) -> Answer:
    """Post, and post again while the ERP says `retry` for a short wait; never after `unknown`, nor on a shortage."""
    for _ in range(MOST_ATTEMPTS):
        answer = await adapter.post(document)
        if answer.result != "retry" or answer.retry_after_ms > LONGEST_WAIT_MS:
            return answer
        await asyncio.sleep(answer.retry_after_ms / 1000)
    raise AssertionError(f"still {answer} after {MOST_ATTEMPTS} attempts")


async def accepted(adapter: ErpAdapter, *lines: DocumentLine, stock_type: str = "unrestricted") -> Answer:
    answer = await settle(adapter, Document(lines, stock_type))
    assert answer.result == "accepted", answer
    assert answer.erp_document
    return answer


async def found(adapter: ErpAdapter, sent: DocumentLine) -> Answer:
    return await adapter.find(sent.posting_id, sent.content_hash)


async def refused(adapter: ErpAdapter, lines: Sequence[DocumentLine], code: str) -> None:
    """The document is refused for good with `code`, and none of its lines is booked."""
    answer = await adapter.post(Document(lines))
    assert (answer.result, answer.code) == ("rejected", code), answer
    assert len(answer.detail) <= 500
    for sent in lines:
        assert (await found(adapter, sent)).result == "not_found", sent


# Cases


async def case_post(adapter: ErpAdapter, order: str) -> None:
    """A posting is booked, found by its id under the same document, and seen as the movement that was sent."""
    sent = receipt(order, 1, "1204")
    answer = await accepted(adapter, sent)
    assert not answer.duplicate
    seen = await found(adapter, sent)
    assert (seen.result, seen.erp_document) == ("accepted", answer.erp_document)
    (movement,) = await adapter.movements([order])
    assert (movement.posting_id, movement.order, movement.unit) == (sent.posting_id, order, "PC")
    assert (movement.type, movement.material, movement.lot) == ("receipt", PART, PART_LOT)
    assert movement.location == RECEIPT_LOCATION
    assert movement.erp_document == answer.erp_document
    assert Decimal(movement.amount).scaleb(-movement.scale) == 1204


async def case_duplicate(adapter: ErpAdapter, order: str) -> None:
    """The same document again: answered with the first one's number, booked once."""
    sent = [receipt(order, 1, "10"), machine_time(order, 2, "0.5")]
    first = await accepted(adapter, *sent)
    again = await accepted(adapter, *sent)
    assert again.duplicate
    assert again.erp_document == first.erp_document
    assert net(await adapter.movements([order])) == {("receipt", PART, PART_LOT): Decimal(10)}


async def case_mismatch(adapter: ErpAdapter, order: str) -> None:
    """The same id with other content is refused by post and by find, and changes nothing."""
    sent = receipt(order, 1, "10")
    await accepted(adapter, sent)
    other = receipt(order, 1, "11")
    answer = await adapter.post(Document([other]))
    assert (answer.result, answer.code) == ("rejected", "POSTING_MISMATCH")
    seen = await found(adapter, other)
    assert (seen.result, seen.code) == ("rejected", "POSTING_MISMATCH")
    assert (await found(adapter, sent)).result == "accepted"
    assert net(await adapter.movements([order])) == {("receipt", PART, PART_LOT): Decimal(10)}


async def case_partly_known(adapter: ErpAdapter, order: str) -> None:
    """Identity belongs to the line: known lines are kept, the new ones are booked, and it is no duplicate."""
    known, new = receipt(order, 1, "10"), receipt(order, 2, "5")
    first = await accepted(adapter, known)
    answer = await accepted(adapter, known, new)
    assert not answer.duplicate
    assert (await found(adapter, known)).erp_document == first.erp_document
    assert (await found(adapter, new)).result == "accepted"
    assert net(await adapter.movements([order])) == {("receipt", PART, PART_LOT): Decimal(15)}


async def case_partly_mismatched(adapter: ErpAdapter, order: str) -> None:
    """One line with other content refuses the whole document."""
    await accepted(adapter, receipt(order, 1, "10"))
    new = receipt(order, 2, "5")
    answer = await adapter.post(Document([new, receipt(order, 1, "11")]))
    assert (answer.result, answer.code) == ("rejected", "POSTING_MISMATCH")
    assert (await found(adapter, new)).result == "not_found"
    assert net(await adapter.movements([order])) == {("receipt", PART, PART_LOT): Decimal(10)}


async def case_correction(adapter: ErpAdapter, order: str) -> None:
    """Negative lines take back what was booked: the net is what counts, for receipts, issues and scrap."""
    await accepted(adapter, receipt(order, 1, "100"), issue(order, 2, "3.190"), scrap(order, 3, "4"))
    await accepted(adapter, receipt(order, 4, "-6"), scrap(order, 5, "6"))
    await accepted(adapter, issue(order, 6, "-0.190"), scrap(order, 7, "-1"))
    assert net(await adapter.movements([order])) == {
        ("receipt", PART, PART_LOT): Decimal(94),
        ("scrap", PART, PART_LOT): Decimal(9),
        ("issue", RESIN, RESIN_LOT): Decimal("3.000"),
    }


async def case_no_movement(adapter: ErpAdapter, order: str) -> None:
    """A line without stock movement is booked and found like any other, negative ones too."""
    sent = [machine_time(order, 1, "7.5"), machine_time(order, 2, "-0.25")]
    answer = await accepted(adapter, *sent)
    for one in sent:
        assert (await found(adapter, one)).erp_document == answer.erp_document
    assert await adapter.movements([order]) == []


async def case_atomic(adapter: ErpAdapter, order: str) -> None:
    """A bad line takes the good ones with it, wherever it stands."""
    good, bad = receipt(order, 1, "10"), moved(receipt(order, 2, "5"), material="K-NOBODY")
    await refused(adapter, [good, bad], "MATERIAL_UNKNOWN")
    await refused(adapter, [bad, good], "MATERIAL_UNKNOWN")
    assert await adapter.movements([order]) == []
    await accepted(adapter, good)


async def case_unknown(adapter: ErpAdapter, order: str) -> None:
    """What the ERP does not know is refused with its own code and leaves nothing behind."""
    nowhere = hashed(replace(receipt(order, 1, "10"), order="K-NOBODY"))
    await refused(adapter, [nowhere], "ORDER_UNKNOWN")
    await refused(adapter, [hashed(replace(receipt(order, 2, "10"), order=""))], "ORDER_REQUIRED")
    await refused(adapter, [issue(order, 3, "1", lot="K-NOBODY")], "LOT_UNKNOWN")
    await refused(adapter, [moved(receipt(order, 4, "10"), material="K-NOBODY")], "MATERIAL_UNKNOWN")
    await refused(adapter, [moved(receipt(order, 5, "10"), location="K-NOBODY")], "LOCATION_UNKNOWN")
    await refused(adapter, [moved(receipt(order, 6, "10"), unit="K-NOBODY")], "UNIT_UNKNOWN")
    assert await adapter.movements([order]) == []


async def case_not_found(adapter: ErpAdapter, order: str) -> None:
    assert (await found(adapter, receipt(order, 1, "10"))).result == "not_found"


async def case_blocked_stock(adapter: ErpAdapter, order: str) -> None:
    """A receipt into blocked or inspection stock does not reach the free receipt location; an issue is untouched."""
    for number, stock_type in enumerate(sorted({"blocked", "inspection"} & adapter.capabilities.stock_types)):
        lines = receipt(order, 10 * number + 1, "10"), issue(order, 10 * number + 2, "1.5")
        await accepted(adapter, *lines, stock_type=stock_type)
        seen = {m.posting_id: m for m in await adapter.movements([order])}
        assert seen[lines[0].posting_id].location != RECEIPT_LOCATION
        assert seen[lines[1].posting_id].location == ISSUE_LOCATION


async def case_race(adapter: ErpAdapter, order: str) -> None:
    """Six senders of one document at once: every one ends accepted under one number, one is effective."""
    document = Document([receipt(order, 1, "10"), issue(order, 2, "0.319")])
    answers = await asyncio.gather(*(settle(adapter, document) for _ in range(6)))
    assert {a.result for a in answers} == {"accepted"}, answers
    assert len({a.erp_document for a in answers}) == 1
    assert [a.duplicate for a in answers].count(False) == 1
    assert net(await adapter.movements([order])) == {
        ("receipt", PART, PART_LOT): Decimal(10),
        ("issue", RESIN, RESIN_LOT): Decimal("0.319"),
    }


async def case_exact_movements(adapter: ErpAdapter, order: str) -> None:
    """The ERP's movements, one by one, are what was sent: no binary fraction, no lost digit, no lost sign."""
    kilograms = ["0.001", "0.1", "0.2", "39.873", "-0.3", "1234.567", "-0.001", "4.10"]
    lines = [issue(order, number, quantity) for number, quantity in enumerate(kilograms)]
    lines += [receipt(order, 100, "2147483"), receipt(order, 101, "17", CO_PART, ""), scrap(order, 102, "3")]
    await accepted(adapter, *lines)
    booked = {m.posting_id: m for m in await adapter.movements([order])}
    assert len(booked) == len(lines)
    for sent in lines:
        (wanted,), got = sent.movements, booked[sent.posting_id]
        assert Decimal(got.amount).scaleb(-got.scale) == Decimal(wanted.amount).scaleb(-wanted.scale), sent
        assert (got.type, got.material, got.lot, got.unit) == (wanted.type, wanted.material, wanted.lot, wanted.unit)


async def case_other_orders(adapter: ErpAdapter, order: str) -> None:
    """`movements` answers for the orders asked and no other; an order that nobody knows has none."""
    await accepted(adapter, receipt(order, 1, "10"))
    assert {m.order for m in await adapter.movements([order, "K-NOBODY"])} == {order}
    assert await adapter.movements(["K-NOBODY"]) == []
    assert await adapter.movements([]) == []


async def case_stock_short(adapter: ErpAdapter, order: str) -> None:
    """More than there is: definitely not booked, to be tried again (the producer's receipt may be on its way)."""
    sent = issue(order, 1, "999999999")
    answer = await adapter.post(Document([sent]))
    assert (answer.result, answer.code) == ("retry", "STOCK_SHORT"), answer
    assert (await found(adapter, sent)).result == "not_found"
    assert await adapter.movements([order]) == []


async def case_receipt_feeds_issue(adapter: ErpAdapter, order: str) -> None:
    """Within one document what comes in may go out again, in whatever order the lines stand."""
    lot = "K-FEED"
    await accepted(adapter, receipt(order, 2, "-3", lot=lot), receipt(order, 1, "10", lot=lot))
    assert net(await adapter.movements([order])) == {("receipt", PART, lot): Decimal(7)}


CASES: tuple[Case, ...] = (
    case_post,
    case_duplicate,
    case_mismatch,
    case_partly_known,
    case_partly_mismatched,
    case_correction,
    case_no_movement,
    case_atomic,
    case_unknown,
    case_not_found,
    case_blocked_stock,
    case_race,
    case_exact_movements,
    case_other_orders,
)
STOCK_CASES: tuple[Case, ...] = (case_stock_short, case_receipt_feeds_issue)
"""For an ERP that keeps stock."""
