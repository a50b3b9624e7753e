"""Figures kept with each change are those that counting all would give."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tables.tally import Oldest, Tally

NAMES = st.sampled_from("abcdef")
CHANGES = st.lists(st.tuples(NAMES, st.none() | st.integers(0, 3)), max_size=60)


@given(CHANGES)
def test_counts_and_oldest_are_what_a_scan_gives(changes: list[tuple[str, int | None]]) -> None:
    tally: Tally[tuple[str, ...]] = Tally()
    oldest, now = Oldest(), {}  # type: ignore[var-annotated]
    for name, at in changes:
        tally.put(name, None if at is None else (str(at),))
        oldest.put(name, at)
        now[name] = at
        there = [value for value in now.values() if value is not None]
        assert tally.counts() == Counter((str(value),) for value in there)
        assert oldest.at == min(there, default=None)
    assert all(tally.counts().values()), "a place with nothing in it is not listed"
