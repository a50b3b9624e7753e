"""Secrets by name, and the key of private values: needed, strong, and another one where plant.yaml says so."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.configuration import load, mappers
from app.secret import live_private_key, private_key, read_secret
from schemas.configuration import PlantConfig
from streams.mapping import Mapper
from streams.mapping.private_paths import maps_private
from tables.refusal import RefusedValue
from tests.unit.streams.mapping.sources import mapper_of, one, plant_of, record

ROOT = Path(__file__).parents[2]
PRESSES = ROOT / "tests" / "data" / "presses"
STRONG, OTHER = "8f3a51c0d7e94b26a1f05c3e7d8b9a60", "T7q-9Zr_kd03LmXv2Bw8Ns"
LABOUR = {"emit": "LabourRecorded", "person": "badge", "action": "=on"}


def plant(**more: Any) -> PlantConfig:
    return plant_of([LABOUR], **more)


def test_a_secret_is_in_its_variable_or_in_the_file_that_a_variable_names(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("from a file\n")
    assert read_secret("erp-brn1", {"ERP_BRN1": "a"}) == "a"
    assert read_secret("erp.brn1", {"ERP_BRN1_FILE": str(tmp_path / "s")}) == "from a file"
    assert read_secret("erp-brn1", {}) is None
    with pytest.raises(RefusedValue, match="ERP_BRN1_FILE") as wrong:
        read_secret("erp-brn1", {"ERP_BRN1_FILE": str(tmp_path / "absent")})
    assert wrong.value.refusal.code == "SECRET_MISSING"


def test_the_key_is_the_secret_that_plant_yaml_names() -> None:
    environ = {"BADGES_KEY": STRONG, "LINELEDGER_PRIVATE_KEY": OTHER}
    assert private_key(plant(private_key="badges.key"), environ) == STRONG.encode()
    assert private_key(plant(), environ) == OTHER.encode()
    assert private_key(plant(private_key="badges.key"), {"LINELEDGER_PRIVATE_KEY": OTHER}) == b""
    assert private_key(None, environ) == OTHER.encode()


def test_another_key_gives_other_hashes() -> None:
    def person(key: str) -> str:
        from streams.mapping import compile_source

        config = plant(private_key="k")
        mapper = compile_source("s", config.sources["s"], config, private_key(config, {"K": key} if key else {}))
        found: str = one(mapper, record(badge="12345")).person
        return found

    assert len({person(""), person(STRONG), person(OTHER)}) == 3
    assert person(STRONG) == person(STRONG)


@pytest.mark.parametrize(
    ("key", "strong"),
    [
        (STRONG, True),
        (OTHER, True),
        ("correct horse battery staple", True),
        (STRONG[:-1], False),
        ("1234567890" * 3, False),
        ("1234567890" * 4, True),
        ("a" * 64, False),
        ("hunter2", False),
        (" ", False),
    ],
)
def test_a_key_has_at_least_128_bits(key: str, strong: bool) -> None:
    environ = {"LINELEDGER_PRIVATE_KEY": key}
    if strong:
        assert private_key(plant(), environ) == key.encode()
        return
    with pytest.raises(RefusedValue) as wrong:
        private_key(plant(), environ)
    assert wrong.value.refusal.code == "PRIVATE_KEY_WEAK"
    assert key.strip() not in wrong.value.refusal.detail or not key.strip()


@pytest.mark.parametrize(
    ("config", "private"),
    [
        (plant(), True),
        (plant_of([{"ignore": "true"}]), False),
        (plant_of([{"ignore": "true"}], source_private=["a"]), True),
        (plant_of([{"ignore": "true"}], private=["a"]), True),
        (plant_of([{"emit": "OrderClosed", "order": "=1", "also": [LABOUR]}]), True),
    ],
)
def test_where_private_values_are_mapped_nothing_starts_live_without_a_key(config: PlantConfig, private: bool) -> None:
    assert maps_private(config) is private
    assert live_private_key(config, {"LINELEDGER_PRIVATE_KEY": STRONG}) == STRONG.encode()
    if not private:
        assert live_private_key(config, {}) == b""
        return
    with pytest.raises(RefusedValue, match="LINELEDGER_PRIVATE_KEY") as wrong:
        live_private_key(config, {})
    assert wrong.value.refusal.code == "PRIVATE_KEY_MISSING"


def test_intake_gets_the_key_that_its_plant_names(monkeypatch: pytest.MonkeyPatch) -> None:
    from app.cli.worker import _key

    named = load(PRESSES)
    monkeypatch.setenv("LINELEDGER_PRIVATE_KEY", STRONG)
    assert _key(["orders", "intake"], named, False) == STRONG.encode()
    assert _key(["orders", "delivery"], named, False) == b"", "nobody else needs it"
    monkeypatch.delenv("LINELEDGER_PRIVATE_KEY")
    assert _key(["intake"], named, True) == b"", "recorded input goes on with the plant's id"


def command(*words: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LINELEDGER")}
    return subprocess.run(
        [sys.executable, "-m", "app.cli.main", *words],
        cwd=ROOT, env={**inherited, **environ}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        ("worker", "intake", "--bootstrap", "127.0.0.1:1", "--registry", "http://127.0.0.1:1", "--config", str(PRESSES)),
        ("ingest", "--bootstrap", "127.0.0.1:1", "--source", "presses", "--folder", "FOLDER", "--config", str(PRESSES)),
    ],
)
def test_commands_that_write_private_values_to_kafka_refuse_to_start(words: tuple[str, ...], tmp_path: Path) -> None:
    said = command(*(word.replace("FOLDER", str(tmp_path)) for word in words))
    assert (said.returncode, said.stderr.partition(":")[0]) == (2, "PRIVATE_KEY_MISSING"), said
    weak = command(*(word.replace("FOLDER", str(tmp_path)) for word in words), LINELEDGER_PRIVATE_KEY="0815")
    assert (weak.returncode, weak.stderr.partition(":")[0]) == (2, "PRIVATE_KEY_WEAK"), weak
    assert "0815" not in weak.stderr


def test_a_badge_is_not_guessed_from_its_hash_when_the_key_is_secret() -> None:
    """With the plant's id as the key all five-digit badges take less than a second."""
    config = load(PRESSES)
    open_key, keyed = mappers(config)["presses"], mappers(config, STRONG.encode())["presses"]
    value = (
        '{"id":"b1","type":"badge","ts":"2026-11-20T22:00:00Z","rx":"2026-11-20T22:00:00Z","m":"press-1",'
        '"operator":{"badge":"04711"},"dir":"in"}'
    )

    def person(mapper: Mapper) -> bytes:
        return mapper.redacted(value.encode())

    assert person(open_key) != person(keyed)
    assert b"04711" not in person(keyed)
    assert mapper_of([LABOUR]).redacted(b'{"badge":"1"}') != b'{"badge":"1"}'
