"""The book of orders at one tick: loads the orders of which something changed or is due, has them served
(tables/orders/order_ledger.py), keeps what changed and sends what was issued. One step, one plant."""

from collections.abc import Mapping

from schemas.records import AccountRow, CutOff, MaterialRow, OrderRow, Posting, ProductionTotal
from schemas.topics import DELIVERY_INBOX, LEDGER_CUT_OFF, PRODUCTION_TOTALS
from streams.endpoints import partition_of
from streams.orders.memory import OrdersMemory
from streams.orders.rest import named_by
from streams.silence import missing_sources
from streams.step import Step
from tables.clock_times import lowered
from tables.orders import order as orders
from tables.orders.account import BASIS, account_key
from tables.orders.cut_off import left_behind
from tables.orders.due import due_time
from tables.orders.order_ledger import Moment, OrderLedger
from tables.orders.plant_rules import PlantRules
from tables.row_kinds import ACCOUNT_ROWS, MATERIAL_ROWS, ORDER_ROWS


class Book:
    def __init__(self, step: Step, memory: OrdersMemory, rules: PlantRules, name: str, now: int, final: bool) -> None:
        """`name`: of the plant; `now`: its clock; `final`: the end of recorded input."""
        self.step, self._memory, self._rules, self._name, self._now = step, memory, rules, name, now
        missing = missing_sources(step.state, rules.configuration) if step.state.silent else ()
        endpoint = rules.configuration.erp.erp.endpoint
        self._moment = Moment(rules, self._material, now, endpoint, final, missing)
        self._ledgers: dict[str, OrderLedger] = {}
        """By the order's row key."""
        self._made: list[Posting] = []

    def serve(self, changed: set[str], endpoints: Mapping[str, int]) -> None:
        """Settle what changed, then issue what is due, in key order: the same log gives the same postings. Adds to `changed`
        what changes with it. `endpoints`: of the installation, with their partitions."""
        for order, keys in self._by_order(changed).items():
            ledger = self._ledger(order)
            derived = ledger.derived(keys)
            for key in sorted(derived):
                self.step.rows.put(key, ledger.accounts[key])
                self._memory.know(key, ledger.accounts[key])
            changed |= derived | ledger.sharing(keys | derived)
        due = self._memory.due.take(self._name, self._now)
        moved: set[str] = set()
        for order, keys in self._by_order(changed | due.keys()).items():
            moved |= self._ledger(order).recorded(keys)
        changed |= moved
        for key in sorted(changed | due.keys()):
            self._account(key, due.get(key), key in changed)
        for key in sorted(self._paired()):
            self._account(key, None, False, pressed=True)
        for key in sorted(self._freed()):
            self._account(key, None, False)
        self._mark_final()
        for posting in self._made:
            name = posting.endpoint
            self.step.emit(DELIVERY_INBOX, name, posting, partition_of(endpoints, name))

    @property
    def issued(self) -> int:
        """How many postings were issued."""
        return len(self._made)

    def touched(self, changed: set[str]) -> set[str]:
        """Row keys of the orders of which something changed or was issued."""
        return {named_by(key).order for key in changed} | {orders.row_key(one.plant, one.order) for one in self._made}

    def reschedule(self) -> None:
        """A repair of the clock: what was due or waited since a later time than now is so from now on."""
        for key in self._memory.active(self._name):
            row: AccountRow = self.step.rows.get(key)
            rule_at = self._rules.rule_for(row, order := self._order_of(row))
            changed = lowered(row, self._now)
            if rule_at is not None and row.due_at is not None and (changed or row.due_at > self._now):
                row.due_at = due_time(row, rule_at.rule, order, self._rules.times, self._now)
                self._memory.due.put(self._name, key, row.due_at)
                changed = True
            if changed:
                self.step.rows.put(key, row)

    def report_cut_off(self, before: int) -> None:
        """When a period closed since `before`: what it misses, account by account (docs/domain.md, Cut-off)."""
        periods = self._rules.times.periods
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
                    self.step.emit(LEDGER_CUT_OFF, f"{row.plant}|{closed.period}", record)

    # -- one account

    def _account(self, key: str, due_at: int | None, changed: bool, pressed: bool = False) -> None:
        ledger = self._ledger(named_by(key).order)
        row = ledger.accounts[key]
        if row.kind == BASIS:
            return
        ledger.settle(row)
        self._made += ledger.issue(row, due_at, pressed)
        self._memory.due.put(self._name, key, row.due_at)
        self.step.rows.put(key, row)
        self._memory.settled(key, row)
        if changed:
            self._publish(row)

    # -- orders

    @staticmethod
    def _by_order(keys: set[str]) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for key in sorted(keys):
            found.setdefault(named_by(key).order, set()).add(key)
        return found

    def _ledger(self, order: str) -> OrderLedger:
        known = self._ledgers.get(order)
        if known is None:
            accounts = [self.step.rows.get(key) for key in sorted(self._memory.accounts_of(order))]
            row: OrderRow = self.step.rows.get(order) or OrderRow(self._name, accounts[0].order)
            known = self._ledgers[order] = OrderLedger(row, accounts, self._moment)
        return known

    def _order_of(self, row: AccountRow) -> OrderRow:
        return ORDER_ROWS.find(self.step.rows, row.plant, row.order) or OrderRow(row.plant, row.order)

    def _material(self, material: str) -> MaterialRow | None:
        return MATERIAL_ROWS.find(self.step.rows, self._name, material)

    def _made_by_order(self) -> dict[str, list[Posting]]:
        made: dict[str, list[Posting]] = {}
        for posting in self._made:
            made.setdefault(orders.row_key(posting.plant, posting.order), []).append(posting)
        return made

    def _paired(self) -> set[str]:
        return {key for order, made in self._made_by_order().items() for key in self._ledgers[order].paired(made)}

    def _freed(self) -> set[str]:
        return {key for order, made in self._made_by_order().items() for key in self._ledgers[order].freed(made)}

    def _mark_final(self) -> None:
        made = self._made_by_order()
        for key, ledger in sorted(self._ledgers.items()):
            alone = ledger.mark_final(made.get(key, ()))
            if alone is None or self.step.rows.get(key) is None:
                continue
            self.step.rows.put(key, ledger.order)
            for posting in alone:
                account = ACCOUNT_ROWS.key(posting.account)
                self.step.rows.put(account, ledger.accounts[account])
                self._memory.settled(account, ledger.accounts[account])
            self._made += alone

    # -- what others are told

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
        self.step.emit(PRODUCTION_TOTALS, f"{row.plant}|{row.order}", record)
