"""Why an attempt must not be sent, by what is known directly before it would be."""

from app.erp.own_erp import OwnErp
from app.erp.port import Answer, Capabilities
from schemas.configuration import Configuration
from schemas.records import PostingRow
from tables.delivery.outbox import Dispatch
from tables.delivery.posting_state import FOREIGN, NOT_IDEMPOTENT, RECALLED


def withheld(
    row: PostingRow, entry: Dispatch, capabilities: Capabilities, own: OwnErp, configuration: Configuration
) -> Answer | None:
    """None: it may be sent. `configuration`: that the attempt was dispatched under."""
    if elsewhere := own.refuses_post(row):
        return Answer("retry", code=FOREIGN, detail=elsewhere)
    if row.recalled:
        return Answer("retry", code=RECALLED, detail="the hold policy's answer changed")
    if entry.resend and (configuration.erp.erp.idempotent is False or not capabilities.idempotent):
        return Answer("unknown", code=NOT_IDEMPOTENT, detail="a resend could book twice")
    if row.stock_type not in capabilities.stock_types:
        return Answer("rejected", code="STOCK_TYPE_UNSUPPORTED", detail=row.stock_type)
    return None
