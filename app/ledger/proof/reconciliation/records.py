"""Each record counts once (I2): what intake took in, what was refused, and one clock for all partitions."""

from collections import Counter
from collections.abc import Iterator

from app.ledger.books.one_moment import clocks_of
from app.ledger.books.rereading import Reread
from app.ledger.books.snapshot import Snapshot
from streams.intake.clock import counted
from tables.row_kinds import POSITION_ROWS

CLOCKED = ("equipment", "lots", "orders", "delivery")


def differences(snapshot: Snapshot) -> Iterator[str]:
    yield from _one_cut(snapshot)
    letters = Counter(
        f"{letter.stage} {letter.raw_source}:{letter.raw_offset} {letter.event_id} {letter.code}" for letter in snapshot.letters
    )
    for name, times in sorted(letters.items()):
        if times > 1:
            yield f"dead letter {name} is there {times} times"
    refused = sum(row.marks.get("refused", 0) for row in snapshot.positions("intake"))
    kept = sum(letter.stage == "intake" for letter in snapshot.letters)
    if snapshot.finished and refused != kept:  # live, exceptions have a retention of their own
        yield f"intake refused {refused} records, {kept} are in exceptions"


def _one_cut(snapshot: Snapshot) -> Iterator[str]:
    """I1 holds at a cut: every partition of a stage has the same clock of the plant. (Of a run: the end of its input.)"""
    plant = snapshot.configuration.plant.plant.id
    for stage in CLOCKED if snapshot.finished else ("orders",):
        clocks = clocks_of({key: row for key, row in snapshot.rows.get(stage, {}).items() if POSITION_ROWS.has(key)}, plant)
        if len(set(clocks.values())) > 1:
            behind = min(clocks, key=lambda key: clocks[key])
            yield f"{stage}: partition {behind.rpartition('/')[2]} is behind the others, the sums are of no one moment"


def against(snapshot: Snapshot, records: Reread) -> Iterator[str]:
    """The raw records, read again, against what intake counted and refused. Where some of them are gone, or were mapped by an
    earlier configuration, they cannot be counted again."""
    if not records.counted:
        return
    counts: Counter[str] = Counter()
    for row in snapshot.positions("intake"):
        counts.update(counted(row.marks.items()))
    for name in sorted(records.counts):
        if records.counts[name] != counts.get(name, 0):
            yield f"{records.counts[name]} {name.replace('_', ' ')} in the source records, intake counted {counts.get(name, 0)}"
    expected = Counter(records.refused)
    found = Counter((one.raw_source, one.raw_offset, one.code) for one in snapshot.letters if one.stage == "intake")
    for (source, offset, code), times in sorted((expected - found).items()):
        yield f"{source}:{offset} is refused {code}, and {times} dead letter is missing"
    for (source, offset, code), times in sorted((found - expected).items()):
        yield f"{source}:{offset} has {times} dead letter {code} too many"
