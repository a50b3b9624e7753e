"""Files of JSON: a record per line as a rule, or objects over several lines (pretty-printed), or the elements of a list.

A line that is whole by itself is a record. A line whose brackets stay open begins an object or a list; when nothing closes
them it is damaged, stands alone and costs none of the lines behind it.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator

from streams.mapping.items import MAX_RAW_BYTES, Refusal

MAX_LINES = 100_000
"""Of one record."""
Numbered = tuple[int, bytes]

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},]')
_OPEN, _CLOSE = frozenset(b"{["), frozenset(b"}]")
_BLANK = b" \t\r\n"


def json_values(lines: Iterable[bytes]) -> Iterator[Numbered]:
    """The records of a file from its lines (with their ends), each with the number of its first line; records that share a line
    have the next numbers, so that none comes twice. Raises Refusal TOO_LARGE for an element of a list that does not end."""
    last = 0
    for number, value in _values(_Lines(lines)):
        last = max(last + 1, number)
        yield last, value


class _Lines:
    """Numbered lines that can be given back."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = enumerate(lines, 1)
        self._held: deque[Numbered] = deque()

    def next(self) -> Numbered | None:
        return self._held.popleft() if self._held else next(self._lines, None)

    def give_back(self, lines: Iterable[Numbered]) -> None:
        self._held.extendleft(reversed(list(lines)))


def _values(lines: _Lines) -> Iterator[Numbered]:
    while (first := lines.next()) is not None:
        number, line = first
        text = line.strip(_BLANK)
        if not text:
            continue
        if text[0] not in _OPEN or _depth(text) <= 0:
            yield number, line.rstrip(b"\r\n")
        elif text[0] == b"["[0] and not _is_whole(lines, b"["):
            yield from _elements(lines, number, text[1:])
        else:
            yield _object(lines, first)


def _is_whole(lines: _Lines, bracket: bytes) -> bool:
    """Does the next line begin with the bracket and end what it opens? Then the one before it is damaged."""
    after = lines.next()
    if after is None:
        return False
    lines.give_back([after])
    return after[1].startswith(bracket) and len(after[1].strip(_BLANK)) > 1 and _depth(after[1]) == 0


def _object(lines: _Lines, first: Numbered) -> Numbered:
    """The lines of an object up to its end, or the first line alone."""
    taken = [first]
    depth, size = _depth(first[1]), len(first[1])
    while depth > 0 and size <= MAX_RAW_BYTES and len(taken) < MAX_LINES and not _is_whole(lines, b"{"):
        line = lines.next()
        if line is None:
            break
        taken.append(line)
        depth += _depth(line[1])
        size += len(line[1])
    if depth == 0:
        return first[0], b"".join(line for _, line in taken).strip(_BLANK)
    lines.give_back(taken[1:])
    return first[0], first[1].rstrip(b"\r\n")


def _elements(lines: _Lines, number: int, rest: bytes) -> Iterator[Numbered]:
    """The elements of a list; `rest`: what follows its bracket in the line. A list that does not end is told by one more record
    that cannot be read."""
    element: list[bytes] = []
    began, depth, size = number, 0, 0
    while True:
        at = 0
        for token in _TOKEN.finditer(rest):
            sign = rest[token.start()]
            if sign in _OPEN:
                depth += 1
            elif depth and sign in _CLOSE:
                depth -= 1
            elif not depth and sign in b",]":
                value = b"".join([*element, rest[at : token.start()]]).strip(_BLANK)
                if value:
                    yield began, value
                element, size, at, began = [], 0, token.end(), number
                if sign in b"]":
                    lines.give_back([(number, rest[at:])] if rest[at:].strip(_BLANK) else [])
                    return
        left = rest[at:]
        if element or left.strip(_BLANK):
            element.append(left)
            size += len(left)
        if size > MAX_RAW_BYTES:
            raise Refusal(
                "TOO_LARGE", f"the element of the list that begins in line {began} does not end within {MAX_RAW_BYTES} bytes"
            )
        line = lines.next()
        if line is None:
            yield began, b"".join(element).strip(_BLANK) or b"["
            return
        number, rest = line
        if not element:
            began = number


def _depth(text: bytes) -> int:
    """Brackets that stay open behind a line; those in texts do not count."""
    found = _net(text)
    return found if found == 0 else _net(_STRING.sub(b"", text))


def _net(text: bytes) -> int:
    return text.count(b"{") - text.count(b"}") + text.count(b"[") - text.count(b"]")
