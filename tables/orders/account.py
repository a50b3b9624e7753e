"""One account of the ledger: its sources, what they add up to, and what of it has been issued. Exact rationals only."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from schemas.records import AccountRow, Apart, RawRange, SourceTotal, Total
from tables.decisions import BAD_UNIT, DROP, deducted, verdict
from tables.lineage import add_ranges
from tables.orders import conversions as by_time
from tables.plant.units import UnitTable
from tables.quantity import fraction
from tables.refusal import Refusal
from tables.row_kinds import ACCOUNT_ROWS

BASIS = "basis"
"""Kind of accounts that only feed ledger_backflush: gross by loaded lot. Never posted."""
STOCK = "stock"
"""Place of scrap that had been received already."""
RETURNED = "returned"
"""Position of open rework that came back, as declared without an equipment."""
MOVED = "moved"
"""Kind of sources that hold pieces moved between the yields of an order (tables/orders/pieces.py)."""
TIMES = frozenset({"machine_time", "setup_time", "labour_time"})


class Waits(NamedTuple):
    """A parked quantity, in the unit that it can be stated in."""

    code: str
    detail: str
    unit: str
    quantity: Fraction
    dropped: bool
    """Somebody decided that it is never posted."""
    apart: bool
    """In a unit that nothing converts into the account's."""


_ESCAPES = str.maketrans({"%": "%25", "|": "%7C"})


def account_key(row: AccountRow) -> str:
    parts = (row.plant, row.order, row.operation, row.material, row.lot, row.kind, row.reason, row.place, row.business_date)
    plain = "|".join(parts)
    if "%" not in plain and plain.count("|") == len(parts) - 1:
        return plain  # nothing to escape: asked for several times per account and tick
    return "|".join(part.translate(_ESCAPES) for part in parts)


def escaped(part: str) -> str:
    """A part of an account's key as the key has it."""
    return part.translate(_ESCAPES)


def unescaped(part: str) -> str:
    """A part of an account's key as it was."""
    return part.replace("%7C", "|").replace("%25", "%")


def parse_key(text: str) -> AccountRow | None:
    """The empty account of a key; None: it is none."""
    parts = [unescaped(part) for part in text.split("|")]
    if len(parts) != 9:
        return None
    plant, order, operation, material, lot, kind, reason, place, date = parts
    return AccountRow(plant, order, operation, material, lot, kind, reason, place, date, 0)


def row_key(row: AccountRow) -> str:
    return ACCOUNT_ROWS.key(account_key(row))


def accounts_of(total: Total, born_epoch: int) -> list[AccountRow]:
    """The accounts that a total concerns, empty: scrap and open rework also lower the yield of their pieces."""

    def account(kind: str, reason: str = "", place: str = "") -> AccountRow:
        return AccountRow(
            total.plant,
            total.order,
            total.operation,
            total.material,
            total.lot,
            kind,
            reason,
            place,
            total.business_date,
            born_epoch,
        )

    match total.kind:
        case "gross" | "good":
            return [account("yield")]
        case "scrap":
            stock = total.position == STOCK
            return [account("scrap", total.reason, total.position)] + ([] if stock else [account("yield")])
        case "rework":
            return [account("rework"), account("yield")]
        case "basis":
            return [account(BASIS)]
        case "consumption":
            return [account("consumption", total.reason, total.position)]
        case _:
            return [account(total.kind)]


def rework_returned(source_key: str) -> bool:
    """Does the source tell of rework that came back as scrap? (See Destination.source_key and streams/order_declarations.)"""
    parts = source_key.split("|")
    return "ReworkReturned" in parts or parts[-1] == "scrap"


def is_returned(source_key: str, source: SourceTotal) -> bool:
    """Does it come from ReworkReturned? Its pieces were made before, as open rework."""
    parts = source_key.split("|")
    twin = parts[-1] == "scrap" and source.kind == "scrap" and not source.equipment  # see streams/orders/declarations.py
    return twin or source.position == RETURNED or "ReworkReturned" in parts


def version_of(total: Total | SourceTotal) -> tuple[int, int, int]:
    """What is greater is newer."""
    return total.log_epoch, total.inbox_offset, total.fold_version


def grown(row: AccountRow, total: Total) -> Fraction:
    """What the total says beyond what is known of its source, in its own unit: what was declared at once."""
    known = row.sources.get(total.source_key)
    before = Fraction(known.numerator, known.denominator) if known is not None and known.unit == total.unit else Fraction(0)
    return Fraction(total.numerator, total.denominator) - before


def is_news(row: AccountRow, total: Total) -> bool:
    known = row.sources.get(total.source_key)
    return known is None or version_of(known) < version_of(total)


def receive(row: AccountRow, total: Total, late: bool = False) -> bool:
    """Keep the newest total of its source: states, not deltas, so a duplicate changes nothing. False: nothing new.
    `late`: scrap that came after its period was closed."""
    if not is_news(row, total):
        return False
    row.sources[total.source_key] = SourceTotal(
        kind=total.kind,
        authority=total.authority,
        numerator=total.numerator,
        denominator=total.denominator,
        unit=total.unit,
        log_epoch=total.log_epoch,
        inbox_offset=total.inbox_offset,
        fold_version=total.fold_version,
        equipment=total.equipment,
        run=total.run,
        position=total.position,
        component_material=total.component_material,
        component_lot=total.component_lot,
        first_at=total.first_at,
        last_at=total.last_at,
        records=total.records,
        ranges=total.ranges,
        bom_revision=total.bom_revision,
        correlations=total.correlations,
        late=late,
    )
    return True


def late_split(scrap: AccountRow, total: Total, received: Fraction) -> tuple[Total, Total]:
    """Scrap that grew after its period was closed: (what stays output scrap, what is scrap from stock), the second one of
    the same version and source under the place `stock` (docs/domain.md, Late scrap). Less than before stays a correction, and so
    does what is beyond `received`: pieces that were in stock before the close, in the total's unit."""
    now, known = Fraction(total.numerator, total.denominator), scrap.sources.get(total.source_key)
    before = Fraction(known.numerator, known.denominator) if known is not None and known.unit == total.unit else Fraction(0)
    kept, late = replace(total), replace(total, position=STOCK)
    stays = min(now, max(before, now - received, Fraction(0)))
    kept.numerator, kept.denominator = stays.numerator, stays.denominator
    late.numerator, late.denominator = (now - stays).numerator, (now - stays).denominator
    return kept, late


def weights(row: AccountRow, authority: str, yield_is: str, counted: Collection[str] = ()) -> dict[str, int]:
    """How each source counts in this account: 1, -1, or 0 (a check, the other authority's figure).

    Yield is gross minus scrap and open rework where gross is counted, else the good pieces (docs/domain.md, Authority and
    Yield); each equipment for itself, when several work on one order. `counted`: what counters count at the operation (gross,
    good), known from any of its accounts.
    """
    if row.kind != "yield":
        return dict.fromkeys(row.sources, 1)
    pieces, trusted = _pieces(row), _trusted(row, authority)
    good_at, turned = _good_at(trusted), _turned(trusted)
    top = on_top(row, authority, counted)
    found = {}
    for key, source in row.sources.items():
        if source.kind == MOVED:
            found[key] = 1
        elif key in pieces:
            found[key] = int(key in trusted and (source.kind == "gross" or source.equipment in good_at or key in turned))
        else:
            lowers = key not in top or is_returned(key, source)
            found[key] = -int(lowers and source.kind in yield_is)
    return found


def on_top(row: AccountRow, authority: str, counted: Collection[str] = ()) -> set[str]:
    """Sources of scrap and rework in an account of yield that were made on top of its pieces: those are good ones. Where gross
    is counted they are part of it; where a counter turned from one to the other, their time says which."""
    trusted = _trusted(row, authority)
    gross_at, good_at = {source.equipment for source in trusted.values() if source.kind == "gross"}, _good_at(trusted)
    # The yield is negative and waits (docs/domain.md, Scrap finds its pieces), unless the operation counts good pieces.
    counts_gross = bool(gross_at) or not (
        good_at or authority == "declarations" or ("good" in counted and "gross" not in counted)
    )
    lowering = {key: source for key, source in row.sources.items() if source.kind in ("scrap", "rework")}
    turned = _turned(trusted)
    return {
        key
        for key, source in lowering.items()
        if not counts_gross or source.equipment in good_at or (turned and _while_good(source, trusted, turned))
    }


def _pieces(row: AccountRow) -> dict[str, SourceTotal]:
    return {key: source for key, source in row.sources.items() if source.kind in ("gross", "good")}


def _trusted(row: AccountRow, authority: str) -> dict[str, SourceTotal]:
    """What counts pieces: of the authority; without any of it what others counted gross."""
    pieces = _pieces(row)
    trusted = {key: source for key, source in pieces.items() if source.authority == authority}
    if not trusted and authority == "counters":
        trusted = {key: source for key, source in pieces.items() if source.kind == "gross"}
    return trusted


def _good_at(trusted: Mapping[str, SourceTotal]) -> set[str]:
    gross_at = {source.equipment for source in trusted.values() if source.kind == "gross"}
    return {source.equipment for source in trusted.values()} - gross_at


def _turned(trusted: Mapping[str, SourceTotal]) -> set[str]:
    """Good pieces of counters that count gross in this account, too: one counter, defined anew, is no check of itself. While
    another counter of the equipment counted gross they are."""
    gross = {key: source for key, source in trusted.items() if source.kind == "gross"}
    good = {key: source for key, source in trusted.items() if source.kind == "good"} if gross else {}
    own = {(source.equipment, _counter(key, source)) for key, source in gross.items()} if good else set()

    def beside(key: str, source: SourceTotal) -> bool:
        return any(
            other.equipment == source.equipment
            and _counter(name, other) != _counter(key, source)
            and other.first_at <= source.last_at
            and source.first_at <= other.last_at
            for name, other in gross.items()
        )

    return {key for key, source in good.items() if (source.equipment, _counter(key, source)) in own and not beside(key, source)}


def _counter(key: str, source: SourceTotal) -> str:
    """Name of the counter that the source is of (Destination.source_key)."""
    return key.removeprefix(f"{source.equipment}|{source.run}|").partition(f"|{source.kind}|")[0]


def _while_good(lowering: SourceTotal, trusted: Mapping[str, SourceTotal], turned: Collection[str]) -> bool:
    """Was it told of while the counter of its equipment counted good pieces, and never while it counted gross?"""
    good = [trusted[key].first_at for key in turned if trusted[key].equipment == lowering.equipment]
    gross = [one for one in trusted.values() if one.kind == "gross" and one.equipment == lowering.equipment]
    if not good or not gross:
        return False
    began, ended = min(one.first_at for one in gross), max(one.last_at for one in gross)
    if min(good) < began:
        return lowering.last_at < began
    return lowering.first_at > ended and lowering.first_at >= min(good)


def recorded(row: AccountRow, counts: dict[str, int], unit: str, units: UnitTable, without: Collection[str] = ()) -> Fraction:
    """What the account holds, exactly, in `unit`; what nothing converts into it stands apart. `without`: stated units that are
    left out."""
    if units.changed(row.material):
        return by_time.recorded(row, counts, unit, units, without)
    amount = Fraction(0)
    for stated, quantity in _stated(row, counts).items():
        value = units.convert(quantity, stated, unit, row.material)
        if stated not in without and not isinstance(value, Refusal):
            amount += value
    return amount


def apart(row: AccountRow, counts: dict[str, int], unit: str, units: UnitTable, also: str = "") -> list[Apart]:
    """What converts into `unit` (or into `also`) by no rule, by the unit that was stated. It waits by itself: the rest of the
    account goes on."""
    if units.changed(row.material):
        return by_time.apart(row, counts, unit, units, also)
    found = []
    for stated, quantity in _stated(row, counts).items():
        values = [units.convert(quantity, stated, wanted, row.material) for wanted in (unit, also) if wanted]
        wrong = next((value for value in values if isinstance(value, Refusal)), None)
        if wrong is not None and quantity:
            found.append(Apart(stated, quantity.numerator, quantity.denominator, wrong.detail))
    return found


def _stated(row: AccountRow, counts: dict[str, int]) -> dict[str, Fraction]:
    """Stated unit -> what was stated in it, in the order of the units."""
    sums: dict[tuple[str, int], int] = {}
    for key, source in row.sources.items():
        if counts[key]:
            part = (source.unit, source.denominator)
            sums[part] = sums.get(part, 0) + counts[key] * source.numerator
    found: dict[str, Fraction] = {}
    for (stated, denominator), numerator in sorted(sums.items()):
        found[stated] = found.get(stated, Fraction(0)) + Fraction(numerator, denominator)
    return found


def waits(row: AccountRow) -> list[Waits]:
    """What of the account is parked: of its own unit, and each unit that stands apart."""
    found = []
    gone = 0 if row.dropped else deducted(row)
    if row.code:
        found.append(Waits(row.code, row.detail, row.unit, fraction(row.parked - gone, row.scale), row.dropped, False))
    if gone:
        found.append(Waits(row.code, row.detail, row.unit, fraction(gone, row.scale), True, False))
    dropped = verdict(row, BAD_UNIT) == DROP
    apart = [(one, Fraction(one.numerator, one.denominator)) for one in row.apart]
    return found + [Waits(BAD_UNIT, one.detail, one.unit, quantity, dropped, True) for one, quantity in apart]


def stops(row: AccountRow) -> list[Waits]:
    """What of the account waits for somebody. A code with nothing parked only says what would happen to more."""
    return [one for one in waits(row) if one.quantity and not one.dropped]


def stated_in(row: AccountRow, counts: dict[str, int], unit: str) -> dict[str, int]:
    """`counts` of the sources alone that state this unit."""
    return {key: weight if row.sources[key].unit == unit else 0 for key, weight in counts.items()}


def lineage(row: AccountRow, counts: dict[str, int]) -> tuple[int, list[RawRange]]:
    """Raw records behind the account, in total and by source."""
    ranges: list[RawRange] = []
    records = 0
    for key, source in sorted(row.sources.items()):
        if counts[key] and source.numerator:
            records += source.records
            add_ranges(ranges, source.ranges)
    return records, ranges


def note(row: AccountRow, amount: Fraction) -> None:
    """What the account holds, exactly. What it stands for in steps is decided with the others of its order
    (tables/orders/carry.py)."""
    row.recorded_numerator, row.recorded_denominator = amount.numerator, amount.denominator


def unposted(row: AccountRow) -> int:
    """Steps that may still be posted."""
    return 0 if row.covered else row.target - row.parked - row.posted


def recorded_of(row: AccountRow) -> Fraction:
    """What the account held when it was noted last, exactly, in its unit."""
    return Fraction(row.recorded_numerator, row.recorded_denominator)


def carry(row: AccountRow) -> Fraction:
    """What rounding leaves: less than one step."""
    return Fraction(row.recorded_numerator, row.recorded_denominator) - fraction(row.target, row.scale)
