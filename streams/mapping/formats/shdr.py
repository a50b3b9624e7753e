"""SHDR: lines of machine adapters, pairs of key and value behind one time. Private are keys."""

from collections.abc import Sequence

from schemas.configuration.mapping import Read
from streams.mapping.formats.contract import Fields, Format, Hider, Private, Reader, Redactor
from streams.mapping.items import RefusedInMapping
from streams.mapping.private import redact_shdr
from streams.mapping.shdr_lines import read_shdr


def _reader(read: Read, wanted: Sequence[frozenset[str]], private: Private) -> Reader:
    return read_shdr


def _hider(read: Read, private: Private) -> Hider | None:
    if not private.paths:
        return None

    def hidden(fields: Fields) -> bool:
        if fields["key"] in private.names:
            fields["value"] = private.hashed(fields["value"])
        return True

    return hidden


def _redactor(read: Read, private: Private) -> Redactor:
    return lambda value: redact_shdr(value, private.names, private.hashed)


def _without(fields: Fields) -> RefusedInMapping:
    return RefusedInMapping("BAD_LINE", f"the value of {fields['key'][:64]} is empty, and no rule says what that means")


FORMAT = Format(
    reader=_reader,
    redactor=_redactor,
    hider=_hider,
    private_steps=lambda text: (text,),
    hides_people=False,
    required="value",
    without=_without,
    ids_of_elements=False,
    one_time=True,
    resembles=lambda head: not head.startswith(b"<") and head.split(b"\n", 1)[0].count(b"|") > 1,
)
