"""Which posting rule decides about an account, why the others do not, and when it is due."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.ledger.books.snapshot import Snapshot
from app.ledger.proof.balance import order_of, units_of
from schemas.configuration import Configuration, PostRule
from schemas.configuration.triggers import AtOnce, Cut, EveryQuantity, Interval
from schemas.records import AccountRow, OrderRow
from tables.orders.account import BASIS, account_key, parse_key, unposted
from tables.orders.due import Timetable, due_time, trigger_time, without_effect
from tables.orders.plant_rules import plant_rules
from tables.plant.units import UnitTable
from tables.quantity import decimal_text
from tables.row_kinds import ACCOUNT_ROWS

MATCHED = ("order", "material", "operation", "order_type")
"""What a rule may name, weightiest first."""


def explained(configuration: Configuration, account: str, now: int) -> tuple[dict[str, Any], list[str]]:
    """The rules alone: nothing is known of the account but its key."""
    row = parse_key(account)
    if row is None:
        return {"code": "BAD_ACCOUNT"}, [_no_account(account)]
    row.unit = "PC"
    order = OrderRow(row.plant, row.order)
    return _explained(
        configuration, row, order, plant_rules(configuration, UnitTable(configuration.plant.units)).times, now, False
    )


def explained_from_ledger(snapshot: Snapshot, account: str, at: int | None) -> tuple[dict[str, Any], list[str]]:
    """The account as the ledger has it, or each account of an order, at the ledger's clock or at `at`."""
    row: AccountRow | None = snapshot.rows.get("orders", {}).get(ACCOUNT_ROWS.key(account))
    rows = (
        [row]
        if row is not None
        else [found for found in snapshot.of(ACCOUNT_ROWS) if found.order == account and found.kind != BASIS]
    )
    if not rows:
        return {"code": "BAD_ACCOUNT"}, [_no_account(account)]
    clocks = [position.marks.get("tick", 0) for position in snapshot.positions("intake")]
    now = max(clocks, default=0) if at is None else at
    times = plant_rules(snapshot.configuration, units_of(snapshot)).times
    each = [_explained(snapshot.configuration, one, order_of(snapshot, one), times, now, True) for one in rows]
    if row is not None:
        return each[0]
    lines = [line for one, (_, said) in zip(rows, each, strict=True) for line in (account_key(one), *_indented(said), "")]
    accounts = [found for found, _ in each]
    return {
        "order": account,
        "accounts": accounts,
        "rule": next((found["rule"] for found in accounts if found["rule"]), None),
    }, lines[:-1]


def _indented(lines: list[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _no_account(account: str) -> str:
    return f"BAD_ACCOUNT: {account} is no order or account; keys are plant|order|operation|material|lot|kind|reason|place|date"


def _explained(
    configuration: Configuration, row: AccountRow, order: OrderRow, times: Timetable, now: int, known: bool
) -> tuple[dict[str, Any], list[str]]:
    rules = [rule for rule in configuration.rules.post if rule.kind == row.kind]
    best = configuration.rule_for(row.kind, row.order, row.operation, row.material, order.order_type)
    zone = configuration.plant.plant.zone
    if best is None:
        unmatched = configuration.rules.rule_for(row.kind, row.order, row.operation, row.material, order.order_type) is None
        why = (
            f"No rule of rules.yaml is of kind {row.kind} and matches"
            if unmatched
            else f"`book.{row.kind}.by` is none in erp.yaml"
        )
        lines = [f"{why}: it is recorded and never posted."]
        lost = [(rule, _mismatch(rule, row, order)) for rule in rules] if unmatched else []
    else:
        named = [name for name in MATCHED if getattr(best.rule, name)]
        why = f"it names {' and '.join(f'{name} {getattr(best.rule, name)}' for name in named)}" if named else "it holds for all"
        lines = [f'Wins      "{best.rule}" ({_place(best.rule)}, version {configuration.rule_version}): {why}']
        lost = [(rule, _lost(rule, best.rule, row, order)) for rule in rules if rule is not best.rule]
    lines += [f'Loses     "{rule}" ({_place(rule)}): {why}' for rule, why in lost]
    due = None
    if best is not None:
        due = due_time(row, best.rule, order, times, now) if known else None
        lines += _triggers(best.rule, row, order, times, now, zone, known)
        if known:
            lines.append(_state(row, due, now, zone))
    found = {
        "account": "|".join((row.plant, row.order, row.operation, row.material, row.lot, row.kind)),
        "rule": None if best is None else {"text": str(best.rule), "line": best.line, "version": configuration.rule_version},
        "lost": [{"text": str(rule), "line": rule.line, "why": why} for rule, why in lost],
        "now": now,
        "due_at": due,
        "code": row.code,
    }
    return found, lines


def _place(rule: PostRule) -> str:
    return f"rules.yaml:{rule.line}" if rule.line else "built in or stored"


def _mismatch(rule: PostRule, row: AccountRow, order: OrderRow) -> str:
    actual = {"order": row.order, "material": row.material, "operation": row.operation, "order_type": order.order_type}
    wrong = [name for name in MATCHED if getattr(rule, name) not in ("", actual[name])]
    return "; ".join(f"it is for {name} {getattr(rule, name)}, this one is {actual[name] or 'unknown'}" for name in wrong)


def _lost(rule: PostRule, best: PostRule, row: AccountRow, order: OrderRow) -> str:
    mismatch = _mismatch(rule, row, order)
    if mismatch:
        return mismatch
    if rule.specificity == best.specificity:
        return "as specific, but later in the file"
    return f"less specific: {_naming(best)} weighs more than {_naming(rule)}"


def _naming(rule: PostRule) -> str:
    return " and ".join(name for name in MATCHED if getattr(rule, name)) or "naming nothing"


def _triggers(rule: PostRule, row: AccountRow, order: OrderRow, times: Timetable, now: int, zone: str, known: bool) -> list[str]:
    lines, idle = [], without_effect(rule, row.unit, row.material, times.units) if known else []
    for trigger in rule.when:
        at = trigger_time(trigger, row, order, times, now)
        if at is not None:
            text = _reached(trigger, row, order, times, zone, known) if at <= now else _local(at, zone)
        elif str(trigger) in idle:
            text = f"never, nothing says how many {row.unit} that is (RULE_UNIT_UNKNOWN)"
        elif isinstance(trigger, EveryQuantity):
            text = f"when so much is unposted{f', now {_unposted(row)}' if known else ''}"
        elif isinstance(trigger, AtOnce):
            text = "when one declaration is above that"
        else:
            text = "when that is reported"
        lines.append(f"Trigger   {trigger}: {text}")
    if rule.at_least is not None:
        holds = f"At least  {rule.at_least}; completion, sweeps and the end of input post less"
        no_effect = f"At least  {rule.at_least}: no effect, nothing says how many {row.unit} that is (RULE_UNIT_UNKNOWN)"
        lines.append(no_effect if f"at_least: {rule.at_least}" in idle else holds)
    sweep = times.next_sweep(row.business_date, now)
    if sweep is not None:
        lines.append(f"Sweep     {_local(sweep, zone)}")
    return lines


def _reached(trigger: object, row: AccountRow, order: OrderRow, times: Timetable, zone: str, known: bool) -> str:
    """When a trigger that is reached was so. A time that comes again: at the cut that it made last a posting; it is never the
    moment of the question, unless something waits for that one."""
    if not known:
        return "reached"
    if isinstance(trigger, Cut) and trigger.tag == "order_completed":
        return f"reached {_local(order.completed_at, zone)}" if order.completed_at else "reached"
    if not isinstance(trigger, Interval) and not (isinstance(trigger, Cut) and trigger.tag == "shift_end"):
        return "reached"
    if unposted(row):
        return "reached now"
    served = [entry.cut for entry in row.issued if trigger_time(trigger, row, order, times, entry.cut) == entry.cut]
    return f"nothing waits for it; it was reached {_local(max(served), zone)}" if served else "nothing waits for it"


def _state(row: AccountRow, due: int | None, now: int, zone: str) -> str:
    state = f"Account   unposted {_unposted(row)}"
    if row.covered:
        return f"{state}, covered: another posting or the ERP carries it"
    if row.code:
        state += f", parked {decimal_text(row.parked, row.scale)} {row.unit} ({row.code}: {row.detail})"
    if not unposted(row):
        return f"{state}; nothing is due"
    return f"{state}; due {'when a trigger says so' if due is None else 'now' if due <= now else _local(due, zone)}"


def _unposted(row: AccountRow) -> str:
    return f"{decimal_text(unposted(row), row.scale)} {row.unit}"


def _local(micros: int, zone: str) -> str:
    return datetime.fromtimestamp(micros / 1e6, ZoneInfo(zone)).strftime("%d %b %Y %H:%M:%S %Z")
