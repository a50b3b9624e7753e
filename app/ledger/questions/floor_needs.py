"""What of the floor's own records waits for a person: silent sources, log-ins that nobody ended, scrap beyond an order."""

from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from typing import NamedTuple

from app.ledger.books.snapshot import Snapshot
from app.ledger.proof.balance import units_of
from app.ledger.questions.export import quantity_text
from streams.silence import silent, topic_of
from tables.equipment.entries import standing
from tables.equipment.people import Missing, missing_log_offs, people_of
from tables.equipment.working_time import end_of_work
from tables.orders.account import STOCK
from tables.orders.conversions import of_account
from tables.orders.order import item_of
from tables.plant.calendar import calendar_of
from tables.quantity import fraction
from tables.refusal import Refusal
from tables.row_kinds import EQUIPMENT_ROWS


class Found(NamedTuple):
    why: Refusal
    since: int
    """Microseconds of log time."""
    about: str
    """Equipment or order; empty: neither."""
    quantity: Fraction = Fraction(0)
    unit: str = ""


def missing(snapshot: Snapshot) -> Iterator[Found]:
    """Log-offs that are missing, by equipment: the person logged on elsewhere, or their shift is over."""
    calendar = calendar_of(snapshot.configuration.plant)
    rows = list(snapshot.of(EQUIPMENT_ROWS))
    clock = max((row.clock for row in rows), default=0)
    found = defaultdict[str, list[Missing]](list)
    work_ends = partial(end_of_work, calendar)
    for _, marks in people_of((row.equipment, mark) for row in rows for mark in standing(row.labour, row.voids)):
        for one in missing_log_offs(marks, work_ends):
            if one.ended_at is not None or snapshot.finished or work_ends(one.told.at) < clock:
                found[one.equipment].append(one)
    for equipment, entries in sorted(found.items()):
        open_ = sum(one.ended_at is None for one in entries)
        first = min(entries, key=lambda one: one.told.at)
        detail = f"{len(entries)} log-offs missing at {equipment}, first of {first.told.person}"
        detail += f"; {open_} of the log-ins count to the end of their shift" if open_ else "; the next log-in ended them"
        yield Found(Refusal("LOG_OFF_MISSING", detail), first.told.at, equipment)


def silent_sources(snapshot: Snapshot) -> Iterator[Found]:
    """Sources that are expected to speak of equipment and do not (`sources.X.expect`), and intakes that are silent."""
    plant, code = snapshot.configuration.plant, "UPSTREAM_SILENT"
    missed: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for row in snapshot.of(EQUIPMENT_ROWS):
        for name, heard in row.sources.items():
            if heard.silent and name in plant.expected:
                missed[name].append((heard.label, row.equipment))
    for name, entries in sorted(missed.items()):
        since, first = min(entries)
        more = f" and {len(entries) - 1} more" if len(entries) > 1 else ""
        yield Found(Refusal(code, f"source {name} is silent: nothing of {first}{more}"), since, first)
    yield from silent_intakes(snapshot)


def silent_intakes(snapshot: Snapshot) -> Iterator[Found]:
    """Intakes that have not ticked for longer than `clock.patience`, by the clocks of orders."""
    plant, code = snapshot.configuration.plant, "UPSTREAM_SILENT"
    told: dict[str, int] = {}
    for state in snapshot.positions("orders"):
        for upstream, at in silent(state, plant.plant.id).items():
            told[upstream] = min(at, told.get(upstream, at))
    for upstream, at in sorted(told.items()):
        names = ", ".join(name for name, source in sorted(plant.sources.items()) if source.read.topic == topic_of(upstream))
        yield Found(Refusal(code, f"{upstream} of source {names} is silent"), at, "")


def scrap_beyond_orders(snapshot: Snapshot) -> Iterator[Found]:
    """More scrap of a material than the order has pieces of it at all: a slip of the keyboard, as a rule."""
    units = units_of(snapshot)
    for order, accounts in snapshot.orders_with_much_scrap():
        scrap: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
        since: dict[tuple[str, str], int] = {}
        for row in accounts:
            item = item_of(order, row.material)
            if row.kind != "scrap" or row.place == STOCK or item is None:
                continue
            quantity = Fraction(row.recorded_numerator, row.recorded_denominator)
            converted = of_account(row, quantity, item.quantity.unit, units)
            if not isinstance(converted, Refusal):
                key = row.operation, row.material
                scrap[key] += converted
                times = [source.first_at for source in row.sources.values() if source.first_at]
                since[key] = min([*times, *([since[key]] if key in since else [])], default=0)
        for (operation, material), quantity in sorted(scrap.items()):
            item = item_of(order, material)
            assert item is not None
            ordered = fraction(item.quantity.amount, item.quantity.scale)
            if quantity > ordered:
                detail = (
                    f"{quantity_text(quantity)} {item.quantity.unit} scrap of {material} in operation {operation} of order "
                    f"{order.order}, which is of {quantity_text(ordered)}"
                )
                yield Found(
                    Refusal("SCRAP_EXCEEDED", detail), since[operation, material], order.order, quantity, item.quantity.unit
                )
