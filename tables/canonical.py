"""What canonical events have in common: the fields of their envelope, and which of them declare a quantity."""

from collections.abc import Mapping

from schemas.records import MaterialConsumed, ProductionDeclared, ReworkDeclared, ReworkReturned, ScrapDeclared

ENVELOPE = frozenset(
    {
        "event_id",
        "plant",
        "occurred_at",
        "received_at",
        "source",
        "raw_source",
        "raw_offset",
        "raw_part",
        "source_seq",
        "correlation_id",
        "label",
        "copy",
    }
)
"""Filled from where the record stands and when. Of these a rule may state `occurred_at` and `correlation_id` only."""
DECLARATIONS: Mapping[type, str] = {
    ProductionDeclared: "good",
    ScrapDeclared: "scrap",
    ReworkDeclared: "rework",
    ReworkReturned: "rework",
    MaterialConsumed: "consumption",
}
"""Declaration -> kind of its totals."""
KINDS: Mapping[str, str] = {declaration.__name__: kind for declaration, kind in DECLARATIONS.items()}
"""The same by name."""
ACCOUNT_KINDS: Mapping[str, str] = {name: "yield" if kind == "good" else kind for name, kind in KINDS.items()}
"""Declaration, by name -> kind of its account."""
