"""The one description of how an installation is reached: --bootstrap, --prefix, --registry and the file of --client-config.

Everything that connects is made from it: librdkafka's clients, Faust's, the registry's. The file has librdkafka's own names
(`sasl.password`, `ssl.ca.location`), and for the registry those of Confluent's client behind `schema.registry.`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.kafka.broker import Broker
from app.kafka.registry import Registry
from schemas.catalog import catalog
from schemas.codec import Codec

_SASL = frozenset({"sasl.mechanism", "sasl.mechanisms", "sasl.username", "sasl.password"})
_TLS = frozenset(
    {
        "enable.ssl.certificate.verification",
        "ssl.ca.location",
        "ssl.ca.pem",
        "ssl.certificate.location",
        "ssl.endpoint.identification.algorithm",
        "ssl.key.location",
        "ssl.key.password",
    }
)
_PROTOCOL = "security.protocol"
_PROTOCOLS = {"PLAINTEXT": frozenset[str](), "SSL": _TLS, "SASL_PLAINTEXT": _SASL, "SASL_SSL": _SASL | _TLS}
_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_REGISTRY = "schema.registry."


class ConnectionInvalid(ValueError):
    """The file of --client-config says something that not every client of the process could follow. Nothing is ignored."""

    code = "CLIENT_CONFIG_INVALID"


@dataclass(slots=True, frozen=True)
class Connection:
    """Of one installation. `prefix` is put before every topic name as it stands."""

    broker: Broker
    prefix: str = ""
    registry: Registry = field(default_factory=Registry)

    def secrets(self) -> dict[str, str]:
        """Settings among which secret ones are, by name: they are hidden in logs."""
        user_info = self.registry.settings.get("basic.auth.user.info", "")
        return {**self.broker.security, **self.registry.settings, "registry.password": user_info.partition(":")[2]}

    def codec(self, *, retries: int = 5) -> Codec:
        """With the registry's ids, and for what other versions of this program wrote, with its writers' schemas; without a
        registry (embedded broker) the catalog's ids. Raises like `app.kafka.registry.ids`, after `retries` repeats of a call."""
        return self.registry.codec(catalog(), self.prefix, retries=retries)


def connection(
    bootstrap: str, prefix: str = "", registry: str = "", client_config: Path | None = None, registry_user: str = ""
) -> Connection:
    """Of a command's options. `registry_user`: `user:password`, where the file does not say it. Raises ConnectionInvalid,
    RegistryUrlInvalid, OSError."""
    found = properties(client_config) if client_config is not None else {}
    of_registry = {key.removeprefix(_REGISTRY): value for key, value in found.items() if key.startswith(_REGISTRY)}
    url = registry or of_registry.pop("url", "")
    of_registry.pop("url", None)
    if registry_user:
        of_registry["basic.auth.user.info"] = registry_user
    security = {key: value for key, value in found.items() if not key.startswith(_REGISTRY)}
    return Connection(Broker(bootstrap, checked(security)), prefix, Registry(url, of_registry))


def properties(file: Path) -> dict[str, str]:
    """Key and value of each line `key=value`; # begins a comment line. Values are not shown in messages: some are secret."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ConnectionInvalid(f"{file} is no UTF-8 text of lines key=value") from None
    found = {}
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if text and not text.startswith("#"):
            key, equals, value = text.partition("=")
            if not equals:
                raise ConnectionInvalid(f"{file}:{number} is not key=value")
            found[key.strip()] = value.strip()
    return found


def checked(security: Mapping[str, str]) -> dict[str, str]:
    """The settings, if librdkafka and Faust both can follow them. Raises ConnectionInvalid."""
    protocol = security.get(_PROTOCOL, "PLAINTEXT").upper()
    if protocol not in _PROTOCOLS:
        raise ConnectionInvalid(f"{_PROTOCOL} is one of {', '.join(_PROTOCOLS)}")
    for key in sorted(set(security) - {_PROTOCOL} - _PROTOCOLS[protocol]):
        if key in _SASL | _TLS:
            raise ConnectionInvalid(f"{key} means nothing with {_PROTOCOL}={protocol}")
        raise ConnectionInvalid(f"{key} is not supported: not every client of a worker could follow it")
    if _SASL & _PROTOCOLS[protocol]:
        mechanism = security.get("sasl.mechanism", security.get("sasl.mechanisms", ""))
        if mechanism not in _MECHANISMS:
            raise ConnectionInvalid(f"sasl.mechanism is one of {', '.join(_MECHANISMS)}")
        if not (security.get("sasl.username") and security.get("sasl.password")):
            raise ConnectionInvalid(f"{mechanism} needs sasl.username and sasl.password")
    for key in ("ssl.ca.location", "ssl.certificate.location", "ssl.key.location"):
        if key in security and not Path(security[key]).exists():
            raise ConnectionInvalid(f"{key}: {security[key]} does not exist")
    return {key: value.replace("\\n", "\n") if key == "ssl.ca.pem" else value for key, value in security.items()}
