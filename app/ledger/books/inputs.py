"""The input files of a run: noted with size and hash when they are read, found again when somebody asks."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.inputs.input_files import InputFile

_CHUNK = 1 << 20


class SourceExpired(LookupError):
    """The source records cannot be read again: what was stored of them is all there is. Says why."""

    code = "SOURCE_EXPIRED"


def note(files: Iterable[InputFile], out: Path) -> list[dict[str, Any]]:
    """What the ledger folder keeps to find the files: paths (relative where they lie below `out`), sizes, hashes."""
    home = out.resolve()
    found = []
    for file in files:
        path = file.path.resolve()
        inside = path.is_relative_to(home)
        found.append(
            {
                "source": file.source,
                "path": str(path.relative_to(home) if inside else path),
                "size": path.stat().st_size,
                "sha256": digest(path),
            }
        )
    return found


def found_again(noted: Sequence[Mapping[str, Any]], out: Path) -> list[InputFile]:
    """The files of a run, in their order, unchanged. Raises SourceExpired for the first one that is gone or another."""
    if not noted:
        raise SourceExpired("this ledger does not say which files it was made from")
    files = []
    for entry in noted:
        path = out.resolve() / entry["path"]
        if not path.is_file():
            raise SourceExpired(f"{path} is gone; put it back to have the records read again")
        if path.stat().st_size != entry["size"] or digest(path) != entry["sha256"]:
            raise SourceExpired(f"{path} is not the file that was read; put the original back")
        files.append(InputFile(entry["source"], path))
    return files


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    hashed = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            hashed.update(chunk)
    return hashed.hexdigest()
