"""Makes the installation's rights on a broker: what is missing is added; what an identity of the document, or of an earlier one,
has beside them is removed where it is about something of this installation. Other rights, those of others, and what is denied,
are left alone."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ConfigResource,
    ResourcePatternType,
    ResourceType,
)

from app.kafka.broker import BrokerRefused, BrokerUnavailable
from app.kafka.rights import Resource, Right, once_given

REQUEST_SECONDS = 30.0
USER = "User:"
_PATTERNS = {False: ResourcePatternType.LITERAL, True: ResourcePatternType.PREFIXED}


class AclsDisabled(RuntimeError):
    """The broker lets everybody do everything: it has no authorizer."""

    code = "ACLS_DISABLED"


@dataclass(slots=True, frozen=True)
class RightChange:
    """One line of a plan. `right`: in words."""

    action: Literal["add", "remove"]
    right: str
    binding: AclBinding


def plan(
    admin: AdminClient, prefix: str, wanted: Sequence[Right], own: Callable[[Collection[str]], Collection[Resource]]
) -> list[RightChange]:
    """What `apply` would do: `changes`, with what the broker has of the identities of the document and of earlier ones. `own`:
    what is the installation's, with these raw topics of earlier documents, too.

    Raises AclsDisabled, BrokerRefused, BrokerUnavailable."""
    _require_sight(admin)
    groups = _found(admin, None, ResourceType.GROUP)
    left, raw = once_given(prefix, [(each.principal.removeprefix(USER), each.name) for each in groups])
    identities = sorted({right.identity for right in wanted} | left)
    return changes(wanted, own(raw), [each for identity in identities for each in _found(admin, identity)])


def changes(wanted: Sequence[Right], own: Collection[Resource], found: Iterable[AclBinding]) -> list[RightChange]:
    """What is missing, in the order of `wanted`, then what is too much. `found`: all that the identities in `wanted` may do on
    the broker; removed is only what is about something in `own`: the others may be another installation's, or no
    installation's at all."""
    expected, there = {_binding(right): right for right in wanted}, set(found)
    added = [RightChange("add", str(right), binding) for binding, right in expected.items() if binding not in there]
    extra = sorted((each for each in there if each not in expected and _resource(each) in own), key=_said)
    return [*added, *(RightChange("remove", _said(binding), binding) for binding in extra)]


def apply(admin: AdminClient, planned: Sequence[RightChange]) -> None:
    """Add first, then remove: nobody is without a right that stays. Raises like `plan`."""
    added = [change.binding for change in planned if change.action == "add"]
    removed = [_only(change.binding) for change in planned if change.action == "remove"]
    if added:
        _answers(admin.create_acls(added, request_timeout=REQUEST_SECONDS).values())
    if removed:
        _answers(admin.delete_acls(removed, request_timeout=REQUEST_SECONDS).values())


def _binding(right: Right) -> AclBinding:
    return AclBinding(
        ResourceType[right.kind.upper()],
        right.name,
        _PATTERNS[right.prefixed],
        USER + right.identity,
        "*",
        AclOperation[right.operation.upper()],
        AclPermissionType.ALLOW,
    )


def _resource(binding: AclBinding) -> Resource:
    return Resource(binding.restype.name.lower(), binding.name, binding.resource_pattern_type == ResourcePatternType.PREFIXED)


def _only(binding: AclBinding) -> AclBindingFilter:
    """The filter that this binding alone passes."""
    return AclBindingFilter(
        binding.restype,
        binding.name,
        binding.resource_pattern_type,
        binding.principal,
        binding.host,
        binding.operation,
        binding.permission_type,
    )


def _said(binding: AclBinding) -> str:
    star = "*" if binding.resource_pattern_type == ResourcePatternType.PREFIXED else ""
    what = f"{binding.operation.name.lower()} {binding.restype.name.lower()} {binding.name}{star}"
    return f"{binding.principal.removeprefix(USER)}: {what}"


def _require_sight(admin: AdminClient) -> None:
    """The client library takes a refused question about rights for one without answers (2.16)."""
    try:
        cluster = admin.describe_cluster(include_authorized_operations=True, request_timeout=REQUEST_SECONDS).result()
        if AclOperation.DESCRIBE not in (cluster.authorized_operations or ()):
            raise BrokerRefused("no right to see rights: DESCRIBE on the cluster")
        one = ConfigResource(ResourceType.BROKER, str(cluster.nodes[0].id))
        (settings,) = admin.describe_configs([one], request_timeout=REQUEST_SECONDS).values()
        authorizer = settings.result()["authorizer.class.name"].value
    except KafkaException as exc:
        raise _refusal(exc) from exc
    if not authorizer:
        raise AclsDisabled("the broker has no authorizer: `authorizer.class.name` is not set")


def _found(admin: AdminClient, identity: str | None, about: ResourceType = ResourceType.ANY) -> list[AclBinding]:
    """What somebody may do; None: what anybody may."""
    wanted = AclBindingFilter(
        about,
        None,
        ResourcePatternType.ANY,
        None if identity is None else USER + identity,
        None,
        AclOperation.ANY,
        AclPermissionType.ALLOW,
    )
    (found,) = _answers([admin.describe_acls(wanted, request_timeout=REQUEST_SECONDS)])
    return found


def _answers(futures: Iterable[object]) -> list[list[AclBinding]]:
    answers = []
    for future in futures:
        try:
            answers.append(future.result(REQUEST_SECONDS))  # type: ignore[attr-defined]
        except KafkaException as exc:
            raise _refusal(exc) from exc
        except TimeoutError as exc:
            raise BrokerUnavailable(f"no answer about rights within {REQUEST_SECONDS:.0f} s") from exc
    return answers


def _refusal(error: KafkaException) -> BrokerRefused | BrokerUnavailable:
    if error.args[0].code() == KafkaError.CLUSTER_AUTHORIZATION_FAILED:
        return BrokerRefused(f"no right to see and change rights ({error.args[0].str()})")
    return BrokerUnavailable(str(error))
