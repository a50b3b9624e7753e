"""The books that a run leaves: the same postings as its export, accounts that add up, times of each state."""

from collections import Counter
from fractions import Fraction

from sqlalchemy import text

from app.books import database
from tests.e2e.conftest import Demo
from tests.e2e.exported import rows


def asked(demo: Demo, sql: str) -> list[dict[str, object]]:
    engine = database.read_only(demo.out / database.FILE)
    with engine.connect() as connection:
        found = [dict(row._mapping) for row in connection.execute(text(sql))]
    engine.dispose()
    return found


def test_the_books_have_the_postings_of_the_export(demo: Demo) -> None:
    books = asked(demo, "select * from postings")
    assert {
        row["posting_id"]: (row["quantity"], row["unit"], row["state"], row["erp_document"], row["records"]) for row in books
    } == {
        row["posting_id"]: (row["quantity"], row["uom"], row["status"], row["erp_document"], int(row["records"]))
        for row in rows(demo.out / "postings.csv")
    }


def test_every_account_of_the_books_adds_up(demo: Demo) -> None:
    found = asked(demo, "select * from v_balance")
    assert found
    for row in found:
        parts = ("accepted", "in_flight", "held", "stopped", "pending", "parked", "covered")
        assert row["target"] == sum(int(str(row[part])) for part in parts), row
    exact = {name: proven.recorded for name, proven in demo.proof.accounts.items()}
    assert {str(row["account"]): Fraction(str(row["recorded"])) for row in found} == exact


def test_each_posting_tells_when_it_came_into_its_states(demo: Demo) -> None:
    """Log time, in the order of the states; an attempt and what became of it."""
    steps = asked(demo, "select posting_id, step, state, at from posting_steps order by posting_id, step")
    by_posting: dict[object, list[tuple[object, object]]] = {}
    for row in steps:
        by_posting.setdefault(row["posting_id"], []).append((row["state"], row["at"]))
    assert len(by_posting) == len(rows(demo.out / "postings.csv"))
    for found in by_posting.values():
        assert (found[0][0], found[-1][0]) == ("waiting_clock", "accepted")
        assert [at for _, at in found] == sorted(at for _, at in found if isinstance(at, int) and at > 0)
    attempts = Counter(row["outcome"] for row in asked(demo, "select * from v_attempts"))
    assert attempts["accepted"] == len(by_posting)


def test_what_waits_and_what_was_refused_stand_in_the_books(demo: Demo) -> None:
    letters = Counter(str(row["code"]) for row in asked(demo, "select code from v_exceptions where state = 'open'"))
    assert letters == Counter(letter.code for letter in demo.ledger.letters)
    (parked,) = asked(demo, "select * from v_parked")
    ((account, amount),) = demo.truth.parked.items()
    assert (parked["code"], parked["order_no"], parked["amount"]) == ("OVER_DELIVERY", account.order, amount)
    assert asked(demo, "select lot from v_lots_on_hold")
