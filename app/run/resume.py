"""A run that goes on: what it was asked, and whether it is asked the same now."""

import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import app.inputs
import schemas
import streams
import tables
from app.ledger.books.folder import ASKED, CHECKPOINT
from app.ledger.books.snapshot import FILE as LEDGER
from schemas.configuration import Configuration
from streams.mapping.private import keyed_hash

FOLDER = CHECKPOINT.name
"""In the run's output, or in the folder of `--checkpoint`."""
SAID_IN = frozenset({".py", ".avsc", ".yaml"})
"""What of a package makes it the program that it is."""
ROWS, SENT, LOCK = "rows", "sent", "lock"
"""In the folder beside ASKED: the checkpoint; postings that may be sent; whose the folder is."""


class RunUnfinished(RuntimeError):
    """The folder has a run that did not come to its end, and nobody said what is to become of it."""

    code = "RUN_UNFINISHED"


class RunFinished(RuntimeError):
    """The folder has a finished run, and nobody said that its ledger is to be replaced."""

    code = "RUN_FINISHED"


class RunDiffers(RuntimeError):
    """What is there now is not what the run began with: going on would be a mixture of two."""

    code = "RESUME_DIFFERS"


class CheckpointUnusable(RuntimeError):
    """The checkpoint cannot be read or written."""

    code = "CHECKPOINT_UNUSABLE"


class NothingToResume(RuntimeError):
    """The folder has no run that could go on."""

    code = "NOTHING_TO_RESUME"


@dataclass(slots=True, frozen=True)
class Asked:
    """What a run was asked, as it was typed. `folder`: what relative names start from; `out`: absolute."""

    config: str
    inputs: Sequence[str]
    erp: str
    export_postings: str
    refused_at_most: str
    folder: str
    out: str = ""


@dataclass(slots=True, frozen=True)
class Basis:
    """What a run is a function of. `inputs`: the files with sizes and hashes (app/ledger/books/inputs.py)."""

    configuration: str
    inputs: Sequence[Mapping[str, Any]]
    erp: str
    private_key: str
    program: str

    @classmethod
    def of(cls, configuration: Configuration, inputs: Sequence[Mapping[str, Any]], erp: str, key: bytes) -> "Basis":
        fingerprint = keyed_hash(key or configuration.plant.plant.id.encode())("lineledger")
        return cls(configuration.hash, inputs, erp or configuration.erp.erp.adapter, fingerprint, _program())

    def check(self, begun: "Basis") -> None:
        """Raises RunDiffers where the run was `begun` with something else."""
        if self.program != begun.program:
            raise RunDiffers("another version of the program wrote the checkpoint; take that one, or begin again with `--afresh`")
        if self.configuration != begun.configuration:
            what = f"configuration {self.configuration[:12]}, the run began with {begun.configuration[:12]}"
            raise RunDiffers(f"{what}: put it back, or begin again with `--afresh`")
        if self.erp != begun.erp:
            raise RunDiffers(
                f"--erp {self.erp}, the run began with {begun.erp}: `--erp {begun.erp}`, or begin again with `--afresh`"
            )
        if self.private_key != begun.private_key:
            raise RunDiffers("another private key than the run began with: set that one, or begin again with `--afresh`")
        for now, then in zip(self.inputs, begun.inputs, strict=False):
            if dict(now) != dict(then):
                which = f"{now['path']} is not the file that the run began with"
                if (now["source"], now["path"]) != (then["source"], then["path"]):
                    which = f"{now['source']}={now['path']} stands where the run had {then['source']}={then['path']}"
                raise RunDiffers(f"{which}: put that one back, or begin again with `--afresh`")
        if len(self.inputs) != len(begun.inputs):
            counts = f"{len(self.inputs)} files, the run began with {len(begun.inputs)}"
            raise RunDiffers(f"{counts}: give the same ones, or begin again with `--afresh`")


def asked_in(folder: Path) -> Asked | None:
    """What the unfinished run of a checkpoint folder was asked; None: there is none."""
    found = _read(folder)
    return None if found is None else Asked(**found["asked"])


def not_replaced(out: Path) -> None:
    """Raises RunFinished where a run has written its ledger: what people looked at and decided about goes by word alone."""
    if (out / LEDGER).exists():
        raise RunFinished(f"{out} has a finished run: give another folder with `--out`, or replace it with `--afresh`")


@contextmanager
def held(folder: Path | None) -> Iterator[None]:
    """Within it no other process works with the folder. Raises CheckpointUnusable where one does."""
    if folder is None:
        yield
        return
    with _locked(folder / LOCK):
        try:
            yield
        finally:
            if [path.name for path in folder.iterdir()] == [LOCK]:
                (folder / LOCK).unlink()
                folder.rmdir()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as wrong:
            raise CheckpointUnusable(f"{path.parent}: another process works with it") from wrong
        if not path.is_file() or not os.path.samestat(path.stat(), os.fstat(file.fileno())):
            raise CheckpointUnusable(f"{path.parent}: another process has just come to its end with it; try again")
        yield


def begun(folder: Path, asked: Asked, basis: Basis) -> str:
    """A run begins: note it, at once or not at all. What was in the folder goes. Returns the run's name."""
    discard(folder)
    name = secrets.token_hex(4)
    folder.mkdir(parents=True, exist_ok=True)
    new = folder / f"{ASKED}.new"
    with new.open("w", encoding="utf-8") as file:
        json.dump({"name": name, "asked": asdict(asked), "basis": asdict(basis)}, file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    new.rename(folder / ASKED)
    _synchronised(folder)
    return name


def gone_on(folder: Path, basis: Basis) -> str:
    """A run goes on. Returns its name. Raises NothingToResume, RunDiffers."""
    found = _read(folder)
    if found is None:
        raise NothingToResume(f"{folder} has no run that could go on; leave `--resume` out")
    basis.check(Basis(**found["basis"]))
    return str(found["name"])


def folded(folder: Path | None) -> bool:
    """Did the run of the folder come as far as to fold something? Its input was whole then."""
    return folder is not None and (folder / ROWS).is_dir()


def discard(folder: Path) -> None:
    """The run is at its end, or is to begin again."""
    (folder / ASKED).unlink(missing_ok=True)
    if folder.is_dir():
        _synchronised(folder)  # without its rows there must be no run
    shutil.rmtree(folder / ROWS, ignore_errors=True)
    (folder / SENT).unlink(missing_ok=True)
    (folder / f"{ASKED}.new").unlink(missing_ok=True)


def _read(folder: Path) -> dict[str, Any] | None:
    path = folder / ASKED
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _synchronised(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _program() -> str:
    """The rules, the records that a checkpoint holds, and how files are cut: another version would go on otherwise than the run
    began."""
    hashed = hashlib.sha256()
    for package in (tables, streams, schemas, app.inputs):
        root = Path(package.__path__[0])
        for path in sorted(path for path in root.rglob("*") if path.suffix in SAID_IN):
            hashed.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return hashed.hexdigest()[:16]
