"""The desk of delivery: moves postings, opens and shuts the gate, hands entries to the executor. One step, one partition."""

from collections.abc import Sequence
from dataclasses import replace

from schemas.configuration import Configuration, ErpConfig
from schemas.records import AccountClosedRow, EndpointRow, LotStateRow, OperatorDecision, Outcome, Posting, PostingRow
from schemas.topics import DELIVERY_INBOX, ORDERS_INBOX
from streams import clock
from streams.delivery.retention import Retention
from streams.endpoints import name_at
from streams.step import Step, Topology
from tables.delivery import backoff, closed_sequences, posting_tally
from tables.delivery.backlog import Backlog
from tables.delivery.endpoint_orders import RESUME, mode_of
from tables.delivery.hold_gate import Gate, gate_at, lot_of
from tables.delivery.outbox import Dispatch, ReadBack, Timer
from tables.delivery.posting_state import (
    ACCEPTED,
    DISPATCHED,
    ENDPOINT_UNKNOWN,
    HELD,
    PARKED,
    POSTING_MISMATCH,
    PREDECESSOR_OPEN,
    READ_BACK_FIRST,
    REPORTED,
    UNKNOWN,
    ended,
    move,
    stuck,
    waits_for_decision,
)
from tables.delivery.public_posting import note_step
from tables.delivery.scopes import suspected
from tables.invariant import InvariantBroken
from tables.row_kinds import CLOSED_ACCOUNT_ROWS, ENDPOINT_ROWS, LOT_STATE_ROWS, POSTING_ROWS


def posting_key(posting_id: str) -> str:
    return POSTING_ROWS.key(posting_id)


class Desk:
    """All that a record of delivery's inbox can make happen to postings."""

    def __init__(
        self, step: Step, topology: Topology, stage: str, backlog: Backlog, retention: Retention, recorded: bool
    ) -> None:
        """`recorded`: input with its own time; holds then count from their time in the log (tables/delivery/hold_gate.py)."""
        self.step, self.backlog, self.retention = step, backlog, retention
        self._topology, self._stage, self._recorded = topology, stage, recorded
        self.endpoint = name_at(topology.endpoints, step.partition)
        """Whose postings are here; empty: nobody's."""

    # -- what is known

    def row(self, posting_id: str) -> PostingRow | None:
        row: PostingRow | None = self.step.rows.get(posting_key(posting_id))
        return row

    def is_for_another(self, decision: OperatorDecision) -> bool:
        """Of several endpoints each hears what a person decides, and one has the posting. (Orders refuses what nobody has.)"""
        return len(self._topology.endpoints) > 1 and self.row(decision.posting_id) is None

    def known(self, posting_id: str) -> PostingRow:
        row = self.row(posting_id)
        assert row is not None, f"{posting_id} is in the index but has no row"
        return row

    def configuration(self, plant: str) -> Configuration | None:
        hash_ = self.step.state.configurations.get(plant)
        return None if hash_ is None else self._topology.configuration(hash_)

    def for_erp(self, plant: str) -> Configuration | None:
        """Whose erp.yaml holds for the plant's postings here: of a plant that has moved to another endpoint the last one that
        named this one. What was issued before stays here, and is asked for where it was sent."""
        hash_ = self.step.state.posted_under.get(plant)
        return self.configuration(plant) if hash_ is None else self._topology.configuration(hash_)

    def erp_of(self, row: PostingRow) -> ErpConfig:
        configuration = self.for_erp(row.posting.plant)
        assert configuration is not None, "the clock of a plant moves only after its configuration came"
        return configuration.erp

    def clock(self, plant: str) -> int:
        """Microseconds; 0 while the plant has no configuration."""
        state = self.step.state
        return clock.clock_of(state, plant, clock.upstreams_of(self._topology, self._stage, state, plant))

    def gate(self, row: PostingRow, configuration: Configuration) -> Gate:
        """What the hold policy says now, by the newest state of the lot; over recorded input by its state at the cut."""
        posting, cut = row.posting, row.posting.cut if self._recorded else None
        material, lot = lot_of(posting)
        state: LotStateRow | None = LOT_STATE_ROWS.find(self.step.rows, posting.plant, material, lot) if lot else None
        return gate_at(configuration.rules.on_hold, posting.kind, state, cut)

    def is_closed(self, posting: Posting) -> bool:
        """Is its sequence in the ERP?"""
        known: AccountClosedRow | None = CLOSED_ACCOUNT_ROWS.find(self.step.rows, posting.account)
        return closed_sequences.is_closed(known, posting.sequence, posting.born_epoch)

    # -- moving

    def take(self, row: PostingRow) -> None:
        """A posting that was not there before."""
        posting_tally.taken(self.step.state.marks)
        note_step(row, self.clock(row.posting.plant))
        self.keep(row)

    def keep(self, row: PostingRow) -> None:
        self.step.rows.put(posting_key(row.posting.posting_id), row)
        self.backlog.note(row)

    def move(self, row: PostingRow, state: str, code: str = "", detail: str = "", *, in_pass: bool = False) -> None:
        """Along the table; tells orders of what it is told of; lets those that wait for this posting look again."""
        mattered = stuck(row)
        move(row, state)
        row.code, row.detail = code, detail
        if state != DISPATCHED:
            row.recalled = False
        now = self.clock(row.posting.plant)
        note_step(row, now)
        row.closed_at = now if ended(row) else 0
        if state == ACCEPTED:
            posting_tally.accepted(self.step.state.marks, row)
            self._close(row)
        self.keep(row)
        self.backlog.place(row)
        self.retention.posting(row)
        if state in REPORTED:
            self.report(row, state, code, detail)
        if not in_pass and (mattered or stuck(row) or state == ACCEPTED):
            self._corrections_look_again(row)

    def _corrections_look_again(self, row: PostingRow) -> None:
        """Corrections of the account that wait behind `row`. Ascending, so one pass sees each one's predecessors settled."""
        for name in self.backlog.after(row.posting.account, row.posting.sequence):
            later = self.known(name)
            if later.posting.amount < 0 and waits_for_decision(later):
                self.settle(later, in_pass=True)

    def report(self, row: PostingRow, status: str, code: str = "", detail: str = "") -> None:
        posting = row.posting
        outcome = Outcome(
            plant=posting.plant,
            order=posting.order,
            account=posting.account,
            posting_id=posting.posting_id,
            status=status,
            inbox_offset=self.step.offset,
            erp_document=row.erp_document,
            code=code,
            detail=detail,
            replaced_by=row.replaced_by,
            posting_date="",
        )
        if row.replaced_by:
            again = self.known(row.replaced_by)
            outcome.posting_date = again.posting.posting_date
        self.step.emit(ORDERS_INBOX, f"{posting.plant}|{posting.order}", outcome)

    def _close(self, row: PostingRow) -> None:
        posting, row.unresolved = row.posting, 0
        known: AccountClosedRow | None = CLOSED_ACCOUNT_ROWS.find(self.step.rows, posting.account)
        closed = closed_sequences.close(known, posting.account, posting.sequence, posting.born_epoch, row.closed_at)
        self.step.rows.put(CLOSED_ACCOUNT_ROWS.key(posting.account), closed)
        self.retention.closed(closed)

    def settle(self, row: PostingRow, *, in_pass: bool = False) -> None:
        """Where a posting belongs of which nothing is on the way: queued, held, parked, or at another endpoint."""
        if row.posting.endpoint != self.endpoint and not (row.mismatch or row.unresolved):
            name = self.meant(row.posting)
            if self._topology.endpoints.get(name, self.step.partition) != self.step.partition:
                self._send_on(row, name)
                return
        state, code, detail = self._place_of(row)
        if (row.state, row.code) == (state, code):
            return
        if row.state == state:
            row.code, row.detail = code, detail
            self.keep(row)
            return
        self.move(row, state, code, detail, in_pass=in_pass)

    def _place_of(self, row: PostingRow) -> tuple[str, str, str]:
        posting = row.posting
        if row.mismatch:
            return PARKED, POSTING_MISMATCH, "another content came under this posting id"
        configuration = self.configuration(posting.plant)
        assert configuration is not None, "the clock of a plant moves only after its configuration came"
        if posting.endpoint != self.endpoint and (name := self.meant(posting)) != self.endpoint:
            return PARKED, ENDPOINT_UNKNOWN, f"the installation has no endpoint `{name}`"
        if posting.amount < 0:
            for earlier in self.earlier(row):
                if stuck(earlier):
                    return HELD, PREDECESSOR_OPEN, f"{earlier.posting.posting_id} is {earlier.state}"
        answer = self.gate(row, configuration)
        return answer.state, answer.code, "" if answer.open else "its lot is on hold"

    def meant(self, posting: Posting) -> str:
        """The endpoint that a posting is for: its own, and where the installation does not have that, the one that its plant
        names now. (No attempt of it was ever made.)"""
        if posting.endpoint in self._topology.endpoints:
            return posting.endpoint
        configuration = self.configuration(posting.plant)
        return posting.endpoint if configuration is None else configuration.erp.erp.endpoint

    def _send_on(self, row: PostingRow, name: str) -> None:
        """To its endpoint, and not to be found here any more: in one transaction. Nothing of it is on the way."""
        partition = self._topology.endpoints[name]
        self.step.emit(DELIVERY_INBOX, name, replace(row.posting, endpoint=name), partition)
        if row.state != PARKED:
            move(row, PARKED)  # out of every lane
        self.backlog.place(row)
        self.backlog.forget(row)
        self.step.rows.delete(posting_key(row.posting.posting_id))
        posting_tally.sent_on(self.step.state.marks)

    def earlier(self, row: PostingRow) -> list[PostingRow]:
        """Postings of the account that a correction must not overtake."""
        account = row.posting.account
        rows = [self.known(name) for name in self.backlog.before(account, row.posting.sequence)]
        return [earlier for earlier in rows if not self.is_closed(earlier.posting)]

    # -- sending

    @property
    def window(self) -> int:
        """How many documents of lanes that nothing is known against may be with the executor: 2 x concurrency per ERP, one per
        lane."""
        stated = [one.erp.erp for plant in self.step.state.configurations if (one := self.for_erp(plant)) is not None]
        return 2 * max((erp.concurrency for erp in stated if erp.endpoint == self.endpoint), default=0)

    @property
    def endpoint_row(self) -> EndpointRow | None:
        return ENDPOINT_ROWS.find(self.step.rows, self.endpoint)

    @property
    def mode(self) -> str:
        """What people let the ERP have: everything, nothing, or what is on its way (tables/delivery/endpoint_orders.py)."""
        return RESUME if self._recorded else mode_of(self.endpoint_row)

    def next_turn(self) -> PostingRow | None:
        """The queued posting whose turn it is; None: the window is full, or nothing (new) may go."""
        if self.mode != RESUME:
            return None
        name = self.backlog.next(self._eligible, self.backlog.room(self.window))
        return None if name is None else self.known(name)

    def _eligible(self, posting_id: str) -> bool:
        row = self.known(posting_id)
        if not self.posts(row.posting.plant) or self.backlog.is_elsewhere(row.posting.plant):
            return False
        if self.backlog.locked_for(row):
            return False
        return row.posting.amount >= 0 or not self.earlier(row)

    def posts(self, plant: str) -> bool:
        """False: shadow mode, or no ERP; postings become due and stay."""
        active, for_erp = self.configuration(plant), self.for_erp(plant)
        if active is None or for_erp is None or active.plant.shadow:
            return False
        return for_erp.erp.erp.entry is not None and for_erp.erp.erp.endpoint == self.endpoint

    def dispatch(self, first: PostingRow, others: Sequence[PostingRow] = (), *, resend: bool = False) -> None:
        """One more attempt of a document, each line in the form that the hold policy allows now; recorded with what it
        knew (I6)."""
        document = f"{first.posting.posting_id}/{first.attempts + 1}"
        first.calls += 1
        for row in (first, *others):
            configuration, for_erp = self.configuration(row.posting.plant), self.for_erp(row.posting.plant)
            assert configuration is not None
            assert for_erp is not None
            answer = self.gate(row, configuration)
            if not answer.open:
                raise InvariantBroken("I6", f"{row.posting.posting_id}: dispatched although the policy says {answer.answer}")
            row.attempts += 1
            row.gate, row.stock_type, row.document = answer.answer, answer.stock_type, document
            row.gate_offset, row.configuration = self.step.offset, for_erp.hash
            self.move(row, DISPATCHED)
        lines = tuple((row.posting.posting_id, row.attempts) for row in others)
        suspect, proven = resend or any(suspected(row) for row in (first, *others)), self.backlog.proven(first)
        self.step.release(Dispatch(first.posting.posting_id, first.attempts, resend, lines, suspect, proven))

    def look_again(self, row: PostingRow) -> None:
        """The lot's state changed. What is with the executor is recalled while its form is not the one that holds now."""
        if waits_for_decision(row):
            self.settle(row)
        elif row.state == DISPATCHED:
            recalled = row.mismatch or not self._same_form(row)
            if recalled != row.recalled:
                row.recalled = recalled
                self.keep(row)

    def _same_form(self, row: PostingRow) -> bool:
        configuration = self.configuration(row.posting.plant)
        if configuration is None:
            return False
        answer = self.gate(row, configuration)
        return answer.open and answer.stock_type == row.stock_type

    def _same_erp(self, row: PostingRow) -> bool:
        """The plant still posts to the ERP that the last attempt went to: another one cannot tell a repetition."""
        configuration = self.for_erp(row.posting.plant)
        if configuration is None or not row.configuration:
            return False
        return configuration.erp.erp.stated == self._topology.configuration(row.configuration).erp.erp.stated

    # -- not knowing

    def suspend(self, row: PostingRow, code: str, detail: str) -> None:
        """The last attempt may be booked."""
        row.unresolved = row.unresolved or row.attempts
        self.move(row, UNKNOWN, code, detail)

    def may_resend(self, row: PostingRow) -> bool:
        """May an unknown go again under the same id? Where the ERP is idempotent and the form is still the same; under a
        hold that forbids it nothing is resent."""
        same = row.code not in READ_BACK_FIRST and not row.mismatch and self._same_form(row) and self._same_erp(row)
        return same and self.idempotent(row) and self.posts(row.posting.plant)

    def read_back(self, row: PostingRow) -> None:
        self.step.release(ReadBack(row.posting.posting_id, row.attempts))

    def idempotent(self, row: PostingRow) -> bool:
        configuration = self.for_erp(row.posting.plant)
        return configuration is not None and configuration.erp.erp.tells_repetitions

    def count_failure(self, row: PostingRow, retry_after_ms: int = 0) -> int:
        """Returns the back-off that the posting gets, microseconds."""
        row.failures += 1
        delay = self._delay(row, retry_after_ms)
        row.waited_us += delay
        self.keep(row)
        return delay

    def first_delay(self, row: PostingRow, retry_after_ms: int) -> int:
        """The back-off of a posting that did nothing wrong, microseconds."""
        return backoff.delay_us(self.erp_of(row).erp.retry, 1, retry_after_ms)

    def start_timer(self, row: PostingRow, delay_us: int | None = None) -> None:
        """Wake the posting later. Without a delay: after a take-over, timers died with the process that ran them."""
        delay = self._delay(row) if delay_us is None else delay_us
        self.step.release(Timer(row.posting.posting_id, row.attempts, delay))

    def _delay(self, row: PostingRow, retry_after_ms: int = 0) -> int:
        return backoff.delay_us(self.erp_of(row).erp.retry, row.failures, retry_after_ms)
