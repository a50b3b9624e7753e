"""Recorded files as one stream, merged by received_at: the order that the raw partition will have."""

import heapq
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from itertools import chain, islice
from typing import NamedTuple

from app.inputs.arrivals import Arrived, arrivals
from app.inputs.cut_files import cut_or_refused
from app.inputs.file_text import UnreadableFile
from app.inputs.input_files import InputError, InputFile
from app.inputs.reading import FileRead
from schemas.configuration import PlantConfig
from streams.mapping import Mapper, RawRecord, compile_source

MAX_SORTED_RECORDS = 4_000_000
"""Of a file with `order: time`, which is held in memory: about 2 GB."""


class FilePlace(NamedTuple):
    """How far one file was given out: so many of its records, and the newest time stated up to there (microseconds)."""

    records: int = 0
    newest: int = 0


class InputPlace(NamedTuple):
    """How far an input was given out: `files` in their order. `begins`: when the first record of all arrived (microseconds)."""

    begins: int
    files: Sequence[FilePlace]


_Given = tuple[RawRecord, int, int]
"""A record as it is given out, the newest time stated up to it, and the number of its file."""


def merged(files: Sequence[InputFile], plant: PlantConfig, private_key: bytes) -> Iterator[RawRecord]:
    """All records of a RecordedInput."""
    return iter(RecordedInput(files, plant, private_key))


class RecordedInput:
    """Every record of the files by (received_at, file, place in it). Private fields are hashed already.

    received_at never falls within a file: a record that claims to be older than the one before it counts as arriving with it.
    Records before which no time was ever stated arrive with the first of another file: time does not begin in 1970.
    A file is open from its second record to its last one: files that follow each other are not open at once.
    """

    def __init__(
        self, files: Sequence[InputFile], plant: PlantConfig, private_key: bytes, place: InputPlace | None = None
    ) -> None:
        """`place`: to go on from; None: from the beginning. `order: time` sorts here, so such files are read at once.

        Raises InputError for a file that cannot be read, also while records are given out.
        """
        self._future_us = plant.clock.future_us
        self._mappers = {
            file.source: compile_source(file.source, plant.sources[file.source], plant, private_key) for file in files
        }
        self._files = [(file, name, FileRead(file.path)) for file, name in named(files)]
        places = place.files if place is not None else [FilePlace()] * len(files)
        self._given, self._newest = [file.records for file in places], [file.newest for file in places]
        streams = [self._begun(number) for number in range(len(files))]
        firsts = [first[0].received_at for first, _ in streams if first is not None and first[0].received_at]
        self._begins = place.begins if place is not None else min(firsts, default=0)
        self._streams = [self._of(number, first, rest) for number, (first, rest) in enumerate(streams) if first is not None]

    @property
    def place(self) -> InputPlace:
        """Up to the record that was given out last."""
        return InputPlace(self._begins, [FilePlace(*file) for file in zip(self._given, self._newest, strict=True)])

    @property
    def bytes_read(self) -> int:
        """Of the files as they are, packed or not."""
        return sum(read.done for _, _, read in self._files)

    @property
    def bytes_total(self) -> int:
        return sum(read.total for _, _, read in self._files)

    def __iter__(self) -> Iterator[RawRecord]:
        given, newest_of = self._given, self._newest
        for record, newest, file in heapq.merge(*self._streams, key=_when):  # stable: equal times keep the order of the files
            given[file] += 1
            newest_of[file] = newest
            yield record

    def _of(self, number: int, first: Arrived, rest: Iterator[Arrived]) -> Iterator[_Given]:
        for record, newest in chain([first], rest):
            record.received_at = record.received_at or self._begins
            yield record, newest, number

    def _begun(self, number: int) -> tuple[Arrived | None, Iterator[Arrived]]:
        """The first record that is to be given out, and all behind it."""
        place = FilePlace(self._given[number], self._newest[number])
        if self._mappers[self._files[number][0].source].read.order != "file":
            whole = self._from(number, place)
            return next(whole, None), whole
        with closing(self._from(number, place)) as look:
            first = next(look, None)
        if first is None:
            return None, iter(())
        return first, self._from(number, FilePlace(place.records + 1, first[1]))

    def _from(self, number: int, place: FilePlace) -> Generator[Arrived, None, None]:
        file, name, read = self._files[number]
        return arrivals(_ordered(file, name, self._mappers[file.source], place.records, read), self._future_us, place.newest)


def _when(given: _Given) -> int:
    return given[0].received_at


def named(files: Sequence[InputFile]) -> list[tuple[InputFile, str]]:
    """Each file with its name in raw positions; those that are not unique keep their folders."""
    count: dict[str, int] = {}
    for file in files:
        count[file.path.name] = count.get(file.path.name, 0) + 1
    return [(file, file.path.name if count[file.path.name] == 1 else str(file.path)) for file in files]


def _ordered(file: InputFile, name: str, mapper: Mapper, skipped: int, read: FileRead) -> Iterator[tuple[RawRecord, int | None]]:
    """Records in the order in which they arrived, with the time that each states; the first ones of that order are skipped. A
    record that states none stays behind the one before it in the file."""
    if mapper.read.order == "file":
        yield from _records(file, name, mapper, skipped, read)
        return
    found: list[tuple[int, RawRecord, int | None]] = []
    at = 0
    for record, stated in _records(file, name, mapper, 0, read):
        at, record.nodes = at if stated is None else stated, None  # what was read would take more room than its bytes
        found.append((at, record, stated))
        if len(found) > MAX_SORTED_RECORDS:
            raise InputError(f"{file.path}: more than {MAX_SORTED_RECORDS:,} records are not sorted here; sort the file by time")
    found.sort(key=lambda entry: entry[0])
    read.by_records(len(found))
    for number, (_, record, stated) in enumerate(islice(found, skipped, None), skipped):
        read.given = number
        yield record, stated
    read.given = len(found)


def _records(file: InputFile, name: str, mapper: Mapper, skipped: int, read: FileRead) -> Iterator[tuple[RawRecord, int | None]]:
    try:
        for number, value in islice(cut_or_refused(file.path, mapper.read, mapper.columns, read.follow), skipped, None):
            record = RawRecord(value, file.source, name, number)
            stated = mapper.arrival(record)
            record.value = mapper.redacted(record.value)
            yield record, stated
        read.ended()
    except (UnreadableFile, OSError) as wrong:
        raise InputError(f"{file.path}: {wrong}") from wrong
