"""Orders: what was planned, made, consumed and posted, and how far the order is."""

from app.console.asked import NotThere, Page, Question, part_of
from app.console.books import Books
from app.console.pictures import Bar, bars

LINE = (
    ("released", "released_at"),
    ("acknowledged", "acknowledged_at"),
    ("first record", "started_at"),
    ("completed", "completed_at"),
    ("handed over", "handed_over_at"),
    ("technically complete", "technically_complete_at"),
)
"""The stations of an order, with the column that says when."""


def orders(books: Books, asked: Question) -> Page:
    find = asked.query.get("find", "")
    sql = (
        "select * from v_orders where plant = :plant and (:find = '' or order_no like :like or material like :like)"
        " order by order_no"
    )
    part = part_of(books, sql, asked, plant=asked.plant, find=find, like=f"%{find}%")
    return Page("orders.html", "Orders", {"part": part, "find": find})


def order(books: Books, asked: Question) -> Page:
    key = {"plant": asked.plant, "order_no": asked.path["order"]}
    row = books.one_of("orders", **key)
    balance = books.all_of("v_balance_of_orders", "kind, material", **key)
    if row is None and not balance:
        raise NotThere(key["order_no"])
    values = {
        "number": key["order_no"],
        "order": row,
        "line": [(name, row[column] if row else None) for name, column in LINE],
        "items": books.all_of("order_items", "item", **key),
        "operations": books.all_of("order_operations", "position, operation", **key),
        "components": books.all_of("order_components", "component", **key),
        "lots": books.all_of("order_lots", "material, lot", **key),
        "balance": balance,
        "accounts": books.all_of("v_balance", "kind, operation, material, lot, account", **key),
        "runs": books.all_of("runs", "started_at, equipment, run", **key),
        "made": books.rows(
            "select operation, kind, unit, scale, sum(target) as recorded, sum(accepted) as accepted from v_balance"
            " where plant = :plant and order_no = :order_no and kind in ('yield', 'scrap', 'rework')"
            " group by operation, kind, unit, scale order by operation, kind",
            **key,
        ),
        "parked": books.all_of("v_parked", "code, subject", **key),
        "picture": _by_day(books, key),
    }
    return Page("order.html", f"Order {key['order_no']}", values)


def _by_day(books: Books, key: dict[str, str]) -> object:
    """Pieces that are recorded, by business date."""
    found = books.rows(
        "select business_date, kind, sum(target) as amount, max(scale) as scale from accounts where plant = :plant and"
        " order_no = :order_no and kind in ('yield', 'scrap', 'rework') and business_date <> '' group by business_date, kind"
        " order by business_date, kind desc",
        **key,
    )
    days: dict[str, list[tuple[str, float, str]]] = {}
    for row in found:
        amount = int(row["amount"]) / 10 ** int(row["scale"])
        days.setdefault(row["business_date"], []).append((row["kind"], max(0.0, amount), f"{row['kind']} {amount:,.10g}"))
    return bars("Recorded by business date", [Bar(day, parts) for day, parts in days.items()]) if days else ""
