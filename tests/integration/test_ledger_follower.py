"""The example that knows nothing of this project: what it prints is what stands in the public ledger."""

import ast
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from confluent_kafka import Producer

from app.kafka.embedded import EmbeddedBroker
from schemas.avro_files import self_contained
from schemas.catalog import catalog
from schemas.codec import Codec
from schemas.records import LedgerAccount, LedgerPosting, PostingStep
from tests.unit.books.filled import filled
from tests.unit.streams.quality_bench import posting

EXAMPLE = Path(__file__).parents[2] / "deploy/examples/ledger_follower.py"


@pytest.fixture
def registry() -> Iterator[str]:
    """Answers for schemas by their id as a registry does; one that keeps schemas is in tests/integration/test_registry.py."""
    names = {number: name for name, number in catalog().schema_ids.items()}

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            schema = self_contained(names[int(self.path.rpartition("/")[2])])
            body = json.dumps({"schema": json.dumps(schema)}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *told: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_imports_nothing_of_this_project() -> None:
    tree = ast.parse(EXAMPLE.read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names.isdisjoint({"app", "schemas", "streams", "tables", "lineledger"})
    assert not any(name.split(".")[0] in ("app", "schemas", "streams", "tables") for name in names)


def test_it_prints_postings_and_accounts(registry: str, tmp_path: Path) -> None:
    codec = Codec()
    one = LedgerPosting(posting("P1"), "accepted", erp_document="81", steps=[PostingStep("accepted", 5)])
    account = filled(LedgerAccount)
    with EmbeddedBroker() as broker:
        broker.touch(["x.ledger.postings", "x.ledger.accounts"])
        producer = Producer({"bootstrap.servers": broker.bootstrap})
        producer.produce("x.ledger.postings", codec.encode(one), b"P|P1")
        producer.produce("x.ledger.accounts", codec.encode(account), account.account.encode())
        assert producer.flush(10) == 0
        told = ("--bootstrap", broker.bootstrap, "--registry", registry, "--prefix", "x.", "--until-end")
        command = [sys.executable, str(EXAMPLE), *told]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    found = {line["type"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert (found["LedgerPosting"]["key"], found["LedgerPosting"]["erp_document"]) == ("P|P1", "81")
    assert found["LedgerPosting"]["posting"]["posting_id"] == "P1"
    assert found["LedgerAccount"]["sources"][0]["records"] == 7
