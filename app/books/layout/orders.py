"""Orders as master data and the shop floor tell them."""

from app.books.layout.columns import child, flags, numbers, root, texts, times

ORDERS = root(
    "orders",
    texts("plant", "order_no"),
    flags("known"),
    texts("status", "change_number", "order_type", "bom_revision", "rejected"),
    flags("automatic_receipt", "backflush", "acknowledged", "started", "completed", "handed_over", "overdue"),
    times("planned_start", "planned_end"),
    times("released_at", "acknowledged_at", "started_at", "completed_at", "handed_over_at", "technically_complete_at"),
    indexes=[["plant", "status"]],
)
ORDER_ITEMS = child(
    "order_items",
    ORDERS,
    texts("item"),
    texts("material", "role", "quantity"),
    numbers("amount", "scale"),
    texts("unit", "receipt_location", "over_delivery"),
    flags("batch_managed"),
    indexes=[["plant", "material"]],
)
ORDER_OPERATIONS = child(
    "order_operations",
    ORDERS,
    texts("operation"),
    numbers("position"),
    texts("work_centre", "confirm", "quantity_from"),
    numbers("planned_cycle_ms"),
    flags("receipt", "completed", "final_sent"),
)
ORDER_COMPONENTS = child(
    "order_components",
    ORDERS,
    numbers("component"),
    texts("item", "material", "operation", "position"),
    texts("mode", "basis", "quantity"),
    numbers("amount", "scale"),
    texts("unit"),
    numbers("base"),
    texts("issue_location", "parent"),
    flags("batch_managed", "phantom"),
    indexes=[["plant", "material"]],
)
ORDER_LOTS = child(
    "order_lots",
    ORDERS,
    texts("material", "lot"),
    flags("held", "staged"),
    numbers("open_inspections"),
    indexes=[["plant", "lot"]],
)
MATERIALS = root(
    "materials", texts("plant", "material"), texts("unit"), numbers("decimals"), flags("batch_managed"), times("told_at")
)
MATERIAL_CONVERSIONS = child("material_conversions", MATERIALS, texts("conversion"))
