"""`lineledger config`: exit codes, places, raw beside canonical."""

import gzip
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.config import app

DATA = Path(__file__).parents[2] / "data"
PRESSES = DATA / "presses"
SAMPLE = PRESSES / "presses-sample.jsonl"


def run(*args: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    return result.exit_code, result.output


def test_check_says_ok() -> None:
    code, output = run("check", "--config", PRESSES)
    assert code == 0
    assert "No problem found" in output
    assert json.loads(run("check", "--config", PRESSES, "--json")[1])["hash"] in output


def test_check_says_what_live_use_needs_and_a_run_does_not(tmp_path: Path) -> None:
    shutil.copytree(PRESSES, tmp_path, dirs_exist_ok=True)
    assert json.loads(run("check", "--config", PRESSES, "--json")[1])["live"] == []
    (tmp_path / "erp.yaml").write_text("erp: {adapter: sim}\n", encoding="utf-8")
    code, output = run("check", "--config", tmp_path)
    assert code == 0
    assert output.splitlines()[-1].startswith("for live use: `lineledger up` and `worker` need `url` with `adapter: sim`")
    assert "start `lineledger erp-sim` and state its address in `erp.url`, its token by `erp.secret`" in output


def test_check_says_what_it_does_not_read(tmp_path: Path) -> None:
    shutil.copytree(PRESSES, tmp_path, dirs_exist_ok=True)
    (tmp_path / "pumps.yaml").write_text("pumps: 2\n", encoding="utf-8")
    code, output = run("check", "--config", tmp_path)
    assert code == 0 and output.splitlines()[-1].startswith("not read: ")
    assert "pumps.yaml" in output.splitlines()[-1]


def test_check_names_an_adapter_that_logs_in_without_a_secret(tmp_path: Path) -> None:
    shutil.copytree(PRESSES, tmp_path, dirs_exist_ok=True)
    (tmp_path / "erp.yaml").write_text('erp: {adapter: sim, url: "http://127.0.0.1:18090"}\n', encoding="utf-8")
    code, output = run("check", "--config", tmp_path)
    assert code == 1
    assert output.startswith("erp.yaml:1: erp.url: SECRET_MISSING: `adapter: sim` logs in")


def test_check_names_file_and_line(tmp_path: Path) -> None:
    shutil.copytree(PRESSES, tmp_path, dirs_exist_ok=True)
    rules = tmp_path / "rules.yaml"
    rules.write_text(rules.read_text().replace("kind: scrap", "kind: scrab"))
    code, output = run("check", "--config", tmp_path)
    assert code == 1
    assert output.startswith("rules.yaml:5: post[1].kind: `scrab` is not known here; did you mean scrap?")
    assert len(output.splitlines()) == 1
    code, output = run("check", "--config", tmp_path, "--json")
    assert (code, json.loads(output)["partial"]) == (1, False)
    assert json.loads(output)["problems"][0]["line"] == 5
    assert run("try", "--config", tmp_path, SAMPLE)[0] == 2


def test_a_folder_that_is_not_there_is_wrong_use_and_no_finding(tmp_path: Path) -> None:
    (tmp_path / "plant.yaml").write_text("plant: {}", encoding="utf-8")
    for nowhere in (tmp_path / "nope", tmp_path / "plant.yaml"):
        code, output = run("check", "--config", nowhere)
        assert (code, output.startswith("BAD_CONFIG: plant.yaml: ")) == (2, True), output
    (tmp_path / "plant.yaml").unlink()
    assert run("check", "--config", tmp_path)[0] == 1, "the folder is there, and what it lacks is a finding"


def test_check_says_when_something_could_not_be_looked_at(tmp_path: Path) -> None:
    (tmp_path / "plant.yaml").write_bytes(b"\xff\xfe")
    code, output = run("check", "--config", tmp_path)
    assert code == 1
    assert output.splitlines()[-1] == "then check again: what depends on these is looked at once they are right"


def test_try_shows_refused_records_first() -> None:
    code, output = run("try", "--config", PRESSES, "--source", "presses", SAMPLE)
    lines = output.splitlines()
    assert code == 1
    assert lines[0].startswith('presses-sample.jsonl:8  {"type":"wobble"')
    assert lines[1].strip().startswith("REFUSED NO_MAPPING")
    assert "-> CounterReading IMM-01 shots = 214 PC seq 2 at 2026-11-20T21:00:20Z" in output
    assert "-> CounterReading IMM-01 resin = 31.920 kg seq 3" in output
    assert '"quantity": "12 PC"' in output
    assert "007-BOND" not in output
    assert lines[-1].endswith("ignored 1")


def test_try_as_json_and_from_gzip(tmp_path: Path) -> None:
    packed = tmp_path / "sample.jsonl.gz"
    packed.write_bytes(gzip.compress(SAMPLE.read_bytes()))
    code, output = run("try", "--config", PRESSES, "--lines", 7, "--json", packed)
    assert code == 0
    shown = json.loads(output)
    assert shown["counts"] == {
        **{"RunStarted": 1, "CounterReading": 2, "ScrapDeclared": 1, "LabourRecorded": 1, "ProcessValue": 1},
        "ignored": 1,
    }
    assert shown["records"][0]["items"][0]["outputs"][0]["lot"] == "261120A1"


def test_try_shows_what_repeats_and_what_contradicts(tmp_path: Path) -> None:
    started, reading, meter, scrap = SAMPLE.read_text().splitlines()[:4]
    other = reading.replace('"shots":214', '"shots":215')
    sample = tmp_path / "again.jsonl"
    sample.write_text("\n".join([started, reading, reading, other, meter, scrap, scrap]) + "\n")
    code, output = run("try", "--config", PRESSES, sample)
    assert code == 1
    assert output.count("repeats again.jsonl:2: counts once") == 1
    assert output.splitlines()[0].startswith("again.jsonl:4")
    assert "REFUSED SEQ_CONFLICT: again.jsonl:2 has another value" in output.splitlines()[1]
    assert "SEQ_CONFLICT 1" in output.splitlines()[-1] and "repeated 2" in output.splitlines()[-1]
    items = [item for one in json.loads(run("try", "--config", PRESSES, "--json", sample)[1])["records"] for item in one["items"]]
    assert [(item["repeats"], item["conflict"]) for item in items if "repeats" in item] == [
        ("again.jsonl:2", True),
        ("again.jsonl:2", False),
        ("again.jsonl:6", False),
    ]


@pytest.mark.parametrize(
    "args",
    [
        ("try", "--config", PRESSES, "--source", "lathes", SAMPLE),
        ("schema", "other.yaml"),
    ],
)
def test_usage_errors_are_exit_2(args: tuple[object, ...]) -> None:
    assert run(*args)[0] == 2


def test_schema_is_json_and_can_be_written(tmp_path: Path) -> None:
    code, output = run("schema")
    assert code == 0
    assert set(json.loads(output)) == {"plant.yaml", "rules.yaml", "erp.yaml"}
    assert "post" in json.loads(run("schema", "rules.yaml", "--json")[1])["properties"]
    assert run("schema", "--out", tmp_path)[0] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "erp.schema.json",
        "plant.schema.json",
        "rules.schema.json",
    ]
