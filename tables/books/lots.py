"""A lot: holds, inspections, where it went and came from."""

from schemas.records import LotRow
from tables.books.entry import BookEntry, Values, at
from tables.lots import quality


def lot_entry(row: LotRow) -> BookEntry:
    values: Values = {
        "held": quality(row).held,
        "disposition": row.disposition,
        "location": row.location,
        "disposition_at": at(row.disposition_at),
        "touched_at": at(row.touched_at),
    }
    return BookEntry(
        "lots",
        {"plant": row.plant, "material": row.material, "lot": row.lot},
        {
            "lots": [values],
            "holds": list(_holds(row).values()),
            "exemptions": list(_exemptions(row).values()),
            "inspections": [{"inspection": name, "result": result} for name, result in sorted(row.inspections.items())],
            "genealogy": [
                {"child_material": material, "child_lot": lot}
                for material, lot in dict.fromkeys((one.material, one.lot) for one in row.children)
            ],
            "lot_orders": [{"order_no": order} for order in dict.fromkeys(row.orders)],
            "lot_deliveries": [{"delivery": name} for name in dict.fromkeys(row.deliveries)],
        },
    )


def _holds(row: LotRow) -> dict[tuple[str, str], Values]:
    return {
        (one.hold, one.origin): {
            "hold": one.hold,
            "origin": one.origin,
            "active": one.active,
            "severity": one.severity,
            "reason": one.reason,
            "who": one.who,
            "correlation_id": one.correlation_id,
            "version": one.version,
            "decided_at": at(one.label),
            "occurred_at": at(one.occurred_at),
        }
        for one in row.holds
    }


def _exemptions(row: LotRow) -> dict[str, Values]:
    return {
        one.hold: {
            "hold": one.hold,
            "active": one.active,
            "reason": one.reason,
            "who": one.who,
            "correlation_id": one.correlation_id,
            "version": one.version,
            "decided_at": at(one.label),
            "occurred_at": at(one.occurred_at),
        }
        for one in row.exemptions
    }
