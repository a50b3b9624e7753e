"""The end of a process that must not commit: exit codes, and the way out."""

import logging
import os
from enum import IntEnum
from typing import NoReturn


class Exit(IntEnum):
    """Exit codes of an engine process (docs/exceptions.md says what to type for each)."""

    FOLD_FAILED = 70
    STORE_DAMAGED = 71
    INBOX_HOLE = 72
    INBOX_TRUNCATED = 73
    TAKEOVER_FAILED = 74
    FENCED = 75
    BROKER_TIMEOUT = 76
    COMMIT_FAILED = 77
    TOPIC_MISMATCH = 78
    CONFIG_MISSING = 79
    SCHEMA_UNKNOWN = 80
    SERVICE_CRASHED = 81
    OUTCOME_LOST = 82
    APPEND_TIME_MISSING = 83
    BROKER_AUTH = 85
    REGISTRY_FAILED = 86
    PROCESS_FAILED = 87


def die(code: Exit, why: str) -> NoReturn:
    """End the process at once: nothing uncommitted may be committed later, and no handler may run."""
    try:
        logging.getLogger("lineledger").critical("FATAL %s pid=%d %s", code.name, os.getpid(), why, extra={"code": code.name})
    finally:
        os._exit(code)
