"""The manifests are valid for Kubernetes, and agree with one another and with the service."""

import copy
import ipaddress
import re
import subprocess
from typing import Any, Callable

import kubernetes_validate
import pytest
from kustomize import Object, containers, env_file, one, render, workloads
from support.server import ROOT, binary, clean_environment

FOLDER = ROOT / "deploy" / "kubernetes"
KUSTOMIZATIONS = ["base", "overlays/production", "single"]
# The oldest and the newest version that the manifests are for.
VERSIONS = ["1.30", "1.37"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", KUSTOMIZATIONS)
def test_every_object_is_valid(name, version):
    objects = render(FOLDER / name)
    assert len(objects) >= 3
    for each in objects:
        kubernetes_validate.validate(each, version, strict=True)


def _instance(objects: list[Object]) -> Object:
    return one(objects, "StatefulSet", "chat")["spec"]["template"]["spec"]


def _misspell_grace(objects: list[Object]) -> None:
    _instance(objects)["terminationGracePeriod"] = 75


def _number_as_text(objects: list[Object]) -> None:
    _instance(objects)["containers"][0]["readinessProbe"]["periodSeconds"] = "2"


def _unknown_probe(objects: list[Object]) -> None:
    _instance(objects)["containers"][0]["livenessProbe"]["http"] = {"path": "/health"}


def _no_selector(objects: list[Object]) -> None:
    del one(objects, "StatefulSet", "chat")["spec"]["selector"]


def _misspelt_budget(objects: list[Object]) -> None:
    one(objects, "PodDisruptionBudget", "chat")["spec"]["maxUnavailble"] = 1


def _old_ingress(objects: list[Object]) -> None:
    one(objects, "Ingress", "chat")["spec"]["rules"][0]["http"]["paths"][0]["backend"] = {
        "serviceName": "chat",
        "servicePort": 80,
    }


@pytest.mark.parametrize(
    "spoil", [_misspell_grace, _number_as_text, _unknown_probe, _no_selector, _misspelt_budget, _old_ingress]
)
def test_a_wrong_field_is_found(spoil: Callable[[list[Object]], None]):
    objects = copy.deepcopy(render(FOLDER / "overlays/production"))
    spoil(objects)
    with pytest.raises(kubernetes_validate.ValidationError):
        for each in objects:
            kubernetes_validate.validate(each, VERSIONS[-1], strict=True)


@pytest.mark.parametrize("name", KUSTOMIZATIONS)
def test_selectors_and_names_lead_somewhere(name):
    objects = render(FOLDER / name)
    pods = [each["spec"]["template"]["metadata"]["labels"] for each in workloads(objects)]

    def selects(labels: dict[str, str]) -> bool:
        return any(labels.items() <= pod.items() for pod in pods)

    for each in objects:
        if each["kind"] == "Service":
            assert selects(each["spec"]["selector"])
        if each["kind"] in {"StatefulSet", "Deployment", "PodDisruptionBudget"}:
            assert selects(each["spec"]["selector"]["matchLabels"])
        if each["kind"] == "NetworkPolicy":
            assert selects(each["spec"]["podSelector"]["matchLabels"])
    one(objects, "Service", one(objects, "StatefulSet", "chat")["spec"]["serviceName"])
    maps = {each["metadata"]["name"]: each["data"] for each in objects if each["kind"] == "ConfigMap"}
    for each in workloads(objects):
        for volume in each["spec"]["template"]["spec"]["volumes"]:
            for source in volume.get("projected", {}).get("sources", []):
                assert {item["key"] for item in source["configMap"]["items"]} == maps[source["configMap"]["name"]].keys()
    for container in containers(objects):
        for source in container.get("envFrom", []):
            assert (
                source["configMapRef"]["name"] in maps
                if "configMapRef" in source
                else source["secretRef"]["name"] == "chat-secrets"
            )


@pytest.mark.parametrize("name", KUSTOMIZATIONS)
def test_a_drain_ends_before_sigkill(name):
    objects = render(FOLDER / name)
    pod = _instance(objects)
    grace = int(one(objects, "ConfigMap", "chat-settings")["data"]["SHUTDOWN_GRACE_MS"]) / 1000
    pause = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] >= pause + grace + 5


def test_the_balancer_ends_before_sigkill():
    objects = render(FOLDER / "base")
    (timeout,) = re.findall(
        r"worker_shutdown_timeout (\d+)s;", one(objects, "ConfigMap", "chat-balancer")["data"]["nginx.conf"]
    )
    assert (
        one(objects, "Deployment", "chat-balancer")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        >= 5 + int(timeout) + 5
    )


@pytest.mark.parametrize("name", KUSTOMIZATIONS)
def test_pods_are_restricted(name):
    for each in workloads(render(FOLDER / name)):
        pod = each["spec"]["template"]["spec"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            rights = container["securityContext"]
            assert rights["allowPrivilegeEscalation"] is False and rights["readOnlyRootFilesystem"] is True
            assert rights["capabilities"] == {"drop": ["ALL"]}
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
            assert "memory" in container["resources"]["limits"]


def test_the_account_is_that_of_the_image():
    (user,) = re.findall(r"^USER (\d+):\d+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    for name in ("base", "single"):
        assert _instance(render(FOLDER / name))["securityContext"]["runAsUser"] == int(user)


@pytest.mark.parametrize("name", ["base", "single"])
def test_the_service_accepts_the_settings(name, tmp_path):
    objects = render(FOLDER / name)
    settings = one(objects, "ConfigMap", "chat-settings")["data"] | {"DATA_DIR": str(tmp_path)}
    secrets = env_file(FOLDER / "secrets.example.env")
    if name == "single":
        secrets = {key: value for key, value in secrets.items() if key in {"JWT_SECRET", "SERVICE_API_KEY"}}
    pod = {"INSTANCE_ID": "chat-0", "EVENT_LOOPS": "2"}
    assert {each["name"] for each in _instance(objects)["containers"][0]["env"]} == pod.keys()
    done = subprocess.run(
        [str(binary()), "serve", "--check-config"], env=clean_environment(settings | secrets | pod), cwd=tmp_path,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    for variable in settings | secrets | pod:
        assert re.search(rf"^{variable}=", done.stdout, re.MULTILINE), f"{variable} is a variable of the service"
    assert ("# store: MongoDB" in done.stdout) == (name == "base")
    assert all(ipaddress.ip_network(network).is_private for network in settings["TRUSTED_PROXIES"].split(","))


def test_the_network_policy_allows_what_the_example_needs():
    policy = one(render(FOLDER / "base"), "NetworkPolicy", "chat")
    allowed = {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}
    assert {53, 27017, 6379, 5672} <= allowed


def test_a_pods_name_is_an_instance_id():
    """Also with as many pods as the autoscaler may ask for."""
    objects = render(FOLDER / "overlays/production")
    most = one(objects, "HorizontalPodAutoscaler", "chat")["spec"]["maxReplicas"]
    assert re.fullmatch(r"[\w-]{1,16}", f"{one(objects, 'StatefulSet', 'chat')['metadata']['name']}-{most - 1}")
    assert "replicas" not in one(objects, "StatefulSet", "chat")["spec"]


def test_the_overlay_names_the_image():
    images = [each["image"] for each in containers(render(FOLDER / "overlays/production"))]
    assert images == ["registry.example.com/chat-service:1.0.0", "nginx:1.26-bookworm"]


def _probes(objects: list[Object]) -> dict[str, Any]:
    return {name: probe for name, probe in _instance(objects)["containers"][0].items() if name.endswith("Probe")}


@pytest.mark.parametrize("name", KUSTOMIZATIONS)
def test_probes_ask_what_the_documents_say(name):
    probes = _probes(render(FOLDER / name))
    assert probes["startupProbe"]["httpGet"]["path"] == "/health"
    assert probes["readinessProbe"]["httpGet"]["path"] == "/ready"
    assert probes["livenessProbe"]["exec"]["command"] == ["chat-service", "healthcheck", "--alive"]


@pytest.mark.parametrize("name", KUSTOMIZATIONS)
def test_instances_need_no_shell(name):
    """The image has none."""
    container = _instance(render(FOLDER / name))["containers"][0]
    assert container["command"] == ["chat-service", "serve"] and "exec" not in container["lifecycle"]["preStop"]
