"""Artifacts by Maven coordinates into the project's .cache: once per machine, safe when several test runs start together."""

import fcntl
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache"
DEPLOY = ROOT / "deploy" / "kafka"
FETCH_TIMEOUT_S = 600
JAVA_NEEDED = 17


class Missing(RuntimeError):
    """Something that this machine does not have; the text says what, for the person who reads the skipped tests."""


@cache
def coordinates() -> dict[str, str]:
    """The names in deploy/kafka/coordinates.env."""
    lines = (DEPLOY / "coordinates.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@cache
def java() -> str:
    """The java command. Raises Missing unless it is Java 17 or later."""
    command = shutil.which("java")
    if command is None:
        raise Missing("no java on the PATH")
    answer = subprocess.run([command, "-version"], capture_output=True, text=True, timeout=60, check=False)
    version = re.search(r'version "(\d+)', answer.stderr + answer.stdout)
    if version is None or int(version[1]) < JAVA_NEEDED:
        raise Missing(f"java is {version[1] if version else 'of unknown version'}, {JAVA_NEEDED} is needed")
    return command


def broker_jars() -> Path:
    """Folder with the jars of deploy/kafka/pom.xml. Raises Missing."""
    with made_once(CACHE / "kafka" / f"libs-{_version_of_pom()}") as made:
        if made is not None:
            _maven("-f", str(DEPLOY / "pom.xml"), "copy-dependencies", f"-DoutputDirectory={made}", "-DincludeScope=runtime")
    return CACHE / "kafka" / f"libs-{_version_of_pom()}"


def registry_folder() -> Path:
    """The unpacked registry. Raises Missing."""
    artifact = coordinates()["REGISTRY_ARTIFACT"]
    target = CACHE / "apicurio" / artifact.split(":")[2]
    with made_once(target) as made:
        if made is not None:
            _maven("copy", f"-Dartifact={artifact}", f"-DoutputDirectory={made}")
            (archive,) = made.glob("*.tar.gz")
            # As dev.sh does. Python's own unpacks with a filter only since 3.11.4, and warns without one since 3.12; Maven's
            # goal `unpack` leaves a marker in the project and does nothing the next time.
            subprocess.run(["tar", "-xzf", archive, "-C", made], check=True, timeout=FETCH_TIMEOUT_S)
            archive.unlink()
    return target


def _version_of_pom() -> str:
    found = re.search(r"<artifactId>kafka_[\d.]+</artifactId>\s*<version>([\d.]+)</version>", (DEPLOY / "pom.xml").read_text())
    assert found, "deploy/kafka/pom.xml names no Kafka"
    return found[1]


@contextmanager
def made_once(target: Path) -> Iterator[Path | None]:
    """A folder to fill that becomes `target` when the block ends well; None: it is there already. One process at a time."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / f"{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if target.is_dir():
            yield None
            return
        made = Path(tempfile.mkdtemp(dir=target.parent))
        try:
            yield made
            made.rename(target)
        finally:
            shutil.rmtree(made, ignore_errors=True)


def _maven(*arguments: str) -> None:
    """Runs one goal (the argument without a dash) of the dependency plugin. Raises Missing with Maven's own last words."""
    command = shutil.which("mvn")
    if command is None:
        raise Missing("no mvn on the PATH")
    plugin = coordinates()["DEPENDENCY_PLUGIN"]
    goals = {"copy", "copy-dependencies"}
    words = [f"{plugin}:{word}" if word in goals else word for word in arguments]
    try:
        done = subprocess.run(
            [command, "-q", "-B", *words], cwd=DEPLOY, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise Missing(f"Maven did not finish in {FETCH_TIMEOUT_S} s") from None
    if done.returncode != 0:
        errors = [line for line in done.stdout.splitlines() if line.startswith("[ERROR]")] or ["no message"]
        raise Missing(f"Maven failed: {errors[0][:200]}")
