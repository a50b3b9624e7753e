"""A copied ledger folder whose rows, dead letters and ERP book can be changed: what somebody would do who cheats."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from app.erp.of_run import TOKEN_SECRET, URL_VARIABLE
from app.erp.simulator.process import SimulatorProcess
from app.erp.simulator.serve import STORE_FILE
from app.ledger.books import erp_book, snapshot
from app.ledger.books.erp_book import ErpBook
from app.ledger.books.snapshot import Snapshot
from app.ledger.proof import erp_check
from app.secret import variable_of
from schemas.codec import Codec


class Books:
    def __init__(self, original: Path, folder: Path) -> None:
        self.folder = folder
        for name in (snapshot.FILE, erp_book.FILE):
            shutil.copy(original / name, folder)
        self._original, self._codec = original, Codec()
        self._db = sqlite3.connect(folder / snapshot.FILE, isolation_level=None)

    def close(self) -> None:
        self._db.close()

    # -- rows

    def rows(self, stage: str, prefix: str) -> Iterator[tuple[str, Any]]:
        found = self._db.execute("select key, value from rows where stage = ? order by key", (stage,)).fetchall()
        for key, value in found:
            if key.startswith(prefix.encode()):
                yield key.decode(), self._codec.decode(value)

    def first(self, stage: str, prefix: str, wanted: Callable[[Any], Any] = bool) -> tuple[str, Any]:
        return next((key, row) for key, row in self.rows(stage, prefix) if wanted(row))

    def put(self, stage: str, key: str, row: Any) -> None:
        self._db.execute("insert or replace into rows values (?, ?, ?)", (stage, key.encode(), self._codec.encode(row)))

    def delete(self, stage: str, key: str) -> None:
        self._db.execute("delete from rows where stage = ? and key = ?", (stage, key.encode()))

    # -- dead letters

    def letters(self) -> list[Any]:
        return [self._codec.decode(value) for (value,) in self._db.execute("select value from letters order by rowid")]

    def keep_letters(self, letters: list[Any]) -> None:
        self._db.execute("delete from letters")
        self._db.executemany("insert into letters values (?)", [(self._codec.encode(letter),) for letter in letters])

    # -- the ERP

    def change_book(self, change: Callable[[ErpBook], ErpBook]) -> None:
        book = erp_book.read(self.folder)
        assert book is not None
        erp_book.write(self.folder, change(book))

    def in_the_store(self, *statements: str) -> None:
        """Change the simulator's own tables, start it on them and let it answer anew."""
        ledger = self.read()
        store = self.folder / ledger.about["erp_store"]
        shutil.copytree(self._original / ledger.about["erp_store"], store)
        with sqlite3.connect(store / STORE_FILE) as db:
            for statement in statements:
                assert db.execute(statement).rowcount > 0, statement
        db.close()
        with SimulatorProcess(store) as simulator:
            environ = {**os.environ, URL_VARIABLE: simulator.url, variable_of(TOKEN_SECRET): simulator.token}
            orders = erp_check.orders_of(ledger, ledger.configuration.erp)
            erp_book.write(self.folder, erp_book.ask(ledger.configuration.erp, orders, environ))

    def read(self) -> Snapshot:
        return snapshot.read(self.folder, self._codec)


def replaced(book: ErpBook, **fields: Any) -> ErpBook:
    return msgspec.structs.replace(book, **fields)
