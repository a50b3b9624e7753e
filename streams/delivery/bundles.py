"""Which postings travel together: one document per call, several lines of one lane, booked all or none.

Bundling touches only what is queued; what was dispatched keeps its document, and goes again in the same one.
"""

from schemas.records import PostingRow
from streams.delivery.desk import Desk
from tables.delivery.posting_state import QUEUED, UNKNOWN


def lines_with(desk: Desk, first: PostingRow) -> list[PostingRow]:
    """The other lines of the document whose first line is `first`: at most `lines_per_document` in all, of the same
    header. A correction travels with what it corrects or after it, a final posting after everything of its lane. Of a document
    that was refused for one of its lines half of what is suspected travels, and nothing else."""
    if first.alone:
        return []
    most = desk.erp_of(first).erp.lines_per_document
    header, taken, names = _header(desk, first), [first], {first.posting.posting_id}
    behind = desk.backlog.behind(first)
    if first.suspect:
        most = min(most, (1 + sum(desk.known(name).suspect == first.suspect for name in behind)) // 2)
    for at, name in enumerate(behind):
        if len(taken) >= most:
            break
        row = desk.known(name)
        fits = row.state == QUEUED and not row.alone and desk.posts(row.posting.plant) and _header(desk, row) == header
        fits = fits and row.suspect == first.suspect and not desk.backlog.locked_for(row)
        if row.posting.amount < 0:
            fits = fits and all(earlier.posting.posting_id in names for earlier in desk.earlier(row))
        if row.posting.final:
            fits = fits and len(taken) == 1 + at
        if fits:
            taken.append(row)
            names.add(name)
    return taken[1:]


def split(desk: Desk, row: PostingRow) -> None:
    """The document of `row` was refused for one of its lines, nobody knows which. What else was suspected with it, and was not
    in it, is cleared: the wrong line is found by halving, at most log2 of the lines and two calls more, and the rest travels in
    one."""
    _clear(desk, row)
    row.suspect = row.document


def found(desk: Desk, row: PostingRow) -> None:
    """The line that a document was refused for."""
    if row.suspect:
        _clear(desk, row)
        row.suspect = ""


def _clear(desk: Desk, row: PostingRow) -> None:
    for other in [desk.known(name) for name in desk.backlog.behind(row)] if row.suspect else []:
        if other.suspect == row.suspect:
            other.suspect = ""
            desk.keep(other)


def dispatch_all(desk: Desk) -> None:
    """Fill the window with documents."""
    while (row := desk.next_turn()) is not None:
        desk.dispatch(row, lines_with(desk, row))


def resolve(desk: Desk, row: PostingRow) -> None:
    """Find out about an unknown: its document goes again whole, with all lines of it that are unknown, or nothing of it does
    and each line is read back. A line by itself would be a second document of the lane, and a correction could overtake.
    While the outcome of another line has not come, that one decides."""
    beside = [desk.known(name) for name in desk.backlog.beside(row)]
    others = [one for one in beside if one.document == row.document]
    lines = [row, *(one for one in others if one.state == UNKNOWN)]
    names = {one.posting.posting_id for one in lines}
    corrections = [one for one in lines if one.posting.amount < 0]
    whole = all(earlier.posting.posting_id in names for one in corrections for earlier in desk.earlier(one))
    if len(lines) > len(others) and whole and all(desk.may_resend(one) for one in lines):
        desk.dispatch(row, lines[1:], resend=True)
    else:
        desk.read_back(row)


def _header(desk: Desk, row: PostingRow) -> tuple[str, str, str, str]:
    """What a document says once for all of its lines: stock type, dates, and how the ERP books it."""
    posting, configuration = row.posting, desk.configuration(row.posting.plant)
    assert configuration is not None
    by = desk.erp_of(row).booking(posting.kind).by  # type: ignore[arg-type]
    return desk.gate(row, configuration).stock_type, posting.business_date, posting.posting_date, by
