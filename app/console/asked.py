"""What a page is asked, and what it answers: names in, a template and its values out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.console.books import Books


class NotThere(Exception):
    """The books have nothing of that name."""


@dataclass(frozen=True, slots=True)
class Question:
    """A request without HTTP. `path`: names of its address; `query`: what stands behind the question mark."""

    plant: str = ""
    zone: tzinfo = UTC
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)

    def number(self, name: str, default: int, most: int) -> int:
        """A whole number of the query from 0 to `most`; what is none is the default."""
        given = self.query.get(name, "")
        return min(most, int(given)) if given.isascii() and given.isdigit() and len(given) < 10 else default


@dataclass(frozen=True, slots=True)
class Page:
    template: str
    title: str
    values: Mapping[str, Any]


PER_PAGE = 100


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a long list, and where its neighbours are."""

    rows: list[Mapping[str, Any]]
    page: int
    more: bool


def part_of(books: Books, sql: str, asked: Question, **values: Any) -> Part:
    """The page of the list that is asked for: `sql` has an order."""
    page = asked.number("page", 0, 100_000)
    rows = list(books.rows(f"{sql} limit {PER_PAGE + 1} offset {page * PER_PAGE}", **values))
    return Part(rows[:PER_PAGE], page, len(rows) > PER_PAGE)


def configuration_of(books: Books, plant: str) -> Mapping[str, Any]:
    """plant.yaml of the configuration by which delivery decides now; empty: none is in the books yet."""
    row = books.first(
        "select c.plant_yaml from configurations c left join clocks k on k.configuration = c.hash and k.stage = 'delivery'"
        " where c.plant = :plant order by case when k.reached_at is null then 1 else 0 end, k.reached_at desc",
        plant=plant,
    )
    found: Mapping[str, Any] = json.loads(row["plant_yaml"]) if row else {}
    return found


def zone_of(configuration: Mapping[str, Any]) -> tzinfo:
    """The plant's zone; UTC where none is known."""
    try:
        return ZoneInfo(configuration.get("plant", {}).get("zone") or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
