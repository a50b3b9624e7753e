"""The life of dead letters: open, replayed, resolved or discarded, with who, why and when. All of it stands in the log.

A letter is open until a record says otherwise (LetterSettled, in the same topic); the newest one holds. A replay that intake
takes resolves its letter; one that is refused again leaves it `replayed`, and the new refusal is an open letter of its own.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from schemas.records import ExceptionRecord, LetterSettled
from streams.mapping.operators import DISCARDED, OPEN, REPLAYED, RESOLVED
from tables.letters import letter_id

STATES = (OPEN, REPLAYED, RESOLVED, DISCARDED)


def sorted_out(found: Iterable[ExceptionRecord | LetterSettled]) -> tuple[list[ExceptionRecord], list[LetterSettled]]:
    """What the topic `exceptions` has, each kind in its order."""
    letters, settled = list[ExceptionRecord](), list[LetterSettled]()
    for one in found:
        if isinstance(one, LetterSettled):
            settled.append(one)
        else:
            letters.append(one)
    return letters, settled


@dataclass(slots=True)
class Life:
    """A dead letter, and what was said of it, oldest first."""

    id: str
    letter: ExceptionRecord
    told: list[LetterSettled] = field(default_factory=list)

    @property
    def state(self) -> str:
        return self.told[-1].state if self.told else OPEN


def lives(letters: Iterable[ExceptionRecord], settled: Iterable[LetterSettled]) -> list[Life]:
    """Each letter with its life, in the order in which they came. `settled`: in the order of the log."""
    told: dict[str, list[LetterSettled]] = defaultdict(list)
    for one in settled:
        told[one.letter].append(one)
    return [Life(name, letter, told.get(name, [])) for letter in letters for name in [letter_id(letter)]]


def open_letters(letters: Iterable[ExceptionRecord], settled: Iterable[LetterSettled]) -> list[ExceptionRecord]:
    return [life.letter for life in lives(letters, settled) if life.state == OPEN]


@dataclass(slots=True, frozen=True)
class Choice:
    """Which letters. What is empty does not choose; `since` and `until` are microseconds of their arrival, 0: no bound."""

    ids: Sequence[str] = ()
    code: str = ""
    source: str = ""
    state: str = ""
    since: int = 0
    until: int = 0

    @property
    def chooses(self) -> bool:
        """Is anything asked for? All letters of a plant are never settled by a slip of the keyboard."""
        return bool(self.ids or self.code or self.source or self.since or self.until)

    def of(self, every: Iterable[Life]) -> list[Life]:
        return [life for life in every if self._takes(life)]

    def _takes(self, life: Life) -> bool:
        letter = life.letter
        return (
            (not self.ids or any(life.id.startswith(one) for one in self.ids))
            and self.code in ("", letter.code)
            and self.source in ("", letter.source)
            and self.state in ("", life.state)
            and (not self.since or letter.received_at >= self.since)
            and (not self.until or letter.received_at < self.until)
        )
