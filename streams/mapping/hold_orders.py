"""What people order about holds through the operators' source: one hold a line, on one lot or on
the lots of one scope (an equipment, an order, a run, a supplier's lot), as `lineledger hold` writes."""

from typing import Any, NamedTuple

from schemas.records import HoldExempted, HoldPlaced, HoldReleased
from streams.mapping.items import MAX_INT64, MAX_TEXT, RawRecord
from tables import lots
from tables.refusal import Refusal
from tables.scopes import SCOPES

PLACE, RELEASE, EXEMPT, REVOKE = "place", "release", "exempt", "revoke"
CHANGES = (PLACE, RELEASE, EXEMPT, REVOKE)
_NAMES = ("material", "lot", "hold")
_TEXTS = ("event_id", *_NAMES, "who", "why", "correlation_id")
HoldOrdered = HoldPlaced | HoldReleased | HoldExempted


class Entered(NamedTuple):
    """Where and when a line came in."""

    plant: str
    source: str
    at: int
    """When it was written, microseconds."""


def hold_ordered(raw: RawRecord, entered: Entered, told: dict[str, Any]) -> HoldOrdered | Refusal:
    """The record of a line's `hold`, or what is wrong with it."""
    texts = {name: told.get(name, "") for name in _TEXTS}
    scope, from_at, to_at = told.get("scope", ""), told.get("from_at", 0), told.get("to_at", 0)
    unneeded = ("correlation_id", "material") if scope else ("correlation_id",)
    missing = [name for name in _TEXTS if name not in unneeded and not texts[name]]
    if missing:
        return Refusal("MISSING_FIELD", f"the hold has no {', '.join(missing)}")
    wrong = [name for name, text in texts.items() if not isinstance(text, str) or len(text) > _most(name)]
    change, version, effective = told.get("change"), told.get("version"), told.get("effective_at", entered.at)
    wrong += ["change"] if change not in CHANGES else []
    wrong += ["version"] if type(version) is not int or not 0 < version <= MAX_INT64 else []
    wrong += ["effective_at"] if type(effective) is not int or not 0 < effective <= MAX_INT64 else []
    wrong += ["scope"] if scope and (scope not in SCOPES or texts["material"] or change not in (PLACE, RELEASE)) else []
    timed = type(from_at) is int and type(to_at) is int and 0 <= from_at <= MAX_INT64 and 0 <= to_at <= MAX_INT64
    wrong += [] if timed and (not to_at or from_at <= to_at) and (scope or not (from_at or to_at)) else ["from_at, to_at"]
    severity = told.get("severity", lots.BLOCK)
    wrong += ["severity"] if severity not in lots.SEVERITIES else []
    if wrong:
        return Refusal("BAD_FIELD", f"the hold has no good {', '.join(wrong)}")
    common: dict[str, Any] = {
        "event_id": texts["event_id"], "plant": entered.plant, "occurred_at": effective,
        "received_at": raw.received_at or entered.at, "source": entered.source, "raw_source": raw.raw_source,
        "raw_offset": raw.raw_offset, "material": texts["material"], "lot": texts["lot"], "hold": texts["hold"],
        "version": version, "correlation_id": texts["correlation_id"], "reason": texts["why"], "who": texts["who"],
    }  # fmt: skip
    if change in (PLACE, RELEASE):
        common |= {"scope": scope, "from_at": from_at, "to_at": to_at}
        return HoldPlaced(**common, severity=severity) if change == PLACE else HoldReleased(**common)
    return HoldExempted(**common, revoked=change == REVOKE)


def _most(name: str) -> int:
    if name not in _NAMES:
        return MAX_TEXT
    return lots.MAX_HOLD_CHARACTERS if name == "hold" else lots.MAX_NAME_CHARACTERS
