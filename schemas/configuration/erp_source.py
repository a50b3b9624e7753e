"""The source of plant.yaml that nobody writes: master data that the adapter pulls from the ERP (`master_data: erp`).

Every adapter gives the same lines (app/erp/master.py), so their mapping is fixed. They take the raw path like those of any
other source: replay, dead letters and exactly-once hold for them too.
"""

from typing import Any

ERP_SOURCE = "erp"
_QUANTITY = {"path": "quantity", "decimals": "6", "unit": "unit"}
_ORDER: dict[str, Any] = {
    "order": "order",
    "change_number": "change",
    "status": "status",
    "bom_revision": "bom_revision",
    "automatic_receipt": "automatic_receipt",
    "backflush": "backflush",
    "planned_start": "planned_start",
    "planned_end": "planned_end",
    "items": {
        "each": "items",
        "item": "item",
        "material": "material",
        "role": "role",
        "quantity": _QUANTITY,
        "receipt_location": "location",
        "batch_managed": "batch_managed",
        "over_delivery": "over_delivery",
    },
    "operations": {
        "each": "operations",
        "operation": "operation",
        "work_centre": "work_centre",
        "confirm": "confirm",
        "receipt": "receipt",
        "planned_cycle_ms": "planned_cycle_ms",
    },
    "components": {
        "each": "components",
        "item": "item",
        "operation": "operation",
        "position": "position",
        "material": "material",
        "quantity": _QUANTITY,
        "base": "base",
        "mode": "mode",
        "issue_location": "location",
        "batch_managed": "batch_managed",
    },
}
_MATERIAL = {
    "material": "material",
    "unit": "unit",
    "decimals": "decimals",
    "batch_managed": "batch_managed",
    "conversions": {"each": "conversions"},
}
_LOT = {"material": "material", "lot": "lot", "quantity": _QUANTITY}


def erp_topic(plant: str) -> str:
    """The raw topic into which a live installation's poller writes."""
    return f"raw.{plant.lower()}.erp-master"


def erp_source(plant: str, orders: bool, materials: bool) -> dict[str, Any]:
    """Content of `sources: {erp: ...}`, as plant.yaml would have it."""
    rules: list[dict[str, Any]] = []
    if materials:
        rules += [{"when": {"type": "material"}, "emit": "MaterialChanged", **_MATERIAL}]
        rules += [{"when": {"type": "lot"}, "emit": "LotCreated", **_LOT}]
    if orders:
        rules += [{"when": {"type": "released"}, "emit": "OrderReleased", **_ORDER}]
        rules += [{"when": {"type": "changed"}, "emit": "OrderChanged", **_ORDER}]
    read = {
        "topic": erp_topic(plant),
        "event_id": "id",
        "occurred_at": "at",
        "received_at": "at",
    }
    # What the plant takes from elsewhere, and the mark at the end of each pull.
    return {"read": read, "files": ["erp_master.jsonl"], "system": "erp", "events": [*rules, {"ignore": "true"}]}
