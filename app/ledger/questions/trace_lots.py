"""Where lots came from and went: genealogy, what a posting's operation consumed, and when a lot was on hold."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from app.ledger.books.snapshot import Snapshot
from app.ledger.questions.genealogy import Genealogy, LotName
from app.ledger.questions.moments import iso
from schemas.records import AccountRow, HoldState, IssuedPosting, LotRow, LotStateRow, PostingRow
from tables.delivery.hold_gate import lot_of
from tables.orders.account import escaped
from tables.quantity import decimal_text
from tables.row_kinds import ACCOUNT_ROWS, LOT_ROWS, LOT_STATE_ROWS

LISTED = 12


def names(lots: Iterable[LotName]) -> list[str]:
    return [f"{lot.material} lot {lot.lot}" for lot in lots]


def genealogy_lines(genealogy: Genealogy, lot: LotName) -> list[str]:
    row = genealogy.row(lot)
    holds = [f"{one.hold} ({'active' if one.active else 'released'}, from {one.origin})" for one in row.holds] if row else []
    return [
        f"{lot.material} lot {lot.lot}   holds: {', '.join(holds) or 'none'}",
        f"  made from   {', '.join(names(genealogy.parents(lot))) or '-'}",
        f"  went into   {', '.join(names(genealogy.children(lot))) or '-'}",
    ]


def made_from(snapshot: Snapshot, row: AccountRow) -> list[str]:
    """What went into the lot of a yield, of whatever posting and order; not what else its operation consumed."""
    if row.kind != "yield" or not row.lot:
        return []
    lot = LotName(row.material, row.lot)
    went = snapshot.lots_that_went_into(*lot)
    parents = names(
        LotName(one.material, one.lot) for one in went for child in one.children if (child.material, child.lot) == lot
    )
    return [f"Made from {', '.join(parents)} (what lot {row.lot} was made from, by its genealogy)"] if parents else []


def consumed(snapshot: Snapshot, row: AccountRow) -> list[str]:
    """What the same operation consumed on the same date, whatever it made of it: each with the machines that used it."""
    if row.kind != "yield":
        return []
    used = []
    for other in snapshot.of(ACCOUNT_ROWS, row.plant, escaped(row.order)):
        same = (other.order, other.operation, other.business_date) == (row.order, row.operation, row.business_date)
        if same and other.kind == "consumption" and other.posted:
            ids = ", ".join(entry.posting_id for entry in other.issued)
            machines = sorted({source.equipment for source in other.sources.values() if source.equipment})
            at = f" at {', '.join(machines)}" if machines else ""
            amount = f"{decimal_text(other.posted, other.scale)} {other.unit}"
            used.append(f"{other.material} lot {other.lot or '-'} {amount}{at} -> posting {ids}")
    heading = f"by operation {row.operation} of the order so far on {row.business_date}, for all its lots and machines"
    return [f"Consumed  {heading}: {'; '.join(used)}"] if used else []


def holds(snapshot: Snapshot, row: AccountRow, posting: IssuedPosting, delivered: PostingRow | None) -> list[str]:
    """What the hold policy said when it went out, when its lot was on hold and by which holds, and where the lot went."""
    if delivered is None:
        return []
    lot = LotName(*lot_of(delivered.posting))
    if not lot.lot:
        return ["Holds     none: it names no lot"]
    state: LotStateRow | None = snapshot.rows.get("delivery", {}).get(LOT_STATE_ROWS.key(row.plant, *lot))
    lot_row: LotRow | None = snapshot.rows.get("lots", {}).get(LOT_ROWS.key(row.plant, *lot))
    at_posting = {"": "not sent yet", "post": "none when it was sent"}.get(
        delivered.gate, f"when it was sent the policy said {delivered.gate}"
    )
    now = f"now on hold: {', '.join(state.holds)}" if state is not None and state.held else "none now"
    children = names(LotName(child.material, child.lot) for child in lot_row.children) if lot_row is not None else []
    went = f"; went into {', '.join(children[:LISTED])}" if children else ""
    spans = list(_spans(state))
    known = list(lot_row.holds) if lot_row is not None else []
    lines = [f"Holds     {at_posting}; {now}{went}"]
    lines += [f"          on hold {iso(a)} .. {iso(b) if b else 'now'}{_by(known, a, b)}" for a, b in spans[-LISTED:]]
    waits = snapshot.configuration.rules.on_hold.answer(row.kind) == "wait"
    held = next(((a, b) for a, b in spans if a <= posting.cut and b is not None and posting.cut < b), None)
    if waits and held is not None and delivered.gate == "post":
        waited = timedelta(microseconds=held[1] - posting.cut)
        lines.append(f"          it waited {waited} for its lot: from its cut to {iso(held[1])}{_by(known, *held)}")
    return lines


def _spans(state: LotStateRow | None) -> Iterator[tuple[int, int | None]]:
    """From when to when the lot was on hold, by log time; None: it still is."""
    since = None
    for change in state.changes if state is not None else ():
        if change.held and since is None:
            since = change.at
        elif not change.held and since is not None:
            yield since, change.at
            since = None
    if since is not None:
        yield since, None


def _by(known: Iterable[HoldState], since: int, until: int | None) -> str:
    """The holds of a span: those whose last decision fell into it. A hold keeps its last decision only."""
    decided = [one for one in known if one.active == (until is None) and since <= one.label]
    ids = [one.hold for one in decided if until is None or one.label <= until]
    return f" by {', '.join(ids)}" if ids else ""
