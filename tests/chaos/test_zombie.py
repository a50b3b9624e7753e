"""Stalled owners that wake up: fencing by the partition's transactional id."""

import signal

import pytest

from tests.chaos import faults
from tests.chaos.counting_plant import PARTITIONS, CountingPlant, Facts
from tests.chaos.processes import SHORT, WorkerProcess, wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
FENCED, COMMIT_FAILED = 75, 77
RECORDS = 40_000 if SHORT else 160_000
KEYS = 20_000
"""Many: a zombie that refolds all keys of a small set would mend what it broke."""


def _stalled_in_commit(plant: CountingPlant, fault: str) -> WorkerProcess:
    """A process with a full queue that stopped itself inside its third checkpoint."""
    process = plant.start("a", fault=fault)
    process.await_log("OWNED", count=PARTITIONS)
    seed = 1
    while not process.found("STOPPED"):
        plant.feed(RECORDS // 4, seed, KEYS)
        seed += 1
        assert seed < 60
    plant.feed(RECORDS // 4, seed, KEYS)
    return process


def _succeeded_and_woken(plant: CountingPlant, stalled: WorkerProcess, fenced: bool = True) -> WorkerProcess:
    """Another process took over and finished all work, then the stalled one was woken. Not `fenced`: what the stalled one had
    half sent may be wrong already."""
    successor = plant.start("b")
    successor.await_log("OWNED", count=PARTITIONS)
    plant.feed(RECORDS // 4, 99, KEYS)
    plant.await_drained()
    if fenced:
        plant.assert_exact("the successor finished")
    stalled.send(signal.SIGCONT)
    return successor


def _restored_cold(plant: CountingPlant, *processes: WorkerProcess) -> Facts:
    """Everybody is killed and every volume lost."""
    for process in processes:
        process.kill()
    for name in ("a", "b"):
        plant.lose_volume(name)
    cold = plant.start("c")
    cold.await_log("OWNED", count=PARTITIONS)
    plant.await_drained()
    assert cold.stop() == 0
    return plant.facts()


def test_a_stalled_owner_that_wakes_dies_fenced_and_nothing_is_lost(plant: CountingPlant) -> None:
    """Guarantee: a stalled old owner cannot write after its successor took over, seen from a cold restore."""
    stalled = _stalled_in_commit(plant, faults.STALL_IN_COMMIT)
    successor = _succeeded_and_woken(plant, stalled)
    took = wait_until(lambda: stalled.code is not None, "the stalled owner ends", 30)
    assert stalled.code == FENCED, stalled.text()[-2000:]
    facts = _restored_cold(plant, stalled, successor)
    print(f"zombie: dead {took:.2f} s after waking, code {stalled.code}; {facts}")
    assert facts.exact(), f"{facts}"


def test_the_same_schedule_without_fencing_loses_quantities(plant: CountingPlant) -> None:
    """The planted defect: with a plain producer the stalled owner's rows land after its successor's, and stay wrong."""
    stalled = _stalled_in_commit(plant, faults.STALL_IN_COMMIT_UNFENCED)
    successor = _succeeded_and_woken(plant, stalled, fenced=False)
    wait_until(lambda: not plant.facts().exact(), "the zombie's rows have landed", 30)
    facts = _restored_cold(plant, stalled, successor)
    print(f"zombie without fencing: {facts}")
    assert facts.wrong or facts.repeated, "this schedule must be able to show the defect"


def test_an_owner_stalled_anywhere_is_fenced_or_rejoins(plant: CountingPlant) -> None:
    """SIGSTOP from outside, with a full queue. Awake, it dies FENCED, or, with nothing to commit, it rejoins the group."""
    stalled = plant.start("a", checkpoint=1.0)
    stalled.await_log("OWNED", count=PARTITIONS)
    plant.feed(RECORDS, 1, KEYS)
    stalled.send(signal.SIGSTOP)
    successor = _succeeded_and_woken(plant, stalled)
    wait_until(lambda: stalled.code is not None or "LEFT" in stalled.text(), "the stalled owner ends or leaves", 30)
    assert stalled.code in (None, FENCED), stalled.text()[-2000:]
    facts = _restored_cold(plant, stalled, successor)
    assert facts.exact(), f"{facts}"


def test_a_member_that_stalls_before_fencing_heals_by_restart(plant: CountingPlant) -> None:
    """It wakes before its `init_transactions` and fences a live owner: that one ends, a supervisor restarts it, all exact."""
    stalled = plant.start("a", fault=faults.STOP_BEFORE_FENCING)
    stalled.await_log("STOPPED", timeout=30)
    owner = plant.start("b")
    owner.await_log("OWNED", count=PARTITIONS)
    plant.feed(RECORDS // 2)
    wait_until(lambda: sum(plant.positions().values()) > 0, "the owner is in mid-stream")
    codes, seed = [], 2

    def healed() -> bool:
        nonlocal owner, seed
        stalled.send(signal.SIGCONT)  # it stops itself in each thread that is about to fence
        if owner.code is not None:
            codes.append(owner.code)
            owner = plant.start("b")
        if not codes:
            plant.feed(1_000, seed)  # an owner with nothing to commit would not notice
            seed += 1
        return bool(codes) and plant.quiet_lag() == 0

    took = wait_until(healed, "the supervisor's restarts heal it", 90)
    print(f"stalled before fencing: owners ended with {codes}, lag zero after {took:.1f} s")
    # Fenced in mid-commit, the broker may answer an error of its own: also an end without commit.
    assert set(codes) <= {FENCED, COMMIT_FAILED}, codes
    facts = _restored_cold(plant, stalled, owner)
    assert facts.exact(), f"{facts}"
