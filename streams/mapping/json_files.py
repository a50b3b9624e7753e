"""Files of JSON: a record per line as a rule, or objects over several lines (pretty-printed), or the elements of a list.

A line that is whole by itself is a record. A line whose brackets stay open begins an object or a list; when nothing closes
them it is damaged, stands alone and costs none of the lines behind it.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator

from streams.mapping.items import MAX_RAW_BYTES, RefusedInMapping

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
        last = number if number > last else last + 1
        yield last, value


class _Lines:
    """Numbered lines that can be given back."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = enumerate(lines, 1)
        self._held: deque[Numbered] = deque()

    def __iter__(self) -> Iterator[Numbered]:
        while True:
            if self._held:
                yield self._held.popleft()
            else:
                line = next(self._lines, None)
                if line is None:
                    return
                yield line

    def next(self) -> Numbered | None:
        return self._held.popleft() if self._held else next(self._lines, None)

    def give_back(self, lines: Iterable[Numbered]) -> None:
        self._held.extendleft(reversed(list(lines)))


def _values(lines: _Lines) -> Iterator[Numbered]:
    for first in lines:
        number, line = first
        if line[:1] == b"{" and line[-2:] == b"}\n" and line.count(b"{") == line.count(b"}"):
            yield number, line[:-1]  # nearly all lines of nearly all files
            continue
        text = line.strip(_BLANK)
        if not text:
            continue
        if text[0] not in _OPEN or (text[-1] in _CLOSE and not _net(text)) or _depth(text) <= 0:
            yield number, line.rstrip(b"\r\n")
        elif text[0] == b"["[0] and not _is_whole(lines, b"["):
            yield from _elements(lines, number, line[line.index(b"[") + 1 :])
        else:
            yield _object(lines, first)


def _is_whole(lines: _Lines, bracket: bytes) -> bool:
    """Is the next line an object (or list) by itself, not indented and without a comma? Then what is open before it is
    damaged."""
    after = lines.next()
    if after is None:
        return False
    lines.give_back([after])
    text = after[1].rstrip(_BLANK)
    return text.startswith(bracket) and text[-1] in _CLOSE and len(text) > len("{}") and _depth(text) == 0


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
                continue
            ends = not depth and sign in b",]"
            if sign in _CLOSE and depth:
                depth -= 1
                if depth:
                    continue
            elif not ends:
                continue
            # Behind an object, or at a comma or the list's end: what was taken is an element.
            value = b"".join([*element, rest[at : token.start() if ends else token.end()]]).strip(_BLANK)
            if value:
                yield began, value
            element, size, at, began = [], 0, token.end(), number
            if ends and sign in b"]":
                lines.give_back([(number, rest[at:])] if rest[at:].strip(_BLANK) else [])
                return
        left = rest[at:]
        if element or left.strip(_BLANK):
            element.append(left)
            size += len(left)
        if size > MAX_RAW_BYTES:
            detail = f"the element of the list that begins in line {began} does not end within {MAX_RAW_BYTES} bytes"
            raise RefusedInMapping("TOO_LARGE", detail)
        line = None if element and _is_whole(lines, b"{") else lines.next()
        if line is None:
            yield began, b"".join(element).strip(_BLANK) or b"["
            return
        number, rest = line
        if not element:
            began = number


def _depth(text: bytes) -> int:
    """Brackets that stay open behind a line; those in texts do not count."""
    return _net(_STRING.sub(b"", text) if b'"' in text else text)


def _net(text: bytes) -> int:
    return text.count(b"{") - text.count(b"}") + text.count(b"[") - text.count(b"]")
