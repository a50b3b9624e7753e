"""All rows of all stages at one moment, in one SQLite file: what `trace`, `parked`, `exceptions` and `reconcile` read."""

import contextlib
import errno
import json
import sqlite3
from collections.abc import Mapping, Sequence
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from app.ledger.books.folder import ASKED, CHECKPOINT
from app.ledger.books.letters import Life, lives, sorted_out
from app.ledger.books.written_schemas import codec_for, schemas_of
from schemas.codec import Codec
from schemas.configuration import Configuration
from schemas.records import ConfigDocument, ExceptionRecord, LetterSettled, PartitionPosition
from tables.row_kinds import POSITION_ROWS, Row, RowKind

FILE = "ledger.sqlite"


class NoLedger(FileNotFoundError):
    """The folder has no ledger of a run."""

    code = "NO_LEDGER"


class LedgerOfAnotherVersion(NoLedger):
    """A version of the program wrote it whose rows or configuration this one cannot read."""

    code = "LEDGER_VERSION"


class Snapshot:
    """Rows by stage and key, exceptions, and the configuration that they were made with."""

    def __init__(
        self,
        rows: Mapping[str, Mapping[str, Any]],
        letters: Sequence[ExceptionRecord | LetterSettled],
        configuration: Configuration,
        about: Mapping[str, Any],
    ) -> None:
        """`letters`: what the topic `exceptions` has, in its order."""
        self.rows, self.configuration, self.about = rows, configuration, about
        self.letters, self.settled = sorted_out(letters)

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
        return kind.among(self.rows.get(kind.stages[0], {}), *parts)

    def positions(self, stage: str) -> Sequence[PartitionPosition]:
        """Where each partition of a stage stands."""
        return POSITION_ROWS.among(self.rows.get(stage, {}))


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
    """The snapshot in an output folder of `run`. Raises NoLedger, LedgerOfAnotherVersion."""
    path = directory / FILE
    if not path.is_file():
        if (directory / CHECKPOINT / ASKED).is_file():
            raise NoLedger(f"{path}: its run is not finished; `lineledger run --resume --out {directory}` goes on with it")
        raise NoLedger(f"{path}: no ledger here; `lineledger run --out {directory} ...` writes one, --out names another folder")
    rows: dict[str, dict[str, Any]] = {}
    found: dict[str, str] = {}
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            found = dict(db.execute("select name, value from about"))
            codec = codec or codec_for(json.loads(found.get("schemas", "{}")))
            for stage, key, value in db.execute("select stage, key, value from rows"):
                rows.setdefault(stage, {})[key.decode()] = codec.decode(value)
            letters = [codec.decode(value) for (value,) in db.execute("select value from letters")]
        configuration = Configuration.from_document(ConfigDocument.from_avro(json.loads(found["configuration"])))
    except sqlite3.DatabaseError as wrong:
        raise NoLedger(f"{path} is damaged, or no ledger ({wrong}); run its input again") from wrong
    except (ValueError, LookupError) as wrong:  # rows of another schema, a configuration with other keys
        writer, reader = found.get("program", "an older version"), installed("lineledger")
        how = f"`pip install lineledger=={writer}` in another environment, then the same command" if "program" in found else ""
        raise LedgerOfAnotherVersion(
            f"{path} was written by lineledger {writer}, and this is {reader}, which cannot read it ({_short(wrong)}). "
            f"Ask it with that version{': ' + how if how else ''}; or run its input again: "
            f"`lineledger run --config DIR --input FILE --out {directory}`"
        ) from wrong
    return Snapshot(rows, letters, configuration, json.loads(found["about"]))
