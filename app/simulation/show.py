"""The comparison for people, and as JSON."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from app.ledger.questions.export import quantity_text
from app.simulation.compare import MOST_LISTED, AccountDifference, Figures
from schemas.configuration.values import duration_text
from tables.quantity import exact_text

SECOND_US = 1_000_000


def lines(sides: Sequence[tuple[str, Figures]], found: Sequence[AccountDifference], seen: dict[str, int]) -> Iterator[str]:
    """`sides`: (name, figures), one or two; `seen`: what intake read."""
    yield f"{seen.get('raw', 0):,} raw records   readings {seen.get('readings', 0):,}   nothing was posted, nothing was written"
    yield ""
    yield _row("", [name for name, _ in sides])
    yield _row("rules", [one.rules for _, one in sides])
    yield _row("postings", [f"{one.postings:,}" for _, one in sides])
    yield _row("  of them corrections", [f"{one.corrections:,}" for _, one in sides])
    yield _row("calls to the ERP, cut by cut", [f"{one.documents:,}" for _, one in sides])
    for kind, unit in sorted({key for _, one in sides for key in one.by_kind}):
        cells = [one.by_kind.get((kind, unit), (0, Fraction(0))) for _, one in sides]
        yield _row(f"{kind} {unit}", [f"{quantity_text(amount)} in {count:,}" for count, amount in cells])
    for kind in sorted({key for _, one in sides for key in one.latency}):
        yield _row(f"{kind} waited", [_latency(one.latency.get(kind)) for _, one in sides])
    for key in sorted({key for _, one in sides for key in one.pending}):
        yield _row(f"{' '.join(key)} not due", [quantity_text(one.pending.get(key, Fraction(0))) for _, one in sides])
    for parked in sorted({key for _, one in sides for key in one.parked}):
        kind, unit, code = parked
        cells_ = [quantity_text(one.parked.get(parked, Fraction(0))) for _, one in sides]
        yield _row(f"{kind} {unit} parked {code}", cells_)
    if len(sides) == 2:
        yield ""
        yield from _differences(found)


def _row(name: str, cells: Sequence[str]) -> str:
    return f"{name:<34}" + "".join(f"{cell:>46}" for cell in cells)


def _latency(times: tuple[int, int, int] | None) -> str:
    if times is None:
        return "-"
    return " / ".join(_short(time) for time in times) + " (50%, 95%, most)"


def _short(us: int) -> str:
    if us < 60 * SECOND_US:
        return duration_text(us // SECOND_US * SECOND_US) if us else "0 s"
    minutes = us // (60 * SECOND_US)
    return f"{minutes // 60}:{minutes % 60:02} h"


def _differences(found: Sequence[AccountDifference]) -> Iterator[str]:
    if not found:
        yield "Every account ends with the same quantity and code."
        return
    yield f"{len(found)} accounts end otherwise:"
    for one in found[:MOST_LISTED]:
        before, after = map(quantity_text, one.posted)
        codes = "" if one.codes[0] == one.codes[1] else f"   {one.codes[0] or 'not parked'} -> {one.codes[1] or 'not parked'}"
        yield f"  {one.account}   posted {before} -> {after} {one.unit}{codes}"
    if len(found) > MOST_LISTED:
        yield f"  and {len(found) - MOST_LISTED} more (--json lists all)"


def as_json(
    sides: Sequence[tuple[str, Figures]], found: Sequence[AccountDifference], seen: dict[str, int], seconds: float
) -> dict[str, Any]:
    return {
        "seen": seen,
        "seconds": round(seconds, 3),
        "sides": [{"name": name, **_side(one)} for name, one in sides],
        "differences": [
            {"account": one.account, "unit": one.unit, "posted": list(map(str, one.posted)), "codes": list(one.codes)}
            for one in found
        ],
    }


def _side(one: Figures) -> dict[str, Any]:
    return {
        "rules": one.rules,
        "postings": one.postings,
        "corrections": one.corrections,
        "calls": one.documents,
        "by_kind": [
            {"kind": kind, "unit": unit, "postings": count, "quantity": exact_text(amount)}
            for (kind, unit), (count, amount) in sorted(one.by_kind.items())
        ],
        "latency_us": {kind: dict(zip(("p50", "p95", "max"), times, strict=True)) for kind, times in one.latency.items()},
        "not_due": [
            {"kind": kind, "unit": unit, "quantity": exact_text(amount)} for (kind, unit), amount in sorted(one.pending.items())
        ],
        "parked": [
            {"kind": kind, "unit": unit, "code": code, "quantity": exact_text(amount)}
            for (kind, unit, code), amount in sorted(one.parked.items())
        ],
        "refused": one.refused,
    }
