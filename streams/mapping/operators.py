"""The source of operations support (`format: replay`): decisions of people, and dead letters that enter intake once more.

One JSON object a line, written by `lineledger decide`, `lineledger hold` and `lineledger exceptions`:
`{"at": micros, "decide": {...fields of OperatorDecision...}}`,
`{"at": micros, "endpoint": {"event_id": .., "mode": pause | drain | resume, "name": .., "who": .., "why": ..}}`,
`{"at": micros, "hold": {...see hold_orders.py...}}`,
`{"at": micros, "settle": {"event_id": .., "letter": .., "code": .., "state": .., "who": .., "why": ..}}` or
`{"at": micros, "replay": {"source": .., "raw_source": .., "raw_offset": .., "received_at": micros, "original": base64,
"settles": [{...as in settle, without state...}]}}`.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from schemas.configuration.plant import PlantConfig
from schemas.records import EndpointOrdered, LetterSettled, OperatorDecision, UpstreamOrdered
from streams.mapping.envelope import LatestTime
from streams.mapping.hold_orders import Entered, HoldOrdered, hold_ordered
from streams.mapping.items import MAX_INT64, MAX_RAW_BYTES, MAX_TEXT, Mapped, RawRecord, RefusedRecord
from streams.mapping.mapper import Mapper
from tables.delivery.endpoint_orders import MODES
from tables.equipment.packed_readings import MAX_OFFSET
from tables.refusal import Refusal

_TEXTS = ("event_id", "order", "account", "code", "decision", "who", "why", "posting_id", "erp_document", "equipment", "counter")
_REQUIRED = ("event_id", "decision", "who", "why")
_SETTLED = ("event_id", "letter", "code", "who", "why")
_ORDER = ("event_id", "mode", "who", "why")
MAX_SETTLED = 100
"""Dead letters of one record."""
REPLAYED, RESOLVED, DISCARDED, OPEN = "replayed", "resolved", "discarded", "open"
"""What a dead letter can be. Replayed: entered again and refused again; a replay that worked is resolved."""


class Operators(Mapper):
    """Maps decisions by itself; gives replays to the mapper of their own source, under their own raw position."""

    def __init__(self, name: str, plant: PlantConfig, compiled: Callable[[str], Mapper]) -> None:
        """`compiled`: the mapper of another source of the plant; called when its first record is replayed."""
        super().__init__(name, plant.sources[name], LatestTime())
        self._plant, self._compiled = plant, compiled
        self._mappers: dict[str, Mapper] = {}

    def unwrapped(self, raw: RawRecord) -> tuple[RawRecord, Mapper]:
        """Whose record this is: a replay is the original record of another source, anything else one of this source."""
        content = _content(raw.value) or {}
        told = content.get("replay")
        source = told.get("source") if isinstance(told, dict) else None
        known = self._plant.sources.get(source) if isinstance(source, str) else None
        if known is None or known.read.entry.of_people or not isinstance(source, str) or not isinstance(told, dict):
            return raw, self
        original, place, offset = _bytes(told.get("original")), told.get("raw_source"), told.get("raw_offset")
        if original is None or not isinstance(place, str) or len(place) > MAX_TEXT:
            return raw, self
        if type(offset) is not int or not 0 <= offset <= MAX_OFFSET:
            return raw, self
        if source not in self._mappers:
            self._mappers[source] = self._compiled(source)
        received_at = told.get("received_at")
        came = received_at if type(received_at) is int and 0 < received_at <= MAX_INT64 else raw.received_at
        told_of = told.get("settles", [])
        answers = [self._settled(raw, content, one) for one in told_of[:MAX_SETTLED]] if isinstance(told_of, list) else []
        settles = [one for one in answers if isinstance(one, LetterSettled)]
        inner = RawRecord(original, source, place, offset, came, f"{raw.raw_source}@{raw.raw_offset}", settles=settles)
        return inner, self._mappers[source]

    def map(self, raw: RawRecord) -> Mapped:
        """A decision; a replay that names nothing that can be replayed is refused."""
        content = _content(raw.value)
        if content is None:
            return [refused(raw, "BAD_JSON", "no JSON object with a time")]
        if isinstance(content.get("upstream"), dict):
            return [self._ordered(raw, content)]
        if isinstance(content.get("endpoint"), dict):
            return [self._endpoint(raw, content, content["endpoint"])]
        if isinstance(content.get("hold"), dict):
            return [self._hold(raw, content)]
        told = content.get("decide")
        if isinstance(content.get("settle"), dict):
            return [self._settled(raw, content, content["settle"])]
        if not isinstance(told, dict):
            return [
                refused(raw, "NOT_REPLAYABLE", "it is no decision, and no replay of a source of plant.yaml with its original")
            ]
        fields = _texts(raw, told, _TEXTS, (*_REQUIRED, "equipment" if told.get("counter") else "order"))
        if isinstance(fields, RefusedRecord):
            return [fields]
        began_at = told.get("began_at", 0)
        if type(began_at) is not int or not 0 <= began_at <= MAX_INT64:
            return [refused(raw, "BAD_FIELD", "the decision has no good began_at")]
        return [
            OperatorDecision(
                plant=self._plant.plant.id, occurred_at=content["at"], received_at=raw.received_at or content["at"],
                source=self.name, raw_source=raw.raw_source, raw_offset=raw.raw_offset, began_at=began_at, **fields,
            )
        ]  # fmt: skip

    def _hold(self, raw: RawRecord, content: dict[str, Any]) -> HoldOrdered | RefusedRecord:
        found = hold_ordered(raw, Entered(self._plant.plant.id, self.name, content["at"]), content["hold"])
        return refused(raw, found.code, found.detail) if isinstance(found, Refusal) else found

    def _ordered(self, raw: RawRecord, content: dict[str, Any]) -> UpstreamOrdered | RefusedRecord:
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

    def _endpoint(self, raw: RawRecord, content: dict[str, Any], told: dict[str, Any]) -> EndpointOrdered | RefusedRecord:
        """What may be sent to an ERP; without a name, to the only one."""
        fields = _texts(raw, told, (*_ORDER, "name"), _ORDER)
        if isinstance(fields, RefusedRecord):
            return fields
        name = fields.pop("name")
        if fields["mode"] not in MODES:
            return refused(raw, "BAD_FIELD", f"what may be sent to the ERP is said by {', '.join(MODES)}")
        return EndpointOrdered(
            plant=self._plant.plant.id, occurred_at=content["at"], received_at=raw.received_at or content["at"],
            source=self.name, raw_source=raw.raw_source, raw_offset=raw.raw_offset, endpoint=name, **fields,
        )  # fmt: skip

    def _settled(self, raw: RawRecord, content: dict[str, Any], told: Any) -> LetterSettled | RefusedRecord:
        """What somebody says of a dead letter; of a replay intake says it, once it knows how it went."""
        if not isinstance(told, dict):
            return refused(raw, "BAD_FIELD", "it settles nothing that can be read")
        fields = _texts(raw, told, _SETTLED, _SETTLED)
        if isinstance(fields, RefusedRecord):
            return fields
        state = told.get("state", REPLAYED)
        if state not in (REPLAYED, RESOLVED, DISCARDED, OPEN):
            return refused(raw, "BAD_FIELD", "the state of a dead letter is open, replayed, resolved or discarded")
        return LetterSettled(
            plant=self._plant.plant.id, occurred_at=content["at"], received_at=raw.received_at or content["at"],
            source=self.name, raw_source=raw.raw_source, raw_offset=raw.raw_offset, state=state, **fields,
        )  # fmt: skip

    def arrival(self, raw: RawRecord) -> int | None:
        content = _content(raw.value)
        return None if content is None else int(content["at"])

    def redacted(self, value: bytes) -> bytes:
        """Who decided was hashed by the command; originals were hashed before they were first written."""
        return value


def _texts(raw: RawRecord, told: dict[str, Any], names: Sequence[str], required: Sequence[str]) -> dict[str, Any] | RefusedRecord:
    fields = {name: told.get(name, "") for name in names}
    wrong = [name for name, text in fields.items() if not isinstance(text, str) or len(text) > MAX_TEXT]
    missing = [name for name in required if not fields[name]]
    if wrong or missing:
        code = "MISSING_FIELD" if missing else "BAD_FIELD"
        return refused(raw, code, f"the decision has no good {', '.join(missing or wrong)}")
    return fields


def refused(raw: RawRecord, code: str, detail: str) -> RefusedRecord:
    return RefusedRecord(code, detail, event_id=f"{raw.raw_source}:{raw.raw_offset}", received_at=raw.received_at)


def _content(value: bytes) -> dict[str, Any] | None:
    """The object of a line, with a time that intake can use; None: it has none."""
    if len(value) > 2 * MAX_RAW_BYTES:
        return None
    try:
        found = msgspec.json.decode(value)  # of what is no text (half a character) it makes none
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    good = isinstance(found, dict) and type(found.get("at")) is int and 0 < found["at"] <= MAX_INT64
    return found if good else None


def _bytes(text: Any) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except (binascii.Error, ValueError):
        return None
