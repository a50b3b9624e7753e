"""I1, the conservation of quantity: per account recorded = posted + in flight + held + parked + pending + covered + carry.

Nothing here trusts a stored sum: sources are added again, postings are looked up in delivery, totals in equipment.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from app.ledger.books.snapshot import Snapshot
from schemas.configuration import Configuration, PlantConfig
from schemas.records import AccountRow, EquipmentRow, IssuedPosting, OrderRow, PostingRow, TotalState
from tables.equipment.destination import UNATTRIBUTED, UNDECIDED, Destination
from tables.orders import account as ledger
from tables.orders.account import BASIS, account_key
from tables.orders.carry import Carried, carried
from tables.orders.conversions import with_conversions
from tables.orders.order import weights_of
from tables.plant.units import UnitTable
from tables.quantity import fraction
from tables.refusal import Refusal
from tables.row_kinds import ACCOUNT_ROWS, EQUIPMENT_ROWS, MATERIAL_ROWS, ORDER_ROWS, POSTING_ROWS

ACCEPTED, HELD = "accepted", ("held",)
COUNTED = ("gross", "good", "scrap", "rework")
MADE = ("gross", "good")
"""What says how much was made: the other kinds are part of it."""
NOT_ACCEPTED = ("rejected", "parked", "cancelled")
PLACES = ("posted", "waiting", "held", "parked", "pending", "covered", "carry")
"""Where recorded quantity can be."""
REFUSED = ("rejected", "cancelled")
"""Of parked: postings that the ERP refused, and those that a person gave up."""
STATES = ("posted", "waiting", "held", "parked", *REFUSED, "pending", "covered", "carry")
"""The places with what was refused apart from what is parked."""


@dataclass(slots=True)
class Balance:
    """Where the recorded quantity of one account (or kind and unit) is. All exact, in the ERP unit."""

    recorded: Fraction = Fraction(0)
    posted: Fraction = Fraction(0)
    waiting: Fraction = Fraction(0)
    held: Fraction = Fraction(0)
    parked: Fraction = Fraction(0)
    pending: Fraction = Fraction(0)
    covered: Fraction = Fraction(0)
    carry: Fraction = Fraction(0)
    blocked: Fraction = Fraction(0)
    """Of posted: went into blocked or inspection stock."""
    rejected: Fraction = Fraction(0)
    """Of parked (REFUSED), as `cancelled` is."""
    cancelled: Fraction = Fraction(0)

    def add(self, other: "Balance") -> None:
        for name in ("recorded", *PLACES, "blocked", *REFUSED):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def by_state(self) -> dict[str, Fraction]:
        """STATES -> quantity; in sum what is recorded."""
        found = {name: getattr(self, name) for name in STATES}
        found["parked"] -= self.rejected + self.cancelled
        return found

    @property
    def difference(self) -> Fraction:
        return self.recorded - (self.posted + self.waiting + self.held + self.parked + self.pending + self.covered + self.carry)


@dataclass(slots=True)
class Unattributed:
    """Quantity that no run covers, whose run has no order, or that a counter shows and nobody believes yet."""

    equipment: str
    code: str
    destination: Destination
    total: TotalState
    made: bool = False
    """It is part of what was made (`Proof.counted`)."""

    @property
    def quantity(self) -> Fraction:
        return fraction(self.total.amount, self.destination.scale)

    @property
    def is_count(self) -> bool:
        """Shots or strokes of a counter: how many pieces each is, only a run would say."""
        to = self.destination
        return to.kind == UNATTRIBUTED and to.authority == "counters" and to.reason in COUNTED

    @property
    def unit(self) -> str:
        """In words of the report."""
        return "counts" if self.is_count else self.destination.unit

    @property
    def is_undecided(self) -> bool:
        return self.destination.kind == UNDECIDED


@dataclass(slots=True)
class Proof:
    balances: dict[tuple[str, str], Balance] = field(default_factory=dict)
    """(kind, unit) -> sums."""
    accounts: dict[str, Balance] = field(default_factory=dict)
    unattributed: list[Unattributed] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    """Sentences; none: exact."""
    counted: dict[str, Fraction] = field(default_factory=dict)
    """Unit -> what was made, by the authority of each operation, in accounts or nobody's. What only checks it is left out."""

    @property
    def exact(self) -> bool:
        return not self.differences


def prove(snapshot: Snapshot) -> Proof:
    proof = Proof()
    units = units_of(snapshot)
    postings = {row.posting.posting_id: row for row in snapshot.of(POSTING_ROWS)}
    seen: set[str] = set()
    for row in snapshot.of(ACCOUNT_ROWS):
        if row.kind != BASIS:
            balance = _account(snapshot, row, units, postings, seen, proof.differences)
            proof.accounts[account_key(row)] = balance
            proof.balances.setdefault((row.kind, row.unit), Balance()).add(balance)
            for one in row.apart:
                quantity = Fraction(one.numerator, one.denominator)
                waits = Balance(recorded=quantity, parked=quantity)
                proof.balances.setdefault((row.kind, one.unit), Balance()).add(waits)
    proof.differences += _carries(snapshot)
    proof.differences += [f"posting {posting_id} is in no account" for posting_id in sorted(postings.keys() - seen)]
    _equipment(snapshot, proof)
    return proof


def unattributed(snapshot: Snapshot) -> Iterator[Unattributed]:
    """Quantity that no account has."""
    for machine in snapshot.of(EQUIPMENT_ROWS):
        yield from _nobodys(snapshot.configuration.plant, machine)


def _nobodys(plant: PlantConfig, machine: EquipmentRow) -> Iterator[Unattributed]:
    for destination, total in _totals(machine):
        if _is_nobodys(destination) and total.amount:
            code = "UNATTRIBUTED" if destination.kind == UNATTRIBUTED else "NO_ORDER"
            if destination.kind == UNDECIDED:
                code = "COUNT_UNDECIDED"
            made = _made_of_no_order(destination) and _is_authority(plant, machine.equipment, destination)
            yield Unattributed(machine.equipment, code, destination, total, made)


def _is_nobodys(destination: Destination) -> bool:
    return destination.kind in (UNATTRIBUTED, UNDECIDED) or not destination.order


def _carries(snapshot: Snapshot) -> Iterator[str]:
    """What rounding leaves of all accounts that share a carry is at most half a step."""
    sums: dict[tuple[str, Carried], Fraction] = defaultdict(Fraction)
    for row in snapshot.of(ACCOUNT_ROWS):
        if row.kind != BASIS:
            sums[row.order, carried(row)] += ledger.carry(row)
    for (order, group), left in sorted(sums.items()):
        if abs(left) * 2 * 10**group.scale > 1:
            yield f"{group.kind} {order} {group.material}: carry {left} {group.unit} is more than half a step"


def units_of(snapshot: Snapshot) -> UnitTable:
    units = UnitTable(snapshot.configuration.plant.units)
    for row in snapshot.of(MATERIAL_ROWS):
        units = with_conversions(units, row)
    return units


def counts_of(configuration: Configuration, order: OrderRow, row: AccountRow) -> dict[str, int]:
    return weights_of(configuration, order, row)


def order_of(snapshot: Snapshot, row: AccountRow) -> OrderRow:
    found: OrderRow | None = snapshot.rows.get("orders", {}).get(ORDER_ROWS.key(row.plant, row.order))
    return found or OrderRow(row.plant, row.order)


def _account(
    snapshot: Snapshot, row: AccountRow, units: UnitTable, postings: dict[str, PostingRow], seen: set[str], differences: list[str]
) -> Balance:
    key = account_key(row)
    counts = counts_of(snapshot.configuration, order_of(snapshot, row), row)
    amount = ledger.recorded(row, counts, row.unit, units, {one.unit for one in row.apart})
    differences += _apart(row, counts, units)
    balance = Balance(recorded=amount)
    for posting in row.issued:
        seen.update((posting.posting_id, *posting.replaced_ids))
        found = postings.get(posting.posting_id)
        while found is not None and found.replaced_by:  # orders may not have heard of it yet
            seen.add(found.replaced_by)
            found = postings.get(found.replaced_by)
        _posting(row, posting, found, balance, differences)
    issued = sum(posting.amount for posting in row.issued)
    if issued != row.posted:
        differences.append(f"{key}: issued postings sum to {issued}, the account says {row.posted}")
    balance.parked += fraction(row.parked, row.scale)
    rest = fraction(row.target - row.parked - row.posted, row.scale)
    if row.covered:
        balance.covered += rest
    else:
        balance.pending += rest
    balance.carry = amount - fraction(row.target, row.scale)
    if balance.difference:
        differences.append(f"{key}: recorded {balance.recorded} differs by {balance.difference}")
    if abs(balance.carry) * 10**row.scale > 1:
        differences.append(f"{key}: carry {balance.carry} is more than a step")
    return balance


def _apart(row: AccountRow, counts: dict[str, int], units: UnitTable) -> Iterator[str]:
    """Each unit of the sources is in the account's own one or stands apart with all that was stated in it."""
    noted = {one.unit: Fraction(one.numerator, one.denominator) for one in row.apart}
    for unit in sorted({source.unit for source in row.sources.values()} | noted.keys()):
        here = ledger.stated_in(row, counts, unit)
        stated = ledger.recorded(row, here, unit, units)
        if units.changed(row.material) and row.unit != unit:  # what was made at one time converts, of another it does not
            apart = ledger.apart(row, here, row.unit, units)
            stated = sum((Fraction(one.numerator, one.denominator) for one in apart), Fraction(0))
        if unit in noted and noted[unit] != stated:
            yield f"{account_key(row)}: {noted[unit]} {unit} stand apart, its sources state {stated}"
        if stated and unit not in noted and isinstance(units.convert(stated, unit, row.unit, row.material), Refusal):
            yield f"{account_key(row)}: {stated} {unit} are neither in {row.unit} nor apart"


def _posting(row: AccountRow, posting: IssuedPosting, found: PostingRow | None, balance: Balance, differences: list[str]) -> None:
    quantity = fraction(posting.amount, row.scale)
    if found is None:
        if posting.status == ACCEPTED:
            balance.posted += quantity  # long ago: delivery keeps only its identity, the account knows
        else:
            balance.waiting += quantity  # issued, and not yet read by delivery
        return
    if (found.posting.amount, found.posting.scale, found.posting.unit) != (posting.amount, row.scale, row.unit):
        differences.append(f"{posting.posting_id}: delivery has {found.posting.amount}, the account {posting.amount}")
    if found.state == ACCEPTED:
        balance.posted += quantity
        if found.stock_type not in ("", "unrestricted"):
            balance.blocked += quantity
    elif found.state in HELD:
        balance.held += quantity
    elif found.state in NOT_ACCEPTED:
        balance.parked += quantity
        balance.rejected += quantity if found.state == "rejected" else 0
        balance.cancelled += quantity if found.state == "cancelled" else 0
    else:
        balance.waiting += quantity


def _equipment(snapshot: Snapshot, proof: Proof) -> None:
    """Every total that equipment holds stands in an account with the same amount, or is listed as unattributed."""
    plant = snapshot.configuration.plant
    sources: dict[tuple[str, ...], Fraction] = defaultdict(Fraction)
    for row in snapshot.of(ACCOUNT_ROWS):
        for source_key, source in row.sources.items():
            # Scrap and rework stand in the yield they lower, too; late scrap is split between output and stock.
            if row.kind != "yield" or source.kind in MADE:
                identity = (row.order, row.operation, row.material, row.lot, row.business_date, source_key, source.kind)
                amount = Fraction(source.numerator, source.denominator)
                sources[identity] += amount
        if row.kind == "yield":  # equipment itself forgets what is settled
            _made(proof, row, counts_of(snapshot.configuration, order_of(snapshot, row), row))
    for machine in snapshot.of(EQUIPMENT_ROWS):
        proof.unattributed += _nobodys(plant, machine)
        for destination, total in _totals(machine):
            quantity = fraction(total.amount, destination.scale)
            if _made_of_no_order(destination) and _is_authority(plant, machine.equipment, destination):
                _count(proof, destination.unit, quantity)
            if _is_nobodys(destination):
                continue
            identity = (
                destination.order,
                destination.operation,
                destination.material,
                destination.lot,
                destination.business_date,
                destination.source_key(machine.equipment, machine.born_epoch),
                destination.kind,
            )
            known = sources.get(identity, Fraction(0))
            if known != quantity:
                proof.differences.append(
                    f"{machine.equipment} gave {quantity} to {'|'.join(map(str, identity))}, orders has {known}"
                )


def _made(proof: Proof, row: AccountRow, counts: Mapping[str, int]) -> None:
    for source_key, source in row.sources.items():
        if source.kind in MADE and counts[source_key]:
            _count(proof, source.unit, Fraction(source.numerator, source.denominator))


def _made_of_no_order(destination: Destination) -> bool:
    """No run covers it, or its run has no order."""
    kind = destination.reason if destination.kind == UNATTRIBUTED else destination.kind
    return kind in MADE and not destination.order


def _is_authority(plant: PlantConfig, equipment: str, to: Destination) -> bool:
    """Of nobody's quantity: the plant's own authority, for no order states another one. A good count beside a gross one is a
    check, too."""
    if to.authority != plant.plant.quantity_from:
        return False
    entry = plant.equipment_for(equipment)
    counts = {counter.counts for counter in entry.counters.values()} if entry is not None else set()
    good = "good" in (to.kind, to.reason)
    return to.authority != "counters" or not good or "gross" not in counts


def _count(proof: Proof, unit: str, quantity: Fraction) -> None:
    proof.counted[unit] = proof.counted.get(unit, Fraction(0)) + quantity


def _totals(row: EquipmentRow) -> Iterator[tuple[Destination, TotalState]]:
    for key, total in sorted(row.totals.items()):
        yield Destination.parse(key), total
