"""What people call a dead letter by."""

import hashlib

from schemas.records import ExceptionRecord

ID_DIGITS = 12


def letter_id(letter: ExceptionRecord) -> str:
    """The same for the same refusal of the same record."""
    return hashlib.sha256(f"{letter.plant}\n{letter.stage}\n{letter.code}\n{letter.event_id}".encode()).hexdigest()[:ID_DIGITS]
