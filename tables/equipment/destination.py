"""Where a quantity goes: the business key that equipment totals are kept under, as one text."""

from typing import NamedTuple

_SEPARATOR = "\x1f"
UNATTRIBUTED, UNDECIDED = "unattributed", "undecided"


class Destination(NamedTuple):
    """Kind `unattributed`: no run covers it (then order, operation and run are empty). Kind `undecided`: a counter shows it and
    nobody believes it yet; `reason` says since when (microseconds). Unit and scale belong to the key:
    amounts of one destination can be added."""

    origin: str
    """Counter name, or the record name of declarations."""
    run: str
    order: str
    operation: str
    material: str
    lot: str
    kind: str
    reason: str
    position: str
    component_material: str
    component_lot: str
    business_date: str
    unit: str
    scale: int
    authority: str

    def key(self) -> str:
        return _SEPARATOR.join(map(str, self))

    @classmethod
    def parse(cls, key: str) -> "Destination":
        *names, scale, authority = key.split(_SEPARATOR)
        return cls(*names, int(scale), authority)  # type: ignore[arg-type, call-arg]  # 13 names, counted by key()

    def source_key(self, equipment: str, born_epoch: int) -> str:
        """Identity of this source towards orders."""
        parts = (equipment, self.run, self.origin, self.kind, self.reason, self.unit, self.scale, self.position)
        return "|".join(map(str, (*parts, self.component_material, self.component_lot, born_epoch)))
