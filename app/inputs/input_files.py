"""What `--input` names: files, folders and patterns, each file with the source that reads it."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from glob import glob, has_magic
from pathlib import Path

from app.inputs.packed import SUFFIXES
from schemas.configuration import PlantConfig


class InputError(ValueError):
    """A file or its source cannot be used. `code` stands in docs/exceptions.md."""

    code = "INPUT_INVALID"


class UnknownInputSource(InputError):
    """`--input NAME=FILE` with a name that no source has."""

    code = "UNKNOWN_SOURCE"


@dataclass(slots=True, frozen=True)
class InputFile:
    source: str
    path: Path


def inputs(arguments: Sequence[str], plant: PlantConfig, base: Path = Path(), besides: Iterable[Path] = ()) -> list[InputFile]:
    """`[SOURCE=]WHAT` arguments, in their order. WHAT is a file, a folder (all files below it) or a pattern (`*`, `?`, `[..]`,
    and `**` for any folders). What a folder or pattern names comes by path, and a file once, however many name it and by whatever
    path; names that begin with a dot are passed over, and so is what lies in `besides` (files and folders that the run writes),
    unless a folder in there was named. Without SOURCE: the source whose `files:` glob matches, else the only one.

    `base`: the folder that relative names start from. Raises InputError."""
    own = [path.resolve() for path in besides]
    found: set[tuple[str, Path]] = set()
    given: list[InputFile] = []
    for argument in arguments:
        source, separator, name = argument.partition("=")
        if not separator or source not in plant.sources:
            if separator and not (base / argument).exists() and (base / name).exists():
                raise UnknownInputSource(f"`{source}` is no source of plant.yaml; it has {', '.join(sorted(plant.sources))}")
            source, name = "", argument
        named = base / name
        if named.is_dir() or (has_magic(name) and not named.exists()):
            others = [path for path in own if not _root(named).resolve().is_relative_to(path)]
            paths = [path for path in _below(named) if not any(path.resolve().is_relative_to(other) for other in others)]
            if not paths:
                raise InputError(f"{named} names no file")
            given += _new([InputFile(source or _source_of(path, plant), path) for path in paths], found)
            continue
        if not named.is_file():
            raise InputError(f"{named} is no file")
        file = InputFile(source or _source_of(named, plant), named)
        given.append(file)
        _new([file], found)
    return given


def _new(files: Iterable[InputFile], found: set[tuple[str, Path]]) -> list[InputFile]:
    """Those that were not `found` by this or another name; from now on they are."""
    new = []
    for file in files:
        at = file.source, file.path.resolve()
        if at not in found:
            new.append(file)
            found.add(at)
    return new


def _root(named: Path) -> Path:
    """The folder, or that of a pattern: up to the first part that is one."""
    plain = next((parent for parent in (named, *named.parents) if not has_magic(str(parent))), named)
    return plain if plain.is_dir() else plain.parent


def _below(named: Path) -> Iterator[Path]:
    """Files of a folder or pattern, by the parts of their paths."""
    if not named.is_dir():
        yield from sorted(path for path in map(Path, glob(str(named), recursive=True)) if path.is_file())
        return
    found = []
    for folder, folders, files in os.walk(named):  # links to folders are not followed: one may lead in a circle
        folders[:] = [one for one in folders if not one.startswith(".")]
        found += [Path(folder, file) for file in files if not file.startswith(".")]
    yield from sorted(path for path in found if path.is_file())


def _source_of(path: Path, plant: PlantConfig) -> str:
    names = {path.name, *(path.name.removesuffix(suffix) for suffix in SUFFIXES)}
    matching = [
        source for source, entry in plant.sources.items() if any(fnmatch(name, glob_) for name in names for glob_ in entry.files)
    ]
    if len(matching) == 1:
        return matching[0]
    if not matching and len(plant.sources) == 1:
        return next(iter(plant.sources))
    found = f"matches {', '.join(matching)}" if matching else "matches no source's `files:`"
    raise InputError(f"{path.name} {found}; write SOURCE={path}")
