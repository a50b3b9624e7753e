"""From dropped files to raw records: one file after the other, none of which stops the others."""

import time
from collections.abc import Callable, Iterator

import structlog

from app.ingest.drop_folder import DropFolder, Taken
from app.ingest.raw_writer import RawNotWritten, RawWriter
from app.inputs.cut_files import cut, cut_or_refused
from app.inputs.file_text import UnreadableFile
from streams.mapping import Mapper, RawRecord

POLL_S = 0.5
LOOK_RECORDS = 256
"""Between two looks whether to stop."""
RETRY_S = 5.0
"""After a broker did not answer, or a file could not be read or moved."""


class Ingest:
    """`stopped`: asked between files."""

    def __init__(self, folder: DropFolder, mapper: Mapper, writer: RawWriter, stopped: Callable[[], bool]) -> None:
        self._folder, self._mapper, self._writer, self._stopped = folder, mapper, writer, stopped
        self._log = structlog.get_logger(__name__)
        self._not_before: dict[str, float] = {}
        self._strangers: set[str] = set()
        self._broken_off = False
        """The file in work was left before its end."""

    def run(self, once: bool) -> bool:
        """Until stopped; `once`: until no file of the source is left but those that could not be taken. True: none was left."""
        while not self._stopped():
            self._tell_strangers()
            for path in self._folder.complete():
                if self._stopped():
                    break
                if time.monotonic() < self._not_before.get(path.name, 0.0):
                    continue
                try:
                    taken = self._folder.take(path, self._stopped)
                    self._not_before.pop(path.name, None)
                    if taken is not None:
                        self._file(taken)
                except (RawNotWritten, OSError) as wrong:
                    code = wrong.code if isinstance(wrong, RawNotWritten) else "FILE_NOT_TAKEN"
                    self._log.warning("file stays", code=code, detail=f"{path.name}: {wrong}; again in {RETRY_S} s")
                    self._not_before[path.name] = time.monotonic() + RETRY_S
            left = {path.name for path in self._folder.candidates()} if once else set()
            if once and left <= self._not_before.keys():
                break
            time.sleep(POLL_S)
        return not self._not_before

    def _tell_strangers(self) -> None:
        """Once each: they may be meant for this source, and nothing else would say that they are not taken."""
        there = dict(self._folder.strangers())
        for name in sorted(there.keys() - self._strangers):
            self._log.warning("nobody takes it", code="FILE_NOT_OF_SOURCE", detail=f"{name}: {there[name]}")
        self._strangers = set(there)

    def _file(self, taken: Taken) -> None:
        if self._folder.is_known(taken):
            self._folder.forget(taken)
            self._log.info("file is known", detail=taken.name)
            return
        wrong = self._unreadable(taken)
        if self._stopped():
            self._interrupted(taken, self._folder.written(taken))
            return
        known = 0 if wrong is not None else self._folder.written(taken)
        written = 0 if wrong is not None and not wrong.head else known + self._writer.write(self._records(taken, known))
        if self._broken_off:
            self._folder.note(taken, written)
            self._interrupted(taken, written)
            return
        if wrong is None:
            self._folder.done(taken)
            self._log.info("file written", detail=f"{taken.name}: {written} records")
            return
        told = f"{written} record was written, which intake refuses with this code." if written else "No record was written."
        reason = f"{wrong.code}: {wrong.detail}\n{told}\nCorrect the file and drop it again; docs/exceptions.md has the code.\n"
        self._folder.refuse(taken, reason)
        self._log.warning("file refused", code=wrong.code, detail=f"{taken.name}: {wrong.detail}")

    def _unreadable(self, taken: Taken) -> UnreadableFile | None:
        """What is wrong with the file as a whole; it is read to its end once before its first record is written."""
        try:
            for number, _ in enumerate(cut(taken.copy, self._mapper.read, self._mapper.columns)):
                if number % LOOK_RECORDS == 0 and self._stopped():
                    break
        except UnreadableFile as wrong:
            return wrong
        return None

    def _records(self, taken: Taken, known: int) -> Iterator[RawRecord]:
        """The records behind the `known` first ones, up to the end of the file or a stop."""
        self._broken_off = False
        for place, (number, value) in enumerate(cut_or_refused(taken.copy, self._mapper.read, self._mapper.columns)):
            if place % LOOK_RECORDS == 0 and self._stopped():
                self._broken_off = True
                return
            if place >= known:
                yield RawRecord(self._mapper.redacted(value), self._mapper.name, taken.name, number)

    def _interrupted(self, taken: Taken, written: int) -> None:
        """A stop does not wait for the end of a large file: the next start goes on behind what is written."""
        self._not_before[taken.original.name] = 0.0
        told = f"{taken.name}: {written} of its records are written"
        self._log.warning("file stays", code="FILE_INTERRUPTED", detail=told)
