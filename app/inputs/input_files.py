"""What `--input` names: files, folders and patterns, each file with the source that reads it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from glob import glob, has_magic
from pathlib import Path

from app.inputs.packed import SUFFIXES
from schemas.configuration import PlantConfig


class InputError(ValueError):
    """A file or its source cannot be used. `code` stands in docs/exceptions.md."""

    code = "INPUT_INVALID"


@dataclass(slots=True, frozen=True)
class InputFile:
    source: str
    path: Path


def inputs(arguments: Sequence[str], plant: PlantConfig) -> list[InputFile]:
    """`[SOURCE=]WHAT` arguments, in their order. WHAT is a file, a folder (all files below it) or a pattern (`*`, `?`, `[..]`,
    and `**` for any folders). What a folder or pattern names comes by path, and once, however many name it; names that begin
    with a dot are passed over. Without SOURCE: the source whose `files:` glob matches, else the only one. Raises InputError."""
    found: dict[InputFile, None] = {}
    given: list[InputFile] = []
    for argument in arguments:
        source, separator, name = argument.partition("=")
        if not separator or source not in plant.sources:
            source, name = "", argument
        named = Path(name)
        if named.is_dir() or (has_magic(name) and not named.exists()):
            several = [InputFile(source or _source_of(path, plant), path) for path in _below(name)]
            if not several:
                raise InputError(f"{name} names no file")
            given += [file for file in several if file not in found]
            found |= dict.fromkeys(several)
            continue
        file = InputFile(source or _source_of(named, plant), named)
        if not named.is_file():
            raise InputError(f"{named} is no file")
        given.append(file)
        found[file] = None
    return given


def _below(name: str) -> Iterator[Path]:
    """Files of a folder or pattern, by the parts of their paths."""
    pattern = str(Path(name) / "**" / "*") if Path(name).is_dir() else name
    yield from sorted(path for path in map(Path, glob(pattern, recursive=True)) if path.is_file())


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
