"""From dropped files to raw records: one file after the other, none of which stops the others."""

import time
from collections.abc import Callable, Iterator

import structlog

from app.ingest.drop_folder import DropFolder, Taken
from app.ingest.raw_writer import RawNotWritten, RawWriter
from app.run.cut_files import cut, cut_or_refused
from app.run.file_text import UnreadableFile
from streams.mapping import Mapper, RawRecord

POLL_S = 0.5
RETRY_S = 5.0
"""After a broker did not answer, or a file could not be read or moved."""


class Ingest:
    """`stopped`: asked between files."""

    def __init__(self, folder: DropFolder, mapper: Mapper, writer: RawWriter, stopped: Callable[[], bool]) -> None:
        self._folder, self._mapper, self._writer, self._stopped = folder, mapper, writer, stopped
        self._log = structlog.get_logger(__name__)
        self._not_before: dict[str, float] = {}

    def run(self, once: bool) -> bool:
        """Until stopped; `once`: until no file of the source is left but those that could not be taken. True: none was left."""
        while not self._stopped():
            for path in self._folder.complete():
                if self._stopped():
                    break
                if time.monotonic() < self._not_before.get(path.name, 0.0):
                    continue
                try:
                    taken = self._folder.take(path)
                    if taken is not None:
                        self._file(taken)
                    self._not_before.pop(path.name, None)
                except (RawNotWritten, OSError) as wrong:
                    code = wrong.code if isinstance(wrong, RawNotWritten) else "FILE_NOT_TAKEN"
                    self._log.warning("file stays", code=code, detail=f"{path.name}: {wrong}; again in {RETRY_S} s")
                    self._not_before[path.name] = time.monotonic() + RETRY_S
            left = {path.name for path in self._folder.candidates()} if once else set()
            if once and left <= self._not_before.keys():
                break
            time.sleep(POLL_S)
        return not self._not_before

    def _file(self, taken: Taken) -> None:
        if self._folder.is_known(taken):
            self._folder.forget(taken)
            self._log.info("file is known", detail=taken.name)
            return
        wrong = self._unreadable(taken)
        written = 0 if wrong is not None and not wrong.head else self._writer.write(self._records(taken))
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
            for _ in cut(taken.copy, self._mapper.read, self._mapper.columns):
                pass
        except UnreadableFile as wrong:
            return wrong
        return None

    def _records(self, taken: Taken) -> Iterator[RawRecord]:
        for number, value in cut_or_refused(taken.copy, self._mapper.read, self._mapper.columns):
            yield RawRecord(self._mapper.redacted(value), self._mapper.name, taken.name, number)
