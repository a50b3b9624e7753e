"""Which postings travel together: one document per call, several lines of one lane, booked all or none.

Bundling touches only what is queued; what was dispatched keeps its document, and goes again in the same one.
"""

from schemas.records import PostingRow
from streams.delivery_desk import Desk
from tables.posting_state import QUEUED, UNKNOWN


def lines_with(desk: Desk, first: PostingRow) -> list[PostingRow]:
    """The other lines of the document whose first line is `first`: at most `lines_per_document` in all, of the same
    header. A correction travels with what it corrects or after it, a final posting after everything of its lane."""
    configuration = desk.configuration(first.posting.plant)
    most = configuration.erp.erp.lines_per_document if configuration is not None else 1
    if first.alone:
        return []
    header, taken, names = _header(desk, first), [first], {first.posting.posting_id}
    for at, name in enumerate(desk.backlog.behind(first)):
        if len(taken) >= most:
            break
        row = desk.known(name)
        fits = row.state == QUEUED and not row.alone and desk.posts(row.posting.plant) and _header(desk, row) == header
        if row.posting.amount < 0:
            fits = fits and all(earlier.posting.posting_id in names for earlier in desk.earlier(row))
        if row.posting.final:
            fits = fits and len(taken) == 1 + at
        if fits:
            taken.append(row)
            names.add(name)
    return taken[1:]


def dispatch_all(desk: Desk) -> None:
    """Fill the window with documents."""
    while (row := desk.next_turn()) is not None:
        desk.dispatch(row, lines_with(desk, row))


def resolve(desk: Desk, row: PostingRow) -> None:
    """Find out about an unknown: resend the lines of its document that may go again, else read back."""
    if not desk.may_resend(row):
        desk.read_back(row)
        return
    beside = [desk.known(name) for name in desk.backlog.beside(row)]
    again = [one for one in beside if one.document == row.document and one.state == UNKNOWN and desk.may_resend(one)]
    desk.dispatch(row, again, resend=True)


def _header(desk: Desk, row: PostingRow) -> tuple[str, str, str, str]:
    """What a document says once for all of its lines: stock type, dates, and how the ERP books it."""
    posting, configuration = row.posting, desk.configuration(row.posting.plant)
    assert configuration is not None
    by = configuration.erp.booking(posting.kind).by  # type: ignore[arg-type]
    return desk.gate(row, configuration).stock_type, posting.business_date, posting.posting_date, by
