"""Logs of a process: one JSON object a line on stderr, always with the same keys, never with local variables or secrets."""

import contextlib
import json
import logging
import os
import re
import sys
import threading
import traceback
from collections.abc import Iterator, MutableMapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

import structlog

from app.observability.broker_lines import BrokerLines
from app.observability.secrets import Secrets

SAID = ("code", "stage", "partition", "plant", "posting_id", "call", "detail")
"""What an event may say beside its name; empty when it does not."""
KEYS = ("time", "level", "logger", "event", *SAID, "error", "at")
"""Keys of every line. `error`: type and message of an exception and of its causes. `at`: where it came from, innermost first."""
MAX_CHARACTERS = 2_000
"""Of one value."""
MAX_CAUSES, MAX_PLACES = 5, 8
QUIET = dict.fromkeys(("aiokafka", "alembic", "httpx", "httpx2", "httpcore", "httpcore2"), logging.WARNING)
"""A line per call or per fetch is no log: calls are counted (lineledger_erp_requests)."""
_LIBRDKAFKA = re.compile(r"%(\d)\|[\d.]+\|(\w+)\|([^|]*)\| ?(.*)")
_SYSLOG = {"0": 50, "1": 50, "2": 50, "3": 40, "4": 30, "5": 20, "6": 20, "7": 10}


class JsonLines(logging.Formatter):
    def __init__(self, secrets: Secrets) -> None:
        super().__init__()
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        raised = record.exc_info[1] if record.exc_info else None
        moment = datetime.fromtimestamp(record.created, UTC)
        line = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": _message(record),
            **{key: str(getattr(record, key, "")) for key in SAID},
            "error": described(raised) if raised is not None else "",
            "at": places(raised) if raised is not None else "",
        }
        return json.dumps({key: self._secrets.hide(value)[:MAX_CHARACTERS] for key, value in line.items()}, ensure_ascii=False)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):  # a library that counts its arguments wrong: still a line
        return str(record.msg)


def described(raised: BaseException) -> str:
    """`Type: message` of the exception and of what caused it."""
    return " <- ".join(f"{type(one).__name__}: {one}".removesuffix(": ") for one in _causes(raised))


def places(raised: BaseException) -> str:
    """File, line and function of the innermost frames. No source text, no values."""
    frames = traceback.extract_tb(raised.__traceback__, limit=-MAX_PLACES)
    return " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))


def _causes(raised: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = raised
    for _ in range(MAX_CAUSES):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


def start(secrets: Secrets, stream: TextIO | None = None) -> logging.Handler:
    """Everything that this process logs goes through one handler to `stream` (stderr); called again it replaces the first.

    What nobody catches becomes a line too: Python's own tracebacks show source text and messages, secrets included.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines(secrets))
    handler.addFilter(BrokerLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a handler's own failure prints the arguments of the line
    for name, level in QUIET.items():
        logging.getLogger(name).setLevel(level)
    structlog.configure(
        processors=[_fixed_keys, structlog.stdlib.render_to_log_kwargs],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    sys.excepthook = _unhandled
    threading.excepthook = lambda found: _unhandled(found.exc_type, found.exc_value, found.exc_traceback)
    return handler


def _fixed_keys(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """What has no key of its own is told in `detail`."""
    others = {key: event.pop(key) for key in list(event) if key not in (*SAID, "event", "exc_info")}
    if others:
        event["detail"] = " ".join([str(event.get("detail", "")), *(f"{key}={value}" for key, value in others.items())]).strip()
    return event


def _unhandled(kind: type[BaseException], raised: BaseException | None, at: TracebackType | None) -> None:
    if raised is None or issubclass(kind, SystemExit | KeyboardInterrupt):
        return
    logging.getLogger("lineledger").critical("nobody caught this", exc_info=(kind, raised, at))


@contextlib.contextmanager
def of_a_worker(secrets: Secrets) -> Iterator[None]:
    """Logs of a process of its own: also what libraries in C write to stderr (librdkafka) becomes lines of the same form."""
    direct = os.fdopen(os.dup(2), "w", encoding="utf-8", buffering=1)
    handler = start(secrets, direct)
    read, write = os.pipe()
    os.dup2(write, 2)
    os.close(write)
    reader = threading.Thread(target=_gather, args=(read, handler), name="stderr", daemon=True)
    reader.start()
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(direct.fileno(), 2)  # the last writer of the pipe: the reader comes to its end
        reader.join(1.0)


def _gather(read: int, handler: logging.Handler) -> None:
    with os.fdopen(read, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.strip():
                handler.handle(_stray(line.rstrip()))


def _stray(line: str) -> logging.LogRecord:
    found = _LIBRDKAFKA.fullmatch(line)
    if found is None:
        return logging.LogRecord("stderr", logging.WARNING, "", 0, "%s", (line,), None)
    level, what, client, said = found.groups()
    return logging.LogRecord("librdkafka", _SYSLOG[level], "", 0, "%s %s: %s", (what, client, said), None)
