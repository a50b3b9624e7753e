"""XML: a document, or each of its elements at `each`, is a record."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import IO

from schemas.configuration.mapping import Read
from streams.mapping.formats.contract import (
    MAX_LINE_BYTES,
    Fields,
    Format,
    Numbered,
    Private,
    Reader,
    Redactor,
    Uncut,
    each_of,
)
from streams.mapping.items import RefusedInMapping, check_size
from streams.mapping.paths import DOCUMENT
from streams.mapping.private import hide
from streams.mapping.xml_documents import MARK, MAX_DOCUMENT_BYTES, cut_document, read_records, redacted_document

MAX_CUT_BYTES = 256 << 20
"""Of all records of one document together: what stands outside of them is repeated in each."""
_STATED_ENCODING = re.compile(r"\A(\s*<\?xml[^>]*?)\s+encoding\s*=\s*([\"'])[^\"']*\2", re.IGNORECASE)


def _reader(read: Read, wanted: Sequence[frozenset[str]], private: Private) -> Reader:
    """An entry per element at `each`, or one for a document that was cut already."""
    each = each_of(read)

    def records(value: bytes) -> list[Fields | RefusedInMapping]:
        check_size(value)
        return [*read_records(value, each)]

    return records


def _redactor(read: Read, private: Private) -> Redactor:
    each = each_of(read)
    of_document = [steps[1:] for steps in private.paths if steps[0] == DOCUMENT]
    of_record = [steps for steps in private.paths if steps[0] != DOCUMENT]

    def hide_in(fields: Fields, whole: bool) -> bool:
        return hide(fields, of_document if whole else of_record, private.hashed)

    return lambda value: redacted_document(value, each, hide_in)


def _cut(content: IO[bytes], read: Read, columns: Collection[str]) -> Iterator[Numbered]:
    value = content.read(MAX_DOCUMENT_BYTES + 1)
    if len(value) > MAX_DOCUMENT_BYTES:
        detail = f"the document has more than {MAX_DOCUMENT_BYTES} bytes"
        raise Uncut("TOO_LARGE", detail, value[:MAX_LINE_BYTES])
    size = 0
    try:
        for number, record in enumerate(cut_document(value, each_of(read)), 1):
            size += len(record)
            if size > MAX_CUT_BYTES:
                raise RefusedInMapping("TOO_LARGE", f"the records of the document have more than {MAX_CUT_BYTES} bytes together")
            yield number, record
    except RefusedInMapping as wrong:
        raise Uncut(wrong.code, wrong.detail, value[:MAX_LINE_BYTES]) from None


def _shown(text: str, read: Read) -> str:
    return " ".join(text.rpartition(MARK.decode())[2].split())


FORMAT = Format(
    reader=_reader,
    redactor=_redactor,
    cut=_cut,
    each_from="from below the root element",
    recoded=lambda text: _STATED_ENCODING.sub(r"\1", text, count=1),
    shown=_shown,
    resembles=lambda head: head.startswith(b"<"),
)
