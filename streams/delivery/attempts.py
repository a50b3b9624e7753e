"""What an attempt's end means for its posting. Accepted is absorbing; an older attempt's failure is ignored; nothing that may
be booked is ever called unbooked before the executor has said that the horizon passed."""

from schemas.configuration import ErpConfig
from schemas.records import AttemptEnded, PostingRow, TimerFired
from streams.delivery.bundles import found, resolve, split
from streams.delivery.dates import period_closed
from streams.delivery.desk import Desk
from tables.delivery import backoff
from tables.delivery.posting_state import (
    ACCEPTED,
    DISPATCHED,
    DOCUMENT_SPLIT,
    DOUBLE,
    FOREIGN,
    HORIZON_PASSED,
    NOT_IDEMPOTENT,
    PARKED,
    PERIOD_CLOSED,
    POSTING_MISMATCH,
    RECALLED,
    REFUSED_AFTER_UNKNOWN,
    REJECTED,
    RETRY,
    RETRY_EXHAUSTED,
    STOCK_SHORT,
    UNKNOWN,
)
from tables.delivery.scopes import LANE, NARROW, WIDE

FOREIGN_RETRY_US = 30_000_000
"""How long postings wait that the worker refused as those of another ERP. They are not given up: no ERP has said anything."""


def attempt_ended(desk: Desk, ended: AttemptEnded) -> str:
    """Apply one outcome. Returns `DOUBLE` when the ERP has the posting under a second document, else an empty text."""
    row = desk.row(ended.posting_id)
    if row is None:
        return ""  # accepted so long ago that only its account is remembered
    if ended.call == "find":
        row.finds += 1
        desk.keep(row)
    if ended.result == "accepted":
        return _accepted(desk, row, ended)
    if row.state not in (DISPATCHED, UNKNOWN) or ended.attempt != row.attempts:
        return ""
    if ended.call == "post":
        silent = ended.result == "unknown" and ended.scope not in WIDE
        row.scope = LANE if silent else ended.scope if ended.scope in NARROW else ""
    match ended.result:
        case "rejected":
            _rejected(desk, row, ended)
        case "retry" if ended.code == FOREIGN and not row.mismatch:
            _not_here(desk, row, ended)
        case "retry":
            _retry(desk, row, ended)
        case "unknown" if row.state == DISPATCHED:
            _unknown(desk, row, ended)
        case "not_found" if ended.code == HORIZON_PASSED and row.state == UNKNOWN:
            row.unresolved = 0
            desk.settle(row)
    return ""


def timer_fired(desk: Desk, fired: TimerFired) -> None:
    row = desk.row(fired.posting_id)
    if row is None or fired.timer != "retry" or fired.attempt != row.attempts:
        return
    if row.state == RETRY:
        desk.settle(row)
    elif row.state == UNKNOWN:
        resolve(desk, row)


def _accepted(desk: Desk, row: PostingRow, ended: AttemptEnded) -> str:
    second = ended.erp_document
    if ended.code == DOUBLE and row.state == ACCEPTED and row.code != DOUBLE:
        row.code, row.detail = DOUBLE, ended.detail
        desk.keep(row)
        return DOUBLE
    if row.erp_document and second and second != row.erp_document:
        row.code, row.detail = DOUBLE, f"{row.erp_document} and {second}"
        desk.keep(row)
        return DOUBLE
    row.erp_document, row.scope, row.suspect = row.erp_document or second, "", ""
    if row.state == ACCEPTED:
        return ""
    if not row.mismatch:
        desk.move(row, ACCEPTED, ended.code, ended.detail)
        return DOUBLE if ended.code == DOUBLE else ""
    elif row.state != PARKED:
        row.unresolved = 0
        desk.move(row, PARKED, POSTING_MISMATCH, f"the ERP has document {second}")
    else:
        desk.keep(row)
    return ""


def _rejected(desk: Desk, row: PostingRow, ended: AttemptEnded) -> None:
    if ended.code == POSTING_MISMATCH:
        row.unresolved = 0
        desk.move(row, PARKED, POSTING_MISMATCH, ended.detail)
    elif _older_open(row, ended):
        # This attempt is refused, an earlier one may be booked: only reading back tells.
        if row.state == DISPATCHED:
            desk.suspend(row, REFUSED_AFTER_UNKNOWN, f"{ended.code}: {ended.detail}")
        row.code = REFUSED_AFTER_UNKNOWN
        desk.keep(row)
        resolve(desk, row)
    elif row.mismatch:
        desk.settle(row)
    else:
        row.unresolved = 0
        found(desk, row)
        if ended.code == PERIOD_CLOSED:
            period_closed(desk, row, ended.detail)
        else:
            desk.move(row, REJECTED, ended.code, ended.detail)


def _not_here(desk: Desk, row: PostingRow, ended: AttemptEnded) -> None:
    """Nothing was sent: the plant posts to another ERP than the worker. Waits for the right worker, and counts as no failure."""
    if _older_open(row, ended):
        if row.state == DISPATCHED:
            desk.suspend(row, ended.code, ended.detail)
    else:
        row.unresolved = 0
        desk.move(row, RETRY, ended.code, ended.detail)
    desk.start_timer(row, FOREIGN_RETRY_US)


def _retry(desk: Desk, row: PostingRow, ended: AttemptEnded) -> None:
    if _older_open(row, ended):
        if row.state == DISPATCHED:
            desk.suspend(row, ended.code, ended.detail)
        if ended.code == DOCUMENT_SPLIT:
            split(desk, row)
            row.code = REFUSED_AFTER_UNKNOWN  # the same document would be refused again, for ever
            desk.keep(row)
        if ended.code in (RECALLED, DOCUMENT_SPLIT):
            resolve(desk, row)
        else:
            desk.start_timer(row, desk.count_failure(row, ended.retry_after_ms))
        return
    row.unresolved = 0
    if ended.code == DOCUMENT_SPLIT:
        split(desk, row)
    elif ended.code != RECALLED and ended.scope not in (*NARROW, *WIDE):
        found(desk, row)
    if row.mismatch or ended.code in (RECALLED, DOCUMENT_SPLIT):
        desk.settle(row)
        return
    if ended.scope in WIDE:
        # The endpoint's failure and not the posting's: it is not charged, grows no back-off and is never given up for it.
        desk.move(row, RETRY, ended.code, ended.detail)
        desk.start_timer(row, desk.first_delay(row, ended.retry_after_ms))
        return
    delay = desk.count_failure(row, ended.retry_after_ms)
    code = _gives_up(row, ended, desk.erp_of(row))
    desk.move(row, PARKED if code else RETRY, code or ended.code, ended.detail)
    if not code:
        desk.start_timer(row, delay)


def _gives_up(row: PostingRow, ended: AttemptEnded, erp: ErpConfig) -> str:
    """Why waiting longer makes no sense; empty: it does."""
    if ended.code == STOCK_SHORT:
        booking = erp.booking(row.posting.kind)  # type: ignore[arg-type]
        return STOCK_SHORT if backoff.shortage_parks(booking, row.waited_us) else ""
    return RETRY_EXHAUSTED if backoff.gives_up(erp.erp.retry, row.waited_us) else ""


def _unknown(desk: Desk, row: PostingRow, ended: AttemptEnded) -> None:
    desk.suspend(row, ended.code, ended.detail)
    if ended.code != NOT_IDEMPOTENT and desk.idempotent(row):
        desk.start_timer(row, desk.count_failure(row, ended.retry_after_ms))
    else:
        resolve(desk, row)


def _older_open(row: PostingRow, ended: AttemptEnded) -> bool:
    return 0 < row.unresolved < ended.attempt
