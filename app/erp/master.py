"""Master data as every adapter gives it: one JSON line per material, lot and order. schemas/configuration/erp_source.py maps
them. Quantities are decimal text, `changed` orders the states of one subject."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

PULLED = "pulled"
"""Type of the line that ends a pull. It is mapped to nothing; the poller finds in it where to go on."""


class PulledMaterial(msgspec.Struct, frozen=True, kw_only=True):
    changed: str
    material: str
    unit: str
    decimals: int
    batch_managed: bool
    conversions: Sequence[str] = ()


class Lot(msgspec.Struct, frozen=True, kw_only=True):
    """A lot and what is in stock of it."""

    changed: str
    material: str
    lot: str
    quantity: str
    unit: str


class PulledItem(msgspec.Struct, frozen=True, kw_only=True):
    item: str
    material: str
    quantity: str
    unit: str
    role: str = "main"
    location: str = ""
    batch_managed: bool = False
    over_delivery: str = "0"


class PulledOperation(msgspec.Struct, frozen=True, kw_only=True):
    operation: str
    work_centre: str = ""
    confirm: str = "each"
    receipt: bool = False
    planned_cycle_ms: int = 0


class PulledComponent(msgspec.Struct, frozen=True, kw_only=True):
    """Need = made x quantity / base."""

    item: str
    operation: str
    material: str
    quantity: str
    unit: str
    base: int
    mode: str
    position: str = ""
    location: str = ""
    batch_managed: bool = False


class PulledOrder(msgspec.Struct, frozen=True, kw_only=True):
    changed: str
    order: str
    status: str
    items: Sequence[PulledItem]
    operations: Sequence[PulledOperation]
    components: Sequence[PulledComponent] = ()
    bom_revision: str = ""
    automatic_receipt: bool = False
    backflush: bool = False
    planned_start: str = ""
    """ISO time, or empty."""
    planned_end: str = ""


class MasterChanges(msgspec.Struct, frozen=True):
    """What changed in the ERP. `until`: give it to the next question; its form is the adapter's."""

    until: str
    materials: Sequence[PulledMaterial] = ()
    lots: Sequence[Lot] = ()
    orders: Sequence[PulledOrder] = ()

    @property
    def empty(self) -> bool:
        return not (self.materials or self.lots or self.orders)


class WrittenStates:
    """States that were written already: an ERP repeats what is near the moment that it is asked from."""

    def __init__(self) -> None:
        self._changed: dict[str, str] = {}

    def new(self, subject: str, changed: str) -> bool:
        known = self._changed.get(subject) == changed
        self._changed[subject] = changed
        return not known

    def copy(self) -> "WrittenStates":
        """For a pull that may not be written after all."""
        other = WrittenStates()
        other._changed = dict(self._changed)
        return other

    def has(self, subject: str) -> bool:
        return subject in self._changed


def lines_of(changes: MasterChanges, at: datetime, seen: WrittenStates) -> Iterator[bytes]:
    """One line per state that `seen` does not have, in an order in which each can be used: materials, lots, orders; then the
    mark of the pull, if there was anything. `at`: when it was pulled, the time of all of them."""
    moment = at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    written = False
    for type_, subject, row in _rows(changes):
        known = seen.has(subject)
        if seen.new(subject, row.changed):
            written = True
            kind = ("changed" if known else "released") if type_ == "order" else type_
            yield _line(kind, f"{subject}@{row.changed}", moment, {**_plain(row), "change": row.changed})
    if written:
        yield _line(PULLED, f"pull@{moment}", moment, {"until": changes.until})


def until_of(line: bytes) -> str | None:
    """Where the next pull starts, if this raw record is the mark of one."""
    try:
        fields = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return None
    return fields["until"] if isinstance(fields, dict) and fields.get("type") == PULLED else None


def _rows(changes: MasterChanges) -> Iterable[tuple[str, str, Any]]:
    yield from (("material", f"M-{row.material}", row) for row in changes.materials)
    yield from (("lot", f"L-{row.material}-{row.lot}", row) for row in changes.lots)
    yield from (("order", f"O-{row.order}", row) for row in changes.orders)


def _plain(row: Any) -> dict[str, Any]:
    """The fields that say something: an empty text would be a value to the mapping."""
    return {name: value for name, value in msgspec.to_builtins(row).items() if value != "" and name != "changed"}


def _line(type_: str, id_: str, moment: str, fields: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"type": type_, "id": id_, "at": moment, **fields})
