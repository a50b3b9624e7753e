"""Defects planted in what the command line composes, one by one: `python -m tests.mutants.composition [NAME ...]`.

Each is planted in every process of a test run (tests/mutants/site), the worker processes included; the named test must fail. A
run starts servers, so this is no part of the daily tests (make test-composition).
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.mutants.planting import Mutant, source_of

PROJECT = Path(__file__).parents[2]
SITE = Path(__file__).parent / "site"


WIRES, LIVE = "tests/composition/test_wires.py", "tests/composition/test_live_wires.py"
MUTANTS = {
    "an entry is released before its commit": Mutant(
        "app.engine.partition",
        "            started = time.monotonic()\n            await asyncio",
        "            self.on_released(self.tp.partition, released)\n            started = 0.0\n            await asyncio",
        f"{LIVE}::test_nothing_leaves_before_its_commit",
    ),
    "another budget than the configuration's": Mutant(
        "app.delivery",
        "Budget(endpoint.calls_per_second, endpoint.concurrency)",
        "Budget(__import__('fractions').Fraction(100_000), endpoint.concurrency)",
        f"{LIVE}::test_a_day_in_the_life",
    ),
    "the lease is always good": Mutant(
        "app.delivery",
        "last_good=lambda: max(self._renewed, app.last_commit_boottime)",
        "last_good=lambda: time.clock_gettime(time.CLOCK_BOOTTIME)",
        f"{WIRES}::test_the_lease_is_what_was_confirmed_last",
    ),
    "only the first raw topic gets an intake": Mutant(
        "app.topology",
        "for topic in raw_topics(configuration, self.settings.recorded)",
        "for topic in list(raw_topics(configuration, self.settings.recorded))[:1]",
        f"{WIRES}::test_every_raw_topic_has_an_intake_with_a_clock",
    ),
    "master data is never pulled": Mutant(
        "app.delivery",
        "services.append(MasterPull(app, pulling, plant, calls.own))",
        "pass",
        f"{WIRES}::test_master_data_of_the_erp_is_pulled",
    ),
    "maintenance is ignored": Mutant(
        "app.delivery",
        "        if recorded or configuration is None:",
        "        if True:",
        f"{WIRES}::test_maintenance_holds_the_executor_back",
    ),
    "the idle clock is unbounded": Mutant(
        "app.idle_clock",
        "min(time.time(), wall + 2 * (now - monotonic))",
        "time.time()",
        f"{WIRES}::test_the_idle_clock_is_bounded",
    ),
    "a process is always ready": Mutant(
        "app.worker",
        "lambda: running.waits.reasons() + metrics.unready()",
        "list",
        f"{LIVE}::test_a_process_is_ready_when_its_partitions_are_and_not_before",
    ),
    "a service that crashed goes unnoticed": Mutant(
        "app.worker",
        "            if service.crashed:",
        "            if False:",
        f"{LIVE}::test_a_service_that_crashes_ends_its_process",
    ),
    "orders never waits": Mutant(
        "streams.clock",
        "now = max(before, min(there, default=before))",
        "now = max(before, max(there, default=before))",
        f"{LIVE}::test_a_day_in_the_life",
    ),
    "a store never grows old": Mutant(
        "app.engine.stage",
        "changelog_max_age: float = DELETE_RETENTION_SECONDS / 2",
        "changelog_max_age: float = 1e12",
        f"{WIRES}::test_every_stage_is_composed_with_a_store_that_grows_old",
    ),
}
"""The first ten and the twelfth are those that once left all tests green."""


def survives(mutant: Mutant) -> bool:
    """The test passes with the defect. Raises ValueError when the defect's line is not there any more."""
    if source_of(mutant.module).read_text(encoding="utf-8").count(mutant.old) != 1:
        raise ValueError(f"{mutant.module} does not have `{mutant.old}` exactly once")
    planted = json.dumps([mutant.module, mutant.old, mutant.new])
    path = os.pathsep.join([str(SITE), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", mutant.killed_by],
        cwd=PROJECT,
        env={**os.environ, "LINELEDGER_TEST_PLANTED": planted, "PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise ValueError(f"pytest could not run {mutant.killed_by}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.returncode == 0


def main(*names: str) -> int:
    wrong = 0
    for name in names or MUTANTS:
        survived = survives(MUTANTS[name])
        wrong += survived
        print(f"{'SURVIVED' if survived else 'killed  '} {name}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
