"""The ledger against the obvious model: an account holds the sum of the newest totals of its sources, and whatever was
posted adds up to that sum, rounded once; no more than the order takes, by net corrections or by reversals. Boxes have as many
pieces as they had when they were packed, as far as that was known when they were posted. A second ledger hears the same and is
restarted whenever it likes."""

import os
from fractions import Fraction
from math import floor
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from schemas.records import MaterialChanged, OrderChanged, OrderCompleted, OrderReleased, Posting
from tests.unit.streams.ledger_bench import Ledger, component, item, released, total
from tests.unit.tables.floor_bench import HOUR, at, configuration, event

AT_ONCE = 5
SLIP = "slip"
"""Equipment of what is declared in a unit that nobody converts."""


def rules(corrections: str) -> dict[str, Any]:
    return {
        "consumption": [{"component": "*", "by": "meter"}],
        "post": [
            {"kind": "yield", "when": ["shift_end", "order_completed"], "corrections": corrections},
            {"kind": "scrap", "when": ["shift_end", f"above {AT_ONCE} PC at once"]},
            {"kind": "consumption", "when": ["every 1 h"], "corrections": corrections},
        ],
    }


BEGIN = at("10:00")
CUTS = {at("14:00"), at("22:00"), at("06:00", 21), at("14:00", 21)}
DATES = ("2026-11-20", "2026-11-20", "2026-11-19")
KINDS = ("gross", "scrap", "consumption", "consumption")
PACK = "pack"
"""Equipment of which boxes are told."""
Source = tuple[str, str, str]
"""(kind, source, business date)"""


def rounded(value: Fraction) -> int:
    """Halves away from zero."""
    return floor(abs(value) + Fraction(1, 2)) * (-1 if value < 0 else 1)


class LedgerMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now, self.change, self.version = BEGIN, 0, 0
        self.waiting: list[tuple[int, Any]] = []
        self.newest: dict[Source, Any] = {}
        self.open, self.completed = False, False
        self.sent: list[Any] = []
        self.ids: set[str] = set()
        self.boxes: list[tuple[int, int, int]] = []
        """(since when, told when, pieces of a box): what changed something, in the order in which it was told."""
        self.urgent: set[str] = set()
        """Business dates with scrap above the threshold that was not posted yet."""

    def say(self, record: Any) -> None:
        self.waiting.append((record.label, record))
        for bench in (self.steady, self.restarted):
            bench.fold(record)

    # -- what comes in

    @initialize(
        status=st.sampled_from(["released"] * 5 + ["locked", ""]),
        corrections=st.sampled_from(["net", "reversal"]),
        limit=st.sampled_from([None, None, 30, 60, 100]),
    )
    def begin(self, status: str, corrections: str, limit: int | None) -> None:
        config = configuration(rules=rules(corrections))
        self.steady, self.restarted = Ledger(config), Ledger(config)
        self.limit = limit
        self.say(self.box(BEGIN - HOUR, 10))
        if status:
            self.master_data(status)

    @rule(
        kind=st.sampled_from(KINDS),
        source=st.sampled_from(["M1", "M2"]),
        date=st.sampled_from(DATES),
        amounts=st.lists(st.integers(0, 40), min_size=1, max_size=3),
        shuffled=st.booleans(),
        ahead=st.integers(0, 1),
        then=st.integers(0, 4),
    )
    def totals_of_a_source(
        self, kind: str, source: str, date: str, amounts: list[int], shuffled: bool, ahead: int, then: int
    ) -> None:
        """The source's next totals, as one label or as several; shuffled: the newest first."""
        fields: dict[str, Any] = {"business_date": date, "equipment": source, "source_key": f"{source}|{kind}"}
        if kind == "consumption":
            fields |= {"unit": "kg", "denominator": 7000, "material": "PP", "lot": "R1"}
        made = []
        for amount in amounts:
            self.version += 1
            made.append(total(kind, amount, (1, self.version), self.now + ahead * HOUR, **fields))
        for one in reversed(made) if shuffled else made:
            self.sent.append(one)
            self.say(one)
        if then:
            self.advance(then)

    @precondition(lambda self: self.change)  # of an order that nobody knows no unit is known either
    @rule(amount=st.integers(-3, 3), date=st.sampled_from(DATES))
    def slip(self, amount: int, date: str) -> None:
        """Somebody states a unit that nobody knows, or takes it back."""
        self.version += 1
        fields = {"business_date": date, "equipment": SLIP, "source_key": SLIP, "unit": "SACK", "material": "PP", "lot": "R1"}
        self.sent.append(total("consumption", amount, (1, self.version), self.now, **fields))
        self.say(self.sent[-1])

    @rule(date=st.sampled_from(DATES), boxes=st.integers(0, 4), hours=st.integers(-3, 1))
    def boxes_of_a_source(self, date: str, boxes: int, hours: int) -> None:
        """So many boxes were packed on that day, the first of them some hours ago."""
        self.version += 1
        fields = {
            "business_date": date,
            "equipment": PACK,
            "source_key": PACK,
            "unit": "BOX",
            "first_at": self.now + hours * HOUR,
        }
        self.sent.append(total("gross", boxes, (1, self.version), self.now, **fields))
        self.say(self.sent[-1])

    @rule(pieces=st.sampled_from([8, 10, 12]), hours=st.integers(-4, 2))
    def boxes_change(self, pieces: int, hours: int) -> None:
        """The ERP says how many pieces a box has: of now, of some time ago, or of later."""
        self.say(self.box(self.now + hours * HOUR, pieces))

    def box(self, since: int, pieces: int) -> Any:
        fields = {"material": "4711", "unit": "PC", "decimals": 0, "batch_managed": False}
        return event(MaterialChanged, since, max(self.now, BEGIN), conversions=[f"1 BOX = {pieces} PC"], **fields)

    @rule(data=st.data())
    def once_more(self, data: st.DataObject) -> None:
        if self.sent:
            self.say(data.draw(st.sampled_from(self.sent)))

    @rule(status=st.sampled_from(["released"] * 4 + ["locked"]))
    def master_data(self, status: str) -> None:
        self.change += 1
        cls = OrderReleased if self.change == 1 else OrderChanged
        made = item(over_delivery="unlimited") if self.limit is None else item(quantity=self.limit)
        what = {"items": [made], "components": [component(mode="metered")], "change_number": str(self.change)}
        self.say(released(self.now, cls, status=status, **what))

    @rule()
    def complete(self) -> None:
        self.say(event(OrderCompleted, self.now, self.now, order="O1"))

    @rule()
    def restart(self) -> None:
        self.restarted.restart()

    # -- the clock

    @rule(hours=st.integers(1, 4))
    def time_passes(self, hours: int) -> None:
        self.advance(hours)

    def advance(self, hours: int) -> None:
        step = self.now + hours * HOUR
        self.now = min([step, *(cut for cut in CUTS if self.now < cut < step)])
        due = sorted((pair for pair in self.waiting if pair[0] <= self.now), key=lambda pair: pair[0])
        for label in sorted({label for label, _ in due}):
            self.apply([record for at, record in due if at == label])
        self.waiting = [(label, record) for label, record in self.waiting if label > self.now]
        postings = self.steady.tick(self.now)
        assert postings == self.restarted.tick(self.now), "a restart changed what is posted"
        self.check_postings(postings)
        self.check_accounts()

    def apply(self, records: list[Any]) -> None:
        """Everything of one label at once: of each source the newest."""
        before = dict(self.newest)
        for record in records:
            if isinstance(record, OrderCompleted):
                self.completed = True
            elif isinstance(record, MaterialChanged):
                pieces = int(record.conversions[0].split()[3])
                if pieces != self.pieces_of_a_box(record.occurred_at, None):
                    self.boxes.append((record.occurred_at, record.label, pieces))
            elif isinstance(record, OrderReleased | OrderChanged):
                self.open = record.status == "released"
            else:
                key = (record.kind, record.equipment, record.business_date)
                known = self.newest.get(key)
                if known is None or known.inbox_offset < record.inbox_offset:
                    self.newest[key] = record
        for key, record in self.newest.items():
            known = before.get(key)
            grown = record.numerator - (known.numerator if known is not None else 0)
            if key[0] == "scrap" and record is not known and abs(grown) > AT_ONCE:
                self.urgent.add(key[2])

    # -- what must hold

    def told(self, kind: str, date: str) -> Fraction:
        known = [one for key, one in self.newest.items() if key[0] == kind and key[2] == date and key[1] != SLIP]
        return sum(
            (self.in_pieces(one) if one.equipment == PACK else Fraction(one.numerator, one.denominator) for one in known),
            Fraction(0),
        )

    def in_pieces(self, packed: Any) -> Fraction:
        """Boxes that were posted keep what was known of them at their first posting."""
        cuts = [
            one.cut
            for one in self.steady.postings
            if one.kind == "yield"
            and one.business_date == packed.business_date
            and one.cut >= packed.first_at
            and one.cut < self.now
        ]
        return Fraction(packed.numerator * self.pieces_of_a_box(packed.first_at, min(cuts, default=None)))

    def pieces_of_a_box(self, at: int, posted: int | None) -> int:
        """What was told of the last time up to then; of the first time, if it was packed before that."""
        known = [(since, n, pieces) for n, (since, told, pieces) in enumerate(self.boxes) if posted is None or told <= posted]
        if not known:
            return 0
        then = [one for one in known if one[0] <= at]
        return max(then)[2] if then else min(known)[2]

    def holds(self, kind: str, date: str) -> Fraction:
        """Scrap of one day that has no pieces there takes those of the other day (there is one lot)."""
        if kind != "yield" or not self.change:
            return self.told(kind, date) if kind != "yield" else self.told("gross", date) - self.told("scrap", date)
        (other,) = set(DATES) - {date}
        here, there = (self.told("gross", one) - self.told("scrap", one) for one in (date, other))
        if here < 0 < there:
            return min(Fraction(0), here + there)
        return max(Fraction(0), here + there) if there < 0 < here else here

    def steps(self, kind: str, date: str, scale: int) -> int:
        """What the account stands for: days are rounded as one quantity, the oldest first."""
        days = sorted(set(DATES))
        if kind != "consumption":
            return rounded(self.may(kind, date) * 10**scale)
        upto = [sum((self.told(kind, day) for day in days[:n]), Fraction(0)) for n in (days.index(date), days.index(date) + 1)]
        before, now = (rounded(one * 10**scale) for one in upto)
        return now - before

    def may(self, kind: str, date: str) -> Fraction:
        """How much of it may be posted: no yield below zero, and no scrap whose pieces nobody counted."""
        lack = min(Fraction(0), self.holds("yield", date))
        if kind == "scrap":
            return self.holds(kind, date) - min(-lack, max(Fraction(0), self.holds(kind, date)))
        return self.holds(kind, date) - (lack if kind == "yield" else 0)

    def check_postings(self, postings: list[Posting]) -> None:
        assert not postings or self.open
        for posting in postings:
            assert posting.posting_id not in self.ids
            self.ids.add(posting.posting_id)
            assert posting.amount != 0 or posting.final, "nothing but the final flag goes without a quantity"
            assert posting.cut == self.now
            assert posting.kind != "yield" or posting.amount < 0 or self.received() <= (self.limit or self.received())
            if posting.reverses:
                (taken,) = [one for one in self.steady.postings if one.posting_id == posting.reverses]
                assert (taken.account, taken.amount) == (posting.account, -posting.amount)
        reversed_ = [one.reverses for one in self.steady.postings if one.reverses]
        assert len(reversed_) == len(set(reversed_)), "taken back twice"
        for posting in {one.account: one for one in postings}.values():
            exact = self.steps(posting.kind, posting.business_date, posting.scale)
            short = posting.kind == "yield" and self.limit is not None
            assert posting.cumulative <= exact if short else posting.cumulative == exact

    def received(self) -> int:
        return sum(row.posted for row in self.steady.accounts().values() if row.kind == "yield")

    def check_accounts(self) -> None:
        yields, over = [], self.now in CUTS or self.completed
        for key, row in self.steady.accounts().items():
            exact = self.holds(row.kind, row.business_date)
            assert Fraction(row.recorded_numerator, row.recorded_denominator) == exact, key
            slipped = self.newest.get((row.kind, SLIP, row.business_date))
            apart = [(slipped.numerator, "SACK")] if slipped is not None and slipped.numerator else []
            assert [(one.numerator, one.unit) for one in row.apart] == apart, key
            made = [one for one in self.steady.postings if one.account == key[2:]]
            assert sum(one.amount for one in made) == row.posted == (made[-1].cumulative if made else 0)
            assert [one.sequence for one in made] == list(range(1, len(made) + 1))
            limited = row.kind == "yield" and self.limit is not None
            short = row.kind in ("yield", "scrap") and self.may(row.kind, row.business_date) != exact
            wanted = {"SCRAP_EXCEEDS_GROSS"} if short else {"", "OVER_DELIVERY"} if limited else {""}
            assert not self.open or row.code in wanted, key
            assert self.open or row.code
            if row.kind == "yield":
                yields.append((exact, row.posted))
            urgent = row.kind == "scrap" and row.business_date in self.urgent
            at_cut = self.now in CUTS or row.kind == "consumption" or (self.completed and row.kind == "yield") or urgent
            if self.open and at_cut and not limited:
                assert row.posted == self.steps(row.kind, row.business_date, row.scale), (key, "everything due was posted")
        if self.open:
            self.urgent.clear()
        if self.open and over and self.limit is not None and all(exact >= 0 for exact, _ in yields):
            assert self.received() == min(self.limit, sum(exact for exact, _ in yields)), "up to the limit, no more, no less"

    @invariant()
    def nothing_is_lost(self) -> None:
        if not hasattr(self, "steady"):
            return
        self.steady.check_conservation()
        self.restarted.check_conservation()
        assert self.steady.step.rows.rows == self.restarted.step.rows.rows


DEEP = os.environ.get("LINELEDGER_DEEP") == "1"
LedgerMachine.TestCase.settings = settings(max_examples=20_000 if DEEP else 2_000, stateful_step_count=50)
test_ledger = LedgerMachine.TestCase
