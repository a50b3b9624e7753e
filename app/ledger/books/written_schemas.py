"""The schemas that a ledger was written with, kept in it: a program with other ones reads it by them."""

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.avro_files import self_contained
from schemas.catalog import catalog
from schemas.codec import Codec

_ELSEWHERE = 1 << 30
"""Added to an id under which the ledger has another schema than this program: nothing is written under it."""
Written = Mapping[str, Mapping[str, Any]]
"""Schema id (text) -> schema as it was written with."""


def schemas_of(messages: Iterable[bytes]) -> dict[str, Any]:
    """Of each schema id (the catalog's) among the messages, the schema of this program."""
    used = {int.from_bytes(message[1:5], "big") for message in {message[:5] for message in messages} if len(message) == 5}
    return {str(id_): self_contained(name) for name, id_ in sorted(catalog().schema_ids.items()) if id_ in used}


def codec_for(written: Written) -> Codec:
    """Reads messages by the schemas that they were written with; without them by this program's."""
    ids = dict(catalog().schema_ids)
    for name, id_ in ids.items():
        known = written.get(str(id_))
        if known is not None and known != self_contained(name):
            ids[name] = id_ + _ELSEWHERE
    return Codec(ids, lambda id_: written.get(str(id_)))
