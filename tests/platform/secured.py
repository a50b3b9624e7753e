"""A real Kafka broker that refuses strangers: SCRAM over TLS on one listener, client certificates on the other, and rights."""

import secrets
import subprocess
import time
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from tests.platform.certificates import Authority
from tests.platform.kafka_jars import cluster_id
from tests.platform.maven import broker_jars, java
from tests.platform.process import SMALL_JVM, JavaProcess, free_ports

ADMIN, WORKER = "admin", "lineledger"
PATIENCE_S = 30.0
_OPERATIONS = AclOperation
_WANTED = {
    ResourceType.TOPIC: (_OPERATIONS.READ, _OPERATIONS.WRITE, _OPERATIONS.DESCRIBE, _OPERATIONS.DESCRIBE_CONFIGS),
    ResourceType.GROUP: (_OPERATIONS.READ, _OPERATIONS.DESCRIBE),
    ResourceType.TRANSACTIONAL_ID: (_OPERATIONS.WRITE, _OPERATIONS.DESCRIBE),
}


class SecuredCluster:
    """Files and settings below `folder`. Raises Missing in the constructor where Java 17 or Maven is not there.

    `scram` and `mtls` are the addresses of the two listeners; WORKER (its password, its certificate) has the rights that a
    worker needs on names with the prefix that `allow` was given, and no others; ADMIN may do everything.
    """

    def __init__(self, folder: Path) -> None:
        command, jars = java(), str(broker_jars() / "*")
        folder.mkdir(parents=True, exist_ok=True)
        self.authority = Authority(folder / "tls")
        self._passwords = {name: secrets.token_hex(12) for name in (ADMIN, WORKER)}
        scram, mtls, controller = free_ports(3)
        self.scram, self.mtls = f"127.0.0.1:{scram}", f"127.0.0.1:{mtls}"
        self._cluster_id = cluster_id()
        properties = folder / "server.properties"
        filled = Path(__file__).with_name("secured.properties").read_text(encoding="utf-8")
        values = {"SCRAM_PORT": scram, "MTLS_PORT": mtls, "CONTROLLER_PORT": controller, "DATA": folder / "data"}
        values |= {"KEY_STORE": self.authority.store("broker"), "TRUST_STORE": self.authority.ca}
        for name, value in {**values, "ADMIN_PASSWORD": self._passwords[ADMIN]}.items():
            filled = filled.replace(f"@{name}@", str(value))
        properties.write_text(filled, encoding="utf-8")
        format_storage = ["kafka.tools.StorageTool", "format", "--cluster-id", self._cluster_id, "-c", str(properties)]
        for name, password in self._passwords.items():
            format_storage += ["--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]"]
        subprocess.run(
            [command, "-XX:TieredStopAtLevel=1", "-cp", jars, *format_storage], check=True, capture_output=True, timeout=120
        )
        serve = [*SMALL_JVM, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", jars, "kafka.Kafka", str(properties)]
        self._process = JavaProcess([command, *serve], folder / "broker.log", self._answers)

    def start(self) -> None:
        """Returns when the broker answers its administrator."""
        self._process.start()

    def stop(self) -> None:
        self._process.stop()

    def user(self, name: str) -> dict[str, str]:
        """Settings of a user without any right, who is made if there is none of that name."""
        if name not in self._passwords:
            password = secrets.token_hex(12)
            info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
            made = UserScramCredentialUpsertion(name, info, password.encode())
            admin = self._admin()
            for future in admin.alter_user_scram_credentials([made]).values():
                future.result(20)
            self._passwords[name] = password
        return self.with_password(name)

    def with_password(self, name: str = WORKER) -> dict[str, str]:
        """librdkafka settings for the listener `scram`."""
        return {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": name,
            "sasl.password": self._passwords[name],
            "ssl.ca.location": str(self.authority.ca),
        }

    def with_certificate(self, name: str = WORKER, key_password: str = "") -> dict[str, str]:
        """librdkafka settings for the listener `mtls`."""
        certificate, key = self.authority.issue(name, key_password)
        return {
            "security.protocol": "SSL",
            "ssl.ca.location": str(self.authority.ca),
            "ssl.certificate.location": str(certificate),
            "ssl.key.location": str(key),
            **({"ssl.key.password": key_password} if key_password else {}),
        }

    def allow(self, prefix: str) -> None:
        """Give WORKER the rights of a worker on topics, groups and transactions whose names begin with `prefix`."""
        bindings = [
            AclBinding(kind, prefix, ResourcePatternType.PREFIXED, f"User:{WORKER}", "*", operation, AclPermissionType.ALLOW)
            for kind, operations in _WANTED.items()
            for operation in operations
        ]
        admin = self._admin()  # kept: its answers end with it
        for future in admin.create_acls(bindings).values():
            future.result(20)

    def change_password(self, name: str = WORKER) -> None:
        """From now on `with_password` gives the new one, and who logs in with the old one is refused. Connections stay."""
        fresh = secrets.token_hex(12)
        known = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        admin = self._admin()
        for future in admin.alter_user_scram_credentials([UserScramCredentialUpsertion(name, known, fresh.encode())]).values():
            future.result(20)
        self._passwords[name] = fresh
        deadline = time.monotonic() + PATIENCE_S
        while not self._lets_in(name):
            assert time.monotonic() < deadline, f"the new password of {name} does not hold after {PATIENCE_S} s"

    def _lets_in(self, name: str) -> bool:
        client = AdminClient({"bootstrap.servers": self.scram, "log_level": 0, **self.with_password(name)})
        try:
            client.list_topics(timeout=2)
        except KafkaException:
            return False
        return True

    def _admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.scram, "log_level": 0, **self.with_password(ADMIN)})

    def _answers(self) -> bool:
        try:
            metadata = self._admin().list_topics(timeout=2)
        except KafkaException:
            return False
        return bool(metadata.brokers) and metadata.cluster_id == self._cluster_id
