"""Times of records as microseconds since 1970-01-01 UTC. More than six decimals of a second are cut."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from schemas.configuration.mapping import Function
from streams.mapping.instants import LATEST, MICROSECOND, bounded, out_of_bounds
from streams.mapping.iso_times import iso_stamp, utc_parser
from streams.mapping.items import Problems, RefusedInMapping
from streams.mapping.paths import Getter, compile_path
from streams.mapping.texts import Tables, compile_text
from streams.mapping.time_forms import compile_form
from streams.mapping.time_numbers import EARLIEST, EPOCH_DECIMALS, EPOCH_STEP, EXCEL, epoch_instant, excel_stamp
from tables.plant.local_time import EPOCH, local_to_utc, zone_of
from tables.refusal import Refusal

TimeGetter = Callable[[Any, Any, int], int | None]
"""(node, root, arrived_at in microseconds or 0) -> instant, or None where nothing is. Raises Refusal BAD_TIME or
AMBIGUOUS_TIME."""
Parse = Callable[[str, int], int]


def compile_time(expression: Any, tables: Tables, plant_zone: str, problems: Problems) -> TimeGetter:
    """A getter of instants. Local stamps are read in the function's zone, else in the plant's."""
    text = compile_text(expression, tables, problems)
    function = expression if isinstance(expression, Function) else Function(path="x")
    parse = _parser(function, plant_zone, problems)

    def instant(node: Any, root: Any, arrived_at: int) -> int | None:
        value = text(node, root)
        return None if value is None or not value.strip() else parse(value, arrived_at)

    if function.date in EPOCH_STEP and function == Function(path=function.path, date=function.date):
        return _whole_epoch(compile_path(function.path, Problems()), EPOCH_STEP[function.date], instant)
    return instant


def states_wall_time(form: str) -> bool:
    """May a time in `form` be a local one, without an offset?"""
    return form not in EPOCH_DECIMALS and not any(zone in form for zone in ("%z", "%Z"))


def _whole_epoch(getter: Getter, step: int, otherwise: TimeGetter) -> TimeGetter:
    """Whole numbers since 1970 need no text in between: the hot case of JSON sources."""
    first, end = -(-EARLIEST // step), LATEST // step

    def instant(node: Any, root: Any, arrived_at: int) -> int | None:
        value = getter(node, root)
        if type(value) is int and first <= value < end:
            return value * step
        return otherwise(node, root, arrived_at)

    return instant


def _parser(function: Function, plant_zone: str, problems: Problems) -> Parse:
    form = function.date or "iso"
    if function.zones and "%Z" not in form:
        problems.at("zones").add("`zones` are names that `%Z` of `date` reads, and there is no `%Z`")
    if form in EPOCH_DECIMALS:
        if function.zone is not None:
            problems.at("zone").add(f"`date: {form}` is UTC; it takes no `zone`")
        return lambda text, arrived_at: epoch_instant(text, form)
    finish = _finisher(function, plant_zone)
    if form == EXCEL:
        return lambda text, arrived_at: finish(excel_stamp(text), text, arrived_at)
    if form != "iso":
        stamp_of = compile_form(form, function.zones, problems.at("date"))
        return _once(lambda text, arrived_at: finish(stamp_of(text), text, arrived_at))
    utc = utc_parser()

    def iso(text: str, arrived_at: int) -> int:
        known = utc(text)
        return finish(iso_stamp(text), text, arrived_at) if known is None else known

    return iso


def _once(parse: Parse) -> Parse:
    """The events of one record ask for the same time: it is read once."""
    newest: tuple[str, int, int] = ("", -1, 0)

    def known(text: str, arrived_at: int) -> int:
        nonlocal newest
        if newest[0] != text or newest[1] != arrived_at:
            newest = (text, arrived_at, parse(text, arrived_at))
        return newest[2]

    return known


def _finisher(function: Function, plant_zone: str) -> Callable[[datetime, str, int], int]:
    """From a stamp to its instant; one without an offset is a wall time of the zone."""
    zone, ambiguous = zone_of(function.zone or plant_zone), function.ambiguous

    def finish(stamp: datetime, text: str, arrived_at: int) -> int:
        if stamp.tzinfo is not None:
            return bounded((stamp - EPOCH) // MICROSECOND, text)
        if stamp.year < EPOCH.year:
            raise out_of_bounds(text, early=True)
        local = local_to_utc(stamp, zone, ambiguous, arrived_at)
        if isinstance(local, Refusal):
            raise RefusedInMapping(local.code, local.detail)
        return bounded(local, text)

    return finish
