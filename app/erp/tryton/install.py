"""A Tryton of our own for demonstration and tests: its virtual environment and an initialised database to copy from."""

import fcntl
import hashlib
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

INSTALL_TIMEOUT_S = 600
INIT_TIMEOUT_S = 300
SOURCE = Path(__file__).resolve().parents[3] / "deploy" / "tryton"
"""The module and its lock file: part of the source tree, not of the package (another licence)."""
_KEPT_OUTPUT_CHARS = 2000


class TrytonUnavailable(RuntimeError):
    """No Tryton can be installed or started here. The message says which step failed and how it ended."""

    code = "TRYTON_UNAVAILABLE"

    def __init__(self, step: str, detail: str) -> None:
        super().__init__(f"{self.code}: {step}: {detail}")


@dataclass(slots=True, frozen=True)
class Installation:
    """What `install` leaves under its home. `template` is a database with modules and nothing else; its
    administrator's password is in `template_secret`, and every server changes it in its own copy."""

    environment: Path
    template: Path
    template_secret: Path

    def program(self, name: str) -> Path:
        return self.environment / "bin" / name


def install(home: Path, *, source: Path = SOURCE) -> Installation:
    """The installation under `home`, made when it is not there yet (30 s; packages come from pip's index, held to the
    hashes of the lock file). Safe to call from several processes: the first one works, the others wait.
    Raises TrytonUnavailable."""
    if not (source / "requirements.lock").is_file():
        raise TrytonUnavailable("install", f"{source.name}/requirements.lock is not there: it needs the source tree")
    home = home.resolve()  # trytond reads relative paths of its configuration from somewhere else
    home.mkdir(parents=True, exist_ok=True)
    key = _key(source)
    made = Installation(home / f"env-{key}", home / f"template-{key}.sqlite", home / f"template-{key}.secret")
    with _alone(home / "install.lock"):
        if not (made.environment / "complete").is_file():
            _make_environment(made.environment, source)
        if not made.template.is_file():
            _make_template(made)
    return made


def _key(source: Path) -> str:
    """Changes with the lock file, the module and the interpreter."""
    digest = hashlib.sha256(sys.version.encode())
    names = [*source.glob("*.toml"), *source.glob("*.lock"), *source.rglob("trytond_lineledger/**/*")]
    for path in sorted(names):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(str(path.relative_to(source)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def _make_environment(environment: Path, source: Path) -> None:
    pip: list[str | Path] = [environment / "bin" / "python", "-m", "pip", "install", "--quiet"]
    pip.append("--disable-pip-version-check")
    shutil.rmtree(environment, ignore_errors=True)
    run("make a virtual environment", [sys.executable, "-m", "venv", environment], INSTALL_TIMEOUT_S)
    lock = source / "requirements.lock"
    run("install packages", [*pip, "--require-hashes", "-r", lock], INSTALL_TIMEOUT_S)
    # Building leaves files beside the sources: not in the source tree.
    copy = environment / "module"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
    run("install the module", [*pip, "--no-index", "--no-deps", "--no-build-isolation", copy], INSTALL_TIMEOUT_S)
    (environment / "complete").touch()


def _make_template(made: Installation) -> None:
    work = made.template.with_suffix(".making")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    database = work / "template.sqlite"
    database.touch()
    config = write_config(work, port=0)
    write_secret(made.template_secret, secrets.token_urlsafe(24))
    command: list[str | Path] = [
        made.program("trytond-admin"),
        "-c",
        config,
        "-d",
        "template",
        "--email",
        "admin@example.invalid",
    ]
    command += ["--activate-dependencies", "-u", "lineledger"]
    run("initialise the database", command, INIT_TIMEOUT_S, {"TRYTONPASSFILE": str(made.template_secret)})
    with closing(sqlite3.connect(database)) as connection:
        # What is only in the write-ahead log would not be copied.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.replace(made.template)
    shutil.rmtree(work)


def write_config(directory: Path, port: int) -> Path:
    """trytond.conf in `directory`, with its databases beside it and listening on this machine only."""
    path = directory / "trytond.conf"
    text = f"[web]\nlisten = 127.0.0.1:{port}\n\n[database]\nuri = sqlite://\npath = {directory}\nlist = False\n"
    path.write_text(text, encoding="utf-8")
    return path


def write_secret(path: Path, secret: str) -> None:
    """A file that only its owner reads."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(secret)


def run(step: str, command: Sequence[str | Path], timeout_s: float, extra: Mapping[str, str] | None = None) -> None:
    """Run to the end. Raises TrytonUnavailable with the last output when it fails or takes longer."""
    try:
        done = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
            check=False,
            env={**os.environ, **(extra or {})},
        )
    except subprocess.TimeoutExpired as error:
        raise TrytonUnavailable(step, f"not done after {timeout_s:.0f} s") from error
    except OSError as error:
        raise TrytonUnavailable(step, str(error)) from error
    if done.returncode:
        output = done.stdout.decode(errors="replace").strip()[-_KEPT_OUTPUT_CHARS:]
        raise TrytonUnavailable(step, f"exit status {done.returncode}\n{output}")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
