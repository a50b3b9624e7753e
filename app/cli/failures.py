"""What ends a command, in one line: `CODE: sentence`, and exit 2. A traceback is for defects of the program only."""

import errno
import json
import logging
import os
import re
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import typer

from app.cli.exits import USAGE
from app.fatal import Exit
from app.observability.logs import described
from app.observability.secrets import Secrets
from schemas.codes import entries_of
from tables.refusal import RefusedValue

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
UNUSABLE = {
    errno.EEXIST: "it is a file, and a folder is needed",
    errno.ENOTDIR: "it is a file, or lies in one, and a folder is needed",
    errno.EISDIR: "it is a folder, and a file is needed",
    errno.ENOENT: "there is no such file or folder",
}
WITH_PATH = frozenset(
    {
        *(
            "--append",
            "--checkpoint",
            "--client-config",
            "--config",
            "--database",
            "--datadir",
            "--directory",
            "--export-postings",
        ),
        *("--faults", "--folder", "--home", "--input", "--installation", "-f", "--out", "--to"),
    }
)
"""Options that are followed by a file or folder."""
INTERRUPTED = 130
"""128 + SIGINT, within a prompt."""
PORTS = frozenset({"--port", "--metrics-port"})
_ADDRESS = re.compile(r"\('[^']*', (\d+)")
IN_USE = frozenset({errno.EADDRINUSE, errno.EADDRNOTAVAIL})


class CommandFailure(NamedTuple):
    """`code` stands in the register of codes; `detail` is one sentence."""

    code: str
    detail: str
    lasts: bool = False
    """What was typed or written is wrong: the same start ends in the same way until a person corrects it."""

    def __str__(self) -> str:
        return self.detail if self.detail.startswith(f"{self.code}: ") else f"{self.code}: {self.detail}"


def failure_of(error: BaseException, words: Sequence[str] = ()) -> CommandFailure | None:
    """The failure that a person can act upon; None: a defect. `words`: what was typed."""
    match error:
        case RefusedValue():
            return CommandFailure(error.refusal.code, error.refusal.detail, lasts=True)
        case OSError() if error.errno is not None:
            return _of_the_system(error, words)
        case typer.TyperException():
            return _of_the_words(error)
    kafka = sys.modules.get("confluent_kafka")  # a command that does not need it does not import it
    if kafka is not None and isinstance(error, kafka.KafkaException):
        return CommandFailure("BROKER_UNAVAILABLE", f"{error.args[0].str()}; check --bootstrap and --client-config")
    code = getattr(error, "code", None)
    detail = f"\n{code}: ".join(str(error).splitlines()) if code == "BAD_CONFIG" else str(error)  # a line per problem
    lasts = isinstance(error, ValueError)  # of a file or an option, not of what did not answer
    return CommandFailure(code, detail, lasts) if isinstance(code, str) and entries_of(code) else None


def _of_the_system(error: OSError, words: Sequence[str]) -> CommandFailure:
    where = f" ({error.filename})" if error.filename else ""
    if isinstance(error, socket.gaierror):
        return CommandFailure("WRONG_USE", f"there is no such host ({error.strerror}); check the address that was given")
    if error.errno in FULL:
        return CommandFailure("DISK_FULL", f"no space left{where}")
    if error.errno in FORBIDDEN:
        return CommandFailure("NO_ACCESS", f"{error.strerror}{where}")
    if error.errno in IN_USE:
        return CommandFailure("PORT_IN_USE", _of_the_port(error, words))
    if not isinstance(error.filename, str) or error.errno not in UNUSABLE:
        return CommandFailure("FILE_UNUSABLE", f"{error.strerror}{where}")
    option, value = _option_with(error.filename, words)
    do = f"name another one with {option}" if option else "check the name"
    typed = value if option and not Path(value).is_dir() else error.filename
    return CommandFailure("FILE_UNUSABLE", f"{typed}: {UNUSABLE[error.errno]}; {do}")


def _of_the_port(error: OSError, words: Sequence[str]) -> str:
    """Which port is taken, as it was typed or as the system tells it, and the option that names another one."""
    typed = [(option, value) for option, value in _options(words) if option in PORTS and value]
    told = _ADDRESS.search(str(error))
    option, port = next((one for one in typed if told is None or one[1] == told[1]), ("", told[1] if told else ""))
    option = option or ("--metrics-port" if words[:1] and words[0] in ("worker", "up") else "--port")
    where = f"port {port}" if port else str(error.strerror)
    taken = "another process listens there, or the address is not this machine's"
    return f"{where} is in use: {taken}; name another one with {option}"


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What was typed behind each word; of an option with `=` in it, its own value."""
    for before, word in pairwise(["", *words]):
        option, _, value = word.partition("=") if word.startswith("-") else (before, "=", word)
        yield option, value


def _option_with(path: str, words: Sequence[str]) -> tuple[str, str]:
    """The option that was typed with this path, or with a folder that it lies in, and what was typed; empty: none was, or it
    stands by itself."""
    found, whole = ("", ""), Path(path).absolute()
    for option, value in _options(words):
        typed = Path(value).absolute() if value else None
        if typed == whole and option not in WITH_PATH:
            return "", ""
        if typed in (whole, *whole.parents) and option in WITH_PATH:
            found = option, value
    return found


def _of_the_words(error: typer.TyperException) -> CommandFailure:
    """What was typed is no command: the sentence, and where its help is."""
    said, typed = " ".join(error.format_message().split()), getattr(getattr(error, "ctx", None), "command_path", "lineledger")
    if not said or said.startswith("Usage: "):  # the help itself, which was shown already
        said = "a command is missing"
    mark = " " if said.endswith("?") else "; "
    return CommandFailure("WRONG_USE", f"{said.rstrip('.')}{mark}`{typed} --help` shows what it takes", lasts=True)


def ended(command: Callable[[], Any], of_stages: bool = False, words: Sequence[str] = ()) -> NoReturn:
    """Run the command line, and end the process with what `command` returns (None: 0). What it raises ends it with one line and
    exit 2; a defect shows where it is, and ends with 2, too. `of_stages`: a process that a supervisor keeps running; then with 2
    only where another start would end in the same way, else with Exit.PROCESS_FAILED. `words`: what was typed."""
    try:
        sys.exit(command())
    except typer.Abort:
        sys.exit(INTERRUPTED)
    except Exception as error:
        failure = failure_of(error, words)
        if failure is None:
            failure = CommandFailure("INTERNAL_ERROR", described(error))
            logging.getLogger("lineledger").critical("a defect ended the command", exc_info=True, extra={"code": failure.code})
        print(Secrets.of(os.environ).hide(str(failure)), file=sys.stderr)
        sys.exit(USAGE if failure.lasts or not of_stages else Exit.PROCESS_FAILED)


def is_text(argument: str) -> bool:
    """Python hands over bytes that are no UTF-8 as halves of characters, which nothing can write."""
    return not any("\ud800" <= sign <= "\udfff" for sign in argument)


def fail(code: str, detail: str, as_json: bool = False) -> NoReturn:
    """End the command: wrong use, or no infrastructure. `code` is one of the register."""
    typer.echo(json.dumps({"code": code, "detail": detail}) if as_json else f"{code}: {detail}", err=not as_json)
    raise typer.Exit(USAGE)
