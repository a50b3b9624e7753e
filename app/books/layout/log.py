"""What the log says beside quantities: dead letters, figures, configurations, clocks; and how far it was read."""

from app.books.layout.columns import blob, flags, numbers, root, texts, times

EXCEPTIONS = root(
    "exceptions",
    texts("plant", "letter"),
    texts("event_id", "stage", "code", "detail", "source", "raw_source"),
    numbers("raw_offset"),
    [blob("original")],
    texts("original_sha256"),
    numbers("original_bytes"),
    texts("headers", "kind", "quantity", "unit"),
    times("received_at"),
    indexes=[["plant", "code"], ["plant", "raw_source", "raw_offset"], ["plant", "received_at"]],
)
EXCEPTION_EVENTS = root(
    "exception_events",
    texts("plant", "letter", "event_id", "state"),
    texts("code", "who", "why"),
    texts("raw_source"),
    numbers("raw_offset"),
    times("at", "told_at"),
)
CUT_OFFS = root(
    "cut_offs",
    texts("plant", "period", "account", "code"),
    texts("order_no", "kind", "quantity"),
    numbers("amount", "scale"),
    texts("unit"),
    times("closed_at"),
)
FIGURES = root(
    "figures",
    texts("plant", "figure", "subject"),
    numbers("numerator", "denominator"),
    texts("unit", "owner", "code"),
    times("as_of"),
    indexes=[["plant", "figure", "code"]],
)
UPSTREAMS = root(
    "upstreams",
    texts("plant", "upstream"),
    texts("source"),
    flags("silent"),
    texts("on_silence", "code"),
    times("last_tick", "told_at"),
)
CONFIGURATIONS = root(
    "configurations",
    texts("hash"),
    texts("plant", "rule_version", "plant_yaml", "rules_yaml", "erp_yaml"),
    indexes=[["plant", "rule_version"]],
)
CLOCKS = root("clocks", [*texts("plant", "stage"), *numbers("partition")], texts("configuration"), times("reached_at"))
POSITIONS = root("positions", [*texts("topic"), *numbers("partition")], numbers("next_offset"), texts("topic_id"))
"""How far each topic was read: moves in the transaction of the rows."""
ABOUT = root("about", texts("name"), texts("value"))
"""Of a run: what it was given and how it went."""
