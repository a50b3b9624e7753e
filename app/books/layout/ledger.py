"""Postings and accounts."""

from app.books.layout.columns import child, flags, numbers, root, texts, times

POSTINGS = root(
    "postings",
    texts("plant", "posting_id"),
    texts("account", "order_no", "operation", "material", "lot", "kind", "reason", "location", "business_date", "posting_date"),
    texts("quantity"),
    numbers("amount", "scale"),
    texts("unit"),
    numbers("cumulative", "sequence", "revision"),
    texts("rule", "rule_version", "state", "code", "detail", "erp_document"),
    numbers("attempts", "read_backs"),
    texts("gate", "stock_type", "document", "reverses", "replaced_by", "configuration", "missing_sources", "content_hash"),
    numbers("records", "waited_us", "born_epoch"),
    flags("final"),
    times("cut_at", "waited_since", "state_at", "accepted_at"),
    indexes=[
        ["plant", "account", "sequence"],
        ["plant", "order_no"],
        ["plant", "material", "lot"],
        ["plant", "state", "cut_at"],
        ["plant", "cut_at"],
        ["erp_document"],
    ],
)
POSTING_STEPS = child("posting_steps", POSTINGS, numbers("step"), texts("state", "code"), numbers("attempt"), times("at"))
POSTING_RANGES = child(
    "posting_ranges",
    POSTINGS,
    numbers("range"),
    texts("raw_source"),
    numbers("first_offset", "last_offset", "records"),
    indexes=[["raw_source", "first_offset"]],
)
POSTING_MOVEMENTS = child(
    "posting_movements",
    POSTINGS,
    numbers("movement"),
    texts("type", "material", "lot", "location", "quantity"),
    numbers("amount", "scale"),
    texts("unit"),
    flags("derived"),
    indexes=[["plant", "material", "lot"]],
)
POSTING_CORRELATIONS = child("posting_correlations", POSTINGS, texts("correlation_id"), indexes=[["plant", "correlation_id"]])
POSTING_DECISIONS = child(
    "posting_decisions", POSTINGS, texts("event_id"), texts("code", "decision", "who", "why"), times("decided_at")
)

ACCOUNTS = root(
    "accounts",
    texts("plant", "account"),
    texts("order_no", "operation", "material", "lot", "kind", "reason", "place", "business_date", "location", "unit"),
    numbers("scale"),
    texts("recorded"),
    numbers("recorded_numerator", "recorded_denominator", "target", "posted", "parked", "pending"),
    texts("code", "detail"),
    flags("covered", "dropped"),
    numbers("sequence", "records"),
    times("since", "due_at"),
    indexes=[["plant", "order_no"], ["plant", "material", "lot"], ["plant", "code"], ["plant", "business_date"]],
)
ACCOUNT_SOURCES = child(
    "account_sources",
    ACCOUNTS,
    texts("source"),
    texts("kind", "authority", "equipment", "run", "position", "component_material", "component_lot", "recorded"),
    numbers("numerator", "denominator"),
    texts("unit", "bom_revision"),
    numbers("records"),
    flags("late"),
    times("first_at", "last_at"),
    indexes=[["plant", "equipment", "run"], ["plant", "component_material", "component_lot"]],
)
ACCOUNT_RANGES = child(
    "account_ranges",
    ACCOUNTS,
    [*texts("source"), *numbers("range")],
    texts("raw_source"),
    numbers("first_offset", "last_offset", "records"),
    indexes=[["raw_source", "first_offset"]],
)
ACCOUNT_APART = child(
    "account_apart", ACCOUNTS, texts("unit"), texts("recorded"), numbers("numerator", "denominator"), texts("detail")
)
ACCOUNT_DECISIONS = child(
    "account_decisions", ACCOUNTS, texts("event_id"), texts("code", "decision", "who", "why"), times("decided_at")
)
