"""JSON records: one object per record, a list of objects, or the elements of lists in an object."""

from codecs import BOM_UTF8
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from streams.mapping.items import MAX_RAW_BYTES, RefusedInMapping, check_size
from streams.mapping.paths import DOCUMENT, ELEMENT, CutDocument, Getter, Steps, walker

MAX_ELEMENTS = 10_000
"""Records of one JSON message: of its list, or of the lists at `each`."""

Found = list[dict[str, Any] | RefusedInMapping]
Documents = Callable[[bytes], Found]


def json_reader() -> Documents:
    """One JSON object per record, or a list of objects. Numbers with a point or an exponent stay the text that the source
    wrote: nothing is rounded on the way in. Of a repeated key the last one counts. A byte order mark gives nothing."""
    decode = msgspec.json.Decoder(float_hook=str).decode

    def decoded(value: bytes) -> Any:
        try:
            return decode(value)
        except (msgspec.DecodeError, RecursionError, ValueError) as wrong:
            raise RefusedInMapping("BAD_JSON", f"{wrong}") from None

    def read(value: bytes) -> Found:
        if len(value) > MAX_RAW_BYTES:
            check_size(value)
        try:
            node = decode(value)
        except (msgspec.DecodeError, RecursionError, ValueError):
            node = decoded(value.removeprefix(BOM_UTF8))
        if type(node) is dict:
            return [node]
        if type(node) is not list:
            raise RefusedInMapping("BAD_JSON", "the record is no JSON object")
        if len(node) > MAX_ELEMENTS:
            raise RefusedInMapping("BAD_JSON", f"the record is a list of more than {MAX_ELEMENTS} elements")
        none = RefusedInMapping("BAD_JSON", "an element of the list is no JSON object")
        return [element if type(element) is dict else none for element in node]

    return read


def elements_reader(each: Sequence[Steps], ready: Callable[[dict[str, Any]], RefusedInMapping | None]) -> Documents:
    """A record per element of the lists at `each` of a JSON object: its fields (`value` where it is no object), ELEMENT with the
    name of the list, and the whole object at DOCUMENT. An object without any of the lists is a record itself.

    `ready`: called with each object before anything of it is handed out; a Refusal stands for it.
    """
    documents = json_reader()
    lists = [(walker(steps, many=True), str(steps[-1])) for steps in each]

    def read(value: bytes) -> Found:
        found: Found = []
        for document in documents(value):
            wrong = document if isinstance(document, RefusedInMapping) else ready(document)
            found += [wrong] if isinstance(wrong, RefusedInMapping) else _elements(document, lists)
        if len(found) > MAX_ELEMENTS:
            raise RefusedInMapping("BAD_JSON", f"the lists of the record have more than {MAX_ELEMENTS} elements together")
        return found

    return read


def _elements(document: Any, lists: Sequence[tuple[Getter, str]]) -> Found:
    whole = CutDocument(document)
    found: Found = []
    there = False
    for getter, name in lists:
        elements = getter(document, document)
        if elements is None:
            continue
        there = True
        if type(elements) is not list:
            found.append(RefusedInMapping("BAD_FIELD", f"`{name}` is no list"))
            continue
        for element in elements:
            fields = element if type(element) is dict else {"value": element}
            found.append({**fields, ELEMENT: name, DOCUMENT: whole})
    return found if there else [document]
