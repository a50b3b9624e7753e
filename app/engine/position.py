"""`__position` at a take-over: is the inbox the log that the state was built from, and where does reading go on?"""

from collections.abc import Callable
from dataclasses import dataclass

from faust.types import TP

from app.engine.restore import Changelog
from app.fatal import Exit
from schemas.records import PartitionPosition


@dataclass(slots=True, frozen=True)
class PartitionSpec:
    """What an owner needs to know to take a partition over."""

    group: str
    stage: str
    tp: TP
    inbox_id: str
    changelog: Changelog
    log_epoch: int
    fold_version: int
    partitions: int
    """Of the inbox, as this process found it."""


class WrongLog(Exception):
    """The state does not belong to this inbox: going on would skip records or spread keys otherwise."""

    def __init__(self, exit_: Exit, why: str) -> None:
        super().__init__(why)
        self.exit = exit_


def take_up(
    spec: PartitionSpec,
    state: PartitionPosition | None,
    low: int,
    high: int,
    intact: Callable[[PartitionPosition], int],
    embedded: bool,
) -> PartitionPosition:
    """The position to go on from; `state` None: nothing was ever committed. Raises WrongLog.

    `low`, `high`: first and next offset of the inbox. `intact`: where reading has to go on (`intact_up_to`); not asked on the
    embedded broker, whose topics live as long as its process.

    After an operator raised the log epoch a recreated inbox is read from its beginning, a cut one from there, one that lost its
    tail from the newest record that is still there; one that stands goes on. Rows, clocks and configuration stay: versions of the
    new epoch are newer than all before.
    """
    if spec.tp.partition >= spec.partitions:
        raise WrongLog(Exit.TOPIC_MISMATCH, f"partitions were added while this process ran; it began with {spec.partitions}")
    if state is None:
        if embedded and low > 0:
            # Its topics begin with the process: what is missing was dropped, and nobody else would notice.
            raise WrongLog(Exit.INBOX_TRUNCATED, f"the embedded broker dropped {low} messages before they were read")
        return PartitionPosition(low, spec.log_epoch, spec.fold_version, spec.inbox_id, partitions=spec.partitions)
    state.partitions = state.partitions or spec.partitions
    if state.partitions != spec.partitions:
        # Keys of the state hash to other partitions now: half of the orders would never post.
        why = f"its topic has {spec.partitions} partitions, the state was begun with {state.partitions}"
        raise WrongLog(Exit.TOPIC_MISMATCH, why)
    if state.log_epoch > spec.log_epoch:
        why = f"its state is of log epoch {state.log_epoch}, the topic `config` says {spec.log_epoch}"
        raise WrongLog(Exit.TOPIC_MISMATCH, why)
    same, raised = state.inbox_topic_id == spec.inbox_id, state.log_epoch < spec.log_epoch
    if not (same or raised):
        why = "it is another topic than the state was built from: `lineledger topics epoch raise`"
        raise WrongLog(Exit.TOPIC_MISMATCH, why)
    goes_on = low if not same else state.next_offset if embedded else intact(state)
    if raised:
        state.read_marks = [mark for mark in state.read_marks if same and mark.offset < goes_on]
        state.next_offset, state.inbox_topic_id, state.log_epoch = goes_on, spec.inbox_id, spec.log_epoch
    if not (low <= goes_on <= high and goes_on == state.next_offset):
        why = f"the log [{low}, {high}) is not the one that was read up to {state.next_offset}: what lies behind {goes_on} is new"
        raise WrongLog(Exit.INBOX_TRUNCATED, why)
    state.fold_version = spec.fold_version
    return state
