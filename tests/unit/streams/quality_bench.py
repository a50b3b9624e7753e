"""Configurations, records and driven steps for the tests of lots and delivery."""

import itertools
from typing import Any

from schemas.configuration import Configuration
from schemas.records import (
    ConfigActivated,
    DispositionDecided,
    GenealogyEdge,
    HoldPlaced,
    HoldReleased,
    LotState,
    Posting,
    Tick,
)
from streams.delivery.stage import DeliveryStage
from streams.memory_step import MemoryStep, MemoryTopology
from streams.step import sender
from tables.row_kinds import POSTING_ROWS

PLANT, MATERIAL = "P", "4711"
S = 1_000_000
"""One second in log time."""
_ids = itertools.count()


def configuration(
    erp: dict[str, Any] | None = None, rules: dict[str, Any] | None = None, plant: dict[str, Any] | None = None
) -> Configuration:
    source = {"read": {"topic": "raw.p"}, "events": [{"when": {}, "ignore": True}]}
    return Configuration.from_mappings(
        {"plant": {"id": PLANT}, "sources": {"s": source}, **(plant or {})}, rules or {}, erp or {"erp": {"adapter": "sim"}}
    )


def activated(config: Configuration, at: int = 0) -> ConfigActivated:
    return ConfigActivated(PLANT, config.hash, at, "intake")


def event(cls: Any, lot: str, label: int = 0, **fields: Any) -> Any:
    """A canonical event of a lot; each has its own id and raw position."""
    n = next(_ids)
    common = {"event_id": f"e{n}", "plant": PLANT, "occurred_at": fields.pop("occurred_at", label), "received_at": label}
    place = {"source": "s", "raw_source": "raw.p/0", "raw_offset": n}
    return cls(**common, **place, material=MATERIAL, lot=lot, label=label, **fields)


def placed(lot: str, hold: str, version: int, label: int = 0, severity: str = "block") -> HoldPlaced:
    return event(HoldPlaced, lot, label, hold=hold, version=version, severity=severity)


def released(lot: str, hold: str, version: int, label: int = 0) -> HoldReleased:
    return event(HoldReleased, lot, label, hold=hold, version=version)


def decided(lot: str, disposition: str, at: int, label: int = 0) -> DispositionDecided:
    return event(DispositionDecided, lot, label, disposition=disposition, occurred_at=at)


def edge(parent: str, child: str, label: int = 0, order: str = "") -> GenealogyEdge:
    return GenealogyEdge(PLANT, MATERIAL, parent, MATERIAL, child, order, label, label)


def posting(name: str, **fields: Any) -> Posting:
    values: dict[str, Any] = {
        "posting_id": name,
        "plant": PLANT,
        "endpoint": "erp",
        "account": "A1",
        "order": "O1",
        "operation": "10",
        "material": MATERIAL,
        "kind": "yield",
        "business_date": "2026-11-20",
        "amount": 5,
        "scale": 0,
        "unit": "PC",
        "cumulative": 5,
        "sequence": 1,
        "rule": "r",
        "rule_version": "v",
        "cut": 10 * S,
        "content_hash": "h-" + name,
        "records": 1,
        "label": 10 * S,
        "lot": "L1",
    }
    return Posting(**{**values, **fields})


def lot_state(lot: str, held: bool, version: int = 0, label: int = 0) -> LotState:
    return LotState(PLANT, MATERIAL, lot, held, ["H"] if held else [], label, version)


class Bench:
    """Delivery with one ERP and plant: feed records, see entries and outcomes, crash it."""

    def __init__(self, *configurations: Configuration, recorded: bool = False) -> None:
        self.topology = MemoryTopology({one.hash: one for one in configurations})
        self.step = MemoryStep("delivery.inbox")
        self.stage = DeliveryStage(self.topology, recorded)
        self.stage.taken_over(self.step)
        self.fold(activated(configurations[0]))

    def fold(self, *records: Any) -> list[Any]:
        """Fold a batch; returns the entries that it released."""
        self.step.deliver(*records)
        self.stage.fold(self.step)
        self.step.state.next_offset = self.step.records[-1].offset + 1
        return self.taken()

    def taken(self) -> list[Any]:
        entries, self.step.released = self.step.released, []
        return entries

    def clock(self, at: int) -> list[Any]:
        return self.fold(*(Tick(PLANT, at, sender(name, f"{name}.inbox", 0)) for name in ("lots", "orders")))

    def crash(self) -> list[Any]:
        """The process ends; another takes over what was committed."""
        self.step.released = []
        self.stage = DeliveryStage(self.topology)
        self.stage.taken_over(self.step)
        return self.taken()

    def row(self, name: str) -> Any:
        return self.step.rows.get(POSTING_ROWS.key(name))

    def states(self) -> dict[str, str]:
        return {key[2:]: row.state for key, row in self.step.rows.scan(POSTING_ROWS.prefix)}
