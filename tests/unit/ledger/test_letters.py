"""Dead letters have a life: open, then replayed, resolved or discarded; the newest that was said holds."""

import base64
import json
from typing import Any

import pytest

from app.ledger.books.letters import Choice, lives, open_letters
from app.ledger.questions.operators import Settling, replays, settlings
from schemas.records import ExceptionRecord, LetterSettled
from streams.boundary import Letter
from streams.mapping import Operators, RawRecord
from tables.letters import letter_id
from tests.unit.streams.mapping.test_operators import AT, ORIGINAL, operators

SAID = Settling("hash", "the mapping is right now", AT)


def refused(event_id: str = "r1", code: str = "NO_MAPPING", offset: int = 41, **changed: Any) -> ExceptionRecord:
    told = {"source": "terminals", "stage": "intake", "received_at": 5, "original": ORIGINAL, **changed}
    return Letter(event_id, "P", code=code, detail="", raw_source="raw.p.terminals/2", raw_offset=offset, **told).record()


def said(of: ExceptionRecord, state: str) -> LetterSettled:
    return LetterSettled("e", "P", AT, AT, "operators", "raw.p.operators/0", 7, letter_id(of), of.code, state, "hash", "why")


def mapped(line: str) -> tuple[RawRecord, Operators]:
    raw, mapper = operators().unwrapped(RawRecord(line.encode(), "operators", "raw.p.operators/0", 7, AT))
    return raw, mapper  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("states", "now"),
    [
        ([], "open"),
        (["discarded"], "discarded"),
        (["replayed"], "replayed"),
        (["replayed", "resolved"], "resolved"),
        (["discarded", "open"], "open"),
    ],
)
def test_the_newest_that_was_said_holds(states: list[str], now: str) -> None:
    first, other = refused(), refused("r2")
    settled = [said(first, state) for state in states]
    assert [life.state for life in lives([first, other], settled)] == [now, "open"]
    assert open_letters([first, other], settled) == ([first, other] if now == "open" else [other])


def test_what_a_person_says_of_a_letter_comes_back_from_its_line_as_it_was_said() -> None:
    (life,) = lives([refused()], [])
    (line,) = settlings([life, life], "discarded", SAID)
    raw, mapper = mapped(line)
    (event,) = mapper.map(raw)
    assert isinstance(event, LetterSettled)
    assert (event.letter, event.code, event.state, event.who, event.why) == (
        life.id, "NO_MAPPING", "discarded", "hash", SAID.why,
    )  # fmt: skip
    assert (event.plant, event.occurred_at, event.raw_offset) == ("P", AT, 7)
    assert settlings(lives([refused()], [event]), "discarded", SAID) == [], "it is discarded already"


def test_a_record_that_was_refused_in_pieces_is_replayed_once_and_answers_all_of_them() -> None:
    pieces = [refused("a"), refused("b", "BAD_NUMBER")]
    answer = replays(lives(pieces, []), SAID)
    (line,) = answer.lines
    raw, _ = mapped(line)
    assert [one.letter for one in raw.settles] == [letter_id(piece) for piece in pieces]
    assert [life.letter for life in answer.taken] == pieces
    assert raw.value == ORIGINAL


@pytest.mark.parametrize(
    ("letters", "sentence"),
    [
        (refused(stage="equipment"), "was refused by equipment"),
        (refused(original=b"x" * (300 << 10)), "has 307200 bytes"),
    ],
)
def test_what_cannot_be_replayed_is_said(letters: ExceptionRecord, sentence: str) -> None:
    answer = replays(lives([letters], []), SAID)
    assert (answer.lines, answer.taken) == ([], [])
    assert sentence in answer.left[0]


@pytest.mark.parametrize(
    ("choice", "found"),
    [
        (Choice(), [0, 1, 2]),
        (Choice(code="BAD_NUMBER"), [1]),
        (Choice(source="scales"), [2]),
        (Choice(state="discarded"), [0]),
        (Choice(state="open", code="NO_MAPPING"), [2]),
        (Choice(since=6), [1, 2]),
        (Choice(until=6), [0]),
        (Choice(ids=[letter_id(refused("a"))[:6]]), [0]),
    ],
)
def test_letters_are_chosen_by_id_code_source_state_and_time(choice: Choice, found: list[int]) -> None:
    letters = [refused("a"), refused("b", "BAD_NUMBER", received_at=6), refused("c", source="scales", received_at=7)]
    every = lives(letters, [said(letters[0], "discarded")])
    assert [every.index(life) for life in choice.of(every)] == found


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"state": "lost"}, "BAD_FIELD"),
        ({"why": ""}, "MISSING_FIELD"),
        ({"letter": 5}, "BAD_FIELD"),
    ],
)
def test_a_line_that_settles_nothing_is_refused(told: dict[str, Any], code: str) -> None:
    content = {"event_id": "e", "letter": "l", "code": "c", "state": "open", "who": "h", "why": "w", **told}
    raw, mapper = mapped(json.dumps({"at": AT, "settle": content}))
    (wrong,) = mapper.map(raw)
    assert wrong.code == code


def test_a_replay_without_a_word_about_letters_is_one_all_the_same() -> None:
    """As earlier versions wrote them."""
    told = {"source": "terminals", "raw_source": "f", "raw_offset": 1, "received_at": 5, "settles": "?"}
    raw, _ = mapped(json.dumps({"at": AT, "replay": {**told, "original": base64.b64encode(ORIGINAL).decode()}}))
    assert (raw.value, list(raw.settles)) == (ORIGINAL, [])
