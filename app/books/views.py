"""Views for analysts (docs/books.md): times as text, states joined, sums by key. Made anew whenever the books are opened to be
written: they hold nothing."""

from collections.abc import Mapping

from sqlalchemy import Connection, text


def _moment(column: str, dialect: str) -> str:
    """A time as people read it: UTC."""
    if dialect == "postgresql":
        return f"to_timestamp({column} / 1000000.0)"
    return f"strftime('%Y-%m-%dT%H:%M:%fZ', {column} / 1000000.0, 'unixepoch')"


_VIEWS: Mapping[str, str] = {
    "v_postings": """
        select p.plant, p.posting_id, p.order_no, p.operation, p.material, p.lot, p.kind, p.reason, p.quantity, p.amount, p.scale,
               p.unit, p.state, p.code, p.erp_document, p.business_date, p.posting_date, p.rule, p.rule_version, p.attempts,
               p.records, {cut_at} as cut, {accepted_at} as accepted, p.account, p.sequence
        from postings p""",
    "v_attempts": """
        select s.plant, s.posting_id, s.attempt, {s.at} as sent, n.state as outcome, n.code, {n.at} as ended
        from posting_steps s
        left join posting_steps n on n.plant = s.plant and n.posting_id = s.posting_id and n.step = s.step + 1
        where s.state = 'dispatched'""",
    "v_balance": """
        select a.plant, a.account, a.order_no, a.operation, a.material, a.lot, a.kind, a.reason, a.business_date, a.unit, a.scale,
               a.recorded, a.target,
               coalesce(p.accepted, 0) as accepted, coalesce(p.in_flight, 0) as in_flight, coalesce(p.held, 0) as held,
               coalesce(p.stopped, 0) as stopped, a.pending, a.parked,
               case when a.covered then a.target - a.posted else 0 end as covered
        from accounts a
        left join (
            select plant, account, born_max,
                   sum(case when state = 'accepted' then amount else 0 end) as accepted,
                   sum(case when state in ('waiting_clock', 'queued', 'dispatched', 'retry', 'unknown', 'issued')
                       then amount else 0 end) as in_flight,
                   sum(case when state = 'held' then amount else 0 end) as held,
                   sum(case when state in ('parked', 'rejected', 'cancelled') then amount else 0 end) as stopped
            from (
                select q.plant, q.account, q.state, q.amount, q.born_epoch,
                       max(q.born_epoch) over (partition by q.plant, q.account) as born_max
                from postings q where q.replaced_by = ''
            ) newest
            where born_epoch = born_max
            group by plant, account, born_max
        ) p on p.plant = a.plant and p.account = a.account""",
    "v_balance_of_orders": """
        select plant, order_no, kind, material, unit, scale, sum(target) as target, sum(accepted) as accepted,
               sum(in_flight) as in_flight, sum(held) as held, sum(stopped) as stopped, sum(pending) as pending,
               sum(parked) as parked, sum(covered) as covered
        from v_balance group by plant, order_no, kind, material, unit, scale""",
    "v_parked": """
        select a.plant, 'account' as what, a.account as subject, a.order_no, a.code, a.detail, a.parked as amount, a.scale,
               a.unit, {coalesce(a.since, (
                   select max(q.cut_at) from postings q where q.plant = a.plant and q.account = a.account
               ))} as since
        from accounts a where a.code <> '' and a.parked <> 0 and not a.dropped
        union all
        select plant, 'posting', posting_id, order_no, code, detail, amount, scale, unit, {cut_at}
        from postings where state in ('parked', 'rejected', 'unknown') and replaced_by = ''""",
    "v_orders": """
        select o.plant, o.order_no, o.status, i.material, i.quantity as planned, i.unit as planned_unit,
               o.acknowledged, o.started, o.completed, o.handed_over, o.overdue,
               {o.planned_start} as planned_start, {o.planned_end} as planned_end,
               {o.released_at} as released, {o.started_at} as first_recorded, {o.completed_at} as completed_on,
               {o.handed_over_at} as handed_over_on
        from orders o
        left join order_items i on i.plant = o.plant and i.order_no = o.order_no and i.role = 'main'""",
    "v_runs": """
        select r.plant, r.equipment, r.run, r.order_no, r.operation, r.voided, {r.started_at} as started, {r.ended_at} as ended,
               (r.ended_at - r.started_at) / 1000000 as seconds
        from runs r""",
    "v_lots_on_hold": """
        select h.plant, h.material, h.lot, h.hold, h.origin, h.severity, h.reason, h.who, {h.decided_at} as since, l.location
        from holds h
        join lots l on l.plant = h.plant and l.material = h.material and l.lot = h.lot
        left join exemptions e on e.plant = h.plant and e.material = h.material and e.lot = h.lot and e.hold = h.hold and e.active
        where h.active and e.hold is null""",
    "v_exceptions": """
        select x.plant, x.letter, x.code, coalesce(e.state, 'open') as state, x.stage, x.source, x.raw_source, x.raw_offset,
               x.detail, {x.received_at} as received, e.who, e.why, {e.at} as settled
        from exceptions x
        left join (
            select plant, letter, state, who, why, at,
                   row_number() over (partition by plant, letter order by told_at desc, raw_offset desc, event_id desc) as newest
            from exception_events
        ) e on e.plant = x.plant and e.letter = x.letter and e.newest = 1""",
    "v_decisions": """
        select plant, 'account' as what, account as subject, code, decision, who, why, {decided_at} as decided
        from account_decisions
        union all
        select plant, 'posting', posting_id, code, decision, who, why, {decided_at} from posting_decisions
        union all
        select plant, 'count', equipment || ' ' || counter, '', decision, who, why, {decided_at} from count_decisions""",
    "v_figures": """
        select plant, figure, subject, numerator, denominator, unit, owner, code, {as_of} as told from figures""",
    "v_cut_offs": """
        select plant, period, account, order_no, kind, code, quantity, amount, scale, unit, {closed_at} as closed
        from cut_offs""",
}

NAMES = tuple(_VIEWS)


def sql(name: str, dialect: str) -> str:
    """What a view selects. `{column}` in it is that time as people read it."""
    parts = _VIEWS[name].split("{")
    return parts[0] + "".join(_moment(column, dialect) + rest for part in parts[1:] for column, _, rest in [part.partition("}")])


def make(connection: Connection) -> None:
    """Replace all views."""
    for name in reversed(NAMES):
        connection.execute(text(f"drop view if exists {name}"))
    for name in NAMES:
        connection.exec_driver_sql(
            f"create view {name} as {sql(name, connection.dialect.name)}".replace("%", _percent(connection))
        )


def _percent(connection: Connection) -> str:
    return "%" if connection.dialect.name == "sqlite" else "%%"
