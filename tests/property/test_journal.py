"""The journal of equipment: a successor that folds it again goes on exactly where its predecessor was."""

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.records import LotLoaded, RunCorrected, RunStarted, Total
from tests.unit.streams.floor_stage import Floor, framed
from tests.unit.tables.floor_bench import S, at, configuration, on_machine, out

BEGIN = at("13:57")
"""A shift and its business date end three minutes later."""


def log(rng: random.Random, seconds: int, shows: str) -> list[Any]:
    """Seconds of two counters that are read in real time; now and then something that is no reading in order."""
    found, shots, resin = list[Any](), 100, 0
    for n in range(seconds):
        now = BEGIN + n * S
        made = rng.choice((0, 0, 0, 1, 2)) if shows == "total" else rng.choice((0, 0, -1, 1))
        shots = 0 if rng.random() < 0.01 else shots + made
        late = rng.random() < 0.03
        value = shots if shows == "total" else made
        found.append(framed([(n, now - (7 * S if late else 0), value)], now, n, raw_source=f"raw.p/{rng.randrange(20) // 19}"))
        if rng.random() < 0.5:
            resin += rng.randrange(3)
            found.append(framed([(n, now, resin)], now, 10_000 + n, counter="resin"))
        if rng.random() < 0.02:
            order = {"order": rng.choice(("OA", "OB")), "operation": "10", "outputs": [out("4711", lot="L1")]}
            found.append(on_machine(RunStarted, now - 3 * S, label=now, run=f"R{n}", **order))
        if rng.random() < 0.02:
            found.append(on_machine(RunCorrected, now, label=now, run="R0", version=n, order=rng.choice(("OA", "OC"))))
        if rng.random() < 0.02:
            found.append(on_machine(LotLoaded, now, label=now, position="hopper", material="PP", lot=f"B{n}"))
        if rng.random() < 0.8:
            found.append(now)
    return found


@given(st.integers(0, 2**32), st.integers(20, 90), st.sampled_from(["total", "increment"]), st.integers(1, 9))
def test_successors_go_on_where_their_predecessors_were(seed: int, seconds: int, shows: str, every: int) -> None:
    resin = {"counts": "consumption", "of": "loaded_lot", "position": "hopper", "unit": "kg"}
    plant = {"equipment": {"*": {"counters": {"shots": {"shows": shows}, "resin": resin}}}}
    started = on_machine(RunStarted, BEGIN, label=BEGIN, run="R0", order="OA", operation="10", outputs=[out("4711", lot="L0")])
    records = [started, *log(random.Random(seed), seconds, shows)]
    told, rows = list[list[Total]](), []
    for restarts in (True, False):
        floor = Floor(configuration(plant))
        for n, record in enumerate(records):
            floor.fold(floor.upstream_tick(record) if isinstance(record, int) else record)
            if restarts and n % every == 0:
                floor.restart()
        told.append(floor.step.take())
        rows.append(floor.row())
    assert told[0] == told[1]
    assert rows[0] == rows[1]
