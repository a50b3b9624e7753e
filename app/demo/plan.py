"""What the plant intends to make: orders, their operations, the runs of this shift, and the lots that go in."""

from dataclasses import dataclass, field
from typing import Literal

Mode = Literal["declared", "metered", "ledger_backflush", "erp_backflush"]
Confirm = Literal["each", "milestone", "none"]


@dataclass(frozen=True, slots=True)
class PlannedOutput:
    """What one count of a run makes: `factor` pieces of `material` into `lot`."""

    material: str
    lot: str
    factor: int
    role: Literal["main", "co"] = "main"


@dataclass(frozen=True, slots=True)
class PlannedLoad:
    """A component lot at a position of a machine."""

    position: str
    material: str
    lot: str


@dataclass(frozen=True, slots=True)
class Usage:
    """A component that people declare: `per_cycle` x 10^-`decimals` `unit` are used by each cycle."""

    material: str
    lot: str
    per_cycle: int
    decimals: int
    unit: str


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One operation of an order on one machine, between two minutes of the shift."""

    equipment: str
    operation: str
    from_minute: int
    to_minute: int
    cycle_ms: int
    outputs: tuple[PlannedOutput, ...]
    grams: int = 0
    """Resin per shot, on the resin meter; 0: no meter."""
    loads: tuple[PlannedLoad, ...] = ()
    changes: tuple[tuple[int, tuple[PlannedOutput, ...]], ...] = ()
    """(minute, outputs from then on): cavities that were plugged."""
    changeovers: tuple[tuple[int, PlannedLoad], ...] = ()
    uses: Usage | None = None
    bad_share: float = 0.0
    """Share of cycles that give no good piece, where the machine counts good pieces only. Steers chance, is no quantity."""


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """A component of an order: amount x 10^-decimals unit for `base` pieces."""

    operation: str
    position: str
    material: str
    amount: int
    decimals: int
    unit: str
    base: int
    mode: Mode
    batch_managed: bool = True


@dataclass(frozen=True, slots=True)
class PlannedOperation:
    operation: str
    work_centre: str
    confirm: Confirm
    receipt: bool


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """`over_delivery`: percent as text. `tight`: so few are ordered that the excess cannot be posted."""

    number: str
    materials: tuple[tuple[str, Literal["main", "co"]], ...]
    operations: tuple[PlannedOperation, ...]
    parts: tuple[PlannedPart, ...]
    steps: tuple[PlannedStep, ...]
    over_delivery: str = "10"
    tight: bool = False
    completed: bool = False
    """Reported complete a few minutes after its last run."""
    rework: bool = False


@dataclass(frozen=True, slots=True)
class PlannedMaterial:
    material: str
    unit: str
    decimals: int
    batch_managed: bool
    conversions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpeningLot:
    """Component stock before the shift: `quantity` whole units at location LINE."""

    material: str
    lot: str
    quantity: int
    unit: str


@dataclass(slots=True)
class Plan:
    orders: list[PlannedOrder]
    materials: list[PlannedMaterial]
    opening: list[OpeningLot] = field(default_factory=list)
