"""All rows of all stages at one moment, in one SQLite file: what the questions read."""

import contextlib
import errno
import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from app.ledger.books.folder import ASKED, CHECKPOINT
from app.ledger.books.letters import Life, lives, sorted_out
from app.ledger.books.written_schemas import codec_for, schemas_of
from schemas.codec import Codec
from schemas.configuration import Configuration
from schemas.records import (
    AccountRow,
    ConfigDocument,
    ExceptionRecord,
    LetterSettled,
    LotRow,
    OrderRow,
    PartitionPosition,
    PostingRow,
)
from tables.row_kinds import ACCOUNT_ROWS, LOT_ROWS, ORDER_ROWS, POSITION_ROWS, POSTING_ROWS, Row, RowKind

FILE = "ledger.sqlite"


class NoLedger(FileNotFoundError):
    """The folder has no ledger of a run."""

    code = "NO_LEDGER"


class LedgerOfAnotherVersion(NoLedger):
    """A version of the program wrote it whose rows or configuration this one cannot read."""

    code = "LEDGER_VERSION"


class Snapshot:
    """Rows by stage and key, exceptions, and the configuration that they were made with.

    `of` and `rows` have everything. The other questions are narrower: what they return is at least what is asked for, so that a
    ledger that is not in memory (app/ledger/books/on_disk.py) need not read the rest.
    """

    def __init__(
        self,
        rows: Mapping[str, Mapping[str, Any]],
        letters: Iterable[ExceptionRecord | LetterSettled],
        configuration: Configuration,
        about: Mapping[str, Any],
        codec: Codec | None = None,
    ) -> None:
        """`letters`: what the topic `exceptions` has, in its order; looked at when they are asked for. `codec`: what reads the
        records that they kept; None: of the catalog."""
        self.rows, self.configuration, self.about = rows, configuration, about
        self._told, self._codec = letters, codec

    @cached_property
    def codec(self) -> Codec:
        return self._codec or Codec()

    @cached_property
    def _sorted(self) -> tuple[list[ExceptionRecord], list[LetterSettled]]:
        return sorted_out(self._told)

    @property
    def letters(self) -> list[ExceptionRecord]:
        return self._sorted[0]

    @property
    def settled(self) -> list[LetterSettled]:
        return self._sorted[1]

    @property
    def lives(self) -> list[Life]:
        """Dead letters with what became of them."""
        return lives(self.letters, self.settled)

    @property
    def finished(self) -> bool:
        """Of a run: everything is folded and nothing is on its way. A live installation is never finished."""
        return not self.about.get("live")

    def of(self, kind: RowKind[Row], *parts: str) -> Sequence[Row]:
        """Rows of one kind whose keys begin with these parts, in key order. Of a kind of several stages: the first one's."""
        return self.among(kind.stages[0], kind, *parts)

    def among(self, stage: str, kind: RowKind[Row], *parts: str) -> Sequence[Row]:
        """The same, of a kind of several stages."""
        return kind.among(self.rows.get(stage, {}), *parts)

    def positions(self, stage: str) -> Sequence[PartitionPosition]:
        """Where each partition of a stage stands."""
        return self.among(stage, POSITION_ROWS)

    # What narrow questions look at.

    def account(self, key: str) -> AccountRow | None:
        found: AccountRow | None = self.rows.get("orders", {}).get(ACCOUNT_ROWS.key(key))
        return found

    def accounts_of_posting(self, posting_id: str) -> Iterable[AccountRow]:
        """Accounts one of which has issued it, if any has."""
        return self.of(ACCOUNT_ROWS)

    def accounts_that_wait(self) -> Iterable[AccountRow]:
        """Those of which something is parked, in key order."""
        return self.of(ACCOUNT_ROWS)

    def accounts_where(self, wanted: Callable[[str, str, str], bool]) -> Iterable[AccountRow]:
        """Those whose kind, material and unit are wanted, in key order."""
        return [row for row in self.of(ACCOUNT_ROWS) if wanted(row.kind, row.material, row.unit)]

    def postings_in(self, states: Sequence[str]) -> Iterable[PostingRow]:
        """Those in one of these states, in key order."""
        return [row for row in self.of(POSTING_ROWS) if row.state in states]

    def lots_that_went_into(self, material: str, lot: str) -> Iterable[LotRow]:
        """In key order."""
        return self.of(LOT_ROWS, self.configuration.plant.plant.id)

    def orders_with_much_scrap(self) -> Iterable[tuple[OrderRow, Sequence[AccountRow]]]:
        """Orders that may have more scrap than they are of, in key order, with their accounts."""
        accounts = self.accounts_by_order()
        return [(order, accounts.get((order.plant, order.order), ())) for order in self.of(ORDER_ROWS)]

    def accounts_by_order(self) -> Mapping[tuple[str, str], Sequence[AccountRow]]:
        """(plant, order) -> its accounts, by key."""
        found: dict[tuple[str, str], list[AccountRow]] = defaultdict(list)
        for row in self.of(ACCOUNT_ROWS):
            found[row.plant, row.order].append(row)
        return found


def _short(wrong: Exception) -> str:
    text = str(wrong).partition("\n")[0]
    return text if len(text) <= 120 else f"{text[:120]}..."


def write(
    directory: Path,
    rows: Mapping[str, Mapping[bytes, bytes]],
    letters: Sequence[bytes],
    configuration: Configuration,
    about: Mapping[str, Any],
) -> Path:
    """Write (replace) the snapshot file of a run. `rows` and `letters` under the catalog's schema ids. The schemas that they were
    written with go along, so that another version of the program reads them. Raises OSError: no space left, or
    a file that cannot be written; the one before stands then."""
    directory.mkdir(parents=True, exist_ok=True)
    path, new = directory / FILE, directory / f"{FILE}.new"
    new.write_bytes(b"")
    try:
        with contextlib.closing(sqlite3.connect(new, isolation_level=None)) as db:
            db.execute("pragma journal_mode = off")  # a file that nobody has needs no way back
            db.execute("begin")
            _fill(db, rows, letters, configuration, about)
            db.execute("commit")
        new.replace(path)
    except sqlite3.OperationalError as wrong:
        full = wrong.sqlite_errorcode == sqlite3.SQLITE_FULL
        raise OSError(errno.ENOSPC if full else errno.EIO, str(wrong), str(path)) from wrong
    finally:
        new.unlink(missing_ok=True)
    return path


def _fill(
    db: sqlite3.Connection,
    rows: Mapping[str, Mapping[bytes, bytes]],
    letters: Sequence[bytes],
    configuration: Configuration,
    about: Mapping[str, Any],
) -> None:
    db.execute("create table rows (stage text, key blob, value blob, primary key (stage, key)) without rowid")
    db.execute("create table letters (value blob)")
    db.execute("create table about (name text primary key, value text)")
    for stage, found in rows.items():
        db.executemany("insert into rows values (?, ?, ?)", ((stage, key, value) for key, value in found.items()))
    db.executemany("insert into letters values (?)", ((value,) for value in letters))
    document = json.dumps(configuration.document().to_avro())
    written = [value for found in rows.values() for value in found.values()]
    told = {"configuration": document, "about": json.dumps(about), "program": installed("lineledger")}
    told["schemas"] = json.dumps(schemas_of([*written, *letters]))
    db.executemany("insert into about values (?, ?)", told.items())


def read(directory: Path, codec: Codec | None = None) -> Snapshot:
    """The snapshot in an output folder of `run`, all of it. Raises NoLedger, LedgerOfAnotherVersion."""
    path, rows, found = ledger_in(directory), dict[str, dict[str, Any]](), dict[str, str]()
    with said_plainly(path, found), contextlib.closing(connected(path)) as db:
        found |= dict(db.execute("select name, value from about"))
        codec = codec or codec_of(found)
        for stage, key, value in db.execute("select stage, key, value from rows"):
            rows.setdefault(stage, {})[key.decode()] = codec.decode(value)
        letters = [codec.decode(value) for (value,) in db.execute("select value from letters")]
        return Snapshot(rows, letters, configuration_of(found), json.loads(found["about"]), codec)


def ledger_in(directory: Path) -> Path:
    """The ledger's file in an output folder. Raises NoLedger."""
    path = directory / FILE
    if not path.is_file():
        if (directory / CHECKPOINT / ASKED).is_file():
            raise NoLedger(f"{path}: its run is not finished; `lineledger run --resume --out {directory}` goes on with it")
        raise NoLedger(f"{path}: no ledger here; `lineledger run --out {directory} ...` writes one, --out names another folder")
    return path


def connected(path: Path) -> sqlite3.Connection:
    """To read only."""
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


def codec_of(found: Mapping[str, str]) -> Codec:
    """What reads the rows of a ledger. `found`: what its table `about` has."""
    return codec_for(json.loads(found.get("schemas", "{}")))


def configuration_of(found: Mapping[str, str]) -> Configuration:
    return Configuration.from_document(ConfigDocument.from_avro(json.loads(found["configuration"])))


@contextlib.contextmanager
def said_plainly(path: Path, found: Mapping[str, str]) -> Iterator[None]:
    """What goes wrong with reading a ledger as NoLedger or LedgerOfAnotherVersion. `found`: what its table `about` has."""
    try:
        yield
    except sqlite3.DatabaseError as wrong:
        raise NoLedger(f"{path} is damaged, or no ledger ({wrong}); run its input again") from wrong
    except (ValueError, LookupError) as wrong:  # rows of another schema, a configuration with other keys
        writer, reader = found.get("program", "an older version"), installed("lineledger")
        how = f"`pip install lineledger=={writer}` in another environment, then the same command" if "program" in found else ""
        raise LedgerOfAnotherVersion(
            f"{path} was written by lineledger {writer}, and this is {reader}, which cannot read it ({_short(wrong)}). "
            f"Ask it with that version{': ' + how if how else ''}; or run its input again: "
            f"`lineledger run --config DIR --input FILE --out {path.parent}`"
        ) from wrong
