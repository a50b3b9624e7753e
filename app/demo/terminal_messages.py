"""What people type into terminals (source `terminals`) and what the laboratory sends (source `quality`)."""

import json
from collections.abc import Iterator

from app.demo.lines import Line
from app.demo.people import Papers, Pieces
from app.demo.plan import Plan
from app.demo.shift import MINUTE_MS, at_minute, iso, wall

REASONS = {
    "short_shot": "SHORT",
    "burn_mark": "BURN",
    "flash": "FLASH",
    "scratch": "SCR",
    "loose_insert": "INS",
    "burr": "BURR",
    "cracked": "CRK",
}
_KINDS = {"scrap": "reject", "rework": "rework", "rework_to_yield": "rework_ok", "rework_to_scrap": "rework_nok"}
LINK_MS = 2_000
"""From a terminal to the pipeline."""


class Terminals:
    """The messages of all terminals of the plant."""

    def __init__(self) -> None:
        self._sent = 0

    def lines(self, plan: Plan, papers: Papers) -> Iterator[Line]:
        for number, order in enumerate(plan.orders):
            yield self._message(at_minute(-20) + number * 1000, {"kind": "taken", "po": order.number}, "taken")
        for fact in papers.pieces:
            yield self._message(fact.at, _pieces(fact), fact.act)
        for used in papers.used:
            sign, digits = "-" if used.amount < 0 else "", str(abs(used.amount)).rjust(used.decimals + 1, "0")
            whole, part = digits[: len(digits) - used.decimals], digits[len(digits) - used.decimals :]
            fields = {"kind": "use", "machine": used.run.step.equipment, "part": used.material, "batch": used.lot}
            quantity = {"qty": f"{sign}{whole}.{part}" if part else sign + whole, "uom": used.unit}
            yield self._message(used.at, {**fields, **quantity}, "use")
        for at, order_number, operation in papers.completed:
            done = {"kind": "done", "po": order_number, **({"op": operation} if operation else {})}
            yield self._message(at, done, "done")

    def _message(self, at: int, fields: dict[str, str], tag: str) -> Line:
        self._sent += 1
        received = at + LINK_MS
        head = {"id": f"T-{self._sent:05d}", "at": wall(at), "rx": iso(received)}
        return Line(received, at, self._sent, tag, json.dumps({**head, **fields}, separators=(",", ":")))


def _pieces(fact: Pieces) -> dict[str, str]:
    """A label names order, operation, material and lot; without one the machine must do, and the material where the
    machine makes two."""
    where = {"machine": fact.run.step.equipment}
    if fact.labelled:
        where = {"po": fact.run.order.number, "op": fact.run.step.operation, "part": fact.material, "batch": fact.lot}
    elif len(fact.run.step.outputs) > 1:
        where["part"] = fact.material
    return {"kind": _KINDS[fact.act], **where, "qty": str(fact.quantity), "uom": "PC", "why": REASONS[fact.reason]}


def quality_lines(papers: Papers, plan: Plan) -> list[Line]:
    """Lots as they are opened, inspections, holds and releases."""
    events: list[tuple[int, dict[str, str]]] = []
    for order in plan.orders:
        receiving = next(operation.operation for operation in order.operations if operation.receipt)
        step = next(step for step in order.steps if step.operation == receiving)
        for output in step.outputs:
            lot = {"material": output.material, "lot": output.lot}
            opened = at_minute(step.from_minute) + MINUTE_MS
            events.append((opened, {"type": "lot", **lot, "po": order.number}))
            inspection = {"inspection": f"I-{output.lot}", "result": "P"}
            events.append((opened + 100 * MINUTE_MS, {"type": "inspected", **lot, **inspection}))
    for hold in papers.holds:
        fields = {"material": hold.material, "lot": hold.lot, "hold": hold.hold, "why": hold.reason}
        events.append((hold.at, {"type": "hold", **fields, "version": "1"}))
        if hold.released:
            events.append((hold.released, {"type": "release", **fields, "version": "2"}))
    lines = []
    for number, (at, fields) in enumerate(sorted(events, key=lambda event: event[0]), 1):
        received = at + LINK_MS
        text = {"id": f"Q-{number:04d}", "ts": iso(at), "rx": iso(received), **fields}
        lines.append(Line(received, at, number, fields["type"], json.dumps(text, separators=(",", ":"))))
    return lines
