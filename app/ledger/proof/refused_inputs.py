"""Inputs of a run of which more records were refused than the run allows: such a run is not exact, even if everything adds up."""

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

from app.inputs.refused_share import beyond
from app.ledger.books.snapshot import Snapshot

WENT_ON = frozenset({"NO_LOT"})
"""Codes of records of which the event went on, without what the code is about."""


@dataclass(slots=True, frozen=True)
class RefusedInput:
    name: str
    """File, or `source NAME`: its files of one record together."""
    refused: int
    records: int
    code: str
    """The most frequent one."""


def refused_inputs(snapshot: Snapshot) -> list[RefusedInput]:
    """By name. A record counts once, however many of its events were refused. Live installations have no inputs.

    Of a file that is too short for a share all records must be refused. A file of one record is a document that was exchanged:
    one that is damaged among good ones says nothing. So those of a source are one input, and while they are few something else
    of the source must not have been taken either.
    """
    at_most = Fraction(snapshot.about.get("refused_at_most", "1"))
    found: dict[str, dict[int, str]] = {}
    for letter in snapshot.letters:
        if letter.stage.startswith("intake") and letter.code not in WENT_ON:
            found.setdefault(letter.raw_source, {}).setdefault(letter.raw_offset, letter.code)
    fed: dict[str, int] = snapshot.about.get("fed", {})
    sources: dict[str, str] = snapshot.about.get("sources", {})
    documents: dict[str, list[str]] = {}
    for name in sorted(fed):
        if fed[name] == 1 and name in sources:
            documents.setdefault(sources[name], []).append(name)
    told = []
    for name in sorted(fed.keys() - {one for names in documents.values() for one in names}):
        refused, codes = len(found.get(name, {})), Counter(found.get(name, {}).values())
        if beyond(refused, fed[name], at_most) or (at_most < 1 and 0 < fed[name] <= refused):
            told.append(RefusedInput(name, refused, fed[name], codes.most_common(1)[0][0]))
    for source, names in sorted(documents.items()):
        codes = Counter(code for name in names for code in found.get(name, {}).values())
        refused, whole = codes.total(), [name for name in fed if sources.get(name) == source]
        nothing_taken = sum(len(found.get(name, {})) for name in whole) >= sum(fed[name] for name in whole)
        if beyond(refused, len(names), at_most) or (at_most < 1 and nothing_taken):
            title = f"source {source}" if len(names) > 1 else names[0]
            told.append(RefusedInput(title, refused, len(names), codes.most_common(1)[0][0]))
    return told


def empty_inputs(snapshot: Snapshot) -> list[str]:
    """Files of the run, by path, that gave no record."""
    fed = [_tail(name) for name, records in snapshot.about.get("fed", {}).items() if records]
    paths = [entry["path"] for entry in snapshot.about.get("inputs", [])]
    return sorted(path for path in paths if not any(_same(_tail(path), name) for name in fed))


def _tail(path: str) -> str:
    """Without the way up to where it begins: a run notes its files and names its records from different folders."""
    return "/" + "/".join(part for part in path.split("/") if part not in ("", ".", ".."))


def _same(path: str, name: str) -> bool:
    return path.endswith(name) or name.endswith(path)


def nothing_read(snapshot: Snapshot) -> bool:
    """There are inputs, and not a record in them."""
    return bool(snapshot.about.get("inputs")) and not any(snapshot.about.get("fed", {}).values())
