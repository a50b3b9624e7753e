"""What the Tryton module does beyond the contract: rights, states, locations, what people do beside it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from app.erp.port import Document, DocumentLine
from app.erp.tryton.adapter import TrytonAdapter
from app.erp.tryton.rpc import Failure, TrytonRpc
from app.erp.tryton.server import TrytonServer
from tests.integration.erp.contract import (
    CARTON,
    PART,
    PART_LOT,
    RESIN,
    RESIN_LOT,
    accepted,
    found,
    hashed,
    issue,
    machine_time,
    moved,
    net,
    receipt,
    refused,
    scrap,
)  # fmt: skip

pytestmark = pytest.mark.tryton


@pytest.fixture
async def admin(tryton: TrytonServer) -> AsyncIterator[TrytonRpc]:
    rpc = tryton.admin()
    yield rpc
    await rpc.close()


@pytest.fixture
async def poster(tryton: TrytonServer) -> AsyncIterator[TrytonRpc]:
    rpc = tryton.posting_rpc()
    yield rpc
    await rpc.close()


async def one(rpc: TrytonRpc, model: str, *domain: Any) -> int:
    (found_id,) = await rpc.call(model, "search", [list(clause) for clause in domain], 0, 2, None)
    return int(found_id)


def dated(line: DocumentLine, day: str) -> DocumentLine:
    return hashed(replace(line, document_date=day, posting_date=day))


# Rights


@pytest.mark.parametrize(
    ("model", "method", "values"),
    [
        ("product.template", "create", [{"name": "x", "type": "goods", "default_uom": 1}]),
        ("stock.move", "create", [{"quantity": Decimal(1)}]),
        ("production", "create", [{"quantity": Decimal(1)}]),
        ("stock.lot", "create", [{"number": "x", "product": 1}]),
        ("lineledger.document", "create", [{"stock_type": "blocked", "company": 1}]),
        ("lineledger.line", "create", [{"posting_id": "x"}]),
        ("lineledger.line", "delete", [1]),
    ],
)
async def test_the_posting_user_may_do_nothing_but_post(poster: TrytonRpc, model: str, method: str, values: list[Any]) -> None:
    with pytest.raises(Failure) as failure:
        await poster.call(model, method, values)
    assert failure.value.booked == "no"
    assert "access" in failure.value.detail.lower() or failure.value.code == "ERP_ACCESS", failure.value


async def test_the_posting_user_reads_documents(adapter: TrytonAdapter, poster: TrytonRpc, order: str) -> None:
    sent = machine_time(order, 1, "-123456789.123456789")
    await accepted(adapter, sent)
    fields = ["quantity", "content_hash", "kind", "document_date"]
    (row,) = await poster.call("lineledger.line", "search_read", [["posting_id", "=", sent.posting_id]], 0, 2, None, fields)
    assert row["quantity"] == Decimal("-123456789.123456789")
    assert (row["content_hash"], row["kind"]) == (sent.content_hash, "machine_time")


async def test_the_last_yield_of_an_operation_is_marked(adapter: TrytonAdapter, poster: TrytonRpc, order: str) -> None:
    lines = [receipt(order, 1, "3"), hashed(replace(receipt(order, 2, "4"), final=True))]
    for sent in lines:
        await accepted(adapter, sent)
    wanted = [["posting_id", "in", [sent.posting_id for sent in lines]]]
    rows = await poster.call("lineledger.line", "search_read", wanted, 0, 3, [["posting_id", "ASC"]], ["posting_id", "final"])
    assert {row["posting_id"]: row["final"] for row in rows} == {lines[0].posting_id: False, lines[1].posting_id: True}


async def test_other_logins_neither_post_nor_read(tryton: TrytonServer, admin: TrytonRpc, order: str) -> None:
    company = await one(admin, "company.company")
    user = {"name": "Somebody", "login": "somebody", "password": "not-in-the-group-1"}
    await admin.call("res.user", "create", [{**user, "companies": [["add", [company]]], "company": company}])
    rpc = TrytonRpc(tryton.url, "lineledger", "somebody", "not-in-the-group-1")
    stranger = TrytonAdapter(rpc)
    try:
        await refused_by(stranger, receipt(order, 1, "1"), "ACCESS_DENIED")
        with pytest.raises(Failure, match="access"):
            await rpc.call("lineledger.document", "find", ["X"])
        with pytest.raises(Failure, match="access"):
            await rpc.call("lineledger.line", "search_read", [], 0, 1, None, ["posting_id"])
    finally:
        await rpc.close()


async def refused_by(adapter: TrytonAdapter, line: DocumentLine, code: str) -> None:
    answer = await adapter.post(Document([line]))
    assert (answer.result, answer.code) == ("rejected", code), answer


# Content


async def test_content_that_tryton_could_only_book_wrongly_is_refused(adapter: TrytonAdapter, order: str) -> None:
    await refused(adapter, [receipt(order, 1, "0.5")], "QUANTITY_PRECISION")
    await refused(adapter, [issue(order, 2, "0.0005")], "QUANTITY_PRECISION")
    await refused(adapter, [issue(order, 3, "12345678901234567.123")], "QUANTITY_PRECISION")
    await refused(adapter, [receipt(order, 4, "5", lot="")], "LOT_MISSING")
    await refused(adapter, [moved(receipt(order, 5, "5"), unit="kg")], "UNIT_UNKNOWN")
    await refused(adapter, [moved(receipt(order, 6, "5"), type="transfer")], "MOVEMENT_UNSUPPORTED")
    await refused(adapter, [moved(receipt(order, 7, "5"), location="QUARANTINE-NOT")], "LOCATION_UNKNOWN")
    await refused(adapter, [hashed(replace(receipt(order, 8, "5"), posting_date="2026-02-30"))], "DOCUMENT_INVALID")
    twice = receipt(order, 9, "5")
    await refused(adapter, [twice, twice], "DOCUMENT_INVALID")
    assert await adapter.movements([order]) == []


async def test_derived_movements_are_not_sent(adapter: TrytonAdapter, order: str) -> None:
    sent = receipt(order, 1, "5")
    derived = [replace(movement, derived=True) for movement in sent.movements]
    await accepted(adapter, replace(sent, movements=derived))
    assert await adapter.movements([order]) == []


async def test_where_goods_go(adapter: TrytonAdapter, order: str) -> None:
    free, held, bad = receipt(order, 1, "10"), receipt(order, 2, "7"), scrap(order, 3, "2")
    await accepted(adapter, free, bad)
    await accepted(adapter, held, stock_type="inspection")
    seen = {m.posting_id: m.location for m in await adapter.movements([order])}
    assert seen == {free.posting_id: "K-FG", held.posting_id: "QUARANTINE", bad.posting_id: "SCRAP"}


async def test_stock_in_tryton_follows(adapter: TrytonAdapter, admin: TrytonRpc, order: str) -> None:
    lot = f"{order}-L"
    await accepted(adapter, receipt(order, 1, "10", lot=lot))
    await accepted(adapter, receipt(order, 2, "-4", lot=lot))
    place = await one(admin, "stock.location", ("code", "=", "K-FG"))
    (row,) = await admin.call(
        "stock.lot", "search_read", [["number", "=", lot]], 0, 2, None, ["quantity"], context={"locations": [place]}
    )
    assert row["quantity"] == 6
    short = receipt(order, 3, "-7", lot=lot)
    answer = await adapter.post(Document([short]))
    assert (answer.result, answer.code) == ("retry", "STOCK_SHORT")
    assert answer.retry_after_ms > 0


async def test_a_posting_of_tomorrow_counts_for_its_correction(adapter: TrytonAdapter, order: str) -> None:
    lot = f"{order}-L"
    await accepted(adapter, dated(receipt(order, 1, "10", lot=lot), "2099-01-01"))
    await accepted(adapter, dated(receipt(order, 2, "-10", lot=lot), "2099-01-01"))
    assert net(await adapter.movements([order])) == {}
    assert len(await adapter.movements([order])) == 2


async def test_a_closed_period_refuses(adapter: TrytonAdapter, admin: TrytonRpc, order: str) -> None:
    company = await one(admin, "company.company")
    periods = await admin.call("stock.period", "create", [{"date": date(2019, 12, 31), "company": company}])
    await admin.call("stock.period", "close", periods)
    await refused(adapter, [dated(receipt(order, 1, "10"), "2019-12-31")], "PERIOD_CLOSED")
    await accepted(adapter, hashed(replace(receipt(order, 1, "10"), document_date="2019-12-31")))


# What people do beside it


async def test_a_closed_order_takes_nothing_but_repeats(adapter: TrytonAdapter, admin: TrytonRpc, order: str) -> None:
    """Also: an order with reversals of every kind can still be closed (its costs are computed then)."""
    sent = [receipt(order, 1, "10"), issue(order, 2, "5.5"), scrap(order, 3, "2")]
    first = await accepted(adapter, *sent)
    await accepted(adapter, receipt(order, 4, "-1"), issue(order, 5, "-0.5"), scrap(order, 6, "-1"))
    production = await one(admin, "production", ("shop_floor_number", "=", order))
    await admin.call("production", "do", [production])
    (row,) = await admin.call("production", "read", [production], ["state"])
    assert row["state"] == "done"
    await refused(adapter, [receipt(order, 7, "1")], "ORDER_NOT_OPEN")
    again = await accepted(adapter, *sent)
    assert again.duplicate
    assert again.erp_document == first.erp_document
    assert net(await adapter.movements([order])) == {
        ("receipt", PART, PART_LOT): Decimal(9),
        ("issue", RESIN, RESIN_LOT): Decimal(5),
        ("scrap", PART, PART_LOT): Decimal(1),
    }


async def test_a_cancelled_move_is_seen(adapter: TrytonAdapter, admin: TrytonRpc, order: str) -> None:
    sent, other = receipt(order, 1, "10"), receipt(order, 2, "3")
    await accepted(adapter, sent, other)
    move = await one(admin, "stock.move", ("lineledger_line.posting_id", "=", sent.posting_id))
    await admin.call("stock.move", "cancel", [move])
    seen = await found(adapter, sent)
    assert (seen.result, seen.code) == ("accepted", "MOVE_CANCELLED")
    assert (await found(adapter, other)).code == ""
    assert net(await adapter.movements([order])) == {("receipt", PART, PART_LOT): Decimal(3)}
    assert (await accepted(adapter, sent, other)).duplicate


async def test_foreign_moves_are_listed(adapter: TrytonAdapter, admin: TrytonRpc, order: str) -> None:
    """A receipt that a person books by hand in Tryton: seen once it is done, with no posting id."""
    ours = issue(order, 1, "1.25")
    await accepted(adapter, ours)
    production = await one(admin, "production", ("shop_floor_number", "=", order))
    (row,) = await admin.call("production", "read", [production], ["location"])
    values = {
        "product": await one(admin, "product.product", ("code", "=", CARTON)),
        "unit": await one(admin, "product.uom", ("symbol", "=", "u")),
        "quantity": Decimal(7),
        "from_location": row["location"],
        "to_location": await one(admin, "stock.location", ("code", "=", "K-LINE")),
        "production_output": production,
        "unit_price": Decimal(0),
        "currency": await one(admin, "currency.currency"),
    }
    moves = await admin.call("stock.move", "create", [values])
    assert [m.posting_id for m in await adapter.movements([order])] == [ours.posting_id], "a draft is not effective"
    await admin.call("stock.move", "do", moves)
    (foreign,) = [m for m in await adapter.movements([order]) if not m.posting_id]
    assert (foreign.type, foreign.material, foreign.location, foreign.unit) == ("receipt", CARTON, "K-LINE", "PC")
    assert Decimal(foreign.amount).scaleb(-foreign.scale) == 7


async def test_shop_floor_numbers_are_unique(admin: TrytonRpc, order: str) -> None:
    production = await one(admin, "production", ("shop_floor_number", "=", "K-POST"))
    with pytest.raises(Failure) as failure:
        await admin.call("production", "write", [production], {"shop_floor_number": order})
    assert failure.value.code == "ORDER_AMBIGUOUS"
