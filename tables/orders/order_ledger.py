"""One order with all of its accounts at one moment: what each account holds, what waits and why, what becomes a posting.

Pure: rows in, changed rows and postings out. streams/orders/book.py loads, keeps and sends them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from schemas.configuration.rules import PostRule
from schemas.records import AccountRow, Component, MaterialRow, OrderRow, Posting
from tables.decisions import DROP, deducted, let_through, standing
from tables.orders import account as ledger
from tables.orders import carry, final_flag, locations, parking, pieces, rework, taken
from tables.orders import order as orders
from tables.orders.account import BASIS, STOCK, row_key
from tables.orders.account_unit import erp_unit
from tables.orders.backflush import MAX_PHANTOM_LEVELS, Derived, derive, places, source_of
from tables.orders.components import ItemShare, candidates, components_for, need_of, phantom_of, pinned, shares
from tables.orders.conversions import of_account
from tables.orders.due import Look, due_time, enough
from tables.orders.parking import OVER_DELIVERY
from tables.orders.plant_rules import PlantRules
from tables.orders.postings import Issue, Materials, confirm_final, issue
from tables.quantity import fraction, round_half_away
from tables.refusal import Refusal


@dataclass(slots=True, frozen=True)
class Moment:
    """What all orders of a plant have in common when they are served."""

    rules: PlantRules
    materials: Materials
    now: int
    """The plant's clock, microseconds."""
    endpoint: str
    final: bool = False
    """The end of recorded input."""
    missing_sources: Sequence[str] = ()


class OrderLedger:
    def __init__(self, order: OrderRow, accounts: Iterable[AccountRow], moment: Moment) -> None:
        """`accounts`: all of the order. Rows are changed in place."""
        self.order, self._moment = order, moment
        self.accounts = {row_key(row): row for row in accounts}
        self._sorted: list[AccountRow] = []
        self._targets: dict[int, int] = {}
        """id of the account -> steps that it stands for."""
        self._noted: set[int] = set()
        """ids of the accounts that were recorded and not settled since: nothing of them changed."""
        self._missing: dict[pieces.Group, dict[str, Fraction]] = {}

    # -- consumption that follows from other accounts

    def derived(self, changed: Collection[str]) -> set[str]:
        """Row keys of the accounts whose derived sources change because these accounts did; new ones are among `accounts`."""
        found = self._match(changed) if self.order.known else set()
        fresh: Collection[str] = found.union(changed)
        for _ in range(MAX_PHANTOM_LEVELS):
            grown: set[str] = set()
            for operation, business_date in places(self.order, [self.accounts[key] for key in fresh]):
                grown |= self._derive(operation, business_date)
            found |= grown
            fresh = grown
            if not fresh:
                break
        return found

    def _derive(self, operation: str, business_date: str) -> set[str]:
        if not self.order.known:
            return set()
        rules = self._moment.rules
        return self._take(derive(rules.configuration, self.order, operation, business_date, self._in_order(), rules.units))

    def _take(self, derived: Iterable[Derived]) -> set[str]:
        """Row keys of the accounts in which something derived is another one than before."""
        changed = set[str]()
        for one in derived:
            key = row_key(one.account)
            known = self.accounts.get(key)
            source = known.sources.get(one.source_key) if known is not None else None
            before = Fraction(source.numerator, source.denominator) if source is not None else Fraction(0)
            if before == one.amount and (source is None or not one.amount or source.unit == one.unit):
                continue
            target = self.accounts[key] = known or one.account
            target.sources[one.source_key] = source_of(one)
            target.since = target.since or self._moment.now
            changed.add(key)
        return changed

    def _match(self, changed: Collection[str]) -> set[str]:
        """Scrap and rework find their pieces (docs/domain.md, Scrap finds its pieces)."""
        rows = [row for key in changed if (row := self.accounts[key]).kind == "yield"]
        found = set[str]()
        for group in sorted({pieces.Group(row.operation, row.material) for row in rows}):
            yields = self._yields(group)
            if any(pieces.is_short(row) for row in yields):
                found |= self._take(pieces.moves(yields, self._holds(yields[0]), self._unit_of(yields[0])))
        return found

    def _yields(self, group: pieces.Group) -> list[AccountRow]:
        return [row for row in self._in_order() if row.kind == "yield" and pieces.group_of(row) == group]

    def _holds(self, like: AccountRow, moved: bool = False) -> pieces.Holds:
        """What accounts hold, in the unit of this one. `moved`: with moved pieces."""
        configuration, units, unit = self._moment.rules.configuration, self._moment.rules.units, self._unit_of(like)
        return lambda row: pieces.held(row, orders.weights_of(configuration, self.order, row), unit, units, moved)

    def _missing_of(self, group: pieces.Group) -> dict[str, Fraction]:
        """Row keys of the scrap and rework that has no pieces, with how much of it, in the account's unit."""
        if group not in self._missing:
            found: dict[str, Fraction] = {}
            yields = self._yields(group)
            if any(pieces.is_short(row) for row in yields):
                rest = self._holds(yields[0], moved=True)
                lowering = [row for row in self._in_order() if row.kind in pieces.LOWER and pieces.group_of(row) == group]
                for row, quantity in pieces.waiting(yields, lowering, rest):
                    found[row_key(row)] = quantity * self._holds(row, moved=True)(row) / rest(row)
            self._missing[group] = found
        return self._missing[group]

    def _beyond(self, like: AccountRow) -> dict[str, Fraction]:
        """Row keys of what gives back more of a component than the order took, with how much of it, in the unit of `like`."""
        units = self._moment.rules.units

        def holds(row: AccountRow) -> Fraction:
            found = of_account(row, ledger.recorded_of(row), like.unit, units)
            return Fraction(0) if isinstance(found, Refusal) else found

        rows = [row for row in self.accounts.values() if taken.same_component(row, like) and not row.covered]
        return {row_key(row): quantity for row, quantity in taken.beyond(rows, holds)}

    def sharing(self, changed: Collection[str]) -> set[str]:
        """Row keys of what shares open rework, or pieces that are missing, with accounts that changed."""
        rows = [self.accounts[key] for key in changed]
        reworked = [row for row in rows if row.kind == "rework"]
        found = {key for key, other in self.accounts.items() if any(rework.same(row, other) for row in reworked)}
        for group in {group for row in rows if (group := pieces.group_of(row)) is not None}:
            here = {key: row for key, row in self.accounts.items() if pieces.group_of(row) == group}
            if any(row.code == pieces.SCRAP_EXCEEDS_GROSS for row in here.values()) or self._missing_of(group):
                found |= here.keys()
        found |= self._beyond_limit({row.material for row in rows if row.kind == "yield"})
        used = {row.material for row in rows if row.kind == "consumption"}
        return found | {key for key, row in self.accounts.items() if row.material in used and _gives_back(row)}

    def _beyond_limit(self, materials: Collection[str]) -> set[str]:
        """Row keys of the yields that share the limit of one of these materials, where one of them waits for it: which of them
        is beyond it depends on all."""
        waits = {row.material for row in self.accounts.values() if row.code == OVER_DELIVERY and row.material in materials}
        return {key for key, row in self.accounts.items() if row.kind == "yield" and row.material in waits}

    # -- one account

    def recorded(self, keys: Iterable[str]) -> set[str]:
        """Note what these accounts hold, in their ERP unit. Row keys of all that stand for another number of steps with it: the
        carry moves on."""
        for key in keys:
            if self.accounts[key].kind != BASIS:
                self._record(self.accounts[key])
                self._noted.add(id(self.accounts[key]))
        self._targets = carry.targets(self.accounts.values())
        return {key for key, row in self.accounts.items() if row.unit and self._targets.get(id(row), row.target) != row.target}

    def settle(self, row: AccountRow) -> None:
        """What the account stands for, and what of it has to wait."""
        if id(row) in self._noted:
            self._noted.discard(id(row))
        else:
            self._record(row)
        row.target = self._targets[id(row)]
        material, rule_at = self._moment.materials(row.material), self._moment.rules.rule_for(row, self.order)
        parking.unpark(row)
        row.covered = orders.covered(self._moment.rules.configuration, self.order, row)
        self._park(row, material, rule_at is not None)

    def _record(self, row: AccountRow) -> None:
        """What the account holds in its ERP unit."""
        rules, order = self._moment.rules, self.order
        configuration, units = rules.configuration, rules.units
        locations.place(configuration, order, row, rules.rule_for(row, order))
        if not row.sequence:
            row.unit, row.scale = self._erp_unit(row)
        counts = orders.weights_of(configuration, order, row)
        phantom = phantom_of(components_for(configuration, order, pinned(row), row), row)
        row.apart = ledger.apart(row, counts, row.unit, units, phantom.quantity.unit if phantom is not None else "")
        ledger.note(row, ledger.recorded(row, counts, row.unit, units, {one.unit for one in row.apart}))

    def _park(self, row: AccountRow, material: MaterialRow | None, posted: bool) -> None:
        """`posted`: is there a rule that posts it?"""
        rules, order, now = self._moment.rules, self.order, self._moment.now
        found = parking.reasons(rules.configuration, order, material, row, rules.times.periods, now)
        gone = deducted(row)
        goal = row.target - gone
        for one in found:
            if posted or one.code not in parking.OVER:
                through = let_through(row, one.code)
                held = parking.beyond(goal, row.posted, through)
                if through is None or held:
                    parking.park(row, one, gone + held)
                    return
        excess = self._excess(row) if not row.covered else None
        if excess is not None:
            held = parking.beyond(goal, goal - excess.steps, let_through(row, excess.why.code))
            if held:
                parking.park(row, excess.why, gone + held)
                return
        if gone:
            newest = next(one for one in reversed(list(standing(row))) if one.decision == DROP)
            parking.park(row, Refusal(newest.code, f"dropped: {newest.why}"), gone)

    def _excess(self, row: AccountRow) -> parking.Excess | None:
        """A part of the account that has to wait."""
        rules = self._moment.rules
        accounts = self._in_order() if row.kind in rework.KINDS else []
        group = pieces.group_of(row)
        excess = parking.beyond_gross(row, self._missing_of(group).get(row_key(row)) if group else None) if group else None
        negative = row.kind == "consumption" and row.recorded_numerator < 0
        if negative and not orders.comes_back(rules.configuration, self.order, row):
            excess = parking.beyond_taken(row, self._beyond(row).get(row_key(row)))
        excess = excess or parking.rework_excess(row, accounts, rules.units)
        return excess or parking.over_delivery(
            rules.configuration, self.order, row, accounts, rules.units, lambda one: self._targets.get(id(one), one.target)
        )

    def issue(self, row: AccountRow, due_at: int | None, pressed: bool = False) -> list[Posting]:
        """What is posted of the account now; it notes when to look at it again. `due_at`: since when it is due. `pressed`: what
        goes with it is posted now."""
        times, now = self._moment.rules.times, self._moment.now
        rule_at = self._moment.rules.rule_for(row, self.order)
        if rule_at is None or row.covered:
            row.due_at = None
            return []
        rule = rule_at.rule
        due = now if due_at is not None or pressed else due_time(row, rule, self.order, times, now)
        if due is None or due > now or not ledger.unposted(row):
            row.due_at = due_time(row, rule, self.order, times, now + 1) if due == now else due
            return []
        if not pressed and not enough(row, rule, self.order, times, Look(now, due_at, self._moment.final)):
            row.due_at = due_time(row, rule, self.order, times, now + 1)
            return []
        made = issue(row, self._how(row, rule))
        row.due_at, row.since = None, 0
        return made

    def _how(self, row: AccountRow, rule: PostRule) -> Issue:
        configuration, now = self._moment.rules.configuration, self._moment.now
        periods = self._moment.rules.times.periods
        return Issue(
            rule=rule,
            configuration=configuration,
            order=self.order,
            counts=orders.weights_of(configuration, self.order, row),
            cut=now,
            posting_date=row.business_date if periods is None else periods.posting_date(row.business_date, now),
            endpoint=self._moment.endpoint,
            materials=self._moment.materials,
            shares=lambda amount: self._shares(row, amount),
            missing_sources=self._moment.missing_sources,
        )

    # -- after all accounts were served

    def paired(self, made: Iterable[Posting]) -> set[str]:
        """Row keys of what goes in one document with these postings of the order: yield that scrap lowered, and the scrap that
        lowered it (docs/domain.md, Yield)."""
        lowered, scrapped = set[pieces.Group](), set[pieces.Group]()
        for one in made:
            if one.kind == "yield" and one.amount < 0:
                lowered.add(pieces.Group(one.operation, one.material))
            elif one.kind == "scrap":
                scrapped.add(pieces.Group(one.operation, one.material))
        if not lowered and not scrapped:
            return set()
        return {
            key
            for key, row in self.accounts.items()
            if (group := pieces.group_of(row)) is not None
            and (
                (row.kind == "scrap" and group in lowered and ledger.unposted(row) > 0)
                or (row.kind == "yield" and group in scrapped and ledger.unposted(row) < 0 and pieces.is_short(row))
            )
        }

    def freed(self, made: Iterable[Posting]) -> set[str]:
        """Row keys of what is parked for over-delivery, when these postings of the order gave it room."""
        if not any(one.kind == "yield" and one.amount < 0 for one in made):
            return set()
        return {key for key, row in self.accounts.items() if row.code == OVER_DELIVERY}

    def mark_final(self, made: Iterable[Posting]) -> list[Posting] | None:
        """The final flag goes once per operation, with the last yield posting of a completed one, or, if all was posted before,
        with a confirmation of zero (docs/domain.md, Final flag). None: no operation is final now; else the latter."""
        last = {one.operation: one for one in made if one.kind == "yield"}
        rules, told, zeros = self._moment.rules, list[str](), list[Posting]()
        for operation, yields in final_flag.final_now(self.order, self.accounts):
            if operation in last:
                last[operation].final = True
            else:
                row = final_flag.alone(self.order, yields, lambda one: rules.rule_for(one, self.order) is not None)
                rule_at = rules.rule_for(row, self.order) if row is not None else None
                if row is None or rule_at is None:
                    continue
                zeros.append(confirm_final(row, self._how(row, rule_at.rule)))
            told.append(operation)
        self.order.final_sent = [*self.order.final_sent, *told]
        return zeros if told else None

    # -- where an account goes, and in which unit

    def _in_order(self) -> list[AccountRow]:
        """By key; an account never leaves."""
        if len(self._sorted) != len(self.accounts):
            self._sorted = [self.accounts[key] for key in sorted(self.accounts)]
        return self._sorted

    def _shares(self, row: AccountRow, amount: int) -> Sequence[ItemShare]:
        """How an amount is spread over locations, and over the reservation items of its component."""
        configuration = self._moment.rules.configuration
        # After a technical completion the ERP has deleted the reservations (docs/domain.md, Technical completion).
        reserved = self.order.status != "technically_complete"
        reserved = reserved and configuration.erp.booking("consumption").reservation != "none"
        if row.kind == "consumption":
            components = components_for(configuration, self.order, pinned(row), row)
            found = candidates(components, row)
            if len(found) > 1 and reserved:
                return self._reserved(row, amount, found)
            given = locations.spread(amount, {row.location: max(0, row.posted + amount)}, locations.issued(row), row.location)
        elif row.kind == "yield":
            given = locations.spread(amount, self._lies(row), locations.issued(row), row.location)
        elif row.place == STOCK:
            given = self._from_stock(row, amount)
        else:
            given = {row.location: amount}
        item = row.reservation_item if reserved else ""
        return [ItemShare(item, location, steps) for location, steps in given.items()]

    def _lies(self, row: AccountRow) -> Mapping[str, int]:
        """Where the pieces of a yield are received."""
        rules, rule_at = self._moment.rules, self._moment.rules.rule_for(row, self.order)
        counts = orders.weights_of(rules.configuration, self.order, row)
        received_at = partial(locations.receipt_location, rules.configuration, self.order, rule_at, row.material)
        return locations.of_pieces(row, counts, received_at, rules.units)

    def _from_stock(self, row: AccountRow, amount: int) -> dict[str, int]:
        """Scrap of pieces that were received is taken from where they lie, or will lie when it is all posted."""
        lie, own = dict[str, int](), locations.issued(row)
        for other in self._in_order():
            if (other.operation, other.material) == (row.operation, row.material) and row.lot in ("", other.lot):
                known, sign = locations.issued(other), -1
                if other.kind == "yield":
                    rest, sign = max(0, ledger.unposted(other)), 1
                    coming = locations.spread(rest, self._lies(other), known, other.location) if rest else {}
                    known = {one: known.get(one, 0) + coming.get(one, 0) for one in (*known, *coming)}
                if other.kind == "yield" or (other.place == STOCK and other is not row):
                    for location, steps in known.items():
                        lie[location] = lie.get(location, 0) + sign * steps
        rule_at = self._moment.rules.rule_for(row, self.order)
        default = locations.receipt_location(self._moment.rules.configuration, self.order, rule_at, row.material, "")
        return locations.spread(amount, lie, own, default)

    def _reserved(self, row: AccountRow, amount: int, found: Sequence[Component]) -> Sequence[ItemShare]:
        """How an amount is spread over the reservation items of its component."""
        needs: dict[str, int] = {}
        issued = {one.item: Fraction(0) for one in found}
        for component in found:
            need = need_of(self.order, component, row.unit, self._moment.rules.units)
            needs[component.item] = 0 if need is None else round_half_away(need, row.scale)
        for other in self._in_order():
            for posting in other.issued if (other.kind, other.material) == (row.kind, row.material) else ():
                if posting.reservation_item in issued:
                    issued[posting.reservation_item] += fraction(posting.amount, other.scale)
        steps = {item: round_half_away(quantity, row.scale) for item, quantity in issued.items()}
        given = shares(amount, found, needs, steps)
        return [one if one.location else one._replace(location=row.location) for one in given]

    def _unit_of(self, row: AccountRow) -> str:
        """The account's unit, also before it was settled."""
        return row.unit if row.sequence else self._erp_unit(row)[0]

    def _erp_unit(self, row: AccountRow) -> tuple[str, int]:
        rules = self._moment.rules
        return erp_unit(rules, self.order, row, rules.rule_for(row, self.order), self._moment.materials(row.material))


def _gives_back(row: AccountRow) -> bool:
    return row.kind == "consumption" and (row.recorded_numerator < 0 or row.code == taken.BELOW_ZERO)
