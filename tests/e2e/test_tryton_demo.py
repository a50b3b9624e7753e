"""The demo against a real ERP: what Tryton has in its own tables is what every posting said, once."""

import json
import os
import sqlite3
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer

from app.cli.demo import demo
from app.erp.of_run import RunErp
from app.erp.tryton.adapter import DEFAULT_UNITS
from app.erp.tryton.install import TrytonUnavailable, install
from app.erp.tryton.server import DATABASE
from app.ledger.books import snapshot
from app.ledger.books.snapshot import Snapshot
from app.ledger.proof import erp_check
from tables.quantity import fraction
from tables.row_kinds import ORDER_ROWS, POSTING_ROWS
from tests.e2e.command import PROJECT
from tests.e2e.exported import rows

pytestmark = [pytest.mark.tryton, pytest.mark.slow]
HOME = Path(os.environ.get("LINELEDGER_TRYTON_HOME", PROJECT / ".cache" / "tryton"))
Quantities = dict[tuple[str, str, str], Fraction]
LINES = "select posting_id, count(*) from lineledger_line group by posting_id"
MOVES = """
select line.posting_id, move.lineledger_type, production.shop_floor_number, product.code, coalesce(lot.number, ''), unit.symbol,
       move.quantity, move.to_location = production.location
from stock_move move
left join lineledger_line line on line.id = move.lineledger_line
join production on production.id = coalesce(move.production_input, move.production_output)
join product_product product on product.id = move.product
join product_uom unit on unit.id = move.unit
left join stock_lot lot on lot.id = move.lot
where move.state = 'done'
"""


OPENING = """
select product.code, coalesce(lot.number, ''), coalesce(location.code, ''), move.quantity
from stock_move move
join product_product product on product.id = move.product
join stock_location location on location.id = move.to_location
left join stock_lot lot on lot.id = move.lot
where move.state = 'done' and move.production_input is null and move.production_output is null
"""
ON_STOCK = """
select product.code, coalesce(lot.number, ''), coalesce(location.code, ''), move.quantity, move.to_location = location.id
from stock_move move
join product_product product on product.id = move.product
join stock_location location on location.id in (move.from_location, move.to_location) and location.type = 'storage'
left join stock_lot lot on lot.id = move.lot
where move.state = 'done'
"""
IN_PROCESS = """
select production.shop_floor_number, product.code, coalesce(lot.number, ''), move.quantity, move.to_location = production.location
from stock_move move
join production on production.id = coalesce(move.production_input, move.production_output)
join product_product product on product.id = move.product
left join stock_lot lot on lot.id = move.lot
where move.state = 'done'
"""


class Moved(NamedTuple):
    """One stock movement; negative: taken back."""

    posting_id: str
    type: str
    order: str
    material: str
    lot: str
    unit: str
    quantity: Fraction


@dataclass(slots=True)
class Tables:
    """What stood in Tryton's database when the run was drained."""

    lines: dict[str, int]
    moves: Counter[Moved]
    opening: Quantities
    """(material, lot, location) -> what was there before the first posting."""
    stock: Quantities
    """(material, lot, location) -> what is there."""
    in_process: Quantities
    """(order, material, lot) -> what went into the order and did not come out: negative for what it made."""


def tables_of(database: Path) -> Tables:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        moves = Counter(_moved(*row) for row in db.execute(MOVES))
        opening, stock, in_process = (summed(db.execute(query)) for query in (OPENING, ON_STOCK, IN_PROCESS))
        return Tables(dict(db.execute(LINES).fetchall()), moves, opening, stock, in_process)


def summed(found: Iterable[tuple[Any, ...]]) -> Quantities:
    """Exact sums by the first three columns; a fifth one says whether the quantity came in or went out."""
    sums: Quantities = defaultdict(Fraction)
    for first, second, third, quantity, *inwards in found:
        exact = Fraction(Decimal(repr(quantity)))
        sums[first, second, third] += exact if all(inwards) else -exact
    return {key: value for key, value in sums.items() if value}


def expected_stock(ledger: Snapshot, opening: Quantities) -> tuple[Quantities, Quantities]:
    """Stock and work in process as the accepted quantities of the accounts make them: the operation that receives brings into
    stock (blocked stock is quarantine), consumption takes out, scrap leaves the order for a place that is no stock."""
    stock, in_process = defaultdict(Fraction, opening), defaultdict[tuple[str, str, str], Fraction](Fraction)
    for row in ledger.of(POSTING_ROWS):
        posting, quantity = row.posting, fraction(row.posting.amount, row.posting.scale)
        order = ledger.rows["orders"][ORDER_ROWS.key(posting.plant, posting.order)]
        receiving = next(entry.operation for entry in order.operations if entry.receipt) == posting.operation
        held = row.stock_type not in ("", "unrestricted")
        if posting.kind == "consumption":
            stock[posting.material, posting.lot, posting.location] -= quantity
            in_process[posting.order, posting.material, posting.lot] += quantity
        elif posting.kind in ("yield", "scrap") and receiving:
            in_process[posting.order, posting.material, posting.lot] -= quantity
            if posting.kind == "yield":
                stock[posting.material, posting.lot, "QUARANTINE" if held else posting.location] += quantity
    return tuple({key: value for key, value in sums.items() if value} for sums in (stock, in_process))  # type: ignore[return-value]


def _moved(posting_id: str, type_: str, order: str, material: str, lot: str, unit: str, quantity: float, inwards: int) -> Moved:
    """Material goes into an order by issues and comes out of it otherwise; the other way takes it back."""
    exact = Fraction(Decimal(repr(quantity)))
    return Moved(posting_id, type_, order, material, lot, unit, exact if bool(inwards) == (type_ == "issue") else -exact)


def expected(ledger: Snapshot) -> Counter[Moved]:
    """Every movement of every posting, from the ledger."""
    return Counter(
        Moved(
            row.posting.posting_id,
            movement.type,
            row.posting.order,
            movement.material,
            movement.lot,
            DEFAULT_UNITS.get(movement.unit, movement.unit),
            fraction(movement.amount, movement.scale),
        )
        for row in ledger.of(POSTING_ROWS)
        for movement in row.posting.movements
        if movement.amount
    )


@pytest.fixture
def home() -> Path:
    try:
        install(HOME)
    except TrytonUnavailable as error:
        if os.environ.get("LINELEDGER_REQUIRE_TRYTON") == "1":
            raise
        pytest.skip(str(error))
    return HOME


def test_tryton_has_every_movement_of_every_posting_once(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found: list[Tables] = []
    check: Callable[[Snapshot, RunErp, Path], dict[str, Any]] = erp_check.check

    def look_first(ledger: Snapshot, erp: RunErp, keep: Path) -> dict[str, Any]:
        (database,) = tmp_path.glob(f"lineledger-tryton-*/{DATABASE}.sqlite")
        found.append(tables_of(database))
        return check(ledger, erp, keep)

    monkeypatch.setattr(erp_check, "check", look_first)
    out, began = tmp_path / "out", time.monotonic()
    with pytest.raises(typer.Exit) as exit_:
        demo(erp="tryton", bootstrap="", workers=1, seed=1, scale=0.05, out=out, home=home, as_json=True)
    print(f"demo with Tryton: {time.monotonic() - began:.0f} s")
    assert exit_.value.exit_code == 0
    (tables,) = found
    postings = rows(out / "postings.csv")
    assert {row["status"] for row in postings} == {"accepted"}
    assert tables.lines == {row["posting_id"]: 1 for row in postings}
    ledger = snapshot.read(out)
    stock, in_process = expected_stock(ledger, tables.opening)
    assert tables.stock == stock and {location for _, _, location in stock} >= {"LINE", "FG01", "QUARANTINE", "TOOL"}
    assert tables.in_process == in_process and len({order for order, _, _ in in_process}) > 20
    moves = expected(ledger)
    assert len(moves) > 100 and {move.type for move in moves} == {"receipt", "issue", "scrap"}
    assert tables.moves - moves == Counter(), "more than was posted"
    assert moves - tables.moves == Counter(), "less than was posted"
    pulled = [json.loads(line) for line in (out / "erp_master.jsonl").read_text(encoding="utf-8").splitlines()]
    orders = {row["order"]: row["change"] for row in pulled if row["type"] == "released"}
    known = {row.order: row.change_number for row in ledger.of(ORDER_ROWS) if row.known}
    assert known == orders and len(orders) == 30, "every order of the ledger is Tryton's, by Tryton's own change number"
