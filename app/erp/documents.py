"""A posting as the document that an adapter sends: the ERP's spelling of the plant's identifiers, nothing else."""

from collections.abc import Sequence

from app.erp.port import Document, DocumentLine
from schemas.configuration import Configuration
from schemas.configuration.erp import Identifiers
from schemas.records import Movement, PostingRow


def document_for(rows: Sequence[PostingRow], configuration: Configuration) -> Document:
    """Each posting is one line of the document. The stock type is the hold policy's answer for the last attempt: all lines
    have the same (streams/delivery_bundles.py)."""
    return Document([_line(row, configuration) for row in rows], rows[0].stock_type or "unrestricted")


def _line(row: PostingRow, configuration: Configuration) -> DocumentLine:
    posting, names = row.posting, configuration.erp.identifiers
    return DocumentLine(
        posting_id=posting.posting_id,
        content_hash=posting.content_hash,
        kind=posting.kind,
        order=names.order.erp(posting.order),
        operation=names.operation.erp(posting.operation),
        material=names.material.erp(posting.material),
        lot=posting.lot,
        reason=_reason(posting.reason, names),
        location=posting.location,
        reservation_item=posting.reservation_item,
        amount=posting.amount,
        scale=posting.scale,
        unit=names.unit.get(posting.unit, posting.unit),
        document_date=posting.business_date,
        posting_date=posting.posting_date or posting.business_date,
        movements=[_movement(movement, names) for movement in posting.movements],
        final=posting.final,
    )


def _reason(reason: str, names: Identifiers) -> str:
    return names.scrap_reason.get(reason, names.scrap_reason.get("other", reason)) if reason else ""


def _movement(movement: Movement, names: Identifiers) -> Movement:
    return Movement(
        type=movement.type,
        material=names.material.erp(movement.material),
        amount=movement.amount,
        scale=movement.scale,
        unit=names.unit.get(movement.unit, movement.unit),
        lot=movement.lot,
        location=movement.location,
        derived=movement.derived,
    )
