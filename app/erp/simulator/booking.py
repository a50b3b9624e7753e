"""What the simulated ERP knows, what it refuses, and which movements it makes of a line (docs/domain.md,
Expected movements)."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from app.erp.simulator.messages import Master, SentLine, SentMovement, SimComponent, SimMaterial, SimOrder
from tables.plant.units import UnitTable
from tables.quantity import MAX_AMOUNT, fraction, round_half_away
from tables.refusal import Refusal, RefusedValue

Mode = Literal["by_order", "explicit", "auto_receipt", "backflush", "milestone"]
"""What the ERP derives from a yield. by_order: what the order's flags say; explicit: nothing; auto_receipt: the receipt
of every order; backflush: the components (of mode erp_backflush) of every order; milestone: every operation confirms
those before it."""
Origin = Literal["sent", "derived", "foreign"]

SCRAP = "SCRAP"
"""Where scrap without a location goes."""


@dataclass(slots=True, frozen=True)
class SimMovement:
    """A movement as the ERP books it; only what was sent has a posting_id."""

    posting_id: str
    order: str
    sent: SentMovement
    origin: Origin = "sent"


@dataclass(slots=True, frozen=True)
class SimConfirmation:
    """A confirmed quantity of one operation: sent, or derived from a later milestone."""

    posting_id: str
    order: str
    operation: str
    kind: str
    amount: int
    scale: int
    unit: str
    origin: Origin = "sent"


@dataclass(slots=True)
class SimMasterData:
    """Orders, materials, locations and lots. Without any order the ERP takes every name."""

    orders: dict[str, SimOrder] = field(default_factory=dict)
    materials: dict[str, SimMaterial] = field(default_factory=dict)
    locations: set[str] = field(default_factory=set)
    lots: set[tuple[str, str]] = field(default_factory=set)
    units: UnitTable = field(default_factory=UnitTable)

    def add(self, master: Master) -> Refusal | None:
        """Take over all of it, or say why not."""
        units = self.units
        try:
            for material in master.materials:
                units = units.with_material(material.material, material.conversions)
        except RefusedValue as refusal:
            return refusal.refusal
        self.units = units
        self.orders.update((order.order, order) for order in master.orders)
        self.materials.update((material.material, material) for material in master.materials)
        self.locations.update((SCRAP, *master.locations))
        for order in master.orders:
            self.locations.update(item.receipt_location for item in order.items)
            self.locations.update(part.issue_location for part in order.components)
        self.lots.update(master.lots)
        return None

    def refusal(self, lines: Iterable[SentLine]) -> Refusal | None:
        """Why the document cannot be booked; the first reason in the order of its lines."""
        document = list(lines)
        made = lots_made(document)
        return next((why for line in document if (why := self._refusal_of(line, made)) is not None), None)

    def _refusal_of(self, line: SentLine, made: set[tuple[str, str]]) -> Refusal | None:
        if not line.order:
            return Refusal("ORDER_REQUIRED", f"{line.posting_id} names no order.")
        if not self.orders:
            return None
        order = self.orders.get(line.order)
        if order is None:
            return Refusal("ORDER_UNKNOWN", f"There is no order {line.order}.")
        if order.status in ("closed", "locked"):
            return Refusal("ORDER_NOT_OPEN", f"Order {line.order} is {order.status}.")
        return next((why for sent in line.movements if (why := self._unknown(sent, made)) is not None), None)

    def _unknown(self, sent: SentMovement, made: set[tuple[str, str]]) -> Refusal | None:
        material = self.materials.get(sent.material)
        if material is None:
            return Refusal("MATERIAL_UNKNOWN", f"There is no material {sent.material}.")
        if sent.location and sent.location not in self.locations:
            return Refusal("LOCATION_UNKNOWN", f"There is no location {sent.location}.")
        if isinstance(self.units.factor(sent.unit, material.unit, sent.material), Refusal):
            return Refusal("UNIT_UNKNOWN", f"{sent.material} is kept in {material.unit}, not in {sent.unit}.")
        lot = (sent.material, sent.lot)
        listed = any(material_ == sent.material for material_, _ in self.lots)  # of a material without lots it takes every one
        if sent.type == "issue" and sent.lot and listed and lot not in self.lots and lot not in made:
            return Refusal("LOT_UNKNOWN", f"{sent.material} has no lot {sent.lot}.")
        return None


def lots_made(lines: Iterable[SentLine]) -> set[tuple[str, str]]:
    """(material, lot) of what these lines receive: a receipt makes its lot."""
    return {(sent.material, sent.lot) for line in lines for sent in line.movements if sent.type == "receipt"}


def movements_of(line: SentLine, master: SimMasterData, mode: Mode) -> list[SimMovement] | Refusal:
    """What was sent, then what the ERP derives. Sending and deriving the same books it twice, as a real ERP does."""
    sent = [SimMovement(line.posting_id, line.order, _placed(movement)) for movement in line.movements]
    order = master.orders.get(line.order)
    if line.kind != "yield" or order is None:
        return sent
    item = next((item for item in order.items if item.material == line.material), None)
    if item is not None and item.role != "main":
        return sent  # no ERP receives or backflushes for co-products and by-products (docs/domain.md, Expected movements)
    receiving = not order.receiving_operations or line.operation in order.receiving_operations
    derived: list[SentMovement] = []
    if receiving and (mode == "auto_receipt" or (mode == "by_order" and order.automatic_receipt)):
        derived.append(_receipt(line, order))
    if mode == "backflush" or (mode in ("by_order", "milestone") and order.backflush):
        # A component of no operation belongs to the one that receives: each is backflushed once.
        confirmed = {line.operation, *confirmed_before(line, order, mode), *([""] if receiving else [])}
        for part in order.components:
            if part.mode == "erp_backflush" and part.operation in confirmed:
                issue = _issue(line, part, master)
                if abs(issue.amount) > MAX_AMOUNT:
                    return Refusal("AMOUNT_TOO_LARGE", f"{part.material}: the backflush is beyond 64 bits.")
                derived.append(issue)
    return sent + [SimMovement("", line.order, movement, "derived") for movement in derived]


def confirmed_before(line: SentLine, order: SimOrder, mode: Mode) -> list[str]:
    """The operations that this yield confirms beside its own: a milestone confirms those since the milestone before it
    (docs/domain.md, Milestones)."""
    if line.kind != "yield" or line.operation not in order.operations:
        return []
    if mode != "milestone" and (mode != "by_order" or line.operation not in order.milestones):
        return []
    before = order.operations[: order.operations.index(line.operation)]
    since = max((n + 1 for n, one in enumerate(before) if one in order.milestones), default=0)
    return [one for one in before[since:] if one not in order.unconfirmed]


def confirmations_of(line: SentLine, master: SimMasterData, mode: Mode) -> list[SimConfirmation]:
    """What a line confirms: its own operation, and those that the ERP confirms with it. An issue confirms nothing."""
    if line.kind == "consumption":
        return []
    own = SimConfirmation(line.posting_id, line.order, line.operation, line.kind, line.amount, line.scale, line.unit)
    order = master.orders.get(line.order)
    before = confirmed_before(line, order, mode) if order is not None else []
    return [own, *(replace(own, posting_id="", operation=operation, origin="derived") for operation in before)]


def _placed(sent: SentMovement) -> SentMovement:
    if sent.type == "scrap" and not sent.location:
        return SentMovement(sent.type, sent.material, sent.amount, sent.scale, sent.unit, sent.lot, SCRAP)
    return sent


def _receipt(line: SentLine, order: SimOrder) -> SentMovement:
    main = next((item for item in order.items if item.material == line.material), None)
    main = main or next((item for item in order.items if item.role == "main"), None)
    material = line.material or (main.material if main else "")
    location = line.location or (main.receipt_location if main else "")
    return SentMovement("receipt", material, line.amount, line.scale, line.unit, line.lot, location)


def _issue(line: SentLine, part: SimComponent, master: SimMasterData) -> SentMovement:
    """Rounded per confirmation, as ERPs do it: the ledger's cumulative rounding may differ by a step."""
    material = master.materials.get(part.material)
    scale = material.decimals if material and material.unit == part.unit else part.scale
    need = fraction(line.amount, line.scale) * fraction(part.amount, part.scale) / part.base
    return SentMovement("issue", part.material, round_half_away(need, scale), scale, part.unit, "", part.issue_location)
