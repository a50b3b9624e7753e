"""Equipment and its runs."""

from app.books.layout.columns import child, flags, numbers, root, texts, times

EQUIPMENT = root("equipment", texts("plant", "equipment"), times("clock_at"))
EQUIPMENT_TALLIES = child("equipment_tallies", EQUIPMENT, texts("what"), numbers("records"))
EQUIPMENT_COUNTERS = child("equipment_counters", EQUIPMENT, texts("counter"), times("last_at"))
COUNT_DECISIONS = child(
    "count_decisions",
    EQUIPMENT,
    [*texts("counter"), *numbers("began_at")],
    texts("decision", "who", "why", "event_id"),
    times("decided_at"),
)
EQUIPMENT_STATES = root(
    "equipment_states", [*texts("plant", "equipment"), *numbers("from_at"), *texts("entry")], texts("state", "reason")
)
EQUIPMENT_LOADS = root(
    "equipment_loads",
    [*texts("plant", "equipment", "position"), *numbers("from_at"), *texts("entry")],
    texts("material", "lot"),
    indexes=[["plant", "material", "lot"]],
)
RUNS = root(
    "runs",
    texts("plant", "equipment", "run"),
    texts("order_no", "operation", "bom_revision", "correlation_id"),
    flags("voided"),
    times("started_at", "ended_at"),
    indexes=[["plant", "order_no"], ["plant", "equipment", "started_at"]],
)
RUN_OUTPUTS = child(
    "run_outputs",
    RUNS,
    [*flags("corrected"), *numbers("from_at", "segment", "output")],
    texts("order_no", "order_item", "material", "lot", "role"),
    numbers("factor"),
    indexes=[["plant", "material", "lot"]],
)
