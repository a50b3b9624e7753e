"""Equipment: a day of a machine as a strip of states, runs and loads, with what its counters did beside pieces."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from app.console.asked import NotThere, Page, Question, part_of
from app.console.books import Books, Row
from app.console.pictures import Stretch, strip
from app.console.shown import DAY_US, HOUR_US, SECOND_US, moment

STATES = {"running", "setup", "down", "idle"}
"""Those that have a colour; others look like idle."""


def machines(books: Books, asked: Question) -> Page:
    sql = (
        "select e.equipment, e.clock_at,"
        " (select count(*) from runs r where r.plant = e.plant and r.equipment = e.equipment) as runs,"
        " (select max(last_at) from equipment_counters c where c.plant = e.plant and c.equipment = e.equipment) as last_at"
        " from equipment e where e.plant = :plant order by e.equipment"
    )
    return Page("machines.html", "Equipment", {"part": part_of(books, sql, asked, plant=asked.plant)})


def machine(books: Books, asked: Question) -> Page:
    key = {"plant": asked.plant, "equipment": asked.path["equipment"]}
    row = books.one_of("equipment", **key)
    if row is None:
        raise NotThere(key["equipment"])
    day, begin, end = _day(books, asked, key, row)
    states = _with_ends(
        books.rows(
            "select * from equipment_states where plant = :plant and equipment = :equipment and from_at < :end"
            " order by from_at, entry",
            **key,
            end=end,
        ),
        end,
    )
    runs = books.rows(
        "select * from runs where plant = :plant and equipment = :equipment and started_at < :end"
        " and (ended_at is null or ended_at > :begin) order by started_at",
        **key,
        begin=begin,
        end=end,
    )
    loads = books.rows(
        "select * from equipment_loads where plant = :plant and equipment = :equipment and from_at >= :begin and from_at < :end"
        " order by from_at",
        **key,
        begin=begin,
        end=end,
    )
    lanes = {
        "state": [
            Stretch(
                one["state"] if one["state"] in STATES else "other",
                one["from_at"],
                until,
                _said(one["state"], one["reason"], one["from_at"], asked.zone),
            )
            for one, until in states
            if until > begin
        ],
        "run": [
            Stretch(
                "run",
                one["started_at"],
                one["ended_at"] or end,
                f"run {one['run']} of order {one['order_no']}, {moment(one['started_at'], asked.zone)}",
            )
            for one in runs
        ],
        "load": [
            Stretch(
                "load",
                one["from_at"],
                one["from_at"],
                f"{one['position']}: {one['material']} {one['lot'] or 'unloaded'}, {moment(one['from_at'], asked.zone)}",
            )
            for one in loads
        ],
    }
    hours = [
        (begin + n * HOUR_US, moment(begin + n * HOUR_US, asked.zone)[11:16]) for n in range(0, (end - begin) // HOUR_US + 1, 2)
    ]
    values = {
        "name": key["equipment"],
        "row": row,
        "day": day,
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1),
        "picture": strip(f"{key['equipment']} on {day}", begin, end, lanes, hours),
        "runs": runs,
        "loads": loads,
        "counters": books.all_of("equipment_counters", "counter", **key),
        "tallies": books.all_of("equipment_tallies", "what", **key),
        "decisions": books.all_of("count_decisions", "decided_at", **key),
        "undecided": books.rows(
            "select account, order_no, kind, target, scale, unit from accounts where plant = :plant and code <> '' and account in"
            " (select account from account_sources where plant = :plant and equipment = :equipment) order by account limit 100",
            **key,
        ),
    }
    return Page("machine.html", f"Equipment {key['equipment']}", values)


def _day(books: Books, asked: Question, key: dict[str, str], row: Row) -> tuple[date, int, int]:
    """The day that is asked for, else the one of the newest state or run; its begin and end in microseconds."""
    try:
        day = date.fromisoformat(asked.query.get("day", ""))
    except ValueError:
        newest = books.first(
            "select max(at) as at from ("
            "select max(from_at) as at from equipment_states where plant = :plant and equipment = :equipment"
            " union all select max(started_at) from runs where plant = :plant and equipment = :equipment) as found",
            **key,
        )
        at = (newest["at"] if newest else None) or row["clock_at"] or 0
        day = datetime.fromtimestamp(int(at) // SECOND_US, asked.zone).date()
    return day, _begin(day, asked.zone), _begin(day + timedelta(days=1), asked.zone)


def _begin(day: date, zone: tzinfo) -> int:
    return int(datetime.combine(day, time(), zone).astimezone(UTC).timestamp()) * SECOND_US


def _with_ends(found: Sequence[Row], end: int) -> list[tuple[Row, int]]:
    return [
        (row, found[n + 1]["from_at"] if n + 1 < len(found) else min(end, row["from_at"] + DAY_US)) for n, row in enumerate(found)
    ]


def _said(state: str, reason: str, at: int, zone: tzinfo) -> str:
    return f"{state}{f' ({reason})' if reason else ''} from {moment(at, zone)}"
