"""A real schema registry (Apicurio, its Confluent-compatible interface) from a Maven artifact on Java 17. In memory."""

import json
import urllib.error
import urllib.request
from pathlib import Path

from tests.platform.maven import coordinates, java, registry_folder
from tests.platform.process import SMALL_JVM, JavaProcess, free_ports

MOST_SUBJECTS = "registry.ccompat.max-subjects=100000"
"""A listing ends at 1,000 subjects by default: a whole test run registers more."""


class RegistryProcess:
    """A registry whose content ends with it. Raises Missing in the constructor where Java 17 or Maven is not there."""

    def __init__(self, log_folder: Path) -> None:
        (port,) = free_ports(1)
        self._base = f"http://127.0.0.1:{port}"
        self.url = client_url(self._base)
        options = [
            "-Dquarkus.http.host=127.0.0.1",
            f"-Dquarkus.http.port={port}",
            "-Dquarkus.log.level=WARN",
            f"-D{MOST_SUBJECTS}",
        ]
        command = [java(), *SMALL_JVM, *options, "-jar", coordinates()["REGISTRY_JAR"]]
        self._process = JavaProcess(command, log_folder / "registry.log", lambda: ready(self._base), registry_folder())

    @property
    def pid(self) -> int:
        """Process id. Raises RuntimeError while stopped."""
        return self._process.pid

    def start(self) -> None:
        """Returns when the registry is ready."""
        self._process.start()
        default_to_backward(self.url)

    def stop(self) -> None:
        """Ends the registry; its content is gone."""
        self._process.stop()


def client_url(base: str) -> str:
    """Where a Confluent client finds its interface."""
    return f"{base}/apis/ccompat/v7"


def ready(base: str) -> bool:
    try:
        with urllib.request.urlopen(f"{base}/health/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def default_to_backward(url: str) -> None:
    """Apicurio's own default is NONE; Confluent's is BACKWARD."""
    body = json.dumps({"compatibility": "BACKWARD"}).encode()
    request = urllib.request.Request(f"{url}/config", body, {"Content-Type": "application/json"}, method="PUT")
    with urllib.request.urlopen(request, timeout=30):
        pass
