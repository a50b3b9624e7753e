"""Conversions of a material hold from their time on (docs/domain.md, Conversions by time): what a material's row keeps of them,
and which of them a quantity of an account is converted by."""

from collections.abc import Collection, Mapping
from fractions import Fraction

from schemas.records import AccountRow, Apart, FormerConversions, MaterialChanged, MaterialRow, SourceTotal
from tables.plant.units import Definitions, MadeAt, UnitTable
from tables.refusal import Refusal

MAX_STATEMENTS = 100
"""Statements of one material that are kept, the newest; the oldest of them holds for all before it."""


# -- what is known of a material


def statements(row: MaterialRow | None) -> list[FormerConversions]:
    """All that was told of its conversions, in the order of the times from which they hold."""
    if row is None or not row.conversions:
        return []
    return [*row.former, FormerConversions(row.conversions, row.since, row.known_at)]


def renewed(known: MaterialRow | None, record: MaterialChanged, label: int, forgotten_before: int = 0) -> MaterialRow:
    """The material's row after master data that was told at `label`. Conversions hold from the event's time on; a record without
    any leaves those that were told. `forgotten_before`: nothing that was made earlier is converted any more. Microseconds."""
    told = statements(known)
    if record.conversions:
        told = _with(told, FormerConversions(record.conversions, record.occurred_at, label))
    while len(told) > 1 and (told[1].since <= forgotten_before or len(told) > MAX_STATEMENTS):
        told = told[1:]
    row = MaterialRow(record.plant, record.material, record.unit, record.decimals, record.batch_managed, told_at=label)
    return _of(row, told)


def _with(told: list[FormerConversions], one: FormerConversions) -> list[FormerConversions]:
    """The statements with one more, unless it says what held at its time anyhow."""
    before = [other for other in told if other.since <= one.since]
    held = before[-1:] or told[:1]
    if held and held[0].conversions == one.conversions:
        return told
    return [*before, one, *told[len(before) :]]


def as_of(row: MaterialRow, cut: int) -> MaterialRow:
    """The row with those of its conversions that were told up to the cut."""
    return _of(row, [one for one in statements(row) if one.known_at <= cut])


def _of(row: MaterialRow, told: list[FormerConversions]) -> MaterialRow:
    return MaterialRow(
        plant=row.plant,
        material=row.material,
        unit=row.unit,
        decimals=row.decimals,
        batch_managed=row.batch_managed,
        told_at=row.told_at,
        conversions=told[-1].conversions if told else [],
        since=told[-1].since if told else 0,
        known_at=told[-1].known_at if told else 0,
        former=told[:-1],
    )


def with_conversions(units: UnitTable, row: MaterialRow) -> UnitTable:
    """The table with what is known of the material. Raises Refusal for conversions that contradict each other."""
    told = [Definitions(one.since, one.known_at, one.conversions) for one in statements(row)]
    return units.with_history(row.material, told) if told else units


# -- what an account is converted by


def in_unit(row: AccountRow, source: SourceTotal, unit: str, units: UnitTable) -> Fraction | Refusal:
    """What a source of the account says, in `unit`: by the conversions that held when it was made."""
    amount = Fraction(source.numerator, source.denominator)
    held = held_for(row, source.first_at) if units.changed(row.material) else None
    return units.convert(amount, source.unit, unit, row.material, held)


def of_account(row: AccountRow, amount: Fraction, unit: str, units: UnitTable) -> Fraction | Refusal:
    """A quantity of the account, stated in its own unit, in another one: as its first source is converted."""
    return units.convert(amount, row.unit, unit, row.material, of_its_time(row, units))


def of_its_time(row: AccountRow, units: UnitTable) -> MadeAt | None:
    """Which conversions hold for the account as a whole; None: there are no others."""
    if not units.changed(row.material):
        return None
    return held_for(row, min((source.first_at for source in row.sources.values() if source.first_at), default=0))


def held_for(row: AccountRow, made_at: int) -> MadeAt:
    """What was posted of the account keeps the conversions that were known then: a change that is dated back moves none of it."""
    return MadeAt(made_at, next((posting.cut for posting in row.issued if posting.cut >= made_at), None))


def recorded(row: AccountRow, counts: Mapping[str, int], unit: str, units: UnitTable, without: Collection[str]) -> Fraction:
    """What the account of a material whose conversions changed holds in `unit`. Of a stated unit in `without` what converts
    stays, if other sources in it are why it stands apart."""
    amount, refused = Fraction(0), _refused(row, counts, unit, units)
    split = {row.sources[key].unit for key in refused}
    for key, source in row.sources.items():
        if counts[key] and key not in refused and (source.unit not in without or source.unit in split):
            value = in_unit(row, source, unit, units)
            amount += Fraction(0) if isinstance(value, Refusal) else counts[key] * value
    return amount


def apart(row: AccountRow, counts: Mapping[str, int], unit: str, units: UnitTable, also: str) -> list[Apart]:
    """By stated unit, what nothing of its time, or told later, converts into `unit`; of what explodes into components all that
    was stated in a unit which does not convert into theirs (`also`)."""
    refused = _refused(row, counts, unit, units)
    split = {row.sources[key].unit for key in refused}
    exploded = {row.sources[key].unit: detail for key, detail in (_refused(row, counts, also, units) if also else {}).items()}
    sums: dict[str, tuple[Fraction, str]] = {}
    for key, source in row.sources.items():
        detail = refused.get(key, "" if source.unit in split else exploded.get(source.unit, ""))
        if counts[key] and detail:
            known, first = sums.get(source.unit, (Fraction(0), detail))
            sums[source.unit] = known + counts[key] * Fraction(source.numerator, source.denominator), first
    return [Apart(stated, of.numerator, of.denominator, detail) for stated, (of, detail) in sorted(sums.items()) if of]


def _refused(row: AccountRow, counts: Mapping[str, int], unit: str, units: UnitTable) -> dict[str, str]:
    """Keys of the sources that nothing converts into `unit`, with what is missing."""
    found = {key: in_unit(row, source, unit, units) for key, source in row.sources.items() if counts[key]}
    return {key: value.detail for key, value in found.items() if isinstance(value, Refusal)}
