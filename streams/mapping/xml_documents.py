"""XML documents (B2MML and others) as fields: elements and attributes by their local names, cut into records at stated paths.

Nothing outside the document is ever read: a document type declaration is refused, so there are no entities but the five of XML
(docs/adr/0019-xml-without-entities.md). Bytes, depth and number of elements are bounded.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from streams.mapping.items import RefusedInMapping
from streams.mapping.paths import DOCUMENT, ELEMENT, TEXT, CutDocument, Repeated, Steps

MAX_DOCUMENT_BYTES = 16 << 20
MAX_DEPTH = 64
MAX_PARTS = 200_000
"""Elements and attributes of one document."""
MARK = b"<?record?>"
"""Stands before the element that a record is about, in a document that was cut."""

Fields = dict[str, Any]
Span = tuple[int, int]


@dataclass(slots=True, eq=False)
class _Element:
    """`start` and `end`: its bytes in the document. `record`: it is cut out as a record, so it always becomes fields."""

    name: str
    start: int
    attributes: dict[str, str]
    end: int = 0
    children: list["_Element"] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    marked: bool = False
    record: bool = False
    fields: Any = None

    def value(self) -> Any:
        """Text of a leaf without attributes, fields of everything else, None of what is nil."""
        if self.fields is None:
            self.fields = self._value()
        return self.fields

    def _value(self) -> Any:
        if self.attributes.get("nil") in ("true", "1"):
            return {} if self.record else None
        text = "".join(self.text)
        if not (self.children or self.attributes or self.record):
            return text
        found: Fields = {f"@{name}": value for name, value in self.attributes.items()}
        for child in self.children:
            value = child.value()
            if value is not None:
                found.setdefault(child.name, Repeated()).append(value)
        if text.strip() or not self.children:
            found[TEXT] = text
        return found


class _Builder:
    """Handlers of one parse. An element ends where the next thing begins: expat tells the beginning of things only."""

    def __init__(self) -> None:
        self.parser = parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.ProcessingInstructionHandler = self._instruction
        parser.DefaultHandler = self._other
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        self.root: _Element | None = None
        self._open: list[_Element] = []
        self._ended: _Element | None = None
        self._marked = False
        self._parts = 0

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        at = self._here()
        own = {_local(key): value for key, value in attributes.items() if key.partition(":")[0] != "xmlns"}
        self._parts += 1 + len(attributes)
        if self._parts > MAX_PARTS or len(self._open) >= MAX_DEPTH:
            raise RefusedInMapping("BAD_XML", f"more than {MAX_PARTS} elements and attributes, or more than {MAX_DEPTH} levels")
        element = _Element(_local(name), at, own, marked=self._marked)
        self._marked = False
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def _end(self, name: str) -> None:
        self._here()
        self._ended = self._open.pop()

    def _text(self, text: str) -> None:
        self._here()
        self._open[-1].text.append(text)

    def _instruction(self, target: str, data: str) -> None:
        self._here()
        self._marked = target == "record"

    def _other(self, text: str) -> None:
        self._here()

    def _here(self) -> int:
        at = self.parser.CurrentByteIndex
        if self._ended is not None:
            self._ended.end, self._ended = at, None
        return at

    def _refuse(self, *declared: Any) -> None:
        raise RefusedInMapping("BAD_XML", "the document declares a document type or an entity; such documents are not read")


@dataclass(slots=True, frozen=True)
class _Found:
    """A record: the elements from the root down to its own."""

    chain: tuple[_Element, ...]

    @property
    def element(self) -> _Element:
        return self.chain[-1]


def read_records(value: bytes, each: Sequence[Steps]) -> list[Fields]:
    """The records of a document, in its order. Raises Refusal BAD_XML.

    `each`: paths below the root (empty: the root itself is the record). A record has the fields of its element, ELEMENT, and the
    whole document at DOCUMENT, in which the lists on the way to the record have that one element only. In a document that was
    cut, the marked element is the only record.
    """
    root = _parse(value)
    return [_fields(found) for found in _records(root, each)]


def cut_document(value: bytes, each: Sequence[Steps]) -> Iterator[bytes]:
    """A document per record: the original bytes without the other records beside it. Raises Refusal BAD_XML."""
    root = _parse(value)
    runs: dict[tuple[_Element, str], list[Span]] = {}
    for found in _records(root, each):
        yield b"".join(_kept(value, found, runs))


def redacted_document(value: bytes, each: Sequence[Steps], hide: Callable[[Fields, bool], bool]) -> bytes | None:
    """The document written anew after `hide` changed the fields of the document (True) and of each record (False) in place;
    None when it cannot be read or `hide` could not."""
    try:
        root = _parse(value)
        records = [found.element for found in _records(root, each)]
    except RefusedInMapping:
        return None
    whole = root.value()
    if not all([hide(whole, True), *(hide(element.value(), False) for element in records)]):
        return None
    marked = [id(element.value()) for element in records if element.marked]
    return f"<?xml version='1.0'?>{_written(root.name, whole, marked)}".encode()


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _parse(value: bytes) -> _Element:
    if value[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise RefusedInMapping("BAD_XML", "the document is UTF-16; write it as UTF-8")
    builder = _Builder()
    try:
        builder.parser.Parse(value, True)
    except expat.ExpatError as wrong:
        raise RefusedInMapping("BAD_XML", f"no XML document: {expat.ErrorString(wrong.code)} in line {wrong.lineno}") from None
    except (ValueError, LookupError):
        raise RefusedInMapping("BAD_XML", "the document is in an encoding that is not read; write it as UTF-8") from None
    assert builder.root is not None, "a document without an element is no document"
    builder.root.end = len(value)
    return builder.root


def _records(root: _Element, each: Sequence[Steps]) -> list[_Found]:
    found = [_Found(chain) for steps in each or [()] for chain in _walk((root,), steps)]
    marked = [record for record in found if record.element.marked]
    for record in found:
        assert record.element.fields is None, "fields are made once, when it is known what is a record"
        record.element.record = True
    return sorted(marked or found, key=lambda record: record.element.start)


def _walk(chain: tuple[_Element, ...], steps: Steps) -> Iterator[tuple[_Element, ...]]:
    if not steps:
        yield chain
        return
    for child in chain[-1].children:
        if child.name == steps[0]:
            yield from _walk((*chain, child), steps[1:])


def _fields(found: _Found) -> Fields:
    below: Any = found.element.value()
    fields: Fields = {**below, ELEMENT: found.element.name}
    for parent, child in zip(found.chain[-2::-1], found.chain[:0:-1], strict=True):
        below = {**parent.value(), child.name: Repeated([below])}
    fields[DOCUMENT] = CutDocument({**below, ELEMENT: found.chain[0].name})
    return fields


def _kept(value: bytes, found: _Found, runs: dict[tuple[_Element, str], list[Span]]) -> Iterator[bytes]:
    """The bytes of the document without the siblings of the same name along the way to the record."""
    left_out: list[Span] = []
    for parent, child in zip(found.chain, found.chain[1:], strict=False):
        key = (parent, child.name)
        if key not in runs:
            runs[key] = _runs(value, parent, child.name)
        for start, end in runs[key]:
            if start <= child.start < end:
                left_out += [(start, child.start), (child.end, end)]
            else:
                left_out.append((start, end))
    at, mark = 0, found.element.start
    for start, end in sorted(span for span in left_out if span[0] < span[1]):
        if at <= mark <= start:
            yield from (value[at:mark], MARK)
            at = mark
        yield value[at:start]
        at = end
    if at <= mark:
        yield from (value[at:mark], MARK)
        at = mark
    yield value[at:]


def _runs(value: bytes, parent: _Element, name: str) -> list[Span]:
    """The spans of the children of that name; those with nothing but white space between them are one."""
    found: list[Span] = []
    for child in parent.children:
        if child.name != name:
            continue
        if found and not value[found[-1][1] : child.start].strip():
            found[-1] = (found[-1][0], child.end)
        else:
            found.append((child.start, child.end))
    return found


def _written(name: str, value: Any, marked: Sequence[int]) -> str:
    mark = MARK.decode() if id(value) in marked else ""
    if type(value) is not dict:
        return f"{mark}<{name}>{escape(value)}</{name}>"
    attributes = "".join(f" {key[1:]}={quoteattr(text)}" for key, text in value.items() if key.startswith("@"))
    inner = "".join(
        _written(key, element, marked)
        for key, elements in value.items()
        if isinstance(elements, Repeated)
        for element in elements
    )
    return f"{mark}<{name}{attributes}>{escape(value.get(TEXT, ''))}{inner}</{name}>"
