"""The book of orders at one tick: settles accounts, issues what is due, and publishes. One step, one plant."""

from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction

from schemas.configuration.rules import RuleAt
from schemas.records import AccountRow, CutOff, MaterialRow, OrderRow, Posting, ProductionTotal
from streams.orders_memory import Memory, Plant
from streams.silence import missing_sources
from streams.step import Step
from tables import account as ledger
from tables import order as orders
from tables import rework
from tables.account import BASIS, TIMES, account_key, row_key
from tables.backflush import derive, phantom_of, source_of
from tables.components import Share, candidates, component_of, components_at, mode_of, need_of, revision_of, shares
from tables.cut_off import left_behind
from tables.decisions import DROP, POST, verdict
from tables.due import due_time, enough, waits_for_counts
from tables.issue import Issue, issue
from tables.quantity import fraction, round_half_away
from tables.rejected import Rejected
from tables.row_kinds import MATERIAL_ROWS

ENDPOINT = "erp"
DEFAULT_DECIMALS = {"kg": 3, "l": 3, "m": 3, "t": 6, "h": 2, "min": 1, "s": 0, "ms": 0}
"""Of ERP units that no material master describes; pieces and boxes have none."""
MAX_PHANTOM_LEVELS = 5
"""Phantoms within phantoms; deeper ones stay with the last that was exploded."""


class Book:
    def __init__(self, step: Step, memory: Memory, plant: Plant, name: str, now: int, final: bool) -> None:
        """`name`: of the plant; `now`: its clock; `final`: the end of recorded input."""
        self.step, self._memory, self._plant, self._name = step, memory, plant, name
        self._now, self._final = now, final
        self._configuration = plant.configuration
        self._made: list[Posting] = []
        self._missing = missing_sources(step.state, plant.configuration) if step.state.silent else []
        self._orders: dict[str, OrderRow] = {}

    def serve(self, changed: set[str], endpoint: int) -> None:
        """Settle what changed, then issue what is due, in key order: the same log gives the same postings."""
        self._derive(changed)
        changed |= self._touched_by_rework(changed)
        due = self._memory.due.take(self._name, self._now)
        for key in sorted(changed | due.keys()):
            self._account(key, due.get(key), key in changed)
        for key in sorted(self._freed()):
            self._account(key, None, False)
        self._mark_final()
        for posting in self._made:
            self.step.emit("delivery.inbox", ENDPOINT, posting, endpoint)

    def touched(self, changed: set[str]) -> set[str]:
        """Row keys of the orders of which something changed or was issued."""
        rows: list[AccountRow | None] = [self.step.rows.get(key) for key in changed]
        named = {orders.row_key(row.plant, row.order) for row in rows if row is not None}
        return named | {orders.row_key(one.plant, one.order) for one in self._made}

    def reschedule(self) -> None:
        """A repair of the clock: what was due or waited since a later time than now is so from now on."""
        for key in self._memory.active(self._name):
            row: AccountRow = self.step.rows.get(key)
            rule_at = self._plant.rule_for(row, order := self._order(row))
            if rule_at is None or ((row.due_at is None or row.due_at <= self._now) and row.since <= self._now):
                continue
            row.since = min(row.since, self._now)
            if row.due_at is not None:
                row.due_at = due_time(row, rule_at.rule, order, self._plant.times, self._now)
            self._memory.due.put(self._name, key, row.due_at)
            self.step.rows.put(key, row)

    def report_cut_off(self, before: int) -> None:
        """When a period closed since `before`: what it misses, account by account (docs/domain.md, Cut-off)."""
        periods = self._plant.times.periods
        if periods is None or not before:
            return
        closed = periods.last_close(self._now)
        if not before < closed.at <= self._now:
            return
        for key in sorted(self._memory.left[self._name]):
            row: AccountRow = self.step.rows.get(key)
            if row.business_date[:7] <= closed.period:
                for left in left_behind(row):
                    record = CutOff(
                        plant=row.plant,
                        period=closed.period,
                        account=key[2:],
                        order=row.order,
                        kind=row.kind,
                        code=left.code,
                        unit=left.unit,
                        scale=left.scale,
                        amount=left.steps,
                        closed_at=closed.at,
                    )
                    self.step.emit("ledger.cut-off", f"{row.plant}|{closed.period}", record)

    # -- one account

    def _account(self, key: str, due_at: int | None, changed: bool) -> None:
        row: AccountRow = self.step.rows.get(key)
        if row.kind == BASIS:
            return
        order = self._order(row)
        self._settle(order, row)
        self._post(order, row, due_at)
        self._memory.due.put(self._name, key, row.due_at)
        self.step.rows.put(key, row)
        self._memory.settled(key, row)
        if changed:
            self._publish(row)

    def _order(self, row: AccountRow) -> OrderRow:
        key = orders.row_key(row.plant, row.order)
        known = self._orders.get(key)
        if known is None:
            known = self._orders[key] = self.step.rows.get(key) or OrderRow(row.plant, row.order)
        return known

    def _settle(self, order: OrderRow, row: AccountRow) -> None:
        """What the account holds in its ERP unit, and why it may have to wait."""
        configuration = self._configuration
        material: MaterialRow | None = self.step.rows.get(MATERIAL_ROWS.key(row.plant, row.material))
        rule_at = self._plant.rule_for(row, order)
        self._place(order, row, rule_at)
        if not row.sequence:
            row.unit, row.scale = self._erp_unit(order, row, material, rule_at)
        counts = orders.weights_of(configuration, order, row)
        phantom = phantom_of(components_at(configuration, order, revision_of(row)), row)
        exploded = phantom.quantity.unit if phantom is not None else ""
        row.apart = ledger.apart(row, counts, row.unit, self._plant.units, exploded)
        row.code, row.detail, row.parked, row.dropped = "", "", 0, False
        apart = {one.unit for one in row.apart}
        ledger.settle(row, ledger.recorded(row, counts, row.unit, self._plant.units, apart))
        row.covered = phantom is not None or orders.covered(configuration, order, row) or self._not_sent(order, row)
        found = orders.problems(configuration, order, material, row, self._plant.times.periods, self._now)
        wrong = next((one for one in found if verdict(row, one.code) != POST and (rule_at or one.code not in orders.OVER)), None)
        if wrong is not None:
            self._park(row, wrong)
        elif not row.covered and not self._limit_rework(row):
            self._limit(order, row)

    @staticmethod
    def _park(row: AccountRow, wrong: Rejected, steps: int | None = None) -> None:
        row.code, row.detail = wrong.code, wrong.detail
        row.parked = row.target - row.posted if steps is None else steps
        row.dropped = verdict(row, wrong.code) == DROP

    def _limit_rework(self, row: AccountRow) -> bool:
        """What came back from rework that was never open waits until it is declared (docs/domain.md, Rework)."""
        if row.kind not in rework.KINDS or verdict(row, "REWORK_EXCEEDED") == POST:
            return False
        excess = rework.beyond(row, self._of_order(row), self._plant.units)
        steps = round_half_away(excess, row.scale)
        if steps:
            detail = f"more rework of {row.material} came back than was open"
            self._park(row, Rejected("REWORK_EXCEEDED", detail), steps)
        return bool(steps)

    def _touched_by_rework(self, changed: set[str]) -> set[str]:
        """Accounts that share their open rework with one that changed."""
        found = set()
        for row in [self.step.rows.get(key) for key in sorted(changed)]:
            if row.kind == "rework":
                found |= {row_key(other) for other in self._of_order(row) if rework.same(row, other)}
        return found

    def _limit(self, order: OrderRow, row: AccountRow) -> None:
        """Over-delivery: post up to the limit, park the excess only."""
        if row.kind != "yield" or not orders.receives(order, row.operation) or verdict(row, "OVER_DELIVERY") == POST:
            return
        most = orders.limit(self._configuration, order, row.material)
        item = orders.item_of(order, row.material)
        if most is None or item is None:
            return
        room = self._plant.units.convert(most, item.quantity.unit, row.unit, row.material)
        if isinstance(room, Rejected):
            return
        for other in self._of_order(row):
            if (other.kind, other.material, other.operation) == (row.kind, row.material, row.operation) and other is not row:
                taken = self._plant.units.convert(fraction(other.posted, other.scale), other.unit, row.unit, row.material)
                room -= Fraction(0) if isinstance(taken, Rejected) else taken
        allowed = max(0, int(room * 10**row.scale))
        excess = row.target - max(allowed, min(row.posted, row.target))
        if row.target > allowed and excess:
            detail = f"order {order.order} may receive {most} {item.quantity.unit} of {row.material}"
            self._park(row, Rejected("OVER_DELIVERY", detail), excess)

    def _of_order(self, row: AccountRow) -> list[AccountRow]:
        return [self.step.rows.get(key) for key in sorted(self._memory.of_account(row))]

    def _post(self, order: OrderRow, row: AccountRow, due_at: int | None) -> None:
        times, rule_at = self._plant.times, self._plant.rule_for(row, order)
        if rule_at is None or row.covered:
            row.due_at = None
            return
        rule, now = rule_at.rule, self._now
        due = now if due_at is not None else due_time(row, rule, order, times, now)
        if due is None or due > now or not ledger.unposted(row) or waits_for_counts(row):
            row.due_at = due_time(row, rule, order, times, now + 1) if due == now else due
            return
        if not enough(row, rule, order, times, due_at, now, self._final):
            row.due_at = due_time(row, rule, order, times, now + 1)
            return
        periods = times.periods
        how = Issue(
            rule=rule,
            configuration=self._configuration,
            order=order,
            counts=orders.weights_of(self._configuration, order, row),
            cut=now,
            posting_date=row.business_date if periods is None else periods.posting_date(row.business_date, now),
            endpoint=ENDPOINT,
            materials=lambda material: self.step.rows.get(MATERIAL_ROWS.key(row.plant, material)),
            shares=lambda amount: self._shares(order, row, amount),
            missing_sources=self._missing,
        )
        self._made += issue(row, how)
        row.due_at, row.since = None, 0

    def _freed(self) -> set[str]:
        """Accounts parked for over-delivery whose order got room by what was just taken back."""
        shrunk = {(one.plant, one.order) for one in self._made if one.kind == "yield" and one.amount < 0}
        keys = {key for plant, order in shrunk for key in self._memory.accounts_of(orders.row_key(plant, order))}
        return {key for key in keys if self.step.rows.get(key).code == "OVER_DELIVERY"}

    def _mark_final(self) -> None:
        """The final flag goes once per operation, with the last yield posting of a completed one: nothing of it may be
        left that could still follow, an excess that nobody may receive excepted (docs/domain.md, Final flag)."""
        last = {(one.plant, one.order, one.operation): one for one in self._made if one.kind == "yield"}
        for (plant, name, operation), posting in sorted(last.items()):
            key = orders.row_key(plant, name)
            order: OrderRow | None = self.step.rows.get(key)
            if order is None or operation in order.final_sent or not orders.is_completed(order, operation):
                continue
            rows = [self.step.rows.get(one) for one in sorted(self._memory.accounts_of(key))]
            if not any(_follows(row) for row in rows if (row.kind, row.operation) == ("yield", operation)):
                posting.final = True
                order.final_sent = [*order.final_sent, operation]
                self.step.rows.put(key, order)

    # -- what an account counts, where it goes

    def _not_sent(self, order: OrderRow, row: AccountRow) -> bool:
        """erp_backflush: the ERP derives it; what was declared about it is only a check."""
        if row.kind != "consumption":
            return False
        components = components_at(self._configuration, order, revision_of(row))
        return mode_of(self._configuration, component_of(components, row), row) == "erp_backflush"

    def _shares(self, order: OrderRow, row: AccountRow, amount: int) -> Sequence[Share]:
        found = candidates(components_at(self._configuration, order, revision_of(row)), row) if row.kind == "consumption" else []
        # After a technical completion the ERP has deleted the reservations (docs/domain.md, Technical completion).
        reserved = order.status != "technically_complete" and self._configuration.erp.booking("consumption").reservation != "none"
        if len(found) < 2 or not reserved:
            return [Share(row.reservation_item if reserved else "", row.location, amount)]
        needs: dict[str, int] = {}
        issued = {one.item: Fraction(0) for one in found}
        own = {one.item: 0 for one in found}
        for component in found:
            need = need_of(order, component, row.unit, self._plant.units)
            needs[component.item] = 0 if need is None else round_half_away(need, row.scale)
        for other in self._of_order(row):
            for posting in other.issued if (other.kind, other.material) == (row.kind, row.material) else ():
                if posting.reservation_item in issued:
                    issued[posting.reservation_item] += fraction(posting.amount, other.scale)
                    own[posting.reservation_item] += posting.amount if other is row else 0
        steps = {item: round_half_away(quantity, row.scale) for item, quantity in issued.items()}
        given = shares(amount, found, needs, steps, own)
        return [one if one.location else one._replace(location=row.location) for one in given]

    def _place(self, order: OrderRow, row: AccountRow, rule_at: RuleAt | None) -> None:
        """Receipt or issue location, and the reservation item that an issue reduces (docs/domain.md, Components and
        reservations)."""
        configuration, rule = self._configuration, rule_at.rule if rule_at is not None else None
        if row.kind == "yield":
            item = orders.item_of(order, row.material)
            equipment = next((source.equipment for _, source in sorted(row.sources.items()) if source.equipment), "")
            entry = configuration.plant.equipment_for(equipment) if equipment else None
            row.location = (
                (rule.receipt_location if rule is not None else "")
                or (entry.receipt_location if entry is not None else "")
                or (item.receipt_location if item is not None else "")
            )
            row.reservation_item = item.item if item is not None else ""
        elif row.kind == "consumption":
            component = component_of(components_at(configuration, order, revision_of(row)), row)
            stated = component.issue_location if component is not None else ""
            row.location = stated or (rule.issue_location if rule is not None else "")
            row.reservation_item = component.item if component is not None else ""

    def _erp_unit(
        self, order: OrderRow, row: AccountRow, material: MaterialRow | None, rule_at: RuleAt | None
    ) -> tuple[str, int]:
        """The rule's unit, the material's, the activity's, or the one that the sources count in."""
        unit, decimals = (rule_at.rule.unit, rule_at.rule.decimals) if rule_at is not None else ("", None)
        if row.kind in TIMES:
            booking = self._configuration.erp.book.get(row.kind)  # type: ignore[call-overload]
            unit = unit or (booking.unit if booking is not None else "") or "ms"
            decimals = decimals if decimals is not None else (booking.decimals if booking is not None else None)
        elif not unit and material is not None:
            unit, decimals = material.unit, material.decimals if decimals is None else decimals
        unit = unit or self._stated_unit(order, row)
        return unit, decimals if decimals is not None else DEFAULT_DECIMALS.get(unit.lower(), 0)

    def _stated_unit(self, order: OrderRow, row: AccountRow) -> str:
        """The unit that the sources count in, if it converts into what the order plans in; else the planned one: what
        nobody knows stands apart. Without a plan, the unit that most of the sources state."""
        units, stated = self._plant.units, Counter(source.unit for source in row.sources.values())
        planned = orders.planned_unit(self._configuration, order, row)
        if planned:
            fitting = [unit for unit in stated if not isinstance(units.factor(unit, planned, row.material), Rejected)]
            return planned if planned in fitting else min(fitting, default=planned)
        return min(stated, key=lambda unit: (-stated[unit], unit), default="PC")

    # -- consumption that follows from other accounts

    def _derive(self, changed: set[str]) -> None:
        """Add to `changed` the accounts whose derived sources changed."""
        fresh: Iterable[str] = sorted(changed)
        for _ in range(MAX_PHANTOM_LEVELS):
            places = {}
            for key in fresh:
                row = self.step.rows.get(key)
                if row.kind in (BASIS, "yield", "consumption"):
                    places[row.plant, row.order, row.operation, row.business_date] = row
            derived: set[str] = set()
            for _, row in sorted(places.items()):
                derived |= self._derive_for(row)
            changed |= derived
            fresh = sorted(derived)
            if not fresh:
                return

    def _derive_for(self, row: AccountRow) -> set[str]:
        order = self._order(row)
        if not order.known:
            return set()
        found = derive(self._configuration, order, row.operation, row.business_date, self._of_order(row), self._plant.units)
        changed: set[str] = set()
        for one in found:
            key = row_key(one.account)
            known: AccountRow | None = self.step.rows.get(key)
            source = known.sources.get(one.source_key) if known is not None else None
            before = Fraction(source.numerator, source.denominator) if source is not None else Fraction(0)
            if before == one.amount:
                continue
            target = known or one.account
            target.sources[one.source_key] = source_of(one)
            target.since = target.since or self._now
            self.step.rows.put(key, target)
            self._memory.know(key, target)
            changed.add(key)
        return changed

    def _publish(self, row: AccountRow) -> None:
        record = ProductionTotal(
            plant=row.plant,
            account=account_key(row),
            order=row.order,
            operation=row.operation,
            material=row.material,
            lot=row.lot,
            kind=row.kind,
            reason=row.reason,
            business_date=row.business_date,
            numerator=row.recorded_numerator,
            denominator=row.recorded_denominator,
            unit=row.unit,
            as_of=self._now,
        )
        self.step.emit("production.totals", f"{row.plant}|{row.order}", record)


def _follows(row: AccountRow) -> bool:
    """May another posting of this account follow as things are?"""
    waiting = any(one.quantity and one.code != "OVER_DELIVERY" and not one.dropped for one in ledger.waits(row))
    return not row.covered and (bool(ledger.unposted(row)) or waiting)
