"""Renders the part of kustomize that `deploy/kubernetes` uses; anything else is an error.

The names of generated ConfigMaps get no hash here.
"""

import copy
import functools
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]

_KNOWN = {"apiVersion", "kind", "namespace", "resources", "configMapGenerator", "images", "patches"}
_CLUSTER_WIDE = {"Namespace"}


def render(directory: Path) -> list[Object]:
    """The objects of a kustomization, in its order."""
    settings = yaml.safe_load((directory / "kustomization.yaml").read_text())
    assert settings.keys() <= _KNOWN, f"{directory}: {settings.keys() - _KNOWN} is not rendered here"
    assert (settings["apiVersion"], settings["kind"]) == ("kustomize.config.k8s.io/v1beta1", "Kustomization")
    objects: list[Object] = []
    for name in settings["resources"] if "resources" in settings else []:
        path = (directory / name).resolve()
        objects += render(path) if path.is_dir() else [each for each in yaml.safe_load_all(path.read_text()) if each]
    objects += [_config_map(directory, generator) for generator in settings.get("configMapGenerator", [])]
    objects = copy.deepcopy(objects)
    for each in objects:
        if (namespace := settings.get("namespace")) and each["kind"] not in _CLUSTER_WIDE:
            each["metadata"]["namespace"] = namespace
    for patch in settings.get("patches", []):
        (target,) = [each for each in objects if _is_target(each, patch["target"])]
        for operation in yaml.safe_load(patch["patch"]):
            _apply(operation, target)
    for image in settings.get("images", []):
        for container in containers(objects):
            if container["image"].split(":")[0] == image["name"]:
                container["image"] = f"{image['newName']}:{image['newTag']}"
    identities = [(each["kind"], each["metadata"]["name"]) for each in objects]
    assert len(set(identities)) == len(identities), "no object is there twice"
    return objects


def one(objects: list[Object], kind: str, name: str) -> Object:
    (found,) = [each for each in objects if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def workloads(objects: list[Object]) -> list[Object]:
    return [each for each in objects if each["kind"] in {"StatefulSet", "Deployment"}]


def containers(objects: list[Object]) -> list[Object]:
    return [container for each in workloads(objects) for container in each["spec"]["template"]["spec"]["containers"]]


def env_file(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def _config_map(directory: Path, generator: Object) -> Object:
    assert generator.keys() <= {"name", "envs", "files"}
    data: dict[str, str] = {}
    for name in generator.get("envs", []):
        data |= env_file(directory / name)
    for name in generator.get("files", []):
        data[Path(name).name] = (directory / name).read_text()
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": generator["name"]}, "data": data}


def _is_target(each: Object, target: dict[str, str]) -> bool:
    return target.keys() == {"kind", "name"} and (each["kind"], each["metadata"]["name"]) == (target["kind"], target["name"])


def _apply(operation: Object, target: Object) -> None:
    """One operation of a JSON patch (RFC 6902) on a member of an object."""
    *path, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
    holder = functools.reduce(lambda value, part: value[int(part) if isinstance(value, list) else part], path, target)
    assert isinstance(holder, dict) and (operation["op"] == "add" or last in holder), operation
    if operation["op"] == "remove":
        del holder[last]
    else:
        assert operation["op"] in {"add", "replace"}
        holder[last] = operation["value"]
