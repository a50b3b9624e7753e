"""Lines of the log: always the same keys, no local variables, no secrets, for any text and any logger."""

import io
import json
import logging
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from app.observability import logs
from app.observability.secrets import Secrets
from tests.docs.codes import modules

ROOT = Path(__file__).parents[3]
CANARY = 'kanárek"17 & +/9'


@pytest.fixture
def told() -> Iterator[io.StringIO]:
    """Logging as a process has it, and afterwards as it was."""
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook, logging.raiseExceptions)
    handlers, level = root.handlers[:], root.level
    root.handlers = []  # pytest's own stay open
    stream = io.StringIO()
    logs.start(Secrets([CANARY]), stream)
    yield stream
    root.handlers = handlers
    root.setLevel(level)
    sys.excepthook, threading.excepthook, logging.raiseExceptions = hooks
    logging.captureWarnings(False)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, str]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_every_line_has_the_same_keys(told: io.StringIO) -> None:
    structlog.get_logger("one").warning("ERP_FOREIGN", code="ERP_FOREIGN", plant="P", stranger=7)
    logging.getLogger("two").info("%d of %d", 1, 2)
    logging.getLogger("three").error("%d", "no number")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("careful", stacklevel=1)
    first, second, third, fourth = lines(told)
    assert {tuple(line) for line in lines(told)} == {logs.KEYS}
    assert (first["level"], first["logger"], first["event"], first["plant"]) == ("warning", "one", "ERP_FOREIGN", "P")
    assert first["detail"] == "stranger=7"
    assert (second["event"], third["event"]) == ("1 of 2", "%d")
    assert "careful" in fourth["event"]


@pytest.mark.parametrize("logger", [structlog.get_logger, logging.getLogger])
def test_an_exception_is_type_message_and_place_never_values(told: io.StringIO, logger: Any) -> None:
    def fails() -> None:
        secret_in_a_local = CANARY
        try:
            raise KeyError(secret_in_a_local)
        except KeyError as cause:
            raise ValueError(f"no {secret_in_a_local} here") from cause

    try:
        fails()
    except ValueError:
        logger("x").exception("failed")
    (line,) = lines(told)
    assert line["error"].startswith("ValueError: no *** here <- KeyError: ")
    assert f"{Path(__file__).name}:" in line["at"]
    assert " fails" in line["at"]
    assert "kan" not in told.getvalue()
    assert "secret_in_a_local" not in told.getvalue()


def test_what_nobody_catches_is_a_line_too(told: io.StringIO) -> None:
    def fails() -> None:
        raise RuntimeError(CANARY)

    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()
    (line,) = lines(told)
    assert (line["level"], line["error"]) == ("critical", "RuntimeError: ***")


def test_a_call_to_the_erp_is_no_line(told: io.StringIO) -> None:
    logging.getLogger("httpx").info('HTTP Request: POST http://erp/documents "HTTP/1.1 201 Created"')
    assert lines(told) == []


def test_what_is_longer_than_a_line_is_cut(told: io.StringIO) -> None:
    logging.getLogger("x").error("e" * 100_000)
    assert len(lines(told)[0]["event"]) == logs.MAX_CHARACTERS


def test_events_of_this_program_use_the_keys() -> None:
    """A key that is not among them would end in `detail`: allowed for libraries, not for us."""
    import ast

    wrong = [
        f"{module.name}:{node.lineno} {word.arg}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr in ("debug", "info", "warning", "error", "exception", "critical")
        for word in node.keywords
        if word.arg not in (*logs.SAID, "exc_info", "extra")
    ]
    assert wrong == []


WORKER = """
import logging, os, sys
from app.fatal import Exit, die
from app.observability.logs import of_a_worker
from app.observability.secrets import Secrets
with of_a_worker(Secrets.of(os.environ)):
    logging.getLogger("x").info("begun with %s", os.environ["LINELEDGER_TEST_PASSWORD"])
    password = os.environ["LINELEDGER_TEST_PASSWORD"].encode()
    os.write(2, b"%3|1795675731.384|FAIL|rdkafka#producer-5| [thrd:main]: sasl " + password + b"\\n")
    print("a library prints", file=sys.stderr)
    if sys.argv[1] == "dies":
        die(Exit.FENCED, "somebody else: " + os.environ["LINELEDGER_TEST_PASSWORD"])
    raise RuntimeError(os.environ["LINELEDGER_TEST_PASSWORD"])
"""


@pytest.mark.parametrize(("how", "code"), [("dies", 75), ("raises", 1)])
def test_everything_that_a_worker_writes_is_json_and_hides_secrets(how: str, code: int) -> None:
    environ = {**os.environ, "LINELEDGER_TEST_PASSWORD": CANARY}
    ended = subprocess.run(
        [sys.executable, "-c", WORKER, how], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == code
    found = [json.loads(line) for line in ended.stderr.splitlines()]
    assert {tuple(line) for line in found} == {logs.KEYS}
    assert "kan" not in ended.stderr.replace("\\u00e1", "á")
    events = {(line["logger"], line["level"], line["event"]) for line in found}
    assert ("x", "info", "begun with ***") in events
    last = ("FENCED", "critical") if how == "dies" else ("", "critical")
    assert (found[-1]["code"], found[-1]["level"]) == last or how == "raises"
    if how == "raises":  # what is on its way when a process is ended at once may be lost
        assert ("librdkafka", "error", "FAIL rdkafka#producer-5: [thrd:main]: sasl ***") in events
        assert ("stderr", "warning", "a library prints") in events
