"""`python -m benchmarks.simulation`: other rules on a day of a million raw records, by the command that people use.

The simulated plant of the demo, whose machines report eight times as often, with the two recorded mills. Exit 1: it took more
than two minutes.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from app.demo.master import CONFIGURATION
from app.demo.plant_simulator import generate
from app.demo.recordings import recordings

SCALE, GOAL_SECONDS = 8.0, 120
OLD, NEW = "{kind: scrap, when: [shift_end, order_completed,", "{kind: scrap, when: [every 1 h,"


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="lineledger-bench-") as directory:
        base = Path(directory)
        generate(base / "input", scale=SCALE)
        shutil.copytree(CONFIGURATION, base / "plant")
        rules = base / "plant" / "rules.yaml"
        text = rules.read_text(encoding="utf-8")
        assert OLD in text, "the demo's rules changed"
        rules.write_text(text.replace(OLD, NEW), encoding="utf-8")
        files = [word for path in (*sorted((base / "input").iterdir()), *recordings()) for word in ("--input", str(path))]
        command = [sys.executable, "-m", "app.cli.main", "rules", "simulate", "--config", str(base / "plant")]
        print(f"load average {os.getloadavg()[0]:.2f}", flush=True)
        began = time.monotonic()
        done = subprocess.run([*command, "--against", str(CONFIGURATION), *files], check=False)
        seconds = time.monotonic() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{seconds:.1f} s of time, {used.ru_utime + used.ru_stime:.1f} s of CPU (goal {GOAL_SECONDS} s)", flush=True)
    return 1 if done.returncode or seconds > GOAL_SECONDS else 0


if __name__ == "__main__":
    sys.exit(main())
