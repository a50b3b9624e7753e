"""The ledger of a run that stays on disk: a question reads the rows that it needs, and the books say which ones these are."""

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, bindparam, text
from sqlalchemy.exc import DBAPIError

from app.books import database
from app.ledger.books import snapshot
from app.ledger.books.snapshot import NoLedger, Snapshot, codec_of, configuration_of, connected, ledger_in, said_plainly
from schemas.codec import Codec
from schemas.records import AccountRow, ExceptionRecord, LetterSettled, LotRow, OrderRow, PostingRow
from tables.orders.account import escaped
from tables.row_kinds import ACCOUNT_ROWS, LOT_ROWS, ORDER_ROWS, POSTING_ROWS, Row, RowKind

KEPT = 10_000
"""Decoded rows of a stage that are kept: a question looks at some of them several times."""


class RowsOnDisk(Mapping[str, Any]):
    """The rows of one stage. Raises NoLedger and LedgerOfAnotherVersion when they are read."""

    def __init__(self, db: sqlite3.Connection, stage: str, codec: Codec, plainly: Callable[[], Any]) -> None:
        self._db, self._stage, self._codec, self._plainly = db, stage, codec, plainly
        self._kept: dict[bytes, Any] = {}

    def __getitem__(self, key: str) -> Any:
        stored = key.encode()
        if stored in self._kept:
            return self._kept[stored]
        with self._plainly():
            found = self._db.execute("select value from rows where stage = ? and key = ?", (self._stage, stored)).fetchone()
            if found is not None:
                return self._row(stored, found[0])
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        with self._plainly():
            for (key,) in self._db.execute("select key from rows where stage = ? order by key", (self._stage,)):
                yield key.decode()

    def __len__(self) -> int:
        with self._plainly():
            count: int = self._db.execute("select count(*) from rows where stage = ?", (self._stage,)).fetchone()[0]
            return count

    def under(self, prefix: str) -> list[Any]:
        """Rows whose keys begin so, in key order."""
        first = prefix.encode()
        last = first[:-1] + bytes([first[-1] + 1])
        with self._plainly():
            asked = "select key, value from rows where stage = ? and key >= ? and key < ? order by key"
            return [self._row(key, value) for key, value in self._db.execute(asked, (self._stage, first, last))]

    def _row(self, key: bytes, value: bytes) -> Any:
        row = self._kept.get(key)
        if row is None:
            row = self._codec.decode(value)
            if len(self._kept) < KEPT:
                self._kept[key] = row
        return row


class LettersOnDisk(Iterable[ExceptionRecord | LetterSettled]):
    """Dead letters and what was said of them, in their order."""

    def __init__(self, db: sqlite3.Connection, codec: Codec, plainly: Callable[[], Any]) -> None:
        self._db, self.codec, self._plainly = db, codec, plainly

    def __iter__(self) -> Iterator[ExceptionRecord | LetterSettled]:
        with self._plainly():
            for (value,) in self._db.execute("select value from letters"):
                yield self.codec.decode(value)


class LedgerOnDisk(Snapshot):
    """A run's ledger whose books say where to look. They never say what is there: rows do."""

    rows: Mapping[str, RowsOnDisk]

    def __init__(self, rows: Mapping[str, RowsOnDisk], letters: LettersOnDisk, found: Mapping[str, str], books: Engine) -> None:
        super().__init__(rows, letters, configuration_of(found), json.loads(found["about"]), letters.codec)
        self._books, self._plant = books, self.configuration.plant.plant.id

    def among(self, stage: str, kind: RowKind[Row], *parts: str) -> Sequence[Row]:
        rows = self.rows.get(stage)
        return [] if rows is None else rows.under(kind.under(*parts))

    def accounts_of_posting(self, posting_id: str) -> Iterable[AccountRow]:
        return self._accounts("select account from postings where plant = :plant and posting_id = :id", id=posting_id)

    def accounts_that_wait(self) -> Iterable[AccountRow]:
        return self._accounts(_WAITING)

    def accounts_where(self, wanted: Callable[[str, str, str], bool]) -> Iterable[AccountRow]:
        groups = self._asked("select kind, material, unit from accounts where plant = :plant group by kind, material, unit")
        found = list[AccountRow]()
        for kind, material, unit in groups:
            if wanted(kind, material, unit):
                found += self._accounts(_LIKE, kind=kind, material=material, unit=unit)
        return found

    def postings_in(self, states: Sequence[str]) -> Iterable[PostingRow]:
        asked = "select posting_id from postings where plant = :plant and state in :states"
        return self._rows("delivery", POSTING_ROWS, self._asked(asked, states=list(states)))

    def lots_that_went_into(self, material: str, lot: str) -> Iterable[LotRow]:
        found = self._asked(_PARENTS, material=material, lot=lot)
        return self._rows("lots", LOT_ROWS, [(self._plant, *name) for name in found])

    def orders_with_much_scrap(self) -> Iterable[tuple[OrderRow, Sequence[AccountRow]]]:
        orders = self._rows("orders", ORDER_ROWS, [(self._plant, *name) for name in self._asked(_MUCH_SCRAP)])
        return [(order, self.of(ACCOUNT_ROWS, order.plant, escaped(order.order))) for order in orders]

    def _accounts(self, asked: str, **values: Any) -> list[AccountRow]:
        return self._rows("orders", ACCOUNT_ROWS, self._asked(asked, **values))

    def _rows(self, stage: str, kind: RowKind[Row], names: Iterable[Sequence[str]]) -> list[Row]:
        """Rows by the parts of their keys, in key order. What the stage has forgotten is only in the books."""
        rows: Mapping[str, Any] = self.rows.get(stage, {})
        found = (rows.get(key) for key in sorted({kind.key(*name) for name in names}))
        return [row for row in found if row is not None]

    def _asked(self, question: str, **values: Any) -> list[tuple[Any, ...]]:
        prepared = text(question)
        for name, value in values.items():
            if isinstance(value, list):
                prepared = prepared.bindparams(bindparam(name, expanding=True))
        try:
            with self._books.connect() as connection:
                return [tuple(row) for row in connection.execute(prepared, {"plant": self._plant, **values})]
        except DBAPIError as wrong:
            file = self._books.url.database
            said = f"{file} is damaged, or no books ({wrong.orig}); without it questions read the ledger itself"
            raise NoLedger(said) from None


_WAITING = """
    select account from accounts where plant = :plant and code > '' and parked <> 0
    union select account from account_apart where plant = :plant
    union select account from account_decisions where plant = :plant"""
_LIKE = "select account from accounts where plant = :plant and kind = :kind and material = :material and unit = :unit"
_PARENTS = """
    select material, lot from genealogy where plant = :plant and child_material = :material and child_lot = :lot"""
_MUCH_SCRAP = """
    select distinct s.order_no
    from (
        select plant, order_no, material, min(unit) as unit, min(scale) as scale, sum(target) + count(*) as at_most,
               count(distinct unit) as units, count(distinct scale) as scales
        from accounts where plant = :plant and kind = 'scrap' group by plant, order_no, operation, material
    ) s
    join order_items i on i.plant = s.plant and i.order_no = s.order_no and i.material = s.material
    where s.units > 1 or s.scales > 1 or s.unit <> i.unit or s.scale <> i.scale or s.at_most > i.amount"""
"""A sum of targets is less than a step per account below what is recorded. Of other units and scales the rows decide."""


@contextlib.contextmanager
def opened(directory: Path) -> Iterator[Snapshot]:
    """The ledger in an output folder of `run`, rows read as they are asked for. A folder without books (of an older version, or a
    copy) is read as a whole. Raises NoLedger, LedgerOfAnotherVersion, here or when rows are read."""
    path, books, found = ledger_in(directory), directory / database.FILE, dict[str, str]()
    if not books.is_file():
        yield snapshot.read(directory)
        return

    def plainly() -> Any:
        return said_plainly(path, found)

    with contextlib.closing(connected(path)) as db, contextlib.ExitStack() as ended:
        with plainly():
            found |= dict(db.execute("select name, value from about"))
            codec = codec_of(found)
            stages = [stage for (stage,) in db.execute("select distinct stage from rows")]
            rows = {stage: RowsOnDisk(db, stage, codec, plainly) for stage in stages}
            engine = database.read_only(books)
            ended.callback(engine.dispose)
            ledger = LedgerOnDisk(rows, LettersOnDisk(db, codec, plainly), found, engine)
        yield ledger
