"""Recorded files as one stream, merged by received_at: the order that the raw partition will have."""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import chain
from pathlib import Path

from app.inputs.arrivals import arrivals
from app.inputs.cut_files import cut_or_refused
from app.inputs.file_text import UnreadableFile
from schemas.configuration import PlantConfig
from streams.mapping import Mapper, RawRecord, compile_source

MAX_SORTED_RECORDS = 4_000_000
"""Of a file with `order: time`, which is held in memory: about 2 GB."""


class InputError(ValueError):
    """A file or its source cannot be used. `code` stands in docs/exceptions.md."""

    code = "INPUT_INVALID"


@dataclass(slots=True, frozen=True)
class InputFile:
    source: str
    path: Path


def inputs(arguments: Sequence[str], plant: PlantConfig) -> list[InputFile]:
    """`[SOURCE=]FILE` arguments. Without SOURCE: the source whose `files:` glob matches, else the only one."""
    return [_input(argument, plant) for argument in arguments]


def _input(argument: str, plant: PlantConfig) -> InputFile:
    source, separator, name = argument.partition("=")
    if separator and source in plant.sources:
        path = Path(name)
    else:
        path, source = Path(argument), _source_of(Path(argument), plant)
    if not path.is_file():
        raise InputError(f"{path} is no file")
    return InputFile(source, path)


def _source_of(path: Path, plant: PlantConfig) -> str:
    matching = [name for name, source in plant.sources.items() if any(fnmatch(path.name, glob) for glob in source.files)]
    if len(matching) == 1:
        return matching[0]
    if not matching and len(plant.sources) == 1:
        return next(iter(plant.sources))
    found = f"matches {', '.join(matching)}" if matching else "matches no source's `files:`"
    raise InputError(f"{path.name} {found}; write SOURCE={path}")


def merged(files: Sequence[InputFile], plant: PlantConfig, private_key: bytes) -> Iterator[RawRecord]:
    """Every record of the files by (received_at, file, place in it). Private fields are hashed already.

    received_at never falls within a file: a record that claims to be older than the one before it counts as arriving with it.
    Records before which no time was ever stated arrive with the first of another file: time does not begin in 1970.
    Raises InputError for a file that cannot be read.
    """
    mappers = {file.source: compile_source(file.source, plant.sources[file.source], plant, private_key) for file in files}
    names = _names(files)
    future_us = plant.clock.future_us
    streams = [arrivals(_ordered(file, names[file.path], mappers[file.source]), future_us) for file in files]
    first = [next(stream, None) for stream in streams]
    begins = min((record.received_at for record in first if record is not None and record.received_at), default=0)
    whole = [_not_before(begins, record, rest) for record, rest in zip(first, streams, strict=True) if record is not None]
    return heapq.merge(*whole, key=lambda record: record.received_at)  # stable: equal times keep the order of the files


def _not_before(begins: int, first: RawRecord, rest: Iterator[RawRecord]) -> Iterator[RawRecord]:
    for record in chain([first], rest):
        record.received_at = record.received_at or begins
        yield record


def _names(files: Sequence[InputFile]) -> Mapping[Path, str]:
    """File names for raw positions; those that are not unique keep their folders."""
    count: dict[str, int] = {}
    for file in files:
        count[file.path.name] = count.get(file.path.name, 0) + 1
    return {file.path: file.path.name if count[file.path.name] == 1 else str(file.path) for file in files}


def _ordered(file: InputFile, name: str, mapper: Mapper) -> Iterator[tuple[RawRecord, int | None]]:
    """Records in the order in which they arrived, with the time that each states. A record that states none stays behind the
    one before it in the file."""
    records = _records(file, name, mapper)
    if mapper.read.order == "file":
        yield from records
        return
    found: list[tuple[int, RawRecord, int | None]] = []
    at = 0
    for record, stated in records:
        at = at if stated is None else stated
        found.append((at, record, stated))
        if len(found) > MAX_SORTED_RECORDS:
            raise InputError(f"{file.path}: more than {MAX_SORTED_RECORDS:,} records are not sorted here; sort the file by time")
    found.sort(key=lambda entry: entry[0])
    yield from ((record, stated) for _, record, stated in found)


def _records(file: InputFile, name: str, mapper: Mapper) -> Iterator[tuple[RawRecord, int | None]]:
    try:
        for number, value in cut_or_refused(file.path, mapper.read, mapper.columns):
            record = RawRecord(value, file.source, name, number)
            stated = mapper.arrival(record)
            record.value = mapper.redacted(record.value)
            yield record, stated
    except (UnreadableFile, OSError) as wrong:
        raise InputError(f"{file.path}: {wrong}") from wrong
