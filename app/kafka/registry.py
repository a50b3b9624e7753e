"""The project's schemas in a Confluent-compatible registry: register, check, look up.

Subjects follow the topic-record-name strategy, `<topic>-lineledger.<Record>`: one topic carries several record types, each
evolves on its own. Each schema is self-contained (no references between subjects).
"""

import json
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

import httpx2
from confluent_kafka.schema_registry import ConfigCompatibilityLevel, Schema, SchemaRegistryClient, ServerConfig
from confluent_kafka.schema_registry.error import SchemaRegistryError

from schemas.avro_files import NAMESPACE, self_contained
from schemas.catalog import Catalog
from schemas.codec import Codec

P = ParamSpec("P")
T = TypeVar("T")
_RETRIED_STATUS = frozenset({408, 429, 500, 502, 503, 504})
CALL_SECONDS, LATER_RETRIES = 4.0, 1
"""Of a look-up; one behind a fold (a schema that is met later) holds the loop, hence few repeats: the process would end and ask
again over a restart."""


SHOWN_SUBJECTS = 3
"""Named in a message; `schemas plan` lists all."""


class RegistryError(RuntimeError):
    """The registry answered with a refusal that waiting does not cure (rights, wrong address, bad request)."""

    code = "REGISTRY_REFUSED"


class RegistryUnavailable(RegistryError):
    """The registry is down or overloaded, after bounded retries. The caller waits and asks again: never a dead letter."""

    code = "REGISTRY_UNAVAILABLE"


class SchemaNotRegistered(RegistryError):
    """Schemas of this version of the program are not in the registry yet: `lineledger schemas apply`, or wait for it."""

    code = "SCHEMA_NOT_REGISTERED"


class SchemaIdsDiffer(RegistryError):
    """The registry gave one record two ids in two topics: a writer could not know which to use."""

    code = "SCHEMA_IDS_DIFFER"


@dataclass(slots=True, frozen=True)
class Incompatible:
    """A subject that this version of the program must not write to, and why."""

    subject: str
    record: str
    detail: str


class SchemaIncompatible(RegistryError):
    """A schema breaks the catalog's compatibility. Nothing was registered."""

    code = "SCHEMA_INCOMPATIBLE"

    def __init__(self, found: list[Incompatible]) -> None:
        self.found = found
        super().__init__("; ".join(f"{each.subject}: {each.detail}" for each in found))


class RegistryUrlInvalid(RegistryError):
    """The address is no URL, carries a password, or would carry one unencrypted."""

    code = "REGISTRY_URL_INVALID"


_SETTINGS = frozenset(
    {
        "basic.auth.user.info",
        "ssl.ca.location",
        "ssl.certificate.location",
        "ssl.key.location",
        "ssl.key.password",
    }
)
_LOCAL = frozenset({"127.0.0.1", "::1", "localhost"})


class AddressedClient(SchemaRegistryClient):  # type: ignore[misc]  # the library states no types
    """A client that can say whom it asks: an address has no user and no password in it."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__(dict(settings))
        self.address = str(settings["url"])


@dataclass(slots=True, frozen=True)
class Registry:
    """Where the registry is, and what its clients must show. `url` empty: there is none (the embedded broker)."""

    url: str = ""
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    """As Confluent's client names them: basic.auth.user.info (`user:password`), ssl.ca.location, ssl.certificate.location,
    ssl.key.location, ssl.key.password."""

    def __post_init__(self) -> None:
        for url in self.url.split(",") if self.url else ():
            parts = urlsplit(url.strip())
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise RegistryUrlInvalid("the address of the schema registry is no http(s) URL; write it like http://HOST:8081")
            if "@" in parts.netloc:
                raise RegistryUrlInvalid(
                    "no user and password in the registry's URL; write them in the file of --client-config: "
                    "schema.registry.basic.auth.user.info=USER:PASSWORD"
                )
            if self.settings and parts.scheme == "http" and parts.hostname not in _LOCAL:
                raise RegistryUrlInvalid(f"{parts.hostname}: credentials and certificates need an https:// address")
        unknown = set(self.settings) - _SETTINGS
        if unknown:
            raise RegistryUrlInvalid(f"schema.registry.{min(unknown)} is not supported")
        if ":" not in self.settings.get("basic.auth.user.info", ":"):
            raise RegistryUrlInvalid("schema.registry.basic.auth.user.info is user:password")

    def client(self, *, retries: int = 5, timeout_s: float = 10.0) -> "AddressedClient":
        """A client that repeats a failed call up to `retries` times with jittered waits of 0.2, 0.4, 0.8 ... s, at most 5 s each.

        Raises RegistryUrlInvalid for a file that cannot be used.
        """
        settings = {
            **self.settings,
            "url": self.url,
            "timeout": timeout_s,
            "max.retries": retries,
            "retries.wait.ms": 200,
            "retries.max.wait.ms": 5000,
        }
        try:
            return AddressedClient(settings)
        except OSError as exc:  # SSLError is one
            raise RegistryUrlInvalid(f"certificate, key or authority of the registry: {exc}") from exc

    def codec(self, catalog: Catalog, prefix: str, *, retries: int = 5) -> Codec:
        """A codec with the registry's ids that also reads what other versions of this program wrote; without a registry one with
        the catalog's ids. Raises like `ids`."""
        if not self.url:
            return Codec()
        given = ids(self.client(retries=retries, timeout_s=CALL_SECONDS), catalog, prefix)
        later = self.client(retries=LATER_RETRIES, timeout_s=CALL_SECONDS)
        return Codec(given, lambda schema_id: writers_schema(later, schema_id))


def registry_client(url: str, *, retries: int = 5, timeout_s: float = 10.0) -> AddressedClient:
    """A client of a registry that lets everybody in."""
    return Registry(url).client(retries=retries, timeout_s=timeout_s)


def subject_of(topic: str, record: str) -> str:
    """Subject of a record type in a topic (full topic name)."""
    return f"{topic}-{NAMESPACE}{record}"


def subjects(catalog: Catalog, prefix: str = "") -> Iterator[tuple[str, str]]:
    """(subject, record name) of everything that the catalog's topics carry. Raw topics carry foreign bytes: no subject."""
    for name, topic in catalog.topics.items():
        for record in topic.records:
            yield subject_of(prefix + name, record), record


def registry_schema(record: str) -> Schema:
    """The schema of a record as it is registered: compact JSON, key order of the .avsc file, so that its text is stable."""
    return Schema(json.dumps(self_contained(record), separators=(",", ":")), "AVRO")


def register_all(client: SchemaRegistryClient, catalog: Catalog, prefix: str = "") -> dict[str, int]:
    """Register every schema in every subject; returns the id by record name. Repeating it changes nothing.

    The catalog's compatibility is set on a subject before its first version, because a registry's own default may be NONE.
    Raises SchemaIncompatible before the first registration, RegistryUnavailable, RegistryError.
    """
    schemas = {record: registry_schema(record) for _, record in subjects(catalog, prefix)}
    for subject, _ in subjects(catalog, prefix):
        if _level(client, subject) != catalog.compatibility:
            level = ServerConfig(compatibility=ConfigCompatibilityLevel[catalog.compatibility])
            _call(client.set_config, subject, level)
    incompatible = check_all(client, catalog, prefix)
    if incompatible:
        raise SchemaIncompatible(incompatible)
    return _one_id_each(
        (record, _register(client, subject, record, schemas[record], catalog.compatibility))
        for subject, record in subjects(catalog, prefix)
    )


def check_all(client: SchemaRegistryClient, catalog: Catalog, prefix: str = "") -> list[Incompatible]:
    """Subjects with versions that this program's schema is not compatible with, or guarded by another level than the catalog's.

    A subject without versions is compatible with everything. Changes nothing. Raises RegistryUnavailable, RegistryError.
    """
    found = []
    for subject, record in subjects(catalog, prefix):
        versions = _or_absent(client.get_versions, subject)
        if not versions:
            continue
        level = _level(client, subject)
        if level != catalog.compatibility:
            found.append(Incompatible(subject, record, f"compatibility is {level}, the catalog wants {catalog.compatibility}"))
        if not _call(client.test_compatibility_all_versions, subject, registry_schema(record)):
            names = ", ".join(str(version) for version in sorted(versions))
            found.append(Incompatible(subject, record, f"not {level} with the registered versions ({names})"))
    return found


def unregistered(client: SchemaRegistryClient, catalog: Catalog, prefix: str = "") -> list[str]:
    """Subjects that do not have this version's schema. Changes nothing. Raises RegistryUnavailable, RegistryError."""
    return [
        subject
        for subject, record in subjects(catalog, prefix)
        if _or_absent(client.lookup_schema, subject, registry_schema(record)) is None
    ]


def ids(client: SchemaRegistryClient, catalog: Catalog, prefix: str = "") -> dict[str, int]:
    """Id by record name, by look-up only: for processes that may read but not register.

    Raises SchemaNotRegistered, which names a few missing subjects, RegistryUnavailable, RegistryError.
    """
    found: list[tuple[str, int]] = []
    missing: list[str] = []
    for subject, record in subjects(catalog, prefix):
        registered = _or_absent(client.lookup_schema, subject, registry_schema(record))
        if registered is None:
            missing.append(subject)
        else:
            found.append((record, registered.schema_id))
    if missing:
        raise SchemaNotRegistered(_missing(missing, len(missing) + len(found), prefix))
    return _one_id_each(iter(found))


def writers_schema(client: SchemaRegistryClient, schema_id: int) -> dict[str, Any] | None:
    """The schema under an id, as its writer registered it; None: the registry does not know the id (yet). For records of another
    version of the program. Raises RegistryUnavailable, RegistryError."""
    schema = _or_absent(client.get_schema, schema_id)
    return None if schema is None else dict(json.loads(schema.schema_str))


def _register(client: SchemaRegistryClient, subject: str, record: str, schema: Schema, level: str) -> int:
    try:
        return int(_call(client.register_schema, subject, schema))
    except RegistryError as exc:
        if isinstance(exc.__cause__, SchemaRegistryError) and exc.__cause__.http_status_code == 409:
            # Somebody registered another version between the check and now.
            raise SchemaIncompatible([Incompatible(subject, record, f"not {level}: {exc}")]) from exc
        raise


def _one_id_each(pairs: Iterator[tuple[str, int]]) -> dict[str, int]:
    by_record: dict[str, int] = {}
    for record, schema_id in pairs:
        if by_record.setdefault(record, schema_id) != schema_id:
            raise SchemaIdsDiffer(f"{record} has ids {by_record[record]} and {schema_id}")
    return by_record


def _level(client: SchemaRegistryClient, subject: str) -> str:
    """The compatibility level in force for a subject: its own, or the registry's default."""
    config = _or_absent(client.get_config, subject) or _call(client.get_config)
    level = config.compatibility or config.compatibility_level
    return str(getattr(level, "value", level))


def _missing(subjects: Sequence[str], of: int, prefix: str) -> str:
    named = ", ".join(subjects[:SHOWN_SUBJECTS]) + (", ..." if len(subjects) > SHOWN_SUBJECTS else "")
    option = f" --prefix {prefix}" if prefix else ""
    return f"{len(subjects)} of {of} schemas are not registered ({named}): `lineledger schemas apply --registry URL{option}`"


def _or_absent(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """The answer, or None where the registry says 404."""
    try:
        return _call(call, *args, **kwargs)
    except RegistryError as exc:
        if isinstance(exc.__cause__, SchemaRegistryError) and exc.__cause__.http_status_code == 404:
            return None
        raise


def _call(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """One call with the client's bounded retries; its errors in the project's terms, with the address that was asked."""
    client = getattr(call, "__self__", None)
    asked = f"{client.address}: " if isinstance(client, AddressedClient) else ""
    try:
        return call(*args, **kwargs)
    except httpx2.HTTPError as exc:
        if _tls_cause(exc) is not None:
            raise RegistryError(f"{asked}the registry's certificate or ours is refused: {_tls_cause(exc)}") from exc
        raise RegistryUnavailable(f"{asked}{type(exc).__name__}: {exc}") from exc
    except SchemaRegistryError as exc:
        if exc.http_status_code in _RETRIED_STATUS:
            raise RegistryUnavailable(f"{asked}{exc}") from exc
        raise RegistryError(f"{asked}{exc}") from exc


def _tls_cause(error: BaseException) -> ssl.SSLError | None:
    """The SSLError that ended a handshake, wherever it stands in the chain."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, ssl.SSLError):
        found = found.__cause__ or found.__context__
    return found
