"""What the rest of the program asks of a source format. Each passes tests/unit/streams/mapping/contract.py."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from schemas.configuration.mapping import Read
from streams.mapping.items import MAX_RAW_BYTES, RefusedInMapping
from streams.mapping.paths import DOCUMENT, Steps, path_steps
from streams.mapping.private import Hash, hide

Fields = dict[str, Any]
Reader = Callable[[bytes], list[Fields | RefusedInMapping]]
"""A raw record -> an entry per record in it: a dict of fields, or the Refusal that stands for a part that cannot be read. Raises
Refusal when nothing of it can be read; nothing else, for any bytes."""
Numbered = tuple[int, bytes]
"""A raw record with its place in the file: the number of its first line, or how many-th it is, from 1; it never falls."""
MAX_LINE_BYTES = MAX_RAW_BYTES + 1
"""Of a longer line: enough for the mapping to see that it is too long."""


class Uncut(RefusedInMapping):
    """A file cannot be cut into records any further. `head`: its beginning, enough for a reader to refuse it as a record; empty
    where records of it were given already."""

    def __init__(self, code: str, detail: str, head: bytes = b"") -> None:
        super().__init__(code, detail)
        self.head = head


@dataclass(slots=True, frozen=True)
class Private:
    """Where one source has private values, and what stands for them."""

    paths: Sequence[Steps]
    hashed: Hash
    names: frozenset[str] = field(init=False)
    """First step of each path: keys of a line, columns of a table."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", frozenset(str(steps[0]) for steps in self.paths))


Hider = Callable[[Fields], bool]
"""Hashes private values of fields in place. False: one of them is nothing that can be written down."""
Redactor = Callable[[bytes], bytes | None]
"""A raw record -> the same with private values hashed, also where it cannot be mapped; None: they cannot be found in it."""


def lines_of(content: IO[bytes]) -> Iterator[bytes]:
    """Lines with their ends. Of one above MAX_LINE_BYTES only its beginning: nothing reads the rest."""
    while line := content.readline(MAX_LINE_BYTES):
        if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
            while (rest := content.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                pass
        yield line


def by_lines(content: IO[bytes], read: Read, columns: Collection[str]) -> Iterator[Numbered]:
    """A record per line that is not empty."""
    for number, line in enumerate(lines_of(content), 1):
        value = line.rstrip(b"\r\n")
        if value:
            yield number, value


def hider_of_fields(read: Read, private: Private) -> Hider | None:
    """Private values stand where their paths say, in each record by itself."""
    if not private.paths:
        return None
    return lambda fields: hide(fields, private.paths, private.hashed)


def private_steps(text: str) -> Steps | None:
    """Steps of a plain path, or of one from the whole record."""
    if text.startswith(f"{DOCUMENT}."):
        steps = path_steps(text[2:])
        return None if steps is None else (DOCUMENT, *steps)
    return path_steps(text)


def each_of(read: Read) -> list[Steps]:
    """The steps of `read.each`."""
    return [steps for text in read.each if (steps := path_steps(text))]


@dataclass(slots=True, frozen=True, kw_only=True)
class Format:
    """A source format. What most formats have in common needs not be said."""

    reader: Callable[[Read, Sequence[frozenset[str]], Private], Reader]
    """`read`, the columns that plant.yaml reads (of each set one must be there), private places -> how raw records are read."""
    redactor: Callable[[Read, Private], Redactor]
    """How private values are hashed in a raw record before it is written anywhere."""
    cut: Callable[[IO[bytes], Read, Collection[str]], Iterator[Numbered]] = by_lines
    """A file's content, `read`, the columns that plant.yaml reads -> its raw records, each readable by itself. Raises Uncut, or
    another Refusal, behind the records before the damage."""
    hider: Callable[[Read, Private], Hider | None] = hider_of_fields
    """How private values are hashed in what the reader gave; None: there are none, or the reader did it."""
    private_steps: Callable[[str], Steps | None] = private_steps
    """Where a path of `private` leads; None: it is no path."""
    hides_people: bool = True
    """Paths from which a rule reads a person are private by themselves."""
    required: str = ""
    """Field that is always there and is empty only where a rule takes that; empty: none is."""
    without: Callable[[Fields], RefusedInMapping] = lambda fields: RefusedInMapping(
        "BAD_LINE", "a value is empty, and no rule takes that"
    )
    """Of fields whose `required` one is empty: the refusal."""
    ids_of_elements: bool = True
    """Where a raw record holds several records and each states its own id, its place is no part of the id."""
    one_time: bool = False
    """All records in one raw record have the same time."""
    each_from: str = "to a list"
    """Where paths of `each` lead to, for people."""
    file_encoding: Callable[[Read], str] = lambda read: "utf-8"
    """The encoding of records from a file that was in another one."""
    recoded: Callable[[str], str] = lambda text: text
    """The beginning of a file's text whose encoding was changed: what it says about itself must stay true."""
    shown: Callable[[str, Read], str] = lambda text, read: text
    """A raw record for people, without the header or document that it carries."""
    resembles: Callable[[bytes], bool] = lambda head: False
    """Does the beginning of a file, without blanks before it, look like this format? A guess, for a hint to people."""
    mapper: Callable[..., Any] | None = None
    """(name of the source, plant, mapper of another source by its name) -> its own Mapper; None: by the rules of plant.yaml."""
