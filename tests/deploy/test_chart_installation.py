"""installation.yaml in the chart: every pod has it, the setup follows it, and the program takes it as it is mounted."""

from pathlib import Path

import pytest

from app.configuration import load_installation
from tests.deploy.chart import RELEASE, Refused, pod
from tests.deploy.conftest import Chart

DOCUMENT = """\
prefix: prod.
kafka: {bootstrap: ["kafka-1:9093", "kafka-2:9093"]}
registry: {url: "https://registry.example:8081"}
topics: {partitions: {equipment: 12}}
plants:
  BRN1: {configuration: plants/brn1}
"""
MOUNTED = "/etc/lineledger/installation.yaml"
VALUES = {"installation": {"file": DOCUMENT}, "kafka": {"bootstrap": "", "registry": "", "prefix": ""}}


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
