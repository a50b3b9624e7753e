"""promtool, which checks and tests alert rules: from the PATH, else out of Debian's package, unpacked into .cache."""

import shutil
import subprocess
from pathlib import Path

from tests.platform.maven import CACHE, FETCH_TIMEOUT_S, Missing, made_once

PACKAGE = "prometheus"


def promtool() -> Path:
    """The command. Raises Missing with what this machine lacks."""
    found = shutil.which("promtool")
    if found is not None:
        return Path(found)
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise Missing("no promtool on the PATH, and no apt-get to take it from")
    target = CACHE / "promtool"
    with made_once(target) as made:
        if made is not None:
            _run(["apt-get", "download", PACKAGE], made)
            (package,) = made.glob(f"{PACKAGE}_*.deb")
            _run(["dpkg", "-x", package.name, "."], made)
            package.unlink()
    return target / "usr" / "bin" / "promtool"


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise Missing(f"{command[0]} did not finish in {FETCH_TIMEOUT_S} s") from None
    if done.returncode != 0:
        raise Missing(f"{' '.join(command)}: {done.stderr.strip()[-200:]}")
