"""Counts that nobody believes yet: how a person names one, and the decision about it."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.ledger.books.snapshot import Snapshot
from tables.equipment.count_decisions import CODE, DECISIONS
from tables.equipment.destination import UNDECIDED, Destination
from tables.refusal import Refusal
from tables.row_kinds import EQUIPMENT_ROWS


def utc(micros: int) -> str:
    """`2026-03-02T06:16:00Z`; with microseconds where there are some."""
    whole, rest = divmod(micros, 1_000_000)
    text = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:06d}Z" if rest else f"{text}Z"


def target(equipment: str, counter: str, began_at: int) -> str:
    """How a person names what a counter shows since then."""
    return f"{equipment}|{counter}|{utc(began_at)}"


def is_target(text: str) -> bool:
    return text.count("|") == 2


def fields_of(snapshot: Snapshot, text: str, decision: str) -> dict[str, Any] | Refusal:
    """What an OperatorDecision about it states; or why there is nothing to decide like that. The time is one
    that `meant` knows."""
    equipment, counter, at = text.split("|")
    row = snapshot.rows.get("equipment", {}).get(EQUIPMENT_ROWS.key(snapshot.configuration.plant.plant.id, equipment))
    known = [] if row is None else [Destination.parse(key) for key in row.totals]
    began = {int(to.reason) for to in known if to.kind == UNDECIDED and to.origin == counter}
    wanted = meant(at, began, ZoneInfo(snapshot.configuration.plant.plant.zone))
    if len(wanted) != 1:
        since = ", ".join(map(utc, wanted or sorted(began))) or "nothing"
        found = "more than one" if wanted else "nothing"
        return Refusal("NOTHING_PARKED", f"{equipment} {counter} has {found} undecided since {at}; it has: {since}")
    if decision not in DECISIONS:
        return Refusal("DECISION_INVALID", f"an undecided count takes {', '.join(DECISIONS)}, not `{decision}`")
    return {"equipment": equipment, "counter": counter, "began_at": wanted[0], "order": "", "code": CODE}


_PRINTED = ("%d %b %H:%M", "%d %b %H:%M:%S", "%d %b %Y %H:%M", "%d %b %Y %H:%M:%S")
"""Local times as reports print them."""
_CLOCK = re.compile(r"\d\d:\d\d(?P<seconds>:\d\d(?P<fraction>[.,]\d+)?)?")


def meant(text: str, moments: Iterable[int], zone: ZoneInfo) -> list[int]:
    """The moments (microseconds) that `text` is, to the minute, second or fraction that it says. ISO 8601 without an offset, and
    what a report prints, is local time."""
    stated = " ".join(text.split())
    return [one for one in sorted(moments) if _is(one, stated, zone)]


def _is(micros: int, stated: str, zone: ZoneInfo) -> bool:
    whole, rest = divmod(micros, 1_000_000)
    moment = datetime.fromtimestamp(whole, UTC).replace(microsecond=rest)
    local = moment.astimezone(zone).replace(tzinfo=None)
    try:
        iso = datetime.fromisoformat(stated)
    except ValueError:
        return stated.lower() in {local.strftime(form).lower() for form in _PRINTED}
    same, clock = local if iso.tzinfo is None else moment, _CLOCK.search(stated)
    if clock is None or clock["fraction"] is None:
        same = same.replace(microsecond=0)
    if clock is None or clock["seconds"] is None:
        same = same.replace(second=0)
    return same == iso
