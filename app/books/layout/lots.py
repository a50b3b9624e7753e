"""Lots: quality and genealogy."""

from app.books.layout.columns import child, flags, numbers, root, texts, times

LOTS = root(
    "lots",
    texts("plant", "material", "lot"),
    flags("held"),
    texts("disposition", "location"),
    times("disposition_at", "touched_at"),
    indexes=[["plant", "lot"], ["plant", "held"]],
)
HOLDS = child(
    "holds",
    LOTS,
    texts("hold", "origin"),
    flags("active"),
    texts("severity", "reason", "who", "correlation_id"),
    numbers("version"),
    times("decided_at", "occurred_at"),
    indexes=[["plant", "hold"], ["plant", "active"]],
)
EXEMPTIONS = child(
    "exemptions", LOTS, texts("hold"), flags("active"), texts("reason", "who", "correlation_id"), numbers("version"),
    times("decided_at", "occurred_at"),
)  # fmt: skip
INSPECTIONS = child("inspections", LOTS, texts("inspection"), texts("result"), indexes=[["plant", "result"]])
GENEALOGY = child("genealogy", LOTS, texts("child_material", "child_lot"), indexes=[["plant", "child_material", "child_lot"]])
LOT_ORDERS = child("lot_orders", LOTS, texts("order_no"), indexes=[["plant", "order_no"]])
LOT_DELIVERIES = child("lot_deliveries", LOTS, texts("delivery"), indexes=[["plant", "delivery"]])
