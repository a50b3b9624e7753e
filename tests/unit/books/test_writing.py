"""Things into tables: the newest record holds, nothing is left of the one before, all or nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from app.books import database, migrating, writing
from app.books.dump import dump
from app.books.writing import ReadUpTo
from schemas.records import ExceptionRecord, LedgerAccount, LedgerPosting, LotRef, LotRow, Posting, PostingStep
from tables.books.entry import BookEntry, ratio_text
from tables.books.records import entries_of
from tests.unit.books.filled import filled
from tests.unit.streams.quality_bench import posting

AT = 1_780_000_000_000_000


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = database.followed(tmp_path / "books.sqlite")
    migrating.migrate(engine)
    yield engine
    engine.dispose()


def write(engine: Engine, *records: object, at: int = 0) -> int:
    entries = [entry for record in records for entry in entries_of(record)]
    with engine.begin() as connection:
        return writing.write(connection, entries, {("ledger.postings", 0): ReadUpTo(at)} if at else {})


def told(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(dump(connection))


def rows(engine: Engine, sql: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def in_state(state: str, *steps: str, name: str = "P1", **fields: object) -> LedgerPosting:
    one: Posting = posting(name, **fields)
    return LedgerPosting(one, state, steps=[PostingStep(step, AT + n) for n, step in enumerate(steps)])


def test_the_newest_record_of_a_posting_holds_and_nothing_else_is_left(engine: Engine) -> None:
    write(engine, in_state("queued", "waiting_clock", "queued"), in_state("dispatched", "queued", "dispatched", "x"))
    write(engine, in_state("accepted", "dispatched", "accepted"))
    assert rows(engine, "select state, accepted_at from postings") == [("accepted", AT + 1)]
    assert rows(engine, "select step, state from posting_steps order by step") == [(1, "dispatched"), (2, "accepted")]


def test_repeating_changes_nothing(engine: Engine) -> None:
    first, second = in_state("queued", "queued"), in_state("accepted", "queued", "accepted")
    write(engine, first, second, at=2)
    once = told(engine)
    write(engine, first, second, at=2)
    assert told(engine) == once
    assert any("positions" in line for line in once)


def test_rows_and_positions_go_together_or_not_at_all(engine: Engine) -> None:
    write(engine, in_state("queued", "queued"), at=1)
    before = told(engine)
    broken = BookEntry("lots", {"plant": "P", "material": "M", "lot": None}, {"lots": [{"held": None}]})
    with pytest.raises(IntegrityError), engine.begin() as connection:
        writing.write(connection, [*entries_of(in_state("accepted", "accepted")), broken], {("ledger.postings", 0): ReadUpTo(9)})
    assert told(engine) == before


def test_each_thing_by_itself(engine: Engine) -> None:
    write(engine, in_state("queued", "queued"), in_state("queued", "queued", name="P2"))
    write(engine, in_state("accepted", "accepted", name="P2"))
    assert rows(engine, "select posting_id, state from postings order by 1") == [("P1", "queued"), ("P2", "accepted")]


def test_nul_signs_of_raw_records(engine: Engine) -> None:
    letter = filled(ExceptionRecord, detail="a\0b", original=b"a\0b", headers={"h": b"\0"})
    write(engine, letter)
    assert rows(engine, "select detail, original from exceptions") == [("a\N{REPLACEMENT CHARACTER}b", b"a\0b")]


def test_what_a_lot_went_into(engine: Engine) -> None:
    write(
        engine,
        LotRow("P", "resin", "R1", children=[LotRef("part", "A"), LotRef("part", "A"), LotRef("part", "B")]),
        LotRow("P", "part", "A", children=[LotRef("kit", "K")]),
    )
    down = """with recursive down(material, lot) as (
        select 'resin', 'R1' union
        select g.child_material, g.child_lot from genealogy g join down d on g.material = d.material and g.lot = d.lot
    ) select material, lot from down order by 1, 2"""
    assert rows(engine, down) == [("kit", "K"), ("part", "A"), ("part", "B"), ("resin", "R1")]


@pytest.mark.parametrize(("since", "shown"), [(0, "2026-05-28T20:26:42.000Z"), (AT, "2026-05-28T20:26:40.000Z")])
def test_what_is_parked_waits_since_the_last_posting_kept_it_back(engine: Engine, since: int, shown: str) -> None:
    account = filled(LedgerAccount, account="A", plant="P", since=since, parked=6, dropped=False)
    cuts = (AT + 1_000_000, AT + 2_000_000)
    write(engine, account, *(in_state("accepted", name=f"P{at}", account="A", cut=at) for at in cuts))
    assert rows(engine, "select subject, since from v_parked where what = 'account'") == [("A", shown)]


@pytest.mark.parametrize(
    ("numerator", "denominator", "shown"),
    [
        (12, 1, "12"),
        (25, 2, "12.5"),
        (-1, 8, "-0.125"),
        (1, 3, "1/3"),
        (-2, 6, "-1/3"),
        (0, 7, "0"),
        (7, 1000, "0.007"),
        (30, 100, "0.3"),
    ],
)
def test_exact_numbers_as_text(numerator: int, denominator: int, shown: str) -> None:
    assert ratio_text(numerator, denominator) == shown


def test_no_file_is_made_by_who_only_reads(tmp_path: Path) -> None:
    engine = database.read_only(tmp_path / "none.sqlite")
    with pytest.raises(Exception, match="unable to open"):
        engine.connect()
    assert not (tmp_path / "none.sqlite").exists()


def test_other_databases_are_refused() -> None:
    with pytest.raises(ValueError, match="sqlite or postgresql"):
        database.url_of("mysql://host/books")
