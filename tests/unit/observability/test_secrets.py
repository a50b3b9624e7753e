"""Secrets are hidden in every form in which a text may hold them."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest

from app.observability.secrets import HIDDEN, Secrets

CANARY = "s3cr3t/with+odd\"signs' é"


@pytest.mark.parametrize(
    "form",
    [
        CANARY,
        quote(CANARY, safe=""),
        quote_plus(CANARY),
        json.dumps(CANARY),
        repr(CANARY),
        CANARY.encode().hex(),
        base64.b64encode(CANARY.encode()).decode(),
        base64.b64encode(f"user:{CANARY}".encode()).decode(),
        base64.b64encode(f"us:{CANARY} and more".encode()).decode(),
        base64.b64encode(f"u:{CANARY}x".encode()).decode(),
    ],
)
def test_a_known_value_is_found_in_each_form(form: str) -> None:
    shown = Secrets([CANARY]).hide(f"before {form} after")
    assert HIDDEN in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert "s3cr3t" not in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://anna:pass@erp:80/x", "http://***@erp:80/x"),
        ("http://anna@erp/x", "http://anna@erp/x"),
        ("Authorization: Bearer abcdefgh1234", "Authorization: Bearer ***"),
        ("Session YWRtaW46MTphYmM= of", "Session *** of"),
        ("a session of eight hours", "a session of eight hours"),
        ("nothing", "nothing"),
    ],
)
def test_what_looks_like_a_secret_is_hidden_without_knowing_it(text: str, shown: str) -> None:
    assert Secrets().hide(text) == shown


def test_the_names_say_what_is_secret() -> None:
    environ = {
        "LINELEDGER_REGISTRY_PASSWORD": "registry-17",
        "ERP_BRN1": "token-of-the-erp",
        "HOME": "/home/x",
        "SHORT_TOKEN": "abc",
    }
    settings = {
        "sasl.username": "reader",
        "sasl.password": "sasl-17",
        "ssl.key.password": "key-17",
        "ssl.key.location": "/etc/key.pem",
        "basic.auth.user.info": "me:registry-18",
    }
    text = " ".join([*environ.values(), *settings.values()])
    shown = Secrets.of(environ, settings, named=["ERP_BRN1", "NOT_SET"]).hide(text)
    assert shown == f"{HIDDEN} {HIDDEN} /home/x abc reader {HIDDEN} {HIDDEN} /etc/key.pem {HIDDEN}"
