"""What operations support writes to its source: decisions and replays, as lines that streams/mapping/operators.py reads."""

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from app.ledger.books.letters import Life
from app.ledger.books.snapshot import Snapshot
from app.ledger.questions import undecided
from schemas.records import PostingRow
from streams.delivery.decisions import OPEN_TO_DECISION
from tables.decisions import BAD_UNIT, POST
from tables.delivery.posting_state import UNKNOWN
from tables.orders.account import account_key, waits
from tables.refusal import Refusal
from tables.row_kinds import ACCOUNT_ROWS, POSTING_ROWS

NO_SOURCE = (
    "plant.yaml has no source that decisions come through; add "
    '`operators: {files: ["decided*.jsonl"], read: {topic: raw.PLANT.operators, format: replay}}` to `sources`'
)
"""Why nothing can be written, and what to add."""


@dataclass(slots=True, frozen=True)
class DecisionTarget:
    """What a person decides. `target`: posting id, account key, order, or an undecided count."""

    target: str
    decision: str
    code: str
    document: str
    who: str
    """Hashed already."""
    why: str
    at: int


def decision_line(snapshot: Snapshot, wanted: DecisionTarget) -> str | Refusal:
    """The line, or why there is nothing to decide like that."""
    fields: dict[str, Any] = {"decision": wanted.decision, "who": wanted.who, "why": wanted.why, "erp_document": wanted.document}
    posting: PostingRow | None = snapshot.rows.get("delivery", {}).get(POSTING_ROWS.key(wanted.target))
    if posting is not None:
        if posting.state not in OPEN_TO_DECISION:
            return Refusal(
                "NOTHING_PARKED",
                f"posting {wanted.target} is {posting.state}; only parked, rejected and unknown ones take a decision",
            )
        if wanted.decision == "accept" and not wanted.document:
            return Refusal("DECISION_INVALID", "to accept a posting, name the ERP's document with --document")
        fields |= {"posting_id": wanted.target, "order": posting.posting.order, "code": wanted.code or _code_of(posting)}
        return _line(wanted, fields)
    if undecided.is_target(wanted.target):
        about = undecided.fields_of(snapshot, wanted.target, wanted.decision)
        return about if isinstance(about, Refusal) else _line(wanted, fields | about)
    accounts = [row for row in snapshot.of(ACCOUNT_ROWS) if wanted.target in (account_key(row), row.order)]
    codes = sorted({one.code for row in accounts for one in waits(row)})
    if not accounts:
        return Refusal("NOT_FOUND", f"{wanted.target} is neither a posting, an account nor an order of this ledger")
    if wanted.decision in ("cancel", "accept", "discard"):
        return Refusal("DECISION_INVALID", f"`{wanted.decision}` is not for accounts; they take post, drop or retry")
    if wanted.code not in codes and (wanted.code or len(codes) != 1):
        parked = (
            f"{wanted.target} is parked with {', '.join(codes)}; name one with --code"
            if codes
            else f"nothing of {wanted.target} is parked"
        )
        return Refusal("NOTHING_PARKED", parked)
    if wanted.decision == POST and (wanted.code or codes[0]) == BAD_UNIT:
        return Refusal("DECISION_INVALID", "nothing can be posted in a unit that nobody converts: add the conversion, or drop it")
    account = account_key(accounts[0]) if wanted.target != accounts[0].order else ""
    return _line(wanted, fields | {"order": accounts[0].order, "account": account, "code": wanted.code or codes[0]})


def _code_of(posting: PostingRow) -> str:
    """Of an unknown one it changes with each attempt to find out: the decision is about the posting."""
    return "" if posting.state == UNKNOWN else posting.code


def could_double(snapshot: Snapshot, wanted: DecisionTarget) -> str:
    """What a person should know before an unknown posting is sent again; empty: nothing."""
    posting: PostingRow | None = snapshot.rows.get("delivery", {}).get(POSTING_ROWS.key(wanted.target))
    if posting is None or posting.state != UNKNOWN or wanted.decision != "retry":
        return ""
    if snapshot.configuration.erp.erp.tells_repetitions:
        return ""
    return (
        f"{wanted.target} goes again to an ERP that cannot tell a repetition: if an earlier attempt is booked after all, it is "
        "booked twice. Attempts may commit until `commit_horizon` after the last one"
    )


def _line(wanted: DecisionTarget, fields: dict[str, Any]) -> str:
    content = json.dumps({"at": wanted.at, **fields}, sort_keys=True)
    event_id = f"decision-{hashlib.sha256(content.encode()).hexdigest()[:24]}"
    return json.dumps({"at": wanted.at, "decide": {"event_id": event_id, **fields}}, ensure_ascii=False)


@dataclass(slots=True, frozen=True)
class Settling:
    """What a person says of dead letters. `who`: hashed already; `at`: microseconds."""

    who: str
    why: str
    at: int


@dataclass(slots=True)
class Replays:
    lines: list[str]
    taken: list[Life]
    """Those whose record goes in again with one of the lines."""
    left: list[str]
    """Dead letters that cannot be replayed, a sentence each."""


def replays(found: Iterable[Life], said: Settling) -> Replays:
    """One line per record of intake; one that was refused in several pieces is replayed once, and answers all of them."""
    answer, records = Replays([], [], []), dict[tuple[str, int], list[Life]]()
    for life in found:
        letter = life.letter
        name = f"{letter.raw_source}:{letter.raw_offset}"
        if letter.stage != "intake":
            answer.left.append(
                f"{name} was refused by {letter.stage}: send the record again through its source, or book it by hand"
            )
        elif letter.original_bytes > len(letter.original):
            answer.left.append(f"{name} has {letter.original_bytes} bytes, the dead letter kept {len(letter.original)} of them")
        else:
            records.setdefault((letter.raw_source, letter.raw_offset), []).append(life)
    for pieces in records.values():
        letter = pieces[0].letter
        told = {
            "source": letter.source,
            "raw_source": letter.raw_source,
            "raw_offset": letter.raw_offset,
            "received_at": letter.received_at,
            "original": base64.b64encode(letter.original).decode(),
            "settles": [_settled(life, "", said) for life in _once(pieces)],
        }
        answer.taken += pieces
        answer.lines.append(json.dumps({"at": said.at, "replay": told}, ensure_ascii=False))
    return answer


def settlings(found: Iterable[Life], state: str, said: Settling) -> list[str]:
    """One line per dead letter that is not in this state yet."""
    lives = [life for life in _once(found) if life.state != state]
    return [json.dumps({"at": said.at, "settle": _settled(life, state, said)}, ensure_ascii=False) for life in lives]


def _once(found: Iterable[Life]) -> list[Life]:
    return list({life.id: life for life in found}.values())


def _settled(life: Life, state: str, said: Settling) -> dict[str, str]:
    """`state` empty: intake says it, once it knows how the replay went."""
    fields = {"letter": life.id, "code": life.letter.code, "who": said.who, "why": said.why} | ({"state": state} if state else {})
    content = json.dumps({"at": said.at, **fields}, sort_keys=True)
    return {"event_id": f"settled-{hashlib.sha256(content.encode()).hexdigest()[:24]}", **fields}


def source_of(snapshot: Snapshot) -> tuple[str, str] | None:
    """Name and topic of the plant's source for decisions and replays; None: plant.yaml has none."""
    sources = snapshot.configuration.plant.sources
    return next(((name, source.read.topic) for name, source in sources.items() if source.read.entry.of_people), None)


def now_of(snapshot: Snapshot, wall: int) -> int:
    """When a decision comes: live the wall clock, for the input of a run the last record that it had (microseconds)."""
    if not snapshot.finished:
        return wall
    return max((row.marks.get("label", 0) for row in snapshot.positions("intake")), default=0) or wall
