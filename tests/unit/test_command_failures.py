"""Each way in which a command ends with 2: one message, and it begins with a code of the register."""

import ast
import contextlib
import errno
import io
import re
import shutil
import socket
import sqlite3
from pathlib import Path

import pytest
import typer
from confluent_kafka import KafkaError, KafkaException

from app.cli import failures, main
from app.configuration import ConfigError, InstallationInvalid, load
from app.demo.master import CONFIGURATION
from app.fatal import Exit
from app.kafka import broker
from app.kafka.broker import BrokerUnavailable
from app.kafka.connection import ConnectionInvalid
from app.kafka.registry import RegistryUnavailable
from app.ledger.books import snapshot
from schemas.catalog import catalog
from schemas.codes import entries_of
from tables.refusal import RefusedValue
from tests.docs.codes import ROOT

NOBODY = "127.0.0.1:1"
PLANT = """
plant: {id: P, zone: UTC}
sources:
  floor:
    files: ["floor*"]
    read: {format: csv, event_id: "n", occurred_at: at, equipment: m}
    events:
      - {when: {}, emit: CounterReading, counter: =parts, value: "n"}
equipment: {M1: {counters: {parts: {}}}}
"""
INSTALLATION = f"""
kafka: {{bootstrap: ["{NOBODY}"]}}
registry: {{url: "http://127.0.0.1:1"}}
endpoints: {{erp: 0, tryton: 1}}
"""
OUT = ("--out", "{out}")
RUN = ("--config", "{plant}", "--input", "{floor.csv}", "--erp", "none")
WHO = ("--who", "A", "--why", "B")
LIVE = ("--bootstrap", NOBODY, "--registry", "http://127.0.0.1:1")


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A configuration, a wrong one, files that are none of their kind, and the ledger of a small run."""
    root = tmp_path_factory.mktemp("words")
    (root / "plant").mkdir()
    (root / "plant" / "plant.yaml").write_text(PLANT, encoding="utf-8")
    shutil.copytree(root / "plant", root / "wrong")
    (root / "wrong" / "plant.yaml").write_text(PLANT.replace("zone: UTC", "zone: Nowhere/At"), encoding="utf-8")
    (root / "floor.csv").write_text("n,m,at\n1,M1,2026-11-20T07:00:00Z\n2,M9,2026-11-20T07:01:00Z\n", encoding="utf-8")
    (root / "floor.zip").write_bytes(b"PK\x03\x04" + bytes(100))
    (root / "floor.gz").write_bytes(b"\x1f\x8b" + bytes(100))
    (root / "properties").write_text("sasl.password\n", encoding="utf-8")
    (root / "installation.yaml").write_text(INSTALLATION, encoding="utf-8")
    found = {name: str(root / name) for name in ("plant", "wrong", "out", "floor.csv", "floor.zip", "floor.gz", "properties")}
    (root / "damaged").mkdir()
    (root / "damaged" / "ledger.sqlite").write_bytes(b"SQLite format 3\x00" + bytes(2000))
    row = catalog().schema_ids["AccountRow"].to_bytes(4, "big")
    snapshot.write(root / "older", {"orders": {b"some|x": b"\0" + row + b"x"}}, [], load(CONFIGURATION), {})
    with contextlib.closing(sqlite3.connect(root / "older" / snapshot.FILE)) as db:
        db.execute("update about set value = '0.0.9' where name = 'program'")
        db.commit()
    found["older"] = str(root / "older")
    found["damaged"] = str(root / "damaged")
    run = ("run", "--config", found["plant"], "--input", found["floor.csv"], "--erp", "none", "--out", found["out"])
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        assert called(*run) == 0
    return {**found, "root": str(root), "demo": str(CONFIGURATION), "installation": str(root / "installation.yaml")}


def called(*words: str) -> int:
    """The exit code of the command line in this process."""
    main._wire(words[0] if words else "")
    with pytest.raises(SystemExit) as ended:
        failures.ended(lambda: main.app(list(words), standalone_mode=False, prog_name="lineledger"), words=words)
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ((), "WRONG_USE", "a command is missing"),
        (("rum",), "WRONG_USE", "run"),
        (("--nope",), "WRONG_USE", "--nope"),
        (("config",), "WRONG_USE", "a command is missing; `lineledger config --help`"),
        (("run",), "WRONG_USE", "--config"),
        (("demo", "--scale", "x"), "WRONG_USE", "--scale"),
        (("demo", "--erp", "sap"), "WRONG_USE", "--erp sap"),
        (("erp-sim", "--directory", "{root}", "--host", "no.such.host.invalid"), "WRONG_USE", "no such host"),
        (
            ("run", "--config", "{plant}", "--input", "{floor.csv}", "--export-postings", "{plant}"),
            "WRONG_USE",
            "--export-postings",
        ),
        (("demo", "--workers", "2"), "WRONG_USE", "--bootstrap"),
        (("demo", "--embedded", "--bootstrap", NOBODY), "WRONG_USE", "--embedded"),
        (("trace",), "WRONG_USE", "what"),
        (("worker", "cutting", *LIVE), "UNKNOWN_STAGE", "intake"),
        (("worker", "intake", *LIVE), "WRONG_USE", "--config DIR"),
        (("worker", "orders", "intake", *LIVE), "WRONG_USE", "intake: a configuration is missing; give --config DIR"),
        (("parked", "--out", "{out}", *LIVE), "WRONG_USE", "give one of them"),
        (("parked", "--bootstrap", NOBODY, "--client-config", "{floor.gz}"), "CLIENT_CONFIG_INVALID", "no UTF-8 text"),
        (("schemas", "plan", "--registry", "http://a:b@c"), "REGISTRY_URL_INVALID", "file of --client-config"),
        (("worker", "orders", "--bootstrap", NOBODY), "REGISTRY_MISSING", "--registry"),
        (("explain-code", "NOPE"), "WRONG_USE", "NOPE"),
        (("config", "schema", "nope.yaml"), "WRONG_USE", "plant.yaml"),
        (("config", "try", "--config", "{wrong}", "{floor.csv}"), "BAD_CONFIG", "plant.yaml:"),
        (("config", "try", "--config", "{plant}", "nowhere.csv"), "FILE_UNUSABLE", "nowhere.csv: there is no such file"),
        (
            ("config", "try", "--config", "{plant}", "{plant}"),
            "FILE_UNUSABLE",
            "plant: it is a folder, and a file is needed; check the name",
        ),
        (("run", *RUN, *OUT), "RUN_FINISHED", "replace it with `--afresh`"),
        (("run", *RUN, *OUT, "--resume"), "NOTHING_TO_RESUME", "no run that could go on"),
        (("run", *RUN, "--out", "{floor.zip}"), "FILE_UNUSABLE", "a folder is needed; name another one with --out"),
        (("run", *RUN, "--out={floor.zip}/new"), "FILE_UNUSABLE", "a folder is needed; name another one with --out"),
        (("config", "try", "--config", "{plant}", "--source", "floor", "nowhere.csv"), "FILE_UNUSABLE", "; check the name"),
        (("config", "schema", "--out", "{floor.zip}"), "FILE_UNUSABLE", "a folder is needed; name another one with --out"),
        (("config", "try", "--config", "{plant}", "{floor.gz}"), "BAD_FILE", "floor.gz"),
        (("config", "try", "--config", "{demo}", "--source", "nope", "{floor.csv}"), "WRONG_USE", "presses"),
        (("run", "--config", "{root}", "--input", "{floor.csv}"), "BAD_CONFIG", "there is no plant.yaml in"),
        (("run", "--config", "{wrong}", "--input", "{floor.csv}"), "BAD_CONFIG", "Nowhere/At"),
        (("run", "--config", "{plant}", "--input", "nowhere.csv"), "INPUT_INVALID", "nowhere.csv is no file"),
        (("run", "--config", "{plant}", "--input", "{root}/*.nothing"), "INPUT_INVALID", "names no file"),
        (("run", "--config", "{demo}", "--input", "{floor.csv}"), "INPUT_INVALID", "write SOURCE="),
        (("run", "--config", "{plant}", "--input", "{floor.zip}"), "INPUT_INVALID", "zip archive"),
        (("run", "--config", "{plant}", "--input", "{floor.gz}"), "INPUT_INVALID", "floor.gz"),
        (("run", "--config", "{plant}", "--input", "{floor.csv}", "--erp", "sap"), "WRONG_USE", "--erp sap"),
        (("run", "--config", "{plant}", "--input", "{floor.csv}", "--refused-at-most", "2"), "INPUT_INVALID", "share"),
        (("rules", "simulate", "--config", "{plant}"), "WRONG_USE", "--input FILE"),
        (("rules", "simulate", "--config", "{plant}", "--input", "nowhere"), "INPUT_INVALID", "nowhere"),
        (("rules", "simulate", "--config", "{plant}", "--against", "{demo}"), "WRONG_USE", "plant.yaml differ"),
        (("rules", "explain", "O1"), "WRONG_USE", "--config DIR"),
        (("rules", "explain", "O1", "--config", "{root}"), "BAD_CONFIG", "plant.yaml"),
        (("trace", "X", "--out", "nowhere"), "NO_LEDGER", "nowhere"),
        (("parked", "--out", "nowhere"), "NO_LEDGER", "nowhere"),
        (("parked", "--out", "{older}"), "LEDGER_VERSION", "was written by lineledger 0.0.9, and this is"),
        (("trace", "X", "--out", "{older}"), "LEDGER_VERSION", "`pip install lineledger==0.0.9`"),
        (("parked", "--out", "{damaged}"), "NO_LEDGER", "is damaged, or no ledger"),
        (("config", "try", "--config", "{plant}/plant.yaml", "{floor.csv}"), "BAD_CONFIG", "is a file; name the folder"),
        (("trace", "M1", "--at", "noon", *OUT), "BAD_TIME", "2026-11-20T03:40:00+01:00"),
        (("shadow", *OUT), "WRONG_USE", "--ask"),
        (("status", *OUT), "WRONG_USE", "--bootstrap HOST:PORT"),
        (("clock", "repair", "--to", "2026-11-20T07:00:00Z", *WHO, *OUT), "WRONG_USE", "--bootstrap HOST:PORT"),
        (("upstream", "exclude", "floor", *WHO, *OUT), "WRONG_USE", "--bootstrap HOST:PORT"),
        (("erp", "pause", *WHO, *OUT), "WRONG_USE", "--bootstrap HOST:PORT"),
        (("erp", "pause", *WHO, "-f", "{installation}"), "WRONG_USE", "endpoints of the installation are erp, tryton"),
        (("erp", "drain", "nobodys", *WHO, "-f", "{installation}"), "WRONG_USE", "are erp, tryton"),
        (("erp", "resume", "tryton", *WHO, "-f", "{installation}"), "BROKER_UNAVAILABLE", NOBODY),
        (("decide", "X", "perhaps", *WHO, *OUT), "WRONG_USE", "post, drop"),
        (("exceptions", "--state", "lost", *OUT), "WRONG_USE", "discarded"),
        (("exceptions", "discard", *WHO, *OUT), "WRONG_USE", "--code"),
        (("exceptions", "discard", "--code", "UNKNOWN_EQUIPMENT", *WHO, *OUT), "NO_OPERATORS_SOURCE", "format: replay"),
        (("erp-sim", "--directory", "{root}", "--mode", "nope"), "WRONG_USE", "nope"),
        (("erp-sim", "--directory", "{root}", "--faults", "nowhere.json"), "FILE_UNUSABLE", "nowhere.json"),
        (("schemas", "plan"), "REGISTRY_MISSING", "registry.url of installation.yaml"),
        (("schemas", "plan", "--registry", "nowhere"), "REGISTRY_URL_INVALID", "http"),
        (("topics", "plan", "--bootstrap", NOBODY, "--config", "{root}"), "BAD_CONFIG", "plant.yaml"),
        (("topics", "plan", "--bootstrap", NOBODY, "--client-config", "{properties}"), "CLIENT_CONFIG_INVALID", "key=value"),
        (("up", "--config", "{plant}", "--config", "{plant}", *LIVE), "WRONG_USE", "same plant"),
        (
            ("ingest", "--config", "{plant}", "--source", "floor", "--folder", "{root}", "--bootstrap", NOBODY),
            "WRONG_USE",
            "read.topic",
        ),
        (
            ("ingest", "--config", "{demo}", "--source", "nope", "--folder", "{root}", "--bootstrap", NOBODY),
            "WRONG_USE",
            "--source is one of",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_a_message_begins_with_its_code_and_says_what_to_do(
    words: tuple[str, ...], code: str, says: str, places: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    given = [re.sub(r"\{([\w.]+)\}", lambda name: places[name[1]], word) for word in words]
    assert called(*given) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith(f"{code}: "), said
    assert says in said[-1], said
    assert len(said) == 1, said
    assert entries_of(code)


def test_a_broker_that_is_away_is_one_sentence(
    places: dict[str, str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "REACH_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"127.0.0.1:{closed.getsockname()[1]}"
    config = ("--config", places["demo"])
    live = ("--bootstrap", address, "--registry", "http://127.0.0.1:1")
    for words in (
        ("parked", *live),
        ("exceptions", "list", *live),
        ("status", "--timeout", "1", *live),
        ("topics", "plan", "--bootstrap", address),
        ("topics", "epoch", "show", *live),
        ("rules", "simulate", *config, "--from-topic", "--since", "2026-11-20T07:00:00Z", "--bootstrap", address),
        ("ingest", *config, "--source", "presses", "--folder", places["root"], "--bootstrap", address),
        (
            "run",
            "--config",
            places["plant"],
            "--input",
            places["floor.csv"],
            "--bootstrap",
            address,
            "--erp",
            "none",
            "--out",
            places["out"],
            "--afresh",
        ),
        ("up", "--config", places["plant"], "--datadir", places["root"], *live),
    ):
        assert called(*words) == 2
        said = [line for line in capfd.readouterr().err.splitlines() if not line.startswith(("start", "PRIVATE_KEY_MISSING"))]
        assert [line.partition(" ")[0] for line in said] == ["BROKER_UNAVAILABLE:"], (words, said)
        assert address in said[0]


def test_a_folder_that_is_typed_wins_over_the_environment(places: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINELEDGER_BOOTSTRAP", NOBODY)
    assert called("parked", "--out", places["out"]) == 0


def test_a_registry_that_is_away_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert called("schemas", "list") == 0
    for port in (1, 2):
        url = f"http://127.0.0.1:{port}"
        assert called("schemas", "plan", "--registry", url) == 2
        assert f"REGISTRY_UNAVAILABLE: {url}: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "full"), Exit.PROCESS_FAILED),
        (OSError(errno.EADDRINUSE, "taken"), Exit.PROCESS_FAILED),
        (PermissionError(errno.EACCES, "closed"), Exit.PROCESS_FAILED),
        (KeyError("a defect"), Exit.PROCESS_FAILED),
        (ValueError("a defect, too"), Exit.PROCESS_FAILED),
        (BrokerUnavailable("away"), Exit.PROCESS_FAILED),
        (RegistryUnavailable("away"), Exit.PROCESS_FAILED),
        (KafkaException(KafkaError(KafkaError._TRANSPORT)), Exit.PROCESS_FAILED),
        (RefusedValue("SECRET_MISSING", "not set"), 2),
        (InstallationInvalid("installation.yaml:3: no"), 2),
        (ConnectionInvalid("no such setting"), 2),
        (ConfigError([]), 2),
        (typer.BadParameter("no"), 2),
    ],
    ids=repr,
)
def test_a_worker_ends_with_2_only_where_another_start_would_end_so_too(error: Exception, code: int) -> None:
    """systemd starts it again after anything else (RestartPreventExitStatus)."""

    def failing() -> None:
        raise error

    for of_stages, expected in ((True, code), (False, 2)):
        with pytest.raises(SystemExit) as ended:
            failures.ended(failing, of_stages)
        assert ended.value.code == expected


def test_every_command_ends_with_2_in_one_place() -> None:
    """A message without a code could not be written by accident."""
    own = []
    for path in sorted((ROOT / "app" / "cli").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("Exit", "exit")):
                own += [f"{path.name}: {ast.unparse(node)}" for one in node.args if "USAGE" in ast.unparse(one)]
    assert sorted(own) == [
        "failures.py: sys.exit(USAGE if failure.lasts or not of_stages else Exit.PROCESS_FAILED)",
        "failures.py: typer.Exit(USAGE)",
        "main.py: sys.exit(USAGE)",
    ]


@pytest.mark.parametrize(
    ("words", "strerror", "says"),
    [
        (("erp-sim", "--port", "8099"), "Address already in use", "port 8099 is in use"),
        (("console",), "Address already in use (while attempting to bind on address ('127.0.0.1', 8080))", "port 8080 is in use"),
        (("up", "--metrics-port=9100"), "Address already in use", "port 9100 is in use"),
        (("worker", "orders"), "[Errno 98] bind on address ('::', 9101, 0, 0)", "port 9101 is in use"),
    ],
)
def test_a_port_that_is_taken_is_named_with_its_option(words: tuple[str, ...], strerror: str, says: str) -> None:
    failure = failures.failure_of(OSError(errno.EADDRINUSE, strerror), words)
    option = "--metrics-port" if words[0] in ("up", "worker") else "--port"
    assert failure is not None
    assert failure.code == "PORT_IN_USE"
    assert failure.detail.startswith(says)
    assert failure.detail.endswith(f"name another one with {option}")


def test_a_file_in_place_of_a_folder_is_named_as_it_was_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("taken").write_text("", encoding="utf-8")
    for inner in ("taken", "taken/.run"):
        wrong = OSError(errno.ENOTDIR, "Not a directory", str(tmp_path / inner))
        failure = failures.failure_of(wrong, ("run", "--out", "taken"))
        assert failure is not None
        assert failure.detail.startswith("taken: it is a file")
