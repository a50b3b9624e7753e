"""The demo against a real ERP: what Tryton has in its own tables is what every posting said, once."""

import os
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer

from app.cli.demo import demo
from app.erp.tryton import DEFAULT_UNITS
from app.erp.tryton_install import TrytonUnavailable, install
from app.erp.tryton_server import DATABASE
from app.ledger import erp_check, snapshot
from app.ledger.snapshot import Snapshot
from app.run.erp import RunErp
from tables.quantity import fraction
from tests.e2e.command import PROJECT
from tests.e2e.exported import rows

pytestmark = [pytest.mark.tryton, pytest.mark.slow]
HOME = Path(os.environ.get("LINELEDGER_TRYTON_HOME", PROJECT / ".cache" / "tryton"))
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


def tables_of(database: Path) -> Tables:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        moves = Counter(_moved(*row) for row in db.execute(MOVES))
        return Tables(dict(db.execute(LINES).fetchall()), moves)


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
        for row in ledger.of("delivery", "p|")
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
    moves = expected(snapshot.read(out))
    assert len(moves) > 100 and {move.type for move in moves} == {"receipt", "issue", "scrap"}
    assert tables.moves - moves == Counter(), "more than was posted"
    assert moves - tables.moves == Counter(), "less than was posted"
