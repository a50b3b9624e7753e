"""The whole chain from raw JSON lines to postings on the embedded broker."""

import json
import random
from pathlib import Path

from app.configuration import load
from app.inputs.input_files import inputs
from app.ledger.proof import erp_check
from app.run.request import RunRequest
from app.run.run import execute

RECORDS, SHORT_RECORDS = 600_000, 60_000
CONFIG = Path(__file__).parent / "chain_config"
START_MS = 1_760_000_400_000
MACHINES = 60


def write_input(path: Path, records: int) -> None:
    """One order and run per machine, then counter readings and process values, 2 : 1, as presses send them."""
    rnd = random.Random(7)
    counts = [0] * MACHINES
    with path.open("w", encoding="utf-8") as file:
        for machine in range(MACHINES):
            order = {
                "type": "order",
                "no": f"O{machine:03d}",
                "part": f"P{machine:03d}",
                "qty": 10_000_000,
                "ts": START_MS,
                "m": "",
                "id": f"o{machine}",
            }
            run = {
                "type": "start",
                "run": f"R{machine}",
                "no": f"O{machine:03d}",
                "part": f"P{machine:03d}",
                "ts": START_MS,
                "m": f"M{machine:03d}",
                "id": f"r{machine}",
            }
            file.write(json.dumps(order) + "\n" + json.dumps(run) + "\n")
        for index in range(records - 2 * MACHINES):
            machine = index % MACHINES
            stamp = START_MS + index // MACHINES * 1000 + machine
            record = {"m": f"M{machine:03d}", "ts": stamp, "id": f"e{index}", "seq": index // MACHINES}
            if index // MACHINES % 3:
                counts[machine] += rnd.randrange(3)
                record |= {"type": "cycle", "shots": counts[machine]}
            else:
                record |= {"type": "temp", "v": 200 + index % 40}
            file.write(json.dumps(record) + "\n")


def chain_rate(directory: Path, short: bool) -> float:
    """Raw records per second from the first record that intake committed to the last posting, all exact."""
    records = SHORT_RECORDS if short else RECORDS
    source = directory / "chain.jsonl"
    write_input(source, records)
    configuration = load(CONFIG)
    request = RunRequest(
        configuration=configuration,
        config_dir=CONFIG,
        files=inputs([str(source)], configuration.plant),
        out=directory / "chain-out",
        home=directory,
        embedded=True,
        erp="none",
    )
    return execute(request, erp_check.check).rate
