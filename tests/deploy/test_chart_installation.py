"""installation.yaml in the chart: every pod has it, the setup follows it, and the program takes it as it is mounted."""

import shlex
from pathlib import Path
from typing import Any

import pytest

from app.configuration import load_installation
from app.secret import variable_of
from tests.deploy.chart import RELEASE, Refused, pod
from tests.deploy.conftest import Chart
from tests.docs import commands

DOCUMENT = """\
prefix: prod.
kafka: {bootstrap: ["kafka-1:9093", "kafka-2:9093"]}
registry: {url: "https://registry.example:8081"}
topics: {partitions: {equipment: 12}}
plants:
  BRN1: {configuration: plants/brn1}
"""
MOUNTED = "/etc/lineledger/installation.yaml"
VALUES: dict[str, Any] = {"installation": {"file": DOCUMENT}, "kafka": {"bootstrap": "", "registry": "", "prefix": ""}}


def test_every_pod_has_it_and_nothing_beside_it(rendered: Chart) -> None:
    made = rendered("plant", VALUES)
    for name, container in made.containers():
        (mount,) = [each for each in container["volumeMounts"] if each["name"] == "installation"]
        assert (mount["mountPath"], mount["subPath"]) == (MOUNTED, "installation.yaml")
        environ = {each["name"]: each.get("value") for each in container["env"]}
        assert environ["LINELEDGER_INSTALLATION"] == MOUNTED, name
        assert not {"LINELEDGER_BOOTSTRAP", "LINELEDGER_PREFIX", "LINELEDGER_REGISTRY"} & environ.keys(), name
    texts = {each["metadata"]["name"]: each["data"] for each in made.kind("ConfigMap")}
    for suffix in ("installation", "setup-installation"):
        assert texts[f"{RELEASE}-{suffix}"] == {"installation.yaml": DOCUMENT}


def test_the_program_takes_it_where_it_is_mounted(tmp_path: Path) -> None:
    """The folders of its plants are those that the chart mounts beside it."""
    (tmp_path / "installation.yaml").write_text(DOCUMENT, encoding="utf-8")
    document = load_installation(tmp_path / "installation.yaml")
    assert document.plants() == {"BRN1": tmp_path / "plants" / "brn1"}


def test_the_setup_follows_it_and_gives_its_rights_when_it_is_told(rendered: Chart) -> None:
    def steps(values: dict[str, object]) -> list[list[str]]:
        (job,) = rendered("plant", {**VALUES, **values}).kind("Job")
        spec = pod(job)["spec"]
        return [each["args"] for each in [*spec["initContainers"], *spec["containers"]]]

    config = "--config=/etc/lineledger/plants/brn1"
    told = [["topics", "apply", config], ["schemas", "apply"], ["topics", "plan", config]]
    assert steps({}) == told
    assert steps({"setup": {"acls": True}}) == [*told[:2], ["acls", "apply"], told[2]]
    with pytest.raises(Refused, match=r"setup\.acls"):
        rendered("plant", {"setup": {"acls": True}})


def test_another_document_is_another_pod_of_every_worker(rendered: Chart) -> None:
    def revisions(file: str) -> list[str]:
        made = rendered("plant", {**VALUES, "installation": {"file": file}}).kind("StatefulSet")
        return [pod(each)["metadata"]["annotations"]["checksum/installation"] for each in made]

    one, other = revisions(DOCUMENT), revisions(DOCUMENT.replace("12", "6"))
    assert len(one) == 5 and not set(one) & set(other)


SCALED = {"workers": {"equipment": {"stages": ["equipment"], "autoscaling": {"enabled": True}}}}


@pytest.mark.parametrize("brokers", ['["kafka-1:9093", "kafka-2:9093"]', '"kafka-1:9093,kafka-2:9093"'])
def test_keda_asks_for_the_names_that_the_document_makes(brokers: str, rendered: Chart) -> None:
    document = DOCUMENT.replace('["kafka-1:9093", "kafka-2:9093"]', brokers)
    (scaled,) = rendered("plant", {**VALUES, **SCALED, "installation": {"file": document}}).kind("ScaledObject")
    (trigger,) = scaled["spec"]["triggers"]
    assert trigger["metadata"]["bootstrapServers"] == "kafka-1:9093,kafka-2:9093"
    assert trigger["metadata"]["topic"] == "prod.equipment.inbox"
    assert trigger["metadata"]["consumerGroup"] == "prod.equipment"
    over = {**VALUES, **SCALED, "kafka": {"bootstrap": "other:9092", "prefix": "own.", "registry": ""}}
    (scaled,) = rendered("plant", over).kind("ScaledObject")
    (trigger,) = scaled["spec"]["triggers"]
    asked = trigger["metadata"]
    assert (asked["bootstrapServers"], asked["topic"], asked["consumerGroup"]) == (
        "other:9092",
        "own.equipment.inbox",
        "own.equipment",
    )


def test_keda_is_not_told_a_name_that_may_be_wrong(rendered: Chart) -> None:
    kept = {"installation": {"existingConfigMap": "kept"}, **SCALED}
    with pytest.raises(Refused, match=r"kafka\.prefix"):
        rendered("plant", {**kept, "kafka": {"bootstrap": "", "prefix": ""}})
    assert len(rendered("plant", {**kept, "kafka": {"prefix": "prod."}}).kind("ScaledObject")) == 1


@pytest.mark.parametrize(
    ("values", "topics", "schemas"),
    [
        (VALUES, "-f installation.yaml", "-f installation.yaml"),
        (
            {**VALUES, "kafka": {"bootstrap": "other:9092", "prefix": "own.", "registry": ""}},
            "-f installation.yaml --bootstrap other:9092 --prefix 'own.'",
            "-f installation.yaml --prefix 'own.'",
        ),
        (
            {},
            "--bootstrap kafka:9092 --prefix 'prod.' --config FOLDER",
            "--registry https://registry:8081 --prefix 'prod.'",
        ),
        ({"kafka": {"prefix": "", "registry": ""}}, "--bootstrap kafka:9092 --config FOLDER", "--registry URL"),
    ],
)
def test_the_notes_say_what_can_be_typed(values: dict[str, object], topics: str, schemas: str, rendered: Chart) -> None:
    said = rendered("plant", {**values, "setup": {"enabled": False}}, notes=True).notes
    typed = [line.strip() for line in said.splitlines() if line.strip().startswith("lineledger ")]
    assert [line for line in typed if " apply " in line] == [
        f"lineledger topics apply {topics}",
        f"lineledger schemas apply {schemas}",
    ]
    for line in typed[-2:]:
        assert commands.wrong_with(commands.command_line(), shlex.split(line)[1:], complete=False) == ""


def with_secret(**source: object) -> dict[str, object]:
    document = DOCUMENT.replace('8081"}', '8081", secret: registry-user}')
    assert document != DOCUMENT
    return {**VALUES, "installation": {"file": document}, "kafka": {**VALUES["kafka"], "registryUser": source}}


def test_setup_and_workers_get_the_secret_of_the_registry(rendered: Chart) -> None:
    made = rendered("plant", with_secret(existingSecret="registry", key="login"))
    for name, container in made.containers():
        environ = {each["name"]: each.get("value") for each in container["env"]}
        assert environ[f"{variable_of('registry-user')}_FILE"] == "/etc/lineledger/registry/login", name
        assert {"name": "registry", "mountPath": "/etc/lineledger/registry", "readOnly": True} in container["volumeMounts"], name
    for workload in made.workloads():
        (volume,) = [each for each in pod(workload)["spec"]["volumes"] if each["name"] == "registry"]
        assert volume["secret"] == {"secretName": "registry", "defaultMode": 0o440}
    assert not [
        each
        for _, container in rendered("plant", VALUES).containers()
        for each in container["volumeMounts"]
        if "registry" in each["name"]
    ]


def test_a_secret_of_the_registry_that_is_nowhere_is_refused(rendered: Chart) -> None:
    with pytest.raises(Refused, match=r"kafka\.registryUser: where the secret registry-user"):
        rendered("plant", with_secret())
    with pytest.raises(Refused, match=r"names no registry\.secret"):
        rendered("plant", {"kafka": {"registryUser": {"existingSecret": "registry"}}})
    kept = {"installation": {"existingConfigMap": "kept"}}
    made = rendered("plant", {**kept, "kafka": {"registryUser": {"existingSecret": "registry", "secret": "its.user"}}})
    assert all("ITS_USER_FILE" in {each["name"] for each in container["env"]} for _, container in made.containers())


def test_credentials_of_the_document_that_no_pod_has_are_refused(rendered: Chart) -> None:
    """It would be found out by the pod, which has no such file."""
    document = DOCUMENT.replace('9093"]}', '9093"], client_config: client.properties}')
    assert document != DOCUMENT
    values = {**VALUES, "installation": {"file": document}}
    with pytest.raises(Refused, match=r"kafka\.client: where the file client\.properties"):
        rendered("small", values)
    given = {**values, "kafka": {**VALUES["kafka"], "client": {"existingSecret": "kafka"}}}
    assert rendered("small", given).workloads()
    own = {**values, "workers": {"all": {"client": {"existingSecret": "kafka"}}}}
    with pytest.raises(Refused, match=r"kafka\.client"):
        rendered("small", own)  # the setup has none
