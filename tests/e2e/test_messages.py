"""What a command says to the person who typed it: a finding, or what was wrong with the words, never nothing at all."""

import os

import pytest

from tests.e2e.command import lineledger
from tests.e2e.conftest import Demo

AT = "write it like 2026-11-20T03:40:00+01:00"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("trace", "STP-02", "--at", "yesterday"), 2, AT),
        (("trace", "STP-02", "--at", "2017-02-01T08:46:07"), 2, AT),
        (("rules", "explain", "1001210", "--at", "2017-02-01"), 2, AT),
        (("exceptions", "--since", "2017-02-01T08:46:07"), 2, AT),
        (("exceptions", "--code", "NOPE"), 2, "WRONG_USE: `NOPE` is no code of this version"),
        (("exceptions", "--code", "BAD_UNITS"), 2, "near it: BAD_UNIT"),
        (("exceptions", "replay", "--code", "NOPE"), 2, "WRONG_USE: `NOPE` is no code of this version"),
        (("explain-code", "NOPE"), 2, "WRONG_USE: `NOPE` is no code of this version"),
        (("exceptions", "--code", "FENCED"), 0, "no dead letter"),
        (("parked", "--account", "NOPE"), 0, "nothing of NOPE is parked"),
        (("trace", "NOPE"), 1, "neither a posting, an order, a lot nor an equipment"),
        (("rules", "explain", "NOPE"), 1, "is no order or account"),
    ],
)
def test_an_answer_in_words(words: tuple[str, ...], code: int, says: str, demo: Demo) -> None:
    out = () if words[0] == "explain-code" else ("--out", demo.out)
    outcome = lineledger(*words, *out)
    assert (outcome.code, says in outcome.stdout + outcome.stderr) == (code, True), outcome.said


def test_a_moment_means_the_same_on_every_machine(demo: Demo) -> None:
    said = {
        lineledger(
            "trace", "STP-02", "--at", "2017-02-01T09:46:07+01:00", "--out", demo.out, environ={**os.environ, "TZ": zone}
        ).stdout
        for zone in ("UTC", "Asia/Tokyo")
    }
    assert len(said) == 1


def test_parked_says_how_long_and_what_to_type(demo: Demo) -> None:
    """Ages of a run are counted to its last record, not to today."""
    outcome = lineledger("parked", "--out", demo.out, "--json")
    assert outcome.code == 0 and outcome.json
    for entry in outcome.json:
        assert entry["age"] and entry["since"] and "/" not in entry["quantity"]
    first = next(entry for entry in outcome.json if entry["state"] == "parked" and not entry["posting"])
    shown = lineledger("parked", "--out", demo.out).stdout
    assert f"lineledger decide '{first['account']}' post|drop --code {first['code']} --who NAME --why TEXT" in shown
