"""Equipment, its states, loads and runs. What equipment forgets after its late horizon stays in the books."""

from collections.abc import Iterator

from schemas.records import EquipmentRow, RunSegment, RunState
from tables.books.entry import BookEntry, Values, at


def equipment_entries(row: EquipmentRow) -> Iterator[BookEntry]:
    """The machine itself, and each thing that it tells of by itself."""
    about: Values = {"plant": row.plant, "equipment": row.equipment}
    decisions = {
        (counter, one.began_at): {
            "counter": counter,
            "began_at": one.began_at,
            "decision": one.decision,
            "who": one.who,
            "why": one.why,
            "event_id": one.event_id,
            "decided_at": at(one.decided_at),
        }
        for counter, state in sorted(row.counters.items())
        for one in state.decisions
    }
    counters = [{"counter": name, "last_at": at(state.last_at)} for name, state in sorted(row.counters.items())]
    yield BookEntry(
        "equipment",
        about,
        {
            "equipment": [{"clock_at": at(row.clock)}],
            "equipment_tallies": [{"what": what, "records": count} for what, count in sorted(row.tally.items())],
            "equipment_counters": counters,
            "count_decisions": list(decisions.values()),
        },
    )
    for span in row.states:
        key = {**about, "from_at": span.from_at, "entry": span.entry or span.event_id}
        yield BookEntry("equipment_states", key, {"equipment_states": [{"state": span.state, "reason": span.reason}]})
    for load in row.loads:
        key = {**about, "position": load.position, "from_at": load.from_at, "entry": load.entry or load.event_id}
        yield BookEntry("equipment_loads", key, {"equipment_loads": [{"material": load.material, "lot": load.lot}]})
    for run in row.runs:
        yield _run(about, run)


def _run(about: Values, run: RunState) -> BookEntry:
    values: Values = {
        "order_no": run.order,
        "operation": run.operation,
        "bom_revision": run.bom_revision,
        "correlation_id": run.correlation_id,
        "voided": run.voided,
        "started_at": at(run.started_at),
        "ended_at": at(run.ended_at),
    }
    outputs = [row for number, segment in enumerate(run.segments, 1) for row in _outputs(segment, number, False)]
    if run.corrected is not None:
        outputs += _outputs(run.corrected, 0, True)
    return BookEntry("runs", {**about, "run": run.run}, {"runs": [values], "run_outputs": outputs})


def _outputs(segment: RunSegment, number: int, corrected: bool) -> list[Values]:
    return [
        {
            "corrected": corrected,
            "from_at": segment.from_at,
            "segment": number,
            "output": position,
            "order_no": one.order,
            "order_item": one.order_item,
            "material": one.material,
            "lot": one.lot,
            "role": one.role,
            "factor": one.factor,
        }
        for position, one in enumerate(segment.outputs, 1)
    ]
