"""A posting, where it stands and how it came there."""

from schemas.records import LedgerPosting
from tables.books.entry import BookEntry, Values, at, decisions_of, quantity_of, ranges_of
from tables.delivery.posting_state import ACCEPTED


def posting_entry(record: LedgerPosting) -> BookEntry:
    one, steps = record.posting, record.steps
    accepted = next((step.at for step in reversed(steps) if step.state == ACCEPTED), 0)
    values: Values = {
        "account": one.account,
        "order_no": one.order,
        "operation": one.operation,
        "material": one.material,
        "lot": one.lot,
        "kind": one.kind,
        "reason": one.reason,
        "location": one.location,
        "business_date": one.business_date,
        "posting_date": one.posting_date or one.business_date,
        **quantity_of(one.amount, one.scale, one.unit),
        "cumulative": one.cumulative,
        "sequence": one.sequence,
        "revision": one.revision,
        "rule": one.rule,
        "rule_version": one.rule_version,
        "state": record.state,
        "code": record.code,
        "detail": record.detail,
        "erp_document": record.erp_document,
        "attempts": record.attempts,
        "read_backs": record.read_backs,
        "gate": record.gate,
        "stock_type": record.stock_type,
        "document": record.document,
        "reverses": one.reverses,
        "replaced_by": record.replaced_by,
        "configuration": record.configuration,
        "missing_sources": ", ".join(one.missing_sources),
        "content_hash": one.content_hash,
        "records": one.records,
        "waited_us": record.waited_us,
        "born_epoch": one.born_epoch,
        "final": one.final,
        "cut_at": at(one.cut),
        "waited_since": at(one.waited_since),
        "state_at": at(steps[-1].at if steps else 0),
        "accepted_at": at(accepted),
    }
    return BookEntry(
        "postings",
        {"plant": one.plant, "posting_id": one.posting_id},
        {
            "postings": [values],
            "posting_steps": [
                {"step": number, "state": step.state, "code": step.code, "attempt": step.attempt, "at": at(step.at)}
                for number, step in enumerate(steps, 1)
            ],
            "posting_ranges": ranges_of(one.ranges),
            "posting_movements": [
                {
                    "movement": number,
                    "type": move.type,
                    "material": move.material,
                    "lot": move.lot,
                    "location": move.location,
                    **quantity_of(move.amount, move.scale, move.unit),
                    "derived": move.derived,
                }
                for number, move in enumerate(one.movements, 1)
            ],
            "posting_correlations": [{"correlation_id": name} for name in dict.fromkeys(one.correlation_ids)],
            "posting_decisions": decisions_of(record.decisions),
        },
    )
