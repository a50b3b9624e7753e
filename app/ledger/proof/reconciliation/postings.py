"""Postings on both sides (I3): what orders issued is what delivery has, and what delivery says of them can be true."""

from collections.abc import Iterator

from app.ledger.books.snapshot import Snapshot
from schemas.records import AccountClosedRow, AccountRow, IssuedPosting, LotStateRow, PostingRow
from tables.delivery.closed_sequences import is_closed
from tables.delivery.hold_gate import gate_at, lot_of
from tables.delivery.posting_state import ACCEPTED, CANCELLED
from tables.orders.account import account_key
from tables.orders.postings import hash_of
from tables.row_kinds import ACCOUNT_ROWS, CLOSED_ACCOUNT_ROWS, LOT_STATE_ROWS, POSITION_ROWS, POSTING_ROWS

STOCK_OF = {"post": "unrestricted", "into_blocked_stock": "blocked", "into_inspection_stock": "inspection"}
"""Stock type of what was sent, by the hold policy's answer."""


def differences(snapshot: Snapshot) -> Iterator[str]:
    delivered: dict[str, PostingRow] = {row.posting.posting_id: row for row in snapshot.of(POSTING_ROWS)}
    accounts: list[AccountRow] = list(snapshot.of(ACCOUNT_ROWS))
    clock = _clock(snapshot)
    for account in accounts:
        for posting in account.issued:
            found = delivered.get(posting.posting_id)
            if found is None:
                yield from _forgotten(snapshot, account, posting, clock)
            else:
                yield from _both(account, posting, found)
    for row in delivered.values():
        yield from _delivered(snapshot, row)
    yield from _closed(snapshot, accounts, delivered, clock)


def _clock(snapshot: Snapshot) -> int:
    """Log time that delivery has reached: what it may have forgotten depends on it."""
    rows = snapshot.rows.get("delivery", {})
    told = [at for key, state in rows.items() if POSITION_ROWS.has(key) for at in state.clocks.values()]
    return max([*told, *(row.closed_at for key, row in rows.items() if POSTING_ROWS.has(key))], default=0)


def _forgotten(snapshot: Snapshot, account: AccountRow, posting: IssuedPosting, clock: int) -> Iterator[str]:
    """delivery forgets only what was accepted long ago, and keeps its sequence as closed."""
    closed: AccountClosedRow | None = snapshot.rows.get("delivery", {}).get(CLOSED_ACCOUNT_ROWS.key(account_key(account)))
    known = is_closed(closed, posting.sequence, account.born_epoch) or posting.cut <= clock - CLOSED_ACCOUNT_ROWS.keep_us
    if posting.status == ACCEPTED and not known:
        yield f"posting {posting.posting_id} is accepted, and delivery neither has it nor remembers its sequence"
    elif posting.status == ACCEPTED and posting.cut > clock - POSTING_ROWS.keep_us:
        yield f"posting {posting.posting_id} is accepted, and delivery has lost it before its time"
    elif posting.status not in (ACCEPTED, CANCELLED) or posting.cut > clock - POSTING_ROWS.keep_us:
        yield f"posting {posting.posting_id} was issued, and delivery does not have it"


def _both(account: AccountRow, issued: IssuedPosting, row: PostingRow) -> Iterator[str]:
    posting, name = row.posting, issued.posting_id
    pairs = (
        ("account", posting.account, account_key(account)),
        ("sequence", posting.sequence, issued.sequence),
        ("cumulative quantity", posting.cumulative, issued.cumulative),
        ("records", posting.records, issued.records),
        ("raw ranges", [r.to_avro() for r in posting.ranges], [r.to_avro() for r in issued.ranges]),
        ("expected movements", [m.to_avro() for m in posting.movements], [m.to_avro() for m in issued.movements]),
        ("cut", posting.cut, issued.cut),
        ("rule version", posting.rule_version, issued.rule_version),
        ("location", posting.location, issued.location or posting.location),
        ("reservation item", posting.reservation_item, issued.reservation_item or posting.reservation_item),
        ("document", row.erp_document, issued.erp_document or row.erp_document),
    )
    for what, there, here in pairs:
        if there != here:
            yield f"posting {name}: {what} is {here} in its account and {there} in delivery"
    if issued.status == ACCEPTED and row.state != ACCEPTED:
        yield f"posting {name}: its account has it as accepted, delivery as {row.state}"


def _delivered(snapshot: Snapshot, row: PostingRow) -> Iterator[str]:
    posting, name = row.posting, row.posting.posting_id
    if posting.content_hash != hash_of(posting):
        yield f"posting {name}: its content is not what its hash was made of"
    if row.state == ACCEPTED and not row.erp_document:
        yield f"posting {name}: it is accepted without a document"
    if row.state == ACCEPTED and not row.attempts and not row.finds and not row.decisions:
        yield f"posting {name}: it is accepted and was never sent"
    if row.gate and row.stock_type != STOCK_OF.get(row.gate, ""):
        yield f"posting {name}: the hold policy said {row.gate}, it went out as {row.stock_type or 'nothing'}"
    material, lot = lot_of(posting)
    state: LotStateRow | None = (
        snapshot.rows.get("delivery", {}).get(LOT_STATE_ROWS.key(posting.plant, material, lot)) if lot else None
    )
    same_rules = row.configuration == snapshot.configuration.hash
    if row.gate and same_rules and state is not None and 0 <= state.known_at <= row.gate_offset:
        cut = None if snapshot.about.get("live") else posting.cut
        answer = gate_at(snapshot.configuration.rules.on_hold, posting.kind, state, cut)
        if row.gate != answer.answer:
            yield f"posting {name}: by what was known of its lot the policy says {answer.answer}, it was sent as {row.gate}"


def _closed(snapshot: Snapshot, accounts: list[AccountRow], delivered: dict[str, PostingRow], clock: int) -> Iterator[str]:
    """Closed sequences are those of accepted postings: one that is closed too early would never be posted. Both sides forget
    in their time (schemas/catalog.yaml): an account that is gone is not asked, nor a sequence that was closed long ago."""
    kept, forgets = CLOSED_ACCOUNT_ROWS.keep_us, ACCOUNT_ROWS.keep_us
    born = {account_key(account): account.born_epoch for account in accounts}
    states = {
        (account_key(account), one.sequence): (getattr(delivered.get(one.posting_id), "state", one.status), one.cut)
        for account in accounts
        for one in account.issued
    }
    rows: dict[str, AccountClosedRow] = {row.account: row for row in snapshot.of(CLOSED_ACCOUNT_ROWS)}
    for row in rows.values():
        gone = row.account not in born and row.at <= clock - forgets
        if gone or row.born_epoch not in (0, born.get(row.account, row.born_epoch)):
            continue
        for sequence in [*range(1, row.closed + 1), *row.beyond]:
            state, _ = states.get((row.account, sequence), ("", 0))
            if state != ACCEPTED:
                yield f"{row.account}: sequence {sequence} is closed, and its posting is {state or 'unknown'}"
    for (account, sequence), (state, cut) in states.items():
        if state == ACCEPTED and cut > clock - kept and not is_closed(rows.get(account), sequence, born[account]):
            yield f"{account}: sequence {sequence} is accepted, and not closed against coming again"
