"""The orders stage, driven: totals and order events in, ticks, postings out."""

from fractions import Fraction
from typing import Any

from schemas.configuration import Configuration
from schemas.records import (
    AccountRow,
    Component,
    ConfigActivated,
    Operation,
    OrderItem,
    OrderReleased,
    Posting,
    Quantity,
    RawRange,
    Tick,
    Total,
)
from streams.memory_step import MemoryStep, MemoryTopology
from streams.orders.stage import OrdersStage
from tables.orders.account import carry, unposted, waits
from tables.row_kinds import ACCOUNT_ROWS
from tests.unit.tables.floor_bench import PLANT, at, configuration, event

DATE = "2026-11-20"
CUT = at("14:00")


def total(kind: str, numerator: int, version: tuple[int, int] = (1, 1), label: int = 0, **fields: Any) -> Total:
    """A total of order O1, operation 10, material 4711, lot L1 by counters (declarations for scrap and rework)."""
    authority = "declarations" if kind in ("scrap", "rework", "good") else "counters"
    values: dict[str, Any] = {
        "plant": PLANT,
        "source_key": f"M1|A|{kind}",
        "order": "O1",
        "operation": "10",
        "material": "4711",
        "lot": "L1",
        "kind": kind,
        "business_date": DATE,
        "numerator": numerator,
        "unit": "PC",
        "log_epoch": version[0],
        "inbox_offset": version[1],
        "fold_version": 1,
        "label": label,
        "equipment": "M1",
        "run": "A",
        "authority": authority,
        "records": 1,
        "ranges": [RawRange("raw.p/0", 1, 1, 1)],
    }
    return Total(**{**values, **fields})


def item(material: str = "4711", quantity: int = 1000, **fields: Any) -> OrderItem:
    return OrderItem(item="1", material=material, quantity=Quantity(quantity, 0, "PC"), **fields)


def operation(name: str = "10", receipt: bool = True, **fields: Any) -> Operation:
    return Operation(operation=name, receipt=receipt, **fields)


def component(material: str = "PP", mode: str = "declared", quantity: Quantity | None = None, **fields: Any) -> Component:
    values = {"item": "0010", "operation": "10", "material": material, "mode": mode}
    return Component(quantity=quantity or Quantity(100, 3, "kg"), **{**values, **fields})


def released(label: int = 0, cls: Any = OrderReleased, **fields: Any) -> Any:
    values = {"order": "O1", "items": [item()], "operations": [operation()], "components": [component()]}
    return event(cls, label, label, **{**values, **fields})


class Ledger:
    def __init__(self, *configurations: Configuration) -> None:
        self.configurations = configurations or (configuration(),)
        self.topology = MemoryTopology({one.hash: one for one in self.configurations})
        self.step, self.stage = MemoryStep("orders.inbox"), OrdersStage(self.topology)
        self.postings: list[Posting] = []
        self.stage.taken_over(self.step)
        self.fold(ConfigActivated(PLANT, self.configurations[0].hash, 0, "intake"))

    def fold(self, *records: Any) -> None:
        self.step.deliver(*records)
        self.stage.fold(self.step)

    def tick(self, now: int, final: bool = False) -> list[Posting]:
        """Advance the plant's clock; returns what became a posting."""
        self.fold(*(Tick(PLANT, now, name, final) for name in self.topology.upstreams("orders", self.configurations[0])))
        made = [record for record in self.step.take("delivery.inbox") if isinstance(record, Posting)]
        self.postings += made
        return made

    def restart(self) -> None:
        """Another process takes over what is in the rows."""
        self.stage = OrdersStage(self.topology)
        self.stage.taken_over(self.step)

    def accounts(self) -> dict[str, AccountRow]:
        return {key: row for key, row in self.step.rows.scan(ACCOUNT_ROWS.prefix) if row.kind != "basis"}

    def account(self, kind: str, **fields: str) -> AccountRow:
        """The one account of this kind, with these fields."""
        found = [row for row in self.accounts().values() if row.kind == kind]
        found = [row for row in found if all(getattr(row, name) == value for name, value in fields.items())]
        assert len(found) == 1, [key for key in self.accounts()]
        return found[0]

    def codes(self) -> dict[str, str]:
        """Kind -> code of what is parked."""
        return {row.kind: one.code for row in self.accounts().values() for one in waits(row)}

    def check_conservation(self) -> None:
        """I1 in each account: recorded = posted + pending + parked + carry, unless another posting covers it."""
        for key, row in self.accounts().items():
            held = Fraction(row.recorded_numerator, row.recorded_denominator)
            steps = row.posted + row.parked + unposted(row)
            assert row.covered or Fraction(steps, 10**row.scale) + carry(row) == held, key
            assert sum(posting.amount for posting in row.issued) == row.posted, key
