"""`lineledger schemas`: list, plan and apply against a real registry, and records.py."""

import json
import uuid

import pytest
from confluent_kafka.schema_registry import Schema
from typer.testing import CliRunner

from app.cli.schemas import app
from app.kafka import registry
from schemas import generate
from schemas.catalog import catalog
from tests.platform.process import free_ports


@pytest.mark.registry
def test_plan_apply_plan(registry_url: str) -> None:
    asked = ["--registry", registry_url, "--prefix", f"t{uuid.uuid4().hex[:8]}."]
    run = CliRunner().invoke
    planned = json.loads(run(app, ["plan", *asked, "--json"]).stdout)
    assert (planned["code"], planned["incompatible"], len(planned["missing"])) == (
        "",
        [],
        len(list(registry.subjects(catalog()))),
    )
    assert run(app, ["plan", *asked]).exit_code == 1
    first = run(app, ["apply", *asked, "--json"])
    assert first.exit_code == 0
    assert json.loads(run(app, ["apply", *asked, "--json"]).stdout) == json.loads(first.stdout)
    again = run(app, ["plan", *asked])
    assert (again.exit_code, again.stdout) == (0, "0 subjects to create or to add to, 0 differ\n")


@pytest.mark.registry
def test_an_incompatible_subject_ends_with_1_and_its_code(registry_url: str) -> None:
    prefix = f"t{uuid.uuid4().hex[:8]}."
    subject = registry.subject_of(f"{prefix}orders.inbox", "Tick")
    foreign = {"type": "record", "name": "Tick", "namespace": "lineledger", "fields": [{"name": "at", "type": "boolean"}]}
    registry.registry_client(registry_url).register_schema(subject, Schema(json.dumps(foreign), "AVRO"))
    for command in ("plan", "apply"):
        ended = CliRunner().invoke(app, [command, "--registry", registry_url, "--prefix", prefix, "--json"])
        answer = json.loads(ended.stdout)
        assert (ended.exit_code, answer["code"]) == (1, "SCHEMA_INCOMPATIBLE")
        assert {each["subject"] for each in answer["incompatible"]} == {subject}


def test_no_registry_ends_with_2_and_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    client = registry.registry_client
    monkeypatch.setattr(registry, "registry_client", lambda url: client(url, retries=1, timeout_s=1))
    (port,) = free_ports(1)
    for url, code in ((f"http://127.0.0.1:{port}", "REGISTRY_UNAVAILABLE"), ("no-url", "REGISTRY_URL_INVALID")):
        ended = CliRunner().invoke(app, ["plan", "--registry", url, "--json"])
        assert (ended.exit_code, json.loads(ended.stdout)["code"]) == (2, code)


def test_list_shows_every_record_with_its_id() -> None:
    listed = json.loads(CliRunner().invoke(app, ["list", "--json"]).stdout)
    assert {row["record"]: row["id"] for row in listed["records"]} == dict(catalog().schema_ids)


def test_generate_check_sees_a_stale_file(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("generate") / "records.py"
    monkeypatch.setattr(generate, "TARGET", file)
    run = CliRunner().invoke
    assert run(app, ["generate", "--check"]).exit_code == 1
    assert not file.exists(), "--check writes nothing"
    assert run(app, ["generate"]).exit_code == 0
    assert run(app, ["generate", "--check"]).exit_code == 0
    file.write_text(file.read_text(encoding="utf-8") + "# changed by hand\n", encoding="utf-8")
    assert run(app, ["generate", "--check"]).exit_code == 1
