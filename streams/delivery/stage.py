"""Stage delivery (one partition per ERP endpoint): postings, lot states, ticks and outcomes in; entries for the executor out.

Waiting postings hold up nobody: a lane is an order, lanes are parallel, and what is held or parked is in no lane.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from schemas.configuration import Configuration
from schemas.records import (
    AttemptEnded,
    ClockRepaired,
    ConfigActivated,
    Decision,
    EndpointOrdered,
    ErpHeld,
    LotState,
    LotStateRow,
    OperatorDecision,
    Posting,
    PostingRow,
    QuotaAsked,
    Tick,
    TimerFired,
)
from schemas.topics import PRODUCTION_KPIS
from streams import boundary, clock
from streams.boundary import AT_ONCE, Concern, Handling, Original
from streams.delivery.attempts import attempt_ended, timer_fired
from streams.delivery.bundles import dispatch_all, resolve
from streams.delivery.decisions import decided
from streams.delivery.desk import Desk
from streams.delivery.moved_plants import remember_erp
from streams.delivery.retention import Retention
from streams.figures import OLDEST_UNPOSTED, POSTINGS, Figure, known_code, owner
from streams.mapping.items import MAX_INT64
from streams.repairs import repair
from streams.step import RawMessage, Step, Topology, at_once
from tables.delivery.backlog import Backlog
from tables.delivery.closed_sequences import is_repeat
from tables.delivery.endpoint_marks import AWAY_SINCE, HELD_UNTIL, QUOTA_UNTIL
from tables.delivery.endpoint_orders import PAUSE, ordered
from tables.delivery.hold_gate import changes_with
from tables.delivery.outbox import ErpAway, HeldUntil, Paused
from tables.delivery.posting_state import (
    ACCEPTED,
    CLOSED,
    DISPATCHED,
    DOUBLE,
    IN_FLIGHT,
    PARKED,
    POSTING_MISMATCH,
    REJECTED,
    RETRY,
    UNKNOWN,
    WAITING_CLOCK,
    waits_for_decision,
)
from tables.delivery.quota_book import take_out
from tables.kpi import hour_passed, posting_success
from tables.row_kinds import ENDPOINT_ROWS, LOT_STATE_ROWS, QUOTA_ROWS


class DeliveryStage:
    name = "delivery"
    version = 1

    def __init__(self, topology: Topology, recorded: bool = False) -> None:
        self._topology, self._recorded = topology, recorded
        self._backlogs: dict[int, Backlog] = {}
        self._retentions: dict[int, Retention] = {}

    def taken_over(self, step: Step) -> None:
        at_once(self.remember(step))

    def remember(self, step: Step) -> Iterator[None]:
        """The owner before may have sent what is dispatched: exactly these are unknown now."""
        step.offset = step.state.next_offset - 1  # what the rows know: all before the next record
        backlog = self._backlogs[step.partition] = Backlog()
        retention = self._retentions[step.partition] = Retention(step.rows)
        begun: list[PostingRow] = []
        elsewhere: list[PostingRow] = []
        desk = self._desk(step)
        for page in retention.remember(backlog):
            begun += [row for row in page if row.state in (DISPATCHED, UNKNOWN, RETRY)]
            elsewhere += [row for row in page if row.posting.endpoint != desk.endpoint and waits_for_decision(row)]
            yield
        for row in elsewhere:  # the installation may have its endpoint by now
            desk.settle(row)
        if step.state.marks.get(HELD_UNTIL, 0):
            step.release(HeldUntil(step.state.marks[HELD_UNTIL]))
        if AWAY_SINCE in step.state.marks:
            step.release(ErpAway(step.state.marks[AWAY_SINCE]))
        if desk.endpoint_row is not None:
            step.release(Paused(desk.mode == PAUSE))
        for row in begun:
            if row.state == DISPATCHED:
                desk.suspend(row, "TAKEN_OVER", "the process that had it ended")
        for row in begun:
            if row.state == UNKNOWN:
                resolve(desk, row)
            elif row.state == RETRY:
                desk.start_timer(row)
        dispatch_all(desk)

    def left(self, partition: int) -> None:
        self._backlogs.pop(partition, None)
        self._retentions.pop(partition, None)

    def figures(self) -> Iterator[Figure]:
        states: Counter[tuple[str, str, str]] = Counter()
        oldest: dict[str, int] = {}
        for backlog in self._backlogs.copy().values():
            for (plant, state, code), count in backlog.states.counts().items():
                states[plant, state, known_code(code)] += count
            for plant, at in backlog.oldest().items():
                oldest[plant] = min(at, oldest.get(plant, at))
        for (plant, state, code), count in states.items():
            yield Figure(POSTINGS, (plant, state, code, owner(code)), count)
        for plant, at in oldest.items():
            yield Figure(OLDEST_UNPOSTED, (plant,), at)

    def fold(self, step: Step) -> None:
        desk = self._desk(step)
        for message, record, handling in boundary.records(step, self.name, HANDLERS):
            handling.handle(self, desk, message, record)
        dispatch_all(desk)

    def _desk(self, step: Step) -> Desk:
        backlog, retention = self._backlogs[step.partition], self._retentions[step.partition]
        return Desk(step, self._topology, self.name, backlog, retention, self._recorded)

    def _posting(self, desk: Desk, message: RawMessage, posting: Posting) -> None:
        known = desk.row(posting.posting_id)
        if known is not None:
            if known.posting.content_hash != posting.content_hash:
                self._mismatch(desk, message, known, posting)
            return
        if posting.sequence < 1:
            detail = f"sequence {posting.sequence}: sequences count from 1"
            boundary.refuse(desk.step, self.name, "BAD_SEQUENCE", detail, Original(posting, message))
            return
        row = PostingRow(posting, WAITING_CLOCK)
        if desk.is_closed(posting) or is_repeat(posting, desk.clock(posting.plant), desk.retention.postings_us):
            desk.report(row, "closed", CLOSED, f"sequence {posting.sequence} of its account is in the ERP already")
            return
        desk.take(row)
        desk.backlog.place(row)
        self._let_go(desk, posting.plant)

    def _mismatch(self, desk: Desk, message: RawMessage, known: PostingRow, posting: Posting) -> None:
        """One id, two contents: neither is posted from now on; what is on the way is found out first."""
        detail = f"content {posting.content_hash} came after {known.posting.content_hash}"
        original, concern = Original(posting, message), Concern(kind=posting.kind)
        boundary.refuse(desk.step, self.name, POSTING_MISMATCH, detail, original, concern)
        known.mismatch = True
        if known.state in IN_FLIGHT:
            desk.look_again(known)
            desk.keep(known)
        elif known.state in (ACCEPTED, REJECTED, PARKED):
            known.code, known.detail = POSTING_MISMATCH, detail
            desk.keep(known)
            desk.report(known, PARKED, POSTING_MISMATCH, detail)
        else:
            desk.move(known, PARKED, POSTING_MISMATCH, detail)

    def _attempt_ended(self, desk: Desk, message: RawMessage, ended: AttemptEnded) -> None:
        if attempt_ended(desk, ended) != DOUBLE:
            return
        row = desk.known(ended.posting_id)
        detail = f"posting {ended.posting_id} is in the ERP twice: {row.detail}"
        concern = Concern(plant=row.posting.plant, kind=row.posting.kind)
        boundary.refuse(desk.step, self.name, DOUBLE, detail, Original(message=message), concern)
        desk.report(row, row.state, DOUBLE, detail)

    def _timer_fired(self, desk: Desk, message: RawMessage, fired: TimerFired) -> None:
        timer_fired(desk, fired)

    def _erp_held(self, desk: Desk, message: RawMessage, held: ErpHeld) -> None:
        """Nobody calls before, or the ERP is away: a successor and `status` have to know."""
        marks = desk.step.state.marks
        if held.kind == "held":
            marks[HELD_UNTIL] = max(marks.get(HELD_UNTIL, 0), held.until)
        elif held.kind == "away":
            marks.setdefault(AWAY_SINCE, held.until)
        else:
            marks.pop(AWAY_SINCE, None)

    def _quota_asked(self, desk: Desk, message: RawMessage, asked: QuotaAsked) -> None:
        """Taken out here, used once this is committed, and by nobody else: after a take-over it counts as used."""
        marks, rows = desk.step.state.marks, desk.step.rows
        row, granted = take_out(QUOTA_ROWS.find(rows, desk.endpoint), asked)
        rows.put(QUOTA_ROWS.key(desk.endpoint), row)
        if again := max(granted.calls_again, granted.processing_again):
            marks[QUOTA_UNTIL] = again
        elif asked.calls or asked.processing_us:
            marks.pop(QUOTA_UNTIL, None)
        desk.step.release(granted)

    def _ordered(self, desk: Desk, message: RawMessage, order: EndpointOrdered) -> None:
        """A person stops the ERP or lets it go on. Over recorded input nobody is there to let it go on: it is only noted. So it
        is of an endpoint that this worker's document does not have here: another document may."""
        name = order.endpoint or desk.endpoint
        made = Decision("", order.mode, order.who, order.why, order.occurred_at, order.event_id)
        row = ordered(ENDPOINT_ROWS.find(desk.step.rows, name), made)
        if row is not None:
            desk.step.rows.put(ENDPOINT_ROWS.key(name), row)
        if row is not None and name == desk.endpoint:
            desk.step.release(Paused(desk.mode == PAUSE))

    def _lot_state(self, desk: Desk, message: RawMessage, state: LotState) -> None:
        """The newest state of a lot stays; one sender, in order, so equal versions replace."""
        key = LOT_STATE_ROWS.key(state.plant, state.material, state.lot)
        known: LotStateRow | None = desk.step.rows.get(key)
        if known is not None and (known.log_epoch, known.inbox_offset) > (state.log_epoch, state.inbox_offset):
            return
        row = LotStateRow(
            state.plant, state.material, state.lot, state.held, state.holds, state.label, state.inbox_offset, state.log_epoch,
            desk.step.offset, changes_with(state, known),
        )  # fmt: skip
        desk.step.rows.put(key, row)
        desk.retention.lot(key, row)
        desk.backlog.lot(row)
        for name in desk.backlog.of_lot(state.plant, state.material, state.lot):
            posting = desk.known(name)
            desk.look_again(posting)
            if desk.row(name) is not None:
                desk.backlog.place(posting)  # what is of a lot on hold has another turn

    def _decision(self, desk: Desk, message: RawMessage, decision: OperatorDecision) -> None:
        if desk.is_for_another(decision):
            return
        wrong = decided(desk, decision)
        if wrong is not None:
            boundary.refuse(desk.step, self.name, wrong.code, wrong.detail, Original(decision, message))

    def _tick(self, desk: Desk, message: RawMessage, tick: Tick) -> None:
        state = desk.step.state
        advance = clock.observe(state, tick, clock.watch_of(self._topology, self.name, state, tick.plant))
        if advance is None:
            return
        plant, announced = tick.plant, tuple(state.pending_configurations)
        before, posted, hash_ = desk.configuration(plant), desk.posts(plant), state.configurations.get(plant, "")
        if clock.activate(state, plant, advance.now, clock.intakes_of(self._topology)) is not None:
            due = [one for one in announced if one.plant == plant and one.at <= advance.now]
            remember_erp(state, plant, hash_, due, self._topology, desk.endpoint)
            self._rules_changed(desk, plant, before, posted)
        self._let_go(desk, tick.plant)
        if hour_passed(*advance):
            _publish_success(desk, tick.plant, advance.now)
        desk.retention.forget(desk.step, desk.backlog, tick.plant, advance.now)

    def _configured(self, desk: Desk, message: RawMessage, activated: ConfigActivated) -> None:
        plant, state = activated.plant, desk.step.state
        hash_, before, posted = state.configurations.get(plant), desk.configuration(plant), desk.posts(plant)
        clock.schedule(state, activated)
        if state.configurations.get(plant) != hash_:
            self._rules_changed(desk, plant, before, posted)
            self._let_go(desk, plant)

    def _repaired(self, desk: Desk, message: RawMessage, repaired: ClockRepaired) -> None:
        if repair(desk.step.state, repaired):
            desk.retention.repair(repaired.plant, repaired.at)
            # Their cuts were served by a clock that was ahead: it would not come back to them for long.
            self._let_go(desk, repaired.plant, MAX_INT64)

    @staticmethod
    def _rules_changed(desk: Desk, plant: str, before: Configuration | None, posted: bool) -> None:
        """Costs what the change may concern, not what there is: most of what is queued goes out under any policy. `posted`: the
        plant did until now."""
        now = desk.configuration(plant)
        if before is None or now is None or _decides_otherwise(before, now):
            for name in desk.backlog.under_the_policy(plant):
                desk.look_again(desk.known(name))
        if desk.posts(plant) and not posted:  # nothing of it could go, so its lanes were passed over
            desk.backlog.wake(plant)

    @staticmethod
    def _let_go(desk: Desk, plant: str, until: int | None = None) -> None:
        """Postings whose cut the plant's clock has reached (or until `until`) meet the gate."""
        if desk.configuration(plant) is None:
            return
        for name in desk.backlog.reached(plant, desk.clock(plant) if until is None else until):
            row = desk.known(name)
            if row.state == WAITING_CLOCK:
                desk.settle(row)


HANDLERS: Mapping[type, Handling[Callable[[DeliveryStage, Desk, RawMessage, Any], None]]] = {
    Posting: Handling(AT_ONCE, DeliveryStage._posting),
    AttemptEnded: Handling(AT_ONCE, DeliveryStage._attempt_ended),
    ErpHeld: Handling(AT_ONCE, DeliveryStage._erp_held),
    QuotaAsked: Handling(AT_ONCE, DeliveryStage._quota_asked),
    EndpointOrdered: Handling(AT_ONCE, DeliveryStage._ordered),
    TimerFired: Handling(AT_ONCE, DeliveryStage._timer_fired),
    LotState: Handling(AT_ONCE, DeliveryStage._lot_state),
    OperatorDecision: Handling(AT_ONCE, DeliveryStage._decision),
    Tick: Handling(AT_ONCE, DeliveryStage._tick),
    ConfigActivated: Handling(AT_ONCE, DeliveryStage._configured),
    ClockRepaired: Handling(AT_ONCE, DeliveryStage._repaired),
}
"""What delivery does with each record of its inbox."""


def _decides_otherwise(before: Configuration, now: Configuration) -> bool:
    """About what is kept back: by the hold policy, or because its endpoint is not there."""
    return before.rules.on_hold != now.rules.on_hold or before.erp.erp.endpoint != now.erp.erp.endpoint


def _publish_success(desk: Desk, plant: str, now: int) -> None:
    """How many of the postings that came to an end are in the ERP, by endpoint: of those that are still kept."""
    for endpoint, count in desk.backlog.figures(plant):
        figure = posting_success(count, plant, endpoint, now)
        if figure is not None:
            desk.step.emit(PRODUCTION_KPIS, f"{plant}|{figure.kpi}|{endpoint}", figure)
