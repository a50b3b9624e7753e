"""What a re-added account is made of, source by source."""

from dataclasses import dataclass
from fractions import Fraction

from app.ledger.proof.recount import RecountedPart
from schemas.records import AccountRow, SourceTotal
from tables.equipment.destination import Destination
from tables.orders.conversions import held_for
from tables.plant.units import UnitTable
from tables.refusal import Refusal


@dataclass(slots=True, frozen=True)
class Summand:
    """What one source gave to an account: `count` x `factor` in the source's smallest step, or an exact quantity."""

    equipment: str
    run: str
    kind: str
    factor: int
    count: int
    first_at: int
    quantity: Fraction
    """In the account's unit, with its sign."""


def summands(
    source: SourceTotal, part: tuple[Destination, RecountedPart] | None, weight: int, wanted: AccountRow, units: UnitTable
) -> list[Summand]:
    """`part`: what was counted of it; None: it was declared, or follows from others. `wanted`: the account, with its unit and
    what was posted of it."""
    held = held_for(wanted, source.first_at)

    def in_account(value: Fraction) -> Fraction:
        converted = units.convert(value, source.unit, wanted.unit, wanted.material, held)
        return Fraction(0) if isinstance(converted, Refusal) else weight * converted

    if part is None:
        quantity = in_account(Fraction(source.numerator, source.denominator))
        kind = source.kind if source.authority != "backflush" else "backflush"
        return [Summand(source.equipment, source.run, kind, 1, 1, source.first_at, quantity)]
    destination, found = part
    step = Fraction(1, 10**destination.scale)
    return [
        Summand(source.equipment, source.run, source.kind, factor, count, found.first_at, in_account(count * factor * step))
        for factor, count in sorted(found.steps.items())
    ]
