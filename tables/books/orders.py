"""Orders, and materials, as orders keeps them."""

from schemas.records import MaterialRow, OrderRow
from tables.books.entry import BookEntry, Values, at, quantity_of


def order_entry(row: OrderRow) -> BookEntry:
    values: Values = {
        "known": row.known,
        "status": row.status,
        "change_number": row.change_number,
        "order_type": row.order_type,
        "bom_revision": row.bom_revision,
        "rejected": row.rejected,
        "automatic_receipt": row.automatic_receipt,
        "backflush": row.backflush,
        "acknowledged": row.acknowledged,
        "started": row.started,
        "completed": row.completed,
        "handed_over": row.handed_over,
        "overdue": row.overdue,
        "planned_start": at(row.planned_start),
        "planned_end": at(row.planned_end),
        "released_at": at(row.released_at),
        "acknowledged_at": at(row.acknowledged_at),
        "started_at": at(row.started_at),
        "completed_at": at(row.completed_at),
        "handed_over_at": at(row.handed_over_at),
        "technically_complete_at": at(row.technically_complete_at),
    }
    return BookEntry(
        "orders",
        {"plant": row.plant, "order_no": row.order},
        {
            "orders": [values],
            "order_items": list(_items(row).values()),
            "order_operations": list(_operations(row).values()),
            "order_components": _components(row),
            "order_lots": [
                {
                    "material": material,
                    "lot": lot,
                    "held": one.held,
                    "staged": one.staged,
                    "open_inspections": one.open_inspections,
                }
                for key, one in sorted(row.quality.items())
                for material, _, lot in [key.partition("|")]
            ],
        },
    )


def _items(row: OrderRow) -> dict[str, Values]:
    return {
        one.item: {
            "item": one.item,
            "material": one.material,
            "role": one.role,
            **quantity_of(one.quantity.amount, one.quantity.scale, one.quantity.unit),
            "receipt_location": one.receipt_location,
            "over_delivery": one.over_delivery,
            "batch_managed": one.batch_managed,
        }
        for one in row.items
    }


def _operations(row: OrderRow) -> dict[str, Values]:
    return {
        one.operation: {
            "operation": one.operation,
            "position": number,
            "work_centre": one.work_centre,
            "confirm": one.confirm,
            "quantity_from": one.quantity_from,
            "planned_cycle_ms": one.planned_cycle_ms,
            "receipt": one.receipt,
            "completed": one.operation in row.completed_operations,
            "final_sent": one.operation in row.final_sent,
        }
        for number, one in enumerate(row.operations, 1)
    }


def _components(row: OrderRow) -> list[Values]:
    return [
        {
            "component": number,
            "item": one.item,
            "material": one.material,
            "operation": one.operation,
            "position": one.position,
            "mode": one.mode,
            "basis": one.basis,
            **quantity_of(one.quantity.amount, one.quantity.scale, one.quantity.unit),
            "base": one.base,
            "issue_location": one.issue_location,
            "parent": one.parent,
            "batch_managed": one.batch_managed,
            "phantom": one.phantom,
        }
        for number, one in enumerate(row.components, 1)
    ]


def material_entry(row: MaterialRow) -> BookEntry:
    values: Values = {
        "unit": row.unit,
        "decimals": row.decimals,
        "batch_managed": row.batch_managed,
        "told_at": at(row.told_at),
    }
    conversions = [{"conversion": text} for text in dict.fromkeys(row.conversions)]
    return BookEntry(
        "materials",
        {"plant": row.plant, "material": row.material},
        {"materials": [values], "material_conversions": conversions},
    )
