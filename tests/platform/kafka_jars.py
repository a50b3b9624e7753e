"""A real Kafka broker (KRaft, one node) from Maven artifacts on Java 17."""

import base64
import subprocess
import uuid
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.platform.maven import DEPLOY, broker_jars, java
from tests.platform.process import SMALL_JVM, JavaProcess, free_ports


def cluster_id() -> str:
    """A new one."""
    identity = b"L" + uuid.uuid4().bytes[1:]  # an id that began with "-" would be read as an option
    return base64.urlsafe_b64encode(identity).rstrip(b"=").decode()


class ClusterProcess:
    """A broker with its data in `folder`. stop() and start() keep ports and data, so a test can take the broker away.

    Raises Missing in the constructor where Java 17 or Maven is not there.
    """

    def __init__(self, folder: Path, **more: str) -> None:
        """`more`: settings of the broker with _ for each dot, over those of deploy/kafka."""
        command, jars = java(), str(broker_jars() / "*")
        self._cluster_id = cluster_id()
        broker_port, controller_port = free_ports(2)
        self.bootstrap = f"127.0.0.1:{broker_port}"
        properties = folder / "server.properties"
        filled = (DEPLOY / "server.properties").read_text(encoding="utf-8")
        for name, value in {"BROKER_PORT": broker_port, "CONTROLLER_PORT": controller_port, "DATA": folder / "data"}.items():
            filled = filled.replace(f"@{name}@", str(value))
        over = [f"{name.replace('_', '.')}={value}\n" for name, value in more.items()]  # of two the last one holds
        properties.write_text("".join([filled, "\n", *over]), encoding="utf-8")
        format_storage = ["kafka.tools.StorageTool", "format", "--cluster-id", self._cluster_id, "-c", str(properties)]
        subprocess.run(
            [command, "-XX:TieredStopAtLevel=1", "-cp", jars, *format_storage], check=True, capture_output=True, timeout=120
        )
        serve = [*SMALL_JVM, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", jars, "kafka.Kafka", str(properties)]
        self._process = JavaProcess([command, *serve], folder / "broker.log", self._answers)

    @property
    def pid(self) -> int:
        """Process id. Raises RuntimeError while stopped."""
        return self._process.pid

    @property
    def log(self) -> Path:
        return self._process.log

    def start(self) -> None:
        """Returns when the broker answers a metadata request."""
        self._process.start()

    def stop(self, *, kill: bool = False) -> None:
        """Ends the broker; `kill`: as a crash."""
        self._process.stop(kill=kill)

    def _answers(self) -> bool:
        """Whether this broker answers: another one may have taken the port since it was chosen."""
        try:
            metadata = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0}).list_topics(timeout=1)
        except KafkaException:
            return False
        return bool(metadata.brokers) and metadata.cluster_id == self._cluster_id
