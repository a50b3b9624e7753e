"""Declarations that name their order but no equipment: straight to the ledger, each one a source of its own."""

from typing import Any

from schemas.records import Correlation, RawRange, Total
from tables.canonical import KINDS
from tables.orders.account import RETURNED


def totals_of(record: Any, business_date: str, log_epoch: int, inbox_offset: int) -> list[Total]:
    """The totals that a declaration states. Its event id is the source key: a duplicate replaces itself."""
    name = type(record).__name__
    kind, of = KINDS[name], getattr(record, "of", "output")
    if name == "ScrapDeclared" and of == "component":
        kind = "consumption"
    sign = -1 if name == "ReworkReturned" else 1
    total = Total(
        plant=record.plant,
        source_key=record.event_id,
        order=record.order,
        operation=record.operation,
        material=record.material,
        lot=record.lot,
        kind=kind,
        reason=record.reason,
        position="stock" if name == "ScrapDeclared" and of == "stock" else getattr(record, "position", ""),
        business_date=business_date,
        run=record.run,
        numerator=sign * record.quantity.amount,
        denominator=10**record.quantity.scale,
        unit=record.quantity.unit,
        log_epoch=log_epoch,
        inbox_offset=inbox_offset,
        fold_version=1,
        label=record.label,
        first_at=record.occurred_at,
        last_at=record.occurred_at,
        records=1,
        ranges=[RawRange(record.raw_source, record.raw_offset, record.raw_offset, 1)],
        authority="declarations",
        correlations=[Correlation(record.correlation_id, record.occurred_at)] if record.correlation_id else [],
    )
    if name != "ReworkReturned":
        return [total]
    total.position = RETURNED
    if record.as_kind != "scrap":
        return [total]
    scrapped = Total.from_avro(total.to_avro())
    scrapped.kind, scrapped.numerator, scrapped.source_key = "scrap", -total.numerator, f"{record.event_id}|scrap"
    scrapped.position = ""
    return [total, scrapped]
