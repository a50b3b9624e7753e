"""One file of settings for every client: what is taken, what is refused, and that nothing secret is shown."""

import logging
from pathlib import Path

import pytest
from confluent_kafka import KafkaError

from app.engine.credentials import credentials_of
from app.kafka.broker import Broker, BrokerRefused, BrokerUnavailable, Hearing
from app.kafka.connection import ConnectionInvalid, checked, connection, properties
from app.kafka.registry import Registry, RegistryUrlInvalid
from tests.platform.certificates import Authority
from tests.platform.process import free_ports

CANARY = "canary-71ac"
SCRAM = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "u", "sasl.password": CANARY}


def test_the_file_has_kafka_and_registry_settings(tmp_path: Path) -> None:
    file = tmp_path / "client.properties"
    lines = [f"{key} = {value}" for key, value in SCRAM.items()]
    registry = ["schema.registry.url=https://registry:1", f"schema.registry.basic.auth.user.info=me:{CANARY}=x"]
    file.write_text("\n".join(["# security", "", *lines, *registry]), encoding="utf-8")
    found = connection("b:1", "p.", client_config=file)
    assert (found.broker.bootstrap, found.prefix, dict(found.broker.security)) == ("b:1", "p.", SCRAM)
    assert (found.registry.url, found.registry.settings["basic.auth.user.info"]) == ("https://registry:1", f"me:{CANARY}=x")
    assert connection("b:1", registry="https://other:2", client_config=file).registry.url == "https://other:2"
    assert CANARY not in repr(found)
    client = found.broker.client(group_id="g")
    assert (client["sasl.password"], client["group.id"], client["bootstrap.servers"]) == (CANARY, "g", "b:1")


def test_a_line_that_is_no_setting_is_named_without_its_text(tmp_path: Path) -> None:
    file = tmp_path / "client.properties"
    file.write_text(f"security.protocol=SSL\n{CANARY}\n", encoding="utf-8")
    with pytest.raises(ConnectionInvalid, match=":2 is not key=value") as refused:
        properties(file)
    assert CANARY not in str(refused.value)


@pytest.mark.parametrize(
    "changed",
    [
        {"security.protocol": "NONSENSE"},
        {"sasl.mechanism": "GSSAPI"},
        {"sasl.mechanism": "OAUTHBEARER"},
        {"sasl.mechanism": ""},
        {"sasl.password": ""},
        {"sasl.kerberos.service.name": "kafka"},
        {"sasl.oauthbearer.token.endpoint.url": "https://x"},
        {"ssl.keystore.location": "/x"},
        {"ssl.ca.location": "/x"},
        {"enable.idempotence": "false"},
        {"transactional.id": "x"},
        {"bootstrap.servers": "x:1"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_what_a_client_could_not_follow_is_refused(changed: dict[str, str]) -> None:
    with pytest.raises(ConnectionInvalid) as refused:
        checked({**SCRAM, **changed})
    assert refused.value.code == "CLIENT_CONFIG_INVALID"
    assert CANARY not in str(refused.value)


def test_settings_that_would_be_silently_ignored_are_refused() -> None:
    with pytest.raises(ConnectionInvalid, match=r"sasl\.password means nothing with security\.protocol=PLAINTEXT"):
        checked({"sasl.password": CANARY})
    with pytest.raises(ConnectionInvalid, match="does not exist"):
        checked({"security.protocol": "SSL", "ssl.ca.location": "/no/such/file"})


def test_faust_gets_the_same_credentials(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("me", CANARY)
    assert credentials_of(Broker("b:1")) is None
    scram = credentials_of(Broker("b:1", SCRAM))
    assert (scram.username, scram.password, scram.mechanism.value, scram.protocol.value) == (
        "u",
        CANARY,
        "SCRAM-SHA-512",
        "SASL_PLAINTEXT",
    )
    tls = {"security.protocol": "SSL", "ssl.ca.location": str(authority.ca), "ssl.certificate.location": str(certificate)}
    tls |= {"ssl.key.location": str(key), "ssl.key.password": CANARY}
    context = credentials_of(Broker("b:1", tls)).context
    assert [entry["subject"] for entry in context.get_ca_certs()] == [((("commonName", "test-ca"),),)]
    assert context.check_hostname
    text = authority.ca.read_text(encoding="utf-8").replace("\n", "\\n")
    inline = credentials_of(Broker("b:1", checked({"security.protocol": "ssl", "ssl.ca.pem": text}))).context
    assert len(inline.get_ca_certs()) == 1
    unnamed = credentials_of(Broker("b:1", {**tls, "ssl.endpoint.identification.algorithm": "none"})).context
    assert not unnamed.check_hostname
    over_tls = {**SCRAM, "security.protocol": "sasl_ssl", "ssl.ca.location": str(authority.ca)}
    assert credentials_of(Broker("b:1", over_tls)).protocol.value == "SASL_SSL"


@pytest.mark.parametrize("changed", [{"ssl.key.password": "wrong"}, {"ssl.key.password": ""}])
def test_a_key_that_cannot_be_read_is_refused_and_nobody_is_asked(tmp_path: Path, changed: dict[str, str]) -> None:
    certificate, key = Authority(tmp_path).issue("me", CANARY)
    tls = {"security.protocol": "SSL", "ssl.certificate.location": str(certificate), "ssl.key.location": str(key)}
    with pytest.raises(ConnectionInvalid):
        credentials_of(Broker("b:1", {**tls, **changed}))


@pytest.mark.parametrize(
    ("url", "settings"),
    [
        (f"http://me:{CANARY}@registry:1", {}),
        ("registry:1", {}),
        ("ftp://registry", {}),
        ("http://registry:1", {"basic.auth.user.info": f"me:{CANARY}"}),
        ("https://registry:1", {"basic.auth.user.info": CANARY}),
        ("https://registry:1", {"bearer.auth.token": CANARY}),
        (f"https://good:1,http://me:{CANARY}@other:1", {}),
    ],
)
def test_a_registry_address_that_is_none_or_shows_a_password_is_refused(url: str, settings: dict[str, str]) -> None:
    with pytest.raises(RegistryUrlInvalid) as refused:
        Registry(url, settings)
    assert (refused.value.code, CANARY in str(refused.value)) == ("REGISTRY_URL_INVALID", False)


def test_a_registry_file_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(RegistryUrlInvalid, match="authority"):
        Registry("https://registry:1", {"ssl.ca.location": "/no/such/file"}).client()


def test_nobody_at_the_address_is_not_a_refusal() -> None:
    (port,) = free_ports(1)
    with pytest.raises(BrokerUnavailable):
        Broker(f"127.0.0.1:{port}").reach(0.5)


@pytest.mark.parametrize(
    ("code", "text", "refused"),
    [
        (KafkaError._AUTHENTICATION, "SASL authentication error", True),
        (KafkaError._SSL, "handshake failed", True),
        (KafkaError._TRANSPORT, "Receive failed: error:0A000412:SSL routines::ssl/tls alert bad certificate", True),
        (KafkaError._TRANSPORT, "Connection refused", False),
        (KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down", False),
    ],
)
def test_refusals_are_told_apart_from_absence(code: int, text: str, refused: bool) -> None:
    hearing = Hearing()
    hearing(KafkaError(code, text))
    assert bool(hearing.refusal) == refused
    assert BrokerRefused.code == "BROKER_AUTH"


def test_a_broker_that_is_away_costs_one_line_a_second(caplog: pytest.LogCaptureFixture) -> None:
    hearing = Hearing()
    with caplog.at_level(logging.WARNING):
        for _ in range(1000):
            hearing(KafkaError(KafkaError._TRANSPORT, "Connection refused"))
    assert len(caplog.records) == 1
