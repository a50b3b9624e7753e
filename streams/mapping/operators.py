"""The source of operations support (`format: replay`): decisions of people, and dead letters that enter intake once more.

One JSON object a line, written by `lineledger decide` and `lineledger exceptions replay`:
`{"at": micros, "decide": {...fields of OperatorDecision...}}` or
`{"at": micros, "replay": {"source": .., "raw_source": .., "raw_offset": .., "received_at": micros, "original": base64}}`.
"""

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any

from schemas.configuration.plant import PlantConfig
from schemas.records import OperatorDecision, UpstreamOrdered
from streams.mapping.envelope import Clock
from streams.mapping.items import MAX_INT64, MAX_RAW_BYTES, MAX_TEXT, Mapped, RawRecord, Refused
from streams.mapping.mapper import Mapper

FORMAT = "replay"
_TEXTS = ("event_id", "order", "account", "code", "decision", "who", "why", "posting_id", "erp_document", "equipment", "counter")
_REQUIRED = ("event_id", "decision", "who", "why")


class Operators(Mapper):
    """Maps decisions by itself; gives replays to the mapper of their own source, under their own raw position."""

    def __init__(self, name: str, plant: PlantConfig, compiled: Callable[[str], Mapper]) -> None:
        """`compiled`: the mapper of another source of the plant; called when its first record is replayed."""
        self.name, self.clock, self.ignored = name, Clock(), 0
        self._plant, self._compiled, self._source = plant, compiled, plant.sources[name]
        self._mappers: dict[str, Mapper] = {}

    def unwrapped(self, raw: RawRecord) -> tuple[RawRecord, Mapper]:
        """Whose record this is: a replay is the original record of another source, anything else one of this source."""
        content = _content(raw.value)
        told = content.get("replay") if content is not None else None
        source = told.get("source") if isinstance(told, dict) else None
        known = self._plant.sources.get(source) if isinstance(source, str) else None
        if known is None or known.read.format == FORMAT or not isinstance(source, str) or not isinstance(told, dict):
            return raw, self
        original, place, offset = _bytes(told.get("original")), told.get("raw_source"), told.get("raw_offset")
        if original is None or not isinstance(place, str) or type(offset) is not int:
            return raw, self
        if source not in self._mappers:
            self._mappers[source] = self._compiled(source)
        received_at = told.get("received_at")
        came = received_at if type(received_at) is int and received_at > 0 else raw.received_at
        inner = RawRecord(original, source, place, offset, came, f"{raw.raw_source}@{raw.raw_offset}")
        return inner, self._mappers[source]

    def map(self, raw: RawRecord) -> Mapped:
        """A decision; a replay that names nothing that can be replayed is refused."""
        content = _content(raw.value)
        if content is None:
            return [refused(raw, "BAD_JSON", "no JSON object with a time")]
        if isinstance(content.get("upstream"), dict):
            return [self._ordered(raw, content)]
        told = content.get("decide")
        if not isinstance(told, dict):
            return [
                refused(raw, "NOT_REPLAYABLE", "it is no decision, and no replay of a source of plant.yaml with its original")
            ]
        fields = {name: told.get(name, "") for name in _TEXTS}
        wrong = [name for name, text in fields.items() if not isinstance(text, str) or len(text) > MAX_TEXT]
        began_at = told.get("began_at", 0)
        if type(began_at) is not int or not 0 <= began_at <= MAX_INT64:
            wrong.append("began_at")
        missing = [name for name in (*_REQUIRED, "equipment" if fields.get("counter") else "order") if not fields[name]]
        if wrong or missing:
            return [
                refused(
                    raw, "MISSING_FIELD" if missing else "BAD_FIELD", f"the decision has no good {', '.join(missing or wrong)}"
                )
            ]
        return [
            OperatorDecision(
                plant=self._plant.plant.id, occurred_at=content["at"], received_at=raw.received_at or content["at"],
                source=self.name, raw_source=raw.raw_source, raw_offset=raw.raw_offset, began_at=began_at, **fields,
            )
        ]  # fmt: skip

    def _ordered(self, raw: RawRecord, content: dict[str, Any]) -> UpstreamOrdered | Refused:
        """A source is set aside, or taken in again."""
        told = content["upstream"]
        source = self._plant.sources.get(told.get("source")) if isinstance(told.get("source"), str) else None
        texts = [told.get(name) for name in ("event_id", "who", "why")]
        if source is None or type(told.get("excluded")) is not bool:
            return refused(raw, "BAD_FIELD", "the order names no source of plant.yaml, or does not say whether it is set aside")
        if not all(isinstance(text, str) and 0 < len(text) <= MAX_TEXT for text in texts):
            return refused(raw, "MISSING_FIELD", "the order does not say who gave it and why")
        return UpstreamOrdered(
            plant=self._plant.plant.id, occurred_at=content["at"], received_at=raw.received_at or content["at"],
            source=self.name, raw_source=raw.raw_source, raw_offset=raw.raw_offset, event_id=told["event_id"],
            topic=source.read.topic, excluded=told["excluded"], who=told["who"], why=told["why"],
        )  # fmt: skip

    def arrival(self, raw: RawRecord) -> int | None:
        content = _content(raw.value)
        return None if content is None else int(content["at"])

    def redacted(self, value: bytes) -> bytes:
        """Who decided was hashed by the command; originals were hashed before they were first written."""
        return value


def refused(raw: RawRecord, code: str, detail: str) -> Refused:
    return Refused(code, detail, event_id=f"{raw.raw_source}:{raw.raw_offset}", received_at=raw.received_at)


def _content(value: bytes) -> dict[str, Any] | None:
    """The object of a line, with a time that intake can use; None: it has none."""
    if len(value) > 2 * MAX_RAW_BYTES:
        return None
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return None
    good = isinstance(found, dict) and type(found.get("at")) is int and 0 < found["at"] <= MAX_INT64
    return found if good else None


def _bytes(text: Any) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except (binascii.Error, ValueError):
        return None
