"""A posting as the document that an adapter sends: the ERP's spelling of the plant's identifiers, nothing else."""

from collections.abc import Sequence
from dataclasses import fields

from app.erp.port import Document, DocumentLine
from schemas.configuration import Configuration
from schemas.configuration.erp import Identifiers
from schemas.records import Movement, PostingRow

_SPELLED = frozenset(
    {"order", "operation", "material", "reason", "unit", "document_date", "posting_date", "movements"},
)
"""Fields of a line that the ERP spells or dates in its own way."""
SAME = tuple(field.name for field in fields(DocumentLine) if field.name not in _SPELLED)
"""Fields of a line that are those of the posting, under the same name."""


def document_for(rows: Sequence[PostingRow], configuration: Configuration) -> Document:
    """Each posting is one line of the document. The stock type is the hold policy's answer for the last attempt: all lines
    have the same (streams/delivery/bundles.py)."""
    return Document([_line(row, configuration) for row in rows], rows[0].stock_type or "unrestricted")


def _line(row: PostingRow, configuration: Configuration) -> DocumentLine:
    posting, names = row.posting, configuration.erp.identifiers
    return DocumentLine(
        **{name: getattr(posting, name) for name in SAME},
        order=names.order.erp(posting.order),
        operation=names.operation.erp(posting.operation),
        material=names.material.erp(posting.material),
        reason=_reason(posting.reason, names),
        unit=names.unit.get(posting.unit, posting.unit),
        document_date=posting.business_date,
        posting_date=posting.posting_date or posting.business_date,
        movements=[_movement(movement, names) for movement in posting.movements],
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
