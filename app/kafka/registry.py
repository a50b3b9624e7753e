"""The project's schemas in a Confluent-compatible registry: register, check, look up.

Subjects follow the topic-record-name strategy, `<topic>-lineledger.<Record>`: one topic carries several record types, each
evolves on its own. Each schema is self-contained (no references between subjects).
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import httpx2
from confluent_kafka.schema_registry import ConfigCompatibilityLevel, Schema, SchemaRegistryClient, ServerConfig
from confluent_kafka.schema_registry.error import SchemaRegistryError

from schemas.avro_files import NAMESPACE, self_contained
from schemas.catalog import Catalog
from schemas.codec import Codec

P = ParamSpec("P")
T = TypeVar("T")
_RETRIED_STATUS = frozenset({408, 429, 500, 502, 503, 504})


class RegistryError(RuntimeError):
    """The registry answered with a refusal that waiting does not cure (rights, wrong address, bad request)."""

    code = "REGISTRY_REFUSED"


class RegistryUnavailable(RegistryError):
    """The registry is down or overloaded, after bounded retries. The caller waits and asks again: never a dead letter."""

    code = "REGISTRY_UNAVAILABLE"


class SchemaNotRegistered(RegistryError):
    """Schemas of this version of the program are not in the registry yet: `lineledger schemas register`, or wait for it."""

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


def registry_client(url: str, *, retries: int = 5, timeout_s: float = 10.0) -> SchemaRegistryClient:
    """A client that repeats a failed call up to `retries` times with jittered waits of 0.2, 0.4, 0.8 ... s, at most 5 s each."""
    return SchemaRegistryClient(
        {
            "url": url,
            "timeout": timeout_s,
            "max.retries": retries,
            "retries.wait.ms": 200,
            "retries.max.wait.ms": 5000,
        }
    )


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


def ids(client: SchemaRegistryClient, catalog: Catalog, prefix: str = "") -> dict[str, int]:
    """Id by record name, by look-up only: for processes that may read but not register.

    Raises SchemaNotRegistered with every missing subject, RegistryUnavailable, RegistryError.
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
        raise SchemaNotRegistered(f"not registered: {', '.join(missing)}")
    return _one_id_each(iter(found))


def writers_schema(client: SchemaRegistryClient, schema_id: int) -> dict[str, Any] | None:
    """The schema under an id, as its writer registered it; None: the registry does not know the id (yet). For records of another
    version of the program. Raises RegistryUnavailable, RegistryError."""
    schema = _or_absent(client.get_schema, schema_id)
    return None if schema is None else dict(json.loads(schema.schema_str))


def codec_of(client: SchemaRegistryClient, catalog: Catalog, prefix: str = "") -> Codec:
    """A codec with the registry's ids that also reads what other versions of this program wrote. Raises like `ids`."""
    return Codec(ids(client, catalog, prefix), lambda schema_id: writers_schema(client, schema_id))


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


def _or_absent(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """The answer, or None where the registry says 404."""
    try:
        return _call(call, *args, **kwargs)
    except RegistryError as exc:
        if isinstance(exc.__cause__, SchemaRegistryError) and exc.__cause__.http_status_code == 404:
            return None
        raise


def _call(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """One call with the client's bounded retries; its errors in the project's terms."""
    try:
        return call(*args, **kwargs)
    except httpx2.HTTPError as exc:
        raise RegistryUnavailable(f"{type(exc).__name__}: {exc}") from exc
    except SchemaRegistryError as exc:
        if exc.http_status_code in _RETRIED_STATUS:
            raise RegistryUnavailable(str(exc)) from exc
        raise RegistryError(str(exc)) from exc
