"""The same two servers as containers, where Docker is."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from tests.platform.apicurio import MOST_SUBJECTS, client_url, default_to_backward, ready
from tests.platform.maven import Missing, coordinates
from tests.platform.process import START_TIMEOUT_S


def require_docker() -> None:
    """Raises Missing unless a Docker daemon answers."""
    import docker  # type: ignore[import-untyped]  # a dependency of testcontainers

    try:
        client = docker.from_env(timeout=3)
        try:
            client.ping()
        finally:
            client.close()
    except (docker.errors.DockerException, OSError) as exc:
        raise Missing("no Docker daemon answers") from exc


@contextmanager
def kafka_container() -> Iterator[str]:
    """Bootstrap address of a broker that accepts transactions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from testcontainers.community.kafka import KafkaContainer

    settings = {
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    }
    container = KafkaContainer(coordinates()["KAFKA_IMAGE"]).with_kraft()
    for name, value in settings.items():
        container = container.with_env(name, value)
    with container as broker:
        yield broker.get_bootstrap_server()


@contextmanager
def registry_container() -> Iterator[str]:
    """Client URL of a registry."""
    import time

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from testcontainers.core.container import DockerContainer

    image = DockerContainer(coordinates()["REGISTRY_IMAGE"]).with_env("JAVA_OPTIONS", f"-D{MOST_SUBJECTS}")
    with image.with_exposed_ports(8080) as registry:
        base = f"http://{registry.get_container_host_ip()}:{registry.get_exposed_port(8080)}"
        deadline = time.monotonic() + START_TIMEOUT_S
        while not ready(base):
            if time.monotonic() > deadline:
                raise RuntimeError("the registry container did not become ready")
            time.sleep(0.2)
        default_to_backward(client_url(base))
        yield client_url(base)
