import base64
import json
from urllib.parse import quote, quote_plus

import pytest

from app.erp.canary import Leak, find_leaks

CANARY, VALUE = "Zylinder Heizung-7", "918273645546"
CLEAN = b'POST /documents\r\nrepeatability-request-id: 0d3f\r\n\r\n{"lines":[{"posting_id":"7KQ2M9XD4TWB1C0F","amount":1204}]}'


def body(text: str | bytes) -> bytes:
    return CLEAN + (text.encode() if isinstance(text, str) else text)


def based(text: str, before: int = 0) -> str:
    return base64.b64encode(b"x" * before + text.encode()).decode()


@pytest.mark.parametrize(
    ("leak", "form"),
    [
        (CANARY, "raw"),
        (CANARY.upper(), "raw"),
        (quote(CANARY), "url"),
        (quote_plus(CANARY), "url"),
        ("".join(f"\\u{ord(c):04x}" for c in CANARY), "json"),
        (based(CANARY), "base64"),
        (based(CANARY, 1), "base64"),
        (based(CANARY, 2), "base64"),
        ("prefix" + based(CANARY), "base64"),
        (base64.urlsafe_b64encode(b"\xff\xfe" + CANARY.encode()).decode().rstrip("="), "base64"),
        (CANARY.encode().hex(), "hex"),
        (based(quote(CANARY)), "base64+url"),
        (quote(based(json.dumps({"a": CANARY}), 1)), "base64"),
        (CANARY.encode("utf-16-le"), "raw"),
    ],
)
def test_one_planted_name_is_found(leak: str | bytes, form: str) -> None:
    found = find_leaks([CLEAN, body(leak), CLEAN], [CANARY, "Nothing-Of-It"])
    assert [(one.request, one.canary) for one in found] == [(1, CANARY)]
    assert form in found[0].form or found[0].form == form


@pytest.mark.parametrize("leak", [VALUE, "918273.645546", "9182736455.46", "918 273 645 546", based(VALUE), "-9182736455460"])
def test_one_planted_value_is_found(leak: str) -> None:
    (found,) = find_leaks([body(leak)], [VALUE])
    assert isinstance(found, Leak)
    assert found.request == 0


def test_a_clean_recording_is_clean() -> None:
    assert find_leaks([CLEAN] * 3, [CANARY, VALUE]) == []


def test_umlauts_are_found_in_every_spelling() -> None:
    name = "Düsenheizung"
    leaks = [name, quote(name), json.dumps(name), based(name)]
    assert {one.request for one in find_leaks([body(leak) for leak in leaks], [name])} == {0, 1, 2, 3}


@pytest.mark.parametrize("canary", ["", "PC", "12345", "123456789"])
def test_canaries_that_occur_by_chance_are_refused(canary: str) -> None:
    with pytest.raises(ValueError, match="too short"):
        find_leaks([CLEAN], [canary])
