"""Now: how far every plant is, what waits, and who has to act."""

from collections import Counter
from typing import Any

from app.console.asked import Page, Question, configuration_of, zone_of
from app.console.books import Books, Row
from schemas.codes import owner_of

WAITING = ("issued", "waiting_clock", "queued", "dispatched", "retry", "unknown", "held")


def now(books: Books, asked: Question) -> Page:
    plants = [_plant(books, row["plant"]) for row in books.rows("select distinct plant from configurations order by plant")]
    only = plants[0]["plant"] if len(plants) == 1 else ""
    return Page("now.html", "Now", {"plants": plants, "only": only})


def clock_of(books: Books, plant: str) -> int:
    """The plant's newest clock, microseconds: what ages count to."""
    row = books.first("select max(reached_at) as at from clocks where plant = :plant", plant=plant)
    return int(row["at"] or 0) if row else 0


def _plant(books: Books, plant: str) -> dict[str, Any]:
    clock = clock_of(books, plant)
    stages = books.rows(
        "select stage, min(reached_at) as slowest, max(reached_at) as newest from clocks where plant = :plant and reached_at > 0"
        " group by stage order by 2, 1",
        plant=plant,
    )
    waiting = Counter({row["state"]: row["postings"] for row in _states(books, plant)})
    return {
        "plant": plant,
        "zone": zone_of(configuration_of(books, plant)),
        "clock": clock,
        "stages": stages,
        "silent": books.rows("select upstream, code, last_tick from upstreams where plant = :plant and silent", plant=plant),
        "accepted": waiting["accepted"],
        "waiting": sum(waiting[state] for state in WAITING),
        "states": waiting,
        "oldest": _oldest(books, plant),
        "holds": _count(books, "select count(distinct hold) as n from v_lots_on_hold where plant = :plant", plant),
        "lots_held": _count(books, "select count(*) as n from lots where held and plant = :plant", plant),
        "needs": needs_by_owner(books, plant),
        "letters": open_letters(books, plant),
    }


def _states(books: Books, plant: str) -> Any:
    return books.rows(
        "select state, count(*) as postings from postings where plant = :plant and replaced_by = '' group by state", plant=plant
    )


def _oldest(books: Books, plant: str) -> Row | None:
    return books.first(
        "select posting_id, cut_at, state from postings where plant = :plant and replaced_by = '' and state <> 'accepted'"
        " and state <> 'cancelled' order by cut_at, posting_id limit 1",
        plant=plant,
    )


def _count(books: Books, sql: str, plant: str) -> int:
    row = books.first(sql, plant=plant)
    return int(row["n"]) if row else 0


def needs_by_owner(books: Books, plant: str) -> list[dict[str, Any]]:
    """Code, owner, how many, since when; the longest waiting first."""
    found = books.rows(
        "select code, what, count(*) as n, min(since) as since from v_parked where plant = :plant group by code, what",
        plant=plant,
    )
    return sorted(
        ({**row, "owner": owner_of(row["code"])} for row in found), key=lambda row: (str(row["since"] or ""), row["code"])
    )


def open_letters(books: Books, plant: str) -> list[dict[str, Any]]:
    """Refused records that nobody has settled, by code and source."""
    found = books.rows(
        "select code, source, count(*) as n, min(received) as since from v_exceptions where plant = :plant and state = 'open'"
        " group by code, source order by n desc, code, source",
        plant=plant,
    )
    return [{**row, "owner": owner_of(row["code"])} for row in found]
