"""A folder that another system drops files into: which are complete, and where they go when their records are written.

A file is copied before it is read, so that what is read cannot change. The copy is named by name and content (`name@sha256`, 12
digits); its records have their positions by that name, in `done/` it can be looked up, and a file that is dropped twice is known.
Each step leaves the folder so that the next start goes on from there: nothing here needs the process to end well.
"""

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Literal

Completeness = Literal["stable", "marker", "rename"]
"""How one sees that a file is complete: size and time of change stay for a while; a file NAME.done beside it; files appear under
their name when they are complete (written elsewhere or under another name, then renamed)."""
UNFINISHED = (".tmp", ".part", ".partial", ".filepart", ".crdownload")
MARKER = ".done"
_CHUNK = 1 << 20
_DIGITS = 12
_FILE_SYSTEM_BYTES = 255
MAX_NAME_BYTES = 200
"""Of a file's own name in `done/`; file systems take 255 with what is put behind it."""


class FolderInUse(RuntimeError):
    """Another process takes files from this folder."""

    code = "FOLDER_IN_USE"


@dataclass(slots=True, frozen=True)
class Taken:
    """A complete file: the original, its copy, and the name that positions of its records have."""

    original: Path
    copy: Path
    name: str
    signature: tuple[int, int]

    @property
    def reason(self) -> str:
        return f"{self.name}.reason.txt"


class DropFolder:
    """`globs`: which names belong to the source; none: all. `quiet_s`: how long a stable file stays as it is. Hidden files, those
    named as unfinished, links and folders are never taken."""

    def __init__(
        self,
        folder: Path,
        globs: Sequence[str],
        complete: Completeness,
        quiet_s: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._globs, self._complete, self._quiet_s, self._now = folder, globs, complete, quiet_s, now
        self._seen: dict[str, tuple[tuple[int, int], float]] = {}
        self._done, self._refused, self._taking = folder / "done", folder / "refused", folder / ".taking"
        for made in (self._done, self._refused, self._taking):
            made.mkdir(exist_ok=True)
        self._progress = self._taking / "progress"
        self._lock = os.open(self._taking / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as wrong:
            os.close(self._lock)
            raise FolderInUse(f"another process takes files from {folder}; one is enough") from wrong
        for left in self._taking.iterdir():
            if left.name not in ("lock", self._progress.name):
                left.unlink()  # a copy that nobody finished with: its original is still there

    def close(self) -> None:
        os.close(self._lock)

    def candidates(self) -> list[Path]:
        """Every file that is or will be one of the source's, oldest first."""
        with os.scandir(self._folder) as entries:
            ours = [entry for entry in entries if entry.is_file(follow_symlinks=False) and self._is_ours(entry.name)]
        return [self._folder / entry.name for entry in sorted(ours, key=_age)]

    def strangers(self) -> Iterator[tuple[str, str]]:
        """What lies in the folder and will never be taken, with why; hidden files, unfinished ones and markers are left out."""
        with os.scandir(self._folder) as entries:
            for entry in sorted(entries, key=lambda one: one.name):
                if entry.name.startswith(".") or entry.name in (self._done.name, self._refused.name):
                    continue
                if not entry.is_file(follow_symlinks=False):
                    yield entry.name, "it is a folder or a link; only files of this folder itself are taken"
                elif not self._is_ours(entry.name) and not entry.name.lower().endswith((*UNFINISHED, MARKER)):
                    yield entry.name, f"none of the source's `files` ({', '.join(self._globs)}) takes it"

    def complete(self) -> Iterator[Path]:
        """The candidates that are complete now."""
        paths = self.candidates()
        self._seen = {path.name: self._seen[path.name] for path in paths if path.name in self._seen}
        for path in paths:
            try:
                if self._is_complete(path):
                    yield path
            except FileNotFoundError:
                continue  # it was taken back

    def take(self, path: Path, stopped: Callable[[], bool] = lambda: False) -> Taken | None:
        """Copy the file. None: it changed meanwhile, so it was not complete, or `stopped` said so. Raises OSError."""
        before = _signature(path)
        copy = self._taking / "copy"
        digest = hashlib.sha256()
        with path.open("rb") as source, copy.open("wb") as target:
            while (chunk := source.read(_CHUNK)) and not stopped():
                digest.update(chunk)
                target.write(chunk)
            target.flush()
            os.fsync(target.fileno())
        if _signature(path) != before or stopped():
            self._seen.pop(path.name, None)
            copy.unlink()
            return None
        return Taken(path, copy, f"{_readable(path.name)}@{digest.hexdigest()[:_DIGITS]}", before)

    def is_known(self, taken: Taken) -> bool:
        """The same content under the same name was written (or refused) before."""
        return (self._done / taken.name).exists() or (self._refused / taken.name).exists()

    def written(self, taken: Taken) -> int:
        """How many records of the file were in the log when a process stopped in it; 0: it begins anew."""
        try:
            name, _, count = self._progress.read_text(encoding="utf-8").rpartition(":")
            return int(count) if name == taken.name else 0
        except (FileNotFoundError, ValueError):
            return 0

    def note(self, taken: Taken, records: int) -> None:
        """So many records of the file are in the log, and its process stops now."""
        made = self._progress.with_suffix(".new")
        made.write_text(f"{taken.name}:{records}", encoding="utf-8")
        made.replace(self._progress)

    def done(self, taken: Taken) -> None:
        """The records are in the log: keep the copy in `done/`, take the original away."""
        self._put_away(taken, self._done)

    def refuse(self, taken: Taken, reason: str) -> None:
        """Keep the copy in `refused/`, with the reason beside it, and take the original away."""
        (self._refused / taken.reason).write_text(reason, encoding="utf-8")
        self._put_away(taken, self._refused)

    def forget(self, taken: Taken) -> None:
        """Take the original of a known file away."""
        taken.copy.unlink()
        self._take_away(taken)

    def _put_away(self, taken: Taken, into: Path) -> None:
        taken.copy.replace(into / taken.name)
        self._progress.unlink(missing_ok=True)
        self._take_away(taken)

    def _take_away(self, taken: Taken) -> None:
        if taken.original.exists() and _signature(taken.original) == taken.signature:
            taken.original.unlink()
        marker = _marker(taken.original)
        if marker is not None:
            marker.unlink(missing_ok=True)

    def _is_ours(self, name: str) -> bool:
        if name.startswith(".") or name.lower().endswith((*UNFINISHED, MARKER)):
            return False
        return not self._globs or any(fnmatch(name, glob) for glob in self._globs)

    def _is_complete(self, path: Path) -> bool:
        if self._complete == "rename":
            return True
        if self._complete == "marker":
            marker = _marker(path)
            return marker is not None and marker.exists()
        signature, now = _signature(path), self._now()
        known, since = self._seen.get(path.name, (None, now))
        if known != signature:
            self._seen[path.name] = (signature, now)
            return self._quiet_s == 0
        return now - since >= self._quiet_s


def _marker(path: Path) -> Path | None:
    """The file that says that this one is complete; None: no file system takes such a name."""
    name = path.name + MARKER
    return path.with_name(name) if len(os.fsencode(name)) <= _FILE_SYSTEM_BYTES else None


def _readable(name: str) -> str:
    """The name as text; of a long one its beginning, and what tells it from others that begin the same."""
    text = os.fsencode(name).decode(errors="replace")
    written = text.encode()
    if len(written) <= MAX_NAME_BYTES:
        return text
    digest = hashlib.sha256(os.fsencode(name)).hexdigest()[:_DIGITS]
    return f"{written[: MAX_NAME_BYTES - _DIGITS - 1].decode(errors='ignore')}~{digest}"


def _age(entry: os.DirEntry[str]) -> tuple[int, str]:
    try:
        return entry.stat(follow_symlinks=False).st_mtime_ns, entry.name
    except FileNotFoundError:
        return 0, entry.name


def _signature(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
