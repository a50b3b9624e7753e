"""`lineledger topics` against a real broker: what it prints and its exit codes."""

import json

import pytest
from confluent_kafka.admin import NewTopic
from typer.testing import CliRunner

from app.cli.topics import app
from app.kafka.topics import admin_client
from schemas.catalog import catalog
from tests.platform.process import free_ports


@pytest.mark.kafka
def test_plan_apply_plan(kafka_bootstrap: str, topic_prefix: str) -> None:
    asked = ["--bootstrap", kafka_bootstrap, "--prefix", topic_prefix, "--replication", "1", "--raw", "raw.brn1.presses"]
    run = CliRunner().invoke
    count = len(catalog().topics)  # the patterns `raw` and `intake.changelog` stand for one topic each

    planned = run(app, ["plan", *asked])
    assert planned.exit_code == 1
    assert f"create  {topic_prefix}raw.brn1.presses" in planned.stdout
    assert run(app, ["apply", *asked]).exit_code == 0
    again = run(app, ["plan", *asked])
    assert (again.exit_code, again.stdout.splitlines()[-1]) == (0, f"{count} topics: 0 to create, 0 differ, {count} as wanted")
    assert run(app, ["apply", *asked]).exit_code == 0


@pytest.mark.kafka
def test_drift_ends_with_1_and_its_code(kafka_bootstrap: str, topic_prefix: str) -> None:
    topic = f"{topic_prefix}orders.inbox"
    admin = admin_client(kafka_bootstrap)
    admin.create_topics([NewTopic(topic, num_partitions=5, replication_factor=1)])[topic].result(20)
    asked = ["--bootstrap", kafka_bootstrap, "--prefix", topic_prefix, "--replication", "1", "--json"]
    for command in ("apply", "plan"):  # apply waits until the metadata shows the topic, plan only reads
        ended = CliRunner().invoke(app, [command, *asked])
        answer = json.loads(ended.stdout)
        assert (ended.exit_code, answer["code"]) == (1, "TOPIC_DRIFT")
        (drift,) = [change for change in answer["changes"] if change["action"] == "drift"]
        assert drift["topic"] == topic
        assert "partitions is 5, wanted 4" in drift["reasons"]


def test_no_broker_ends_with_2_and_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.kafka.broker.REACH_SECONDS", 1.0)
    (port,) = free_ports(1)
    ended = CliRunner().invoke(app, ["plan", "--bootstrap", f"127.0.0.1:{port}", "--json"])
    assert (ended.exit_code, json.loads(ended.stdout)["code"]) == (2, "BROKER_UNAVAILABLE")


def test_a_bad_name_ends_with_2_and_its_code() -> None:
    ended = CliRunner().invoke(app, ["apply", "--bootstrap", "127.0.0.1:1", "--raw", "not/a/name"])
    assert (ended.exit_code, ended.stderr.split(":")[0]) == (2, "TOPIC_NAME_INVALID")


def test_a_client_file_that_is_no_settings_is_a_usage_error(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("cli") / "client.properties"
    file.write_text("# security\nsecurity.protocol=SASL_SSL\nnonsense\n", encoding="utf-8")
    ended = CliRunner().invoke(app, ["plan", "--bootstrap", "127.0.0.1:1", "--client-config", str(file)])
    assert ended.exit_code == 2
    assert "key=value" in ended.stderr, "the message is wrapped to the terminal"
