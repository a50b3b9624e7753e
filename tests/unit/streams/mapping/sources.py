"""Builders of small sources for tests of mappings."""

import json
from typing import Any

from schemas.configuration import PlantConfig
from streams.mapping import Mapped, Mapper, RawRecord, compile_source

AT = "2026-11-20T22:00:00Z"
AT_US = 1_795_212_000_000_000
READ = {"event_id": "id", "occurred_at": "ts", "received_at": "rx", "equipment": "m"}
EQUIPMENT = {"M1": {"alias": ["press-1"], "counters": {"shots": {}, "resin": {"decimals": "3", "unit": "kg"}}}}


def plant_of(events: list[dict[str, Any]], read: dict[str, Any] | None = None, **more: Any) -> PlantConfig:
    """A plant with the one source `s`; `more` are further sections of plant.yaml, or `private` of the source."""
    source = {"read": READ if read is None else read, "events": events, "private": more.pop("source_private", [])}
    content = {"plant": {"id": "P", "zone": "Europe/Prague"}, "sources": {"s": source}, "equipment": EQUIPMENT}
    return PlantConfig.model_validate({**content, **more})


def mapper_of(events: list[dict[str, Any]], read: dict[str, Any] | None = None, **more: Any) -> Mapper:
    plant = plant_of(events, read, **more)
    return compile_source("s", plant.sources["s"], plant)


def raw(value: bytes | str | dict[str, Any], offset: int = 7, received_at: int = 0) -> RawRecord:
    if isinstance(value, dict):
        value = json.dumps(value)
    return RawRecord(value if isinstance(value, bytes) else value.encode(), "s", "file", offset, received_at)


def record(**fields: Any) -> dict[str, Any]:
    """A JSON record with the common fields of READ."""
    return {"id": "e1", "ts": AT, "rx": AT, "m": "press-1", **fields}


def one(mapper: Mapper, value: bytes | str | dict[str, Any]) -> Any:
    items: Mapped = mapper.map(raw(value))
    assert len(items) == 1, items
    return items[0]
