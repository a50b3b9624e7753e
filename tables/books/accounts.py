"""What is recorded, posted, parked and pending of one business key, by its sources."""

from schemas.records import LedgerAccount, LedgerSource
from tables.books.entry import BookEntry, Values, at, decisions_of, ranges_of, ratio_text


def account_entry(record: LedgerAccount) -> BookEntry:
    values: Values = {
        "order_no": record.order,
        "operation": record.operation,
        "material": record.material,
        "lot": record.lot,
        "kind": record.kind,
        "reason": record.reason,
        "place": record.place,
        "business_date": record.business_date,
        "location": record.location,
        "unit": record.unit,
        "scale": record.scale,
        "recorded": ratio_text(record.recorded_numerator, record.recorded_denominator),
        "recorded_numerator": record.recorded_numerator,
        "recorded_denominator": record.recorded_denominator,
        "target": record.target,
        "posted": record.posted,
        "parked": record.parked,
        "pending": record.pending,
        "code": record.code,
        "detail": record.detail,
        "covered": record.covered,
        "dropped": record.dropped,
        "sequence": record.sequence,
        "records": sum(source.records for source in record.sources),
        "since": at(record.since),
        "due_at": at(record.due_at),
    }
    return BookEntry(
        "accounts",
        {"plant": record.plant, "account": record.account},
        {
            "accounts": [values],
            "account_sources": [_source(source) for source in record.sources],
            "account_ranges": [row for source in record.sources for row in ranges_of(source.ranges, source=source.source)],
            "account_apart": [
                {
                    "unit": one.unit,
                    "recorded": ratio_text(one.numerator, one.denominator),
                    "numerator": one.numerator,
                    "denominator": one.denominator,
                    "detail": one.detail,
                }
                for one in {one.unit: one for one in record.apart}.values()
            ],
            "account_decisions": decisions_of(record.decisions),
        },
    )


def _source(source: LedgerSource) -> Values:
    return {
        "source": source.source,
        "kind": source.kind,
        "authority": source.authority,
        "equipment": source.equipment,
        "run": source.run,
        "position": source.position,
        "component_material": source.component_material,
        "component_lot": source.component_lot,
        "recorded": ratio_text(source.numerator, source.denominator),
        "numerator": source.numerator,
        "denominator": source.denominator,
        "unit": source.unit,
        "bom_revision": source.bom_revision,
        "records": source.records,
        "late": source.late,
        "first_at": at(source.first_at),
        "last_at": at(source.last_at),
    }
