"""Rules over what the chart renders, one test each, for every profile."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.secret import variable_of
from schemas.catalog import catalog
from tests.deploy.chart import CHART, DEMO, PROFILES, RELEASE, Refused, pod, run, selected, values_of
from tests.deploy.conftest import Chart
from tests.docs import commands
from tests.platform import helm
from tests.platform.maven import ROOT, Missing

NOT_IN_KUBERNETES = {"ServiceMonitor", "PrometheusRule", "ScaledObject", "ExternalSecret"}
VERSIONS = ("1.27", "1.34")
"""The oldest that the chart admits, and one of today."""
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yaml"
PLANT_FILES = {"plant.yaml": (DEMO / "plant.yaml").read_text(encoding="utf-8")}

each_profile = pytest.mark.parametrize("profile", PROFILES)


@each_profile
def test_helm_has_nothing_against_it(profile: str, rendered: Chart, tmp_path: Path) -> None:
    given = tmp_path / "values.yaml"
    given.write_text(yaml.safe_dump({"image": {"repository": "x"}, "kafka": {"bootstrap": "kafka:9092"}}), encoding="utf-8")
    run("lint", "--strict", "--quiet", CHART, *values_of(profile), "-f", given)


@each_profile
@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_knows_every_field(profile: str, version: str, rendered: Chart, tmp_path: Path) -> None:
    try:
        validator = helm.validator()
    except Missing as missing:
        pytest.skip(f"needs the schemas of Kubernetes: {missing}")
    file = tmp_path / "manifests.yaml"
    known = [each for each in rendered(profile).manifests if each["kind"] not in NOT_IN_KUBERNETES]
    file.write_text(yaml.safe_dump_all(known), encoding="utf-8")
    done = subprocess.run([validator, "--strict", "-k", version, file], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@each_profile
def test_no_pod_has_a_privilege(profile: str, rendered: Chart) -> None:
    for workload in rendered(profile).workloads():
        spec = pod(workload)["spec"]
        security = spec["securityContext"]
        assert security["runAsNonRoot"] is True and security["runAsUser"] == security["fsGroup"] == 10001
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not any(spec.get(name) for name in ("hostNetwork", "hostPID", "hostIPC"))
        assert not [volume for volume in spec["volumes"] if "hostPath" in volume]
    for name, container in rendered(profile).containers():
        security = container["securityContext"]
        assert security["privileged"] is security["allowPrivilegeEscalation"] is False, name
        assert security["readOnlyRootFilesystem"] is True, name
        assert security["capabilities"] == {"drop": ["ALL"]}, name


@each_profile
def test_no_pod_has_a_token(profile: str, rendered: Chart) -> None:
    made = rendered(profile)
    accounts = {each["metadata"]["name"]: each for each in made.kind("ServiceAccount")}
    for workload in made.workloads():
        spec = pod(workload)["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert accounts.pop(spec["serviceAccountName"])["automountServiceAccountToken"] is False
    assert not accounts, "a service account that no pod has"


@each_profile
def test_every_container_has_bounds(profile: str, rendered: Chart) -> None:
    for name, container in rendered(profile).containers():
        for bound in ("requests", "limits"):
            assert {"cpu", "memory"} <= container["resources"][bound].keys(), name


@each_profile
def test_start_readiness_and_life_are_asked_apart(profile: str, rendered: Chart) -> None:
    for workload in rendered(profile).kind("StatefulSet"):
        (container,) = pod(workload)["spec"]["containers"]
        asked = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "readiness", "liveness")}
        assert {kind: each["path"] for kind, each in asked.items()} == {
            "startup": "/live",
            "readiness": "/ready",
            "liveness": "/live",
        }
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert {each["port"] for each in asked.values()} == {"metrics"}
        assert f"--metrics-port={ports['metrics']}" in container["args"] and "--metrics-host=0.0.0.0" in container["args"]


@each_profile
def test_selectors_find_one_workload_each(profile: str, rendered: Chart) -> None:
    made = rendered(profile)
    labels = {each["metadata"]["name"]: pod(each)["metadata"]["labels"] for each in made.workloads()}
    selectors = [(each, each["spec"]["selector"]) for each in made.kind("Service")]
    selectors += [(each, each["spec"]["selector"]["matchLabels"]) for each in made.kind("PodDisruptionBudget", "StatefulSet")]
    selectors += [(each, each["spec"]["podSelector"]["matchLabels"]) for each in made.kind("NetworkPolicy")]
    for workload in made.kind("StatefulSet"):
        for constraint in pod(workload)["spec"]["topologySpreadConstraints"]:
            selectors.append((workload, constraint["labelSelector"]["matchLabels"]))
    for each, selector in selectors:
        found = [name for name, given in labels.items() if selected(given, selector)]
        assert found == [each["metadata"]["name"]], (each["kind"], each["metadata"]["name"])


@each_profile
def test_every_pod_has_a_network_policy_and_delivery_alone_reaches_the_erp(profile: str, rendered: Chart) -> None:
    made = rendered(profile, {"networkPolicy": {"erp": {"ports": [8443]}}})
    policies = {each["metadata"]["name"]: each["spec"] for each in made.kind("NetworkPolicy")}
    assert policies.keys() == {each["metadata"]["name"] for each in made.workloads()}
    for workload in made.workloads():
        policy = policies[workload["metadata"]["name"]]
        assert policy["policyTypes"] == ["Ingress", "Egress"]
        ports = {port["port"] for rule in policy["egress"] for port in rule["ports"]}
        delivers = any("delivery" in container["args"] for container in pod(workload)["spec"]["containers"])
        assert ports == {53, 9092, 8081} | ({8443} if delivers else set()), workload["metadata"]["name"]
        assert [port["port"] for rule in policy["ingress"] for port in rule["ports"]] in (["metrics"], [])


@each_profile
def test_the_program_understands_what_it_is_told(
    profile: str, rendered: Chart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every argument is parsed by the command line itself; every variable is one that it reads, or one of the ERP's."""
    of_kafka = {f"LINELEDGER_{name}" for name in ("BOOTSTRAP", "PREFIX", "REGISTRY", "CLIENT_CONFIG")}
    of_erp = {"LINELEDGER_ERP_URL", f"{variable_of('lineledger-erp-token')}_FILE"}
    client = tmp_path / "client.properties"
    client.touch()
    for name, container in rendered(profile).containers():
        found = commands.command_line()
        for word in container["args"]:
            found = getattr(found, "commands", {}).get(word, found)
        read = {option.envvar for option in found.params}
        variables = {each["name"]: each.get("value", "a-pod-0") for each in container["env"]}
        assert variables.keys() <= read | of_kafka | of_erp, name
        with monkeypatch.context() as environment:
            for variable, value in {**variables, "LINELEDGER_CLIENT_CONFIG": str(client)}.items():
                environment.setenv(variable, value)
            assert commands.wrong_with(commands.command_line(), list(container["args"]), complete=True) == "", name


@each_profile
def test_an_instance_is_a_pod_and_comes_back_with_its_store(profile: str, rendered: Chart) -> None:
    for workload in rendered(profile).kind("StatefulSet"):
        spec = workload["spec"]
        assert spec["podManagementPolicy"] == "Parallel"
        assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenScaled": "Delete", "whenDeleted": "Delete"}
        (claim,) = spec["volumeClaimTemplates"]
        (container,) = pod(workload)["spec"]["containers"]
        mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
        assert f"--datadir={mounts[claim['metadata']['name']]}" in container["args"]
        (instance,) = [each for each in container["env"] if each["name"] == "LINELEDGER_INSTANCE"]
        assert instance["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}


@each_profile
def test_a_drain_takes_one_at_a_time_and_is_never_held_by_a_pod_that_is_not_ready(profile: str, rendered: Chart) -> None:
    made = rendered(profile)
    for budget in made.kind("PodDisruptionBudget"):
        assert budget["spec"]["maxUnavailable"] == 1 and budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    unprotected = {each["metadata"]["name"] for each in made.kind("StatefulSet")}
    unprotected -= {each["metadata"]["name"] for each in made.kind("PodDisruptionBudget")}
    assert unprotected == ({f"{RELEASE}-all"} if profile == "small" else set())


@each_profile
def test_volumes_that_are_mounted_are_there(profile: str, rendered: Chart) -> None:
    made = rendered(profile)
    for workload in made.workloads():
        spec = pod(workload)["spec"]
        there = {each["name"] for each in spec["volumes"]}
        there |= {each["metadata"]["name"] for each in workload["spec"].get("volumeClaimTemplates", [])}
        mounted = {
            mount["name"]
            for part in ("initContainers", "containers")
            for each in spec.get(part, [])
            for mount in each["volumeMounts"]
        }
        assert mounted == there, workload["metadata"]["name"]


@each_profile
def test_every_stage_runs_and_every_plant_has_one_intake(profile: str, rendered: Chart) -> None:
    made, stages, plants = rendered(profile), [], []
    for workload in made.kind("StatefulSet"):
        arguments = pod(workload)["spec"]["containers"][0]["args"]
        own = [each for each in arguments[1:] if not each.startswith("--")]
        config = [each.rpartition("/")[2] for each in arguments if each.startswith("--config=")]
        assert bool(config) == ("intake" in own), "the others hear of the configurations in the log"
        stages += [each for each in own if each != "intake"]
        plants += config if "intake" in own else []
    assert sorted(stages) == ["delivery", "equipment", "lots", "orders"]
    assert plants == (["brn1", "ost2"] if profile == "group" else ["brn1"])


@each_profile
def test_the_setup_needs_nothing_that_comes_after_it(profile: str, rendered: Chart) -> None:
    made = rendered(profile)
    (job,) = made.kind("Job")
    spec = pod(job)["spec"]
    steps = [each["args"][:2] for each in [*spec["initContainers"], *spec["containers"]]]
    assert steps == [["topics", "apply"], ["schemas", "apply"], ["topics", "plan"]]
    before = {
        (each["kind"], each["metadata"]["name"])
        for each in made.manifests
        if int(each["metadata"].get("annotations", {}).get("helm.sh/hook-weight", "1")) < 0
    }
    named = {("ServiceAccount", spec["serviceAccountName"]), ("NetworkPolicy", job["metadata"]["name"])}
    if profile != "group":  # its ConfigMaps are kept by something else
        named |= {("ConfigMap", each["configMap"]["name"]) for each in spec["volumes"] if "configMap" in each}
    assert named <= before


def test_another_configuration_is_another_pod_of_those_that_read_it(rendered: Chart) -> None:
    def revisions(made: Any) -> dict[str, str]:
        found = {each["metadata"]["name"]: pod(each)["metadata"]["annotations"] for each in made.kind("StatefulSet")}
        return {name: each["checksum/configuration"] for name, each in found.items() if "checksum/configuration" in each}

    one = revisions(rendered("", {"plants": {"brn1": {"files": PLANT_FILES}}}))
    other = revisions(rendered("", {"plants": {"brn1": {"files": {**PLANT_FILES, "rules.yaml": "{}"}}}}))
    assert one.keys() == other.keys() == {f"{RELEASE}-intake-brn1"}, "the others follow the log"
    assert all(one[name] != other[name] for name in one)


@pytest.mark.parametrize(
    ("source", "volume"),
    [
        ({"existingSecret": "s"}, {"secret": {"secretName": "s", "defaultMode": 0o440}}),
        ({"external": {"client.properties": "ledger/kafka"}}, {"secret": {"secretName": "prod-client", "defaultMode": 0o440}}),
        (
            {"secretProviderClass": "p"},
            {
                "csi": {
                    "driver": "secrets-store.csi.k8s.io",
                    "readOnly": True,
                    "volumeAttributes": {"secretProviderClass": "p"},
                }
            },
        ),
    ],
)
def test_a_secret_is_referred_to(source: Mapping[str, Any], volume: Mapping[str, Any], rendered: Chart) -> None:
    values = {"kafka": {"client": source}, "plants": {"brn1": {"files": PLANT_FILES}}, "secretStore": {"name": "vault"}}
    made = rendered("", values)
    assert not made.kind("Secret")
    for workload in made.workloads():
        (client,) = [each for each in pod(workload)["spec"]["volumes"] if each["name"] == "client"]
        assert client == {"name": "client", **volume}
    for name, container in made.containers():
        variables = {each["name"]: each.get("value") for each in container["env"]}
        assert variables["LINELEDGER_CLIENT_CONFIG"] == "/etc/lineledger/client/client.properties", name
    external = made.kind("ExternalSecret")
    assert len(external) == (1 if "external" in source else 0)
    assert all(int(each["metadata"]["annotations"]["helm.sh/hook-weight"]) < 0 for each in external), "the setup needs it"


def test_only_delivery_gets_the_secret_of_the_erp_and_only_intake_the_private_key(rendered: Chart) -> None:
    key = {"brn1": {"files": PLANT_FILES, "privateKey": {"existingSecret": "keys", "key": "brn1"}}}
    erp = {"existingSecret": "erp", "files": {"LINELEDGER_ERP_TOKEN": "token"}}
    made = rendered("", {"plants": key, "erp": erp})
    has: dict[str, set[str]] = {"erp": set(), "private-key": set()}
    for workload in made.workloads():
        for volume in pod(workload)["spec"]["volumes"]:
            if volume["name"] in has:
                has[volume["name"]].add(workload["metadata"]["name"])
    assert has == {"erp": {f"{RELEASE}-delivery"}, "private-key": {f"{RELEASE}-intake-brn1"}}
    for name, container in made.containers():
        files = {each["name"]: each["value"] for each in container["env"] if each["name"].endswith("_FILE")}
        wanted = {"prod-delivery": {"LINELEDGER_ERP_TOKEN_FILE": "/etc/lineledger/erp/token"}}
        wanted["prod-intake-brn1"] = {"LINELEDGER_PRIVATE_KEY_FILE": "/etc/lineledger/private-key/brn1"}
        assert files == wanted.get(name, {})


def test_a_worker_and_the_setup_may_have_credentials_of_their_own(rendered: Chart) -> None:
    values = {
        "kafka": {"client": {"existingSecret": "all"}},
        "setup": {"client": {"existingSecret": "setup", "key": "setup.properties"}},
        "workers": {"lots": {"stages": ["lots"], "client": {"existingSecret": "lots"}}},
    }
    made, secrets, files = rendered("plant", values), {}, {}
    for workload in made.workloads():
        (client,) = [each for each in pod(workload)["spec"]["volumes"] if each["name"] == "client"]
        secrets[workload["metadata"]["name"]] = client["secret"]["secretName"]
    own = {name: secret for name, secret in secrets.items() if secret != "all"}
    assert own == {f"{RELEASE}-lots": "lots", f"{RELEASE}-setup": "setup"}
    for name, container in made.containers():
        files[name] = {each["name"]: each.get("value") for each in container["env"]}["LINELEDGER_CLIENT_CONFIG"]
    assert files[f"{RELEASE}-setup"] == "/etc/lineledger/client/setup.properties"
    assert files[f"{RELEASE}-lots"] == "/etc/lineledger/client/client.properties"


def test_the_alerts_come_as_they_are(rendered: Chart) -> None:
    (rule,) = rendered("plant").kind("PrometheusRule")
    assert rule["spec"] == yaml.safe_load(ALERTS.read_text(encoding="utf-8"))


def test_alerts_link_to_the_runbook_that_people_read(rendered: Chart) -> None:
    values = {"monitoring": {"prometheusRule": {"runbooks": "https://docs.example/lineledger/"}}}
    (rule,) = rendered("plant", values).kind("PrometheusRule")
    links = [each["annotations"]["runbook_url"] for group in rule["spec"]["groups"] for each in group["rules"]]
    assert links[0] == "https://docs.example/lineledger/alerts.md#lineledgerworkerdown"
    assert all(link.startswith("https://docs.example/lineledger/alerts.md#") for link in links)


def test_the_pages_for_grafana_come_as_they_are(rendered: Chart) -> None:
    files = {f"lineledger-{each.name}": each.read_text(encoding="utf-8") for each in (CHART / "files" / "dashboards").iterdir()}
    maps = [each for each in rendered("plant").kind("ConfigMap") if "-dashboard-" in each["metadata"]["name"]]
    assert {name: text.rstrip() for each in maps for name, text in each["data"].items()} == {
        name: text.rstrip() for name, text in files.items()
    }
    assert all(each["metadata"]["labels"]["grafana_dashboard"] == "1" for each in maps)


def test_figures_of_every_worker_are_scraped_also_of_one_that_is_not_ready(rendered: Chart) -> None:
    made = rendered("plant")
    (monitor,) = made.kind("ServiceMonitor")
    services = [
        each for each in made.kind("Service") if selected(each["metadata"]["labels"], monitor["spec"]["selector"]["matchLabels"])
    ]
    assert {each["metadata"]["name"] for each in services} == {each["metadata"]["name"] for each in made.kind("StatefulSet")}
    assert all(each["spec"]["publishNotReadyAddresses"] is True for each in services)
    relabelled = monitor["spec"]["endpoints"][0]["relabelings"]
    assert {"targetLabel": "job", "replacement": "lineledger"} in relabelled, "the alerts are written for this job"


def test_more_workers_come_by_the_lag_of_their_own_inbox_and_never_go_by_it(rendered: Chart) -> None:
    found = rendered("group").kind("ScaledObject")
    assert {each["metadata"]["name"] for each in found} == {f"{RELEASE}-equipment", f"{RELEASE}-orders"}
    for each in found:
        stage = each["metadata"]["name"].removeprefix(f"{RELEASE}-")
        (trigger,) = each["spec"]["triggers"]
        assert trigger["metadata"]["topic"] == f"prod.{stage}.inbox" and f"{stage}.inbox" in catalog().topics
        assert trigger["metadata"]["consumerGroup"] == f"prod.{stage}"
        assert each["spec"]["maxReplicaCount"] <= catalog().partitions(f"{stage}.inbox")
        behaviour = each["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
        assert behaviour["scaleDown"] == {"selectPolicy": "Disabled"}
        assert "replicas" not in rendered("group").one("StatefulSet", stage)["spec"], "two would set it"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"kafka": {"prefx": "x"}}, "prefx"),
        ({"image": {"repository": ""}}, "image.repository"),
        ({"kafka": {"bootstrap": ""}}, "kafka.bootstrap"),
        ({"plants": {"brn1": {"existingConfigMap": "other"}}}, "files or existingConfigMap"),
        ({"plants": {"ost2": {}}}, "plants.ost2.files: plant.yaml"),
        ({"kafka": {"client": {"secretProviderClass": "p"}}}, "one of them"),
        ({"workers": {"more": {"stages": ["intake"], "plant": "x"}}}, "workers.more has the stage intake: plant: one of brn1"),
        ({"workers": {"delivery": {"stages": ["delivery"], "autoscaling": {"enabled": True}}}}, "workers.delivery.autoscaling"),
        ({"workers": {"more": {"stages": ["sorting"]}}}, "/workers/more"),
        (
            {"fullnameOverride": "a" * 40, "plants": {"b" * 20: {"files": PLANT_FILES}}},
            "longer than 52",
        ),
    ],
)
def test_what_cannot_be_right_is_refused_with_a_sentence(values: Mapping[str, Any], said: str, rendered: Chart) -> None:
    with pytest.raises(Refused) as refused:
        rendered("plant", values)
    assert said in refused.value.said


@each_profile
def test_the_notes_name_what_is_there(profile: str, rendered: Chart) -> None:
    notes = rendered(profile, notes=True).notes
    for workload in rendered(profile).kind("StatefulSet"):
        assert f"statefulset/{workload['metadata']['name']}" in notes
    assert "/opt/lineledger/bin/lineledger status" in notes
    assert '"/opt/lineledger/bin/lineledger"' in (ROOT / "deploy" / "image" / "Containerfile").read_text(encoding="utf-8")
