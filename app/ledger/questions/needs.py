"""What of a ledger waits for a person: what, since when, whom, and the command that shows more."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from app.ledger.books.letters import open_letters
from app.ledger.books.snapshot import Snapshot
from app.ledger.proof.balance import Proof, Unattributed, unattributed
from app.ledger.questions.export import quantity_text
from app.ledger.questions.floor_needs import (
    Found,
    missing,
    scrap_beyond_orders,
    silent_intakes,
    silent_sources,
)
from app.ledger.questions.rule_needs import amounts_without_effect
from app.ledger.questions.undecided import target, utc
from app.ledger.questions.verdicts import verdicts_that_differ
from schemas.codes import owner_of
from schemas.configuration.mapping import Source
from schemas.records import AccountRow
from tables.equipment.count_decisions import CODE
from tables.equipment.destination import UNDECIDED
from tables.orders.account import Waits, account_key, stops
from tables.orders.parking import OVER_DELIVERY
from tables.orders.pieces import MADE
from tables.orders.wip import work_in_process
from tables.plant.system_of_record import ERP, EVERY, OWNERS
from tables.refusal import Refusal
from tables.row_kinds import ACCOUNT_ROWS, EQUIPMENT_ROWS, ORDER_ROWS, POSTING_ROWS

PLANNING = frozenset(record for record, owned in OWNERS.items() if owned == {EVERY: (ERP,)})
"""Records about orders and materials."""


@dataclass(slots=True)
class Need:
    """Something that waits for a person. `since`: microseconds of log time, 0 where nothing says it."""

    what: str
    since: int
    owner: str
    command: str
    code: str = ""


def needs_of(snapshot: Snapshot, proof: Proof) -> Iterator[Need]:
    """Refused records of orders and materials; what may follow from them: parked accounts, postings that somebody has to decide
    about, quantity without a run; other refused records."""
    refused = list(_refused(snapshot))
    yield from (need for need, planned in refused if planned)
    for row in snapshot.of(ACCOUNT_ROWS):
        for one in stops(row):
            what = f"{quantity_text(one.quantity)} {one.unit} parked {one.code} {row.kind} order {row.order}"
            command = f"lineledger parked --account '{account_key(row)}'"
            yield Need(what, since_of(row, one), owner_of(one.code), command, one.code)
    for posting in snapshot.of(POSTING_ROWS):
        if posting.state in ("held", "parked", "rejected") and not posting.replaced_by:
            what = f"posting {posting.posting.posting_id} {posting.state} {posting.code} order {posting.posting.order}"
            command = f"lineledger trace {posting.posting.posting_id}"
            yield Need(what, posting.posting.cut, owner_of(posting.code), command, posting.code)
    yield from _negative_wip(snapshot)
    yield from of_the_floor(snapshot, proof.unattributed)
    yield from _of_orders_beyond(snapshot)
    yield from (need for need, planned in refused if not planned)


def of_the_floor(snapshot: Snapshot, nobodys: Iterable[Unattributed]) -> Iterator[Need]:
    """Quantity without a run, counts that are undecided, sources that are silent, log-offs that are missing."""
    yield from map(_nobodys, nobodys)
    yield from _held_zeros(snapshot)
    yield from map(_found, (*silent_sources(snapshot), *missing(snapshot), *verdicts_that_differ(snapshot)))


def of_orders(snapshot: Snapshot) -> Iterator[Need]:
    """What the rows of orders alone say, beside what is parked."""
    yield from _negative_wip(snapshot)
    yield from map(_found, silent_intakes(snapshot))
    yield from _of_orders_beyond(snapshot)


def listed_nowhere_else(snapshot: Snapshot) -> Iterator[Need]:
    """What needs somebody and is no account, posting, scrap beyond an order or amount without effect, which `parked` lists."""
    yield from _negative_wip(snapshot)
    yield from of_the_floor(snapshot, unattributed(snapshot))


def _of_orders_beyond(snapshot: Snapshot) -> Iterator[Need]:
    yield from map(_found, scrap_beyond_orders(snapshot))
    for idle in amounts_without_effect(snapshot):
        command = f"lineledger rules explain '{idle.account}'"
        yield Need(idle.why.detail, idle.since, owner_of(idle.why.code), command, idle.why.code)


def _found(found: Found) -> Need:
    moment = f" --at {utc(found.since)}" if found.why.code in ("LOG_OFF_MISSING", "UPSTREAM_SILENT") else ""
    command = f"lineledger trace {found.about}{moment}" if found.about else f"lineledger explain-code {found.why.code}"
    return Need(found.why.detail, found.since, owner_of(found.why.code), command, found.why.code)


def since_of(row: AccountRow, one: Waits) -> int:
    """Since when it waits, microseconds of log time: since the first quantity that came after the account's last posting; if none
    came, since that posting's cut, which kept it back. What stands apart, or of which nothing was posted, waits since it was
    recorded; what is beyond an order's limit, since it was made."""
    if one.code == OVER_DELIVERY and not one.apart:
        return _excess_made_at(row)
    if not one.apart and (row.since or row.issued):
        return row.since or max(posting.cut for posting in row.issued)
    return min((source.first_at for source in row.sources.values() if source.unit == one.unit or not one.apart), default=0)


def _excess_made_at(row: AccountRow) -> int:
    """The excess is what was made last (docs/domain.md, Over-delivery). Where its first pieces are those of a total that made
    more than it, the ledger knows until when that one counted, and no moment within."""
    made = sorted(
        (source for source in row.sources.values() if source.kind in MADE and source.numerator > 0),
        key=lambda source: (source.last_at, source.first_at),
        reverse=True,
    )
    rest = Fraction(row.parked, row.target or row.parked or 1) * sum(Fraction(one.numerator, one.denominator) for one in made)
    since = 0
    for source in made:
        if rest <= 0:
            break
        quantity = Fraction(source.numerator, source.denominator)
        moment = source.first_at if quantity <= rest else source.last_at
        since, rest = min(since or moment, moment), rest - quantity
    return since


def _nobodys(entry: Unattributed) -> Need:
    """Quantity that no account has."""
    quantity, to = quantity_text(entry.quantity), entry.destination
    if to.kind == UNDECIDED:
        began = int(to.reason)
        what = f"{quantity} {to.unit} undecided {entry.equipment} {to.origin}, it shows more than it can have counted"
        decide = f"lineledger decide '{target(entry.equipment, to.origin, began)}' accept|discard --who NAME --why TEXT"
        return Need(what, began, owner_of(entry.code), decide, entry.code)
    reason = "no run open" if entry.code == "UNATTRIBUTED" else "its run has no order"
    what = f"{quantity} {entry.unit} unattributed {entry.equipment}, {reason}"
    command = f"lineledger trace {entry.equipment} --at {utc(entry.total.first_at)}"
    return Need(what, entry.total.first_at, owner_of(entry.code), command, entry.code)


def _held_zeros(snapshot: Snapshot) -> Iterator[Need]:
    """A counter that fell and neither went on nor grew since, for longer than `hold_undecided`."""
    for row in snapshot.of(EQUIPMENT_ROWS):
        for name, state in sorted(row.counters.items()):
            counter, tail = snapshot.configuration.plant.counter_for(row.equipment, name), state.tail
            if counter is not None and tail.low is not None and row.clock - tail.low_at > counter.hold_undecided:
                was, now = (quantity_text(Fraction(abs(value or 0), 10**counter.decimals)) for value in (tail.value, tail.low))
                what = f"{row.equipment} {name} fell from {was} to {now}, undecided: no reading, or a new start"
                yield Need(what, tail.low_at, owner_of(CODE), f"lineledger trace {row.equipment} --at {utc(tail.low_at)}", CODE)


def _negative_wip(snapshot: Snapshot) -> Iterator[Need]:
    """An operation that took more than the one before it gave (docs/domain.md, Work in process)."""
    accounts = snapshot.accounts_by_order()
    for order in snapshot.of(ORDER_ROWS):
        for wip in work_in_process(order, accounts.get((order.plant, order.order), ())):
            if wip.quantity < 0:
                where = f"in process after operation {wip.operation} of order {order.order}"
                wrong = Refusal("WIP_NEGATIVE", f"{quantity_text(wip.quantity)} {wip.unit} {where}")
                yield Need(wrong.detail, 0, owner_of(wrong.code), f"lineledger trace {order.order}", wrong.code)


def _refused(snapshot: Snapshot) -> Iterator[tuple[Need, bool]]:
    """Records, however many of the events of each were refused; and whether they are of a source that tells of orders and
    materials: without them what the floor recorded has nowhere to go."""
    planning = {name for name, source in snapshot.configuration.plant.sources.items() if _plans(source)}
    received: dict[tuple[str, str], dict[tuple[str, int, str], int]] = {}
    for letter in open_letters(snapshot.letters, snapshot.settled):
        place = letter.raw_source, letter.raw_offset, "" if letter.raw_source else letter.event_id
        source = letter.source if letter.source in planning else ""
        received.setdefault((letter.code, source), {})[place] = letter.received_at
    for (code, source), found in sorted(received.items()):
        since = min((at for at in found.values() if at), default=0)
        what = f"{len(found)} records refused: {code}" + (f" ({source}: orders, materials)" if source else "")
        command = f"lineledger exceptions --code {code}" + (f" --source {source}" if source else "")
        yield Need(what, since, owner_of(code), command, code), bool(source)


def _plans(source: Source) -> bool:
    emitted = [record for rule in source.events for record in (rule.emit, *(also.emit for also in rule.also))]
    return any(record in PLANNING for record in emitted)
