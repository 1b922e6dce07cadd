"""The manifests are valid and consistent, and need no more privileges than necessary."""

from __future__ import annotations

import copy
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pf_exporter import __version__
from pf_exporter.command_line import create_parser
from pf_exporter.config.loader import load
from pf_exporter.config.settings import WebSettings
from tests.conftest import tool
from tests.deploy import blocks
from tests.programs import installed_version
from tests.rules.promql import METRICS, PROMETHEUS, TARGET
from tests.yaml_loader import load_all_yaml, load_yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
VERSION = "1.37"

Manifest = dict[str, Any]


def read(path: Path) -> list[Manifest]:
    return load_all_yaml(path.read_text(encoding="utf-8"))


(KUSTOMIZATION,) = read(FOLDER / "kustomization.yaml")
MANIFESTS: list[Manifest] = [item for name in KUSTOMIZATION["resources"] for item in read(FOLDER / name)]


def label(manifest: Manifest) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def only(kind: str) -> Manifest:
    (found,) = (item for item in MANIFESTS if item["kind"] == kind)
    return found


POD = only("Deployment")["spec"]["template"]
(CONTAINER,) = POD["spec"]["containers"]


def validate(manifest: Manifest) -> None:
    """Raise an error unless a manifest matches its schema without unknown keys."""
    # Not at the top: every process of a parallel run imports this module, and these imports take seconds.
    import kubernetes_validate  # type: ignore[import-untyped]
    from cloudcoil.models.prometheus_operator.v1 import PrometheusRule, ServiceMonitor

    operator: dict[str, Any] = {"PrometheusRule": PrometheusRule, "ServiceMonitor": ServiceMonitor}
    model = operator.get(manifest["kind"])
    if model is None:
        kubernetes_validate.validate(manifest, VERSION, strict=True)
        return
    assert manifest["apiVersion"] == "monitoring.coreos.com/v1"
    # The models drop unknown keys, so the result has to be equal to the manifest.
    parsed = model.model_validate(manifest).model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert parsed == manifest


@pytest.mark.parametrize("manifest", MANIFESTS, ids=label)
def test_a_manifest_is_valid(manifest: Manifest) -> None:
    """A manifest matches the schema of Kubernetes or of the Prometheus operator."""
    validate(manifest)


@pytest.mark.parametrize("kind", ["Deployment", "Service", "ServiceMonitor", "PrometheusRule"])
def test_unknown_keys_are_found(kind: str) -> None:
    """The validation reports an unknown key in each kind of manifest."""
    from kubernetes_validate import ValidationError

    manifest = copy.deepcopy(next(item for item in MANIFESTS if item["kind"] == kind))
    manifest["spec"]["selectr"] = {}
    with pytest.raises((ValidationError, AssertionError), match="selectr"):
        validate(manifest)


def test_kustomization_lists_every_file() -> None:
    """The kustomization lists every file in the folder."""
    files = {path.name for path in FOLDER.iterdir()} - {"kustomization.yaml"}
    assert sorted(KUSTOMIZATION["resources"]) == sorted(files)


def build(folder: Path) -> list[Manifest]:
    """Return the manifests that kubectl kustomize builds; each is valid and in the namespace."""
    done = subprocess.run(
        [tool("kubectl"), "kustomize", str(folder)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    manifests = load_all_yaml(done.stdout)
    for manifest in manifests:
        validate(manifest)
        assert manifest["kind"] == "Namespace" or manifest["metadata"]["namespace"] == "packetfabric"
    return manifests


def test_kustomize_builds_all_objects() -> None:
    """kubectl kustomize builds all objects, in the namespace."""
    assert sorted(map(label, build(FOLDER))) == sorted(map(label, MANIFESTS))
    assert only("Namespace")["metadata"]["name"] == "packetfabric"


def write_kustomization(folder: Path, text: str) -> None:
    """Write a kustomization on top of another; for Debian 12's kubectl 1.20 in the form that it reads."""
    version = installed_version("kubectl", tool("kubectl"))
    assert version is not None
    if version.numbers < (1, 21):
        content = load_yaml(text)
        # Folders are listed under another key, and it reads patches from files alone.
        content["bases"] = content.pop("resources")
        content["patchesStrategicMerge"] = []
        for number, item in enumerate(content.pop("patches")):
            (folder / f"patch-{number}.yaml").write_text(item["patch"])
            content["patchesStrategicMerge"].append(f"patch-{number}.yaml")
        text = yaml.safe_dump(content)
    (folder / "kustomization.yaml").write_text(text)


def test_configuration_file(tmp_path: Path) -> None:
    """The kustomization in README.md mounts pf.yaml and replaces the variable of the key."""
    shutil.copytree(FOLDER, tmp_path / "kubernetes")
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    write_kustomization(overlay, *(text for text in blocks("yaml") if text.startswith("resources:")))
    (overlay / "pf.yaml").write_text("accounts: []\n")
    manifests = build(overlay)
    (made,) = (item for item in manifests if "pf.yaml" in item.get("data", {}))
    (spec,) = (item["spec"]["template"]["spec"] for item in manifests if item["kind"] == "Deployment")
    (container,) = spec["containers"]
    mounts = {item["name"]: item["mountPath"] for item in container["volumeMounts"]}
    assert container["env"] == [{"name": "PF_EXPORTER_CONFIG_FILE", "value": f"{mounts['config']}/pf.yaml"}]
    (volume,) = (item["configMap"] for item in spec["volumes"] if item["name"] == "config")
    assert volume == {"name": made["metadata"]["name"]}
    assert violations(spec) == []


def violations(spec: Manifest) -> list[str]:
    """Return the violations of the restricted pod security standard, and of hardening beyond it."""
    pod = spec.get("securityContext", {})
    found: list[str] = [key for key in ("hostNetwork", "hostPID", "hostIPC", "initContainers") if key in spec]
    found += [
        f"{key} of the pod"
        for key, wanted in {"automountServiceAccountToken": False, "enableServiceLinks": False}.items()
        if spec.get(key) is not wanted
    ]
    found += [key for key in ("sysctls", "supplementalGroups", "appArmorProfile") if key in pod]
    allowed = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "projected", "secret"}
    found += [
        f"volume {kind}" for item in spec.get("volumes", ()) for kind in item.keys() - allowed - {"name"}
    ]
    for container in spec["containers"]:
        own = container.get("securityContext", {})
        either = pod | own
        if either.get("runAsNonRoot") is not True or not either.get("runAsUser"):
            found.append("root")
        if either.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
            found.append("seccomp")
        if own.get("allowPrivilegeEscalation") is not False or own.get("privileged"):
            found.append("privileges")
        if own.get("capabilities") != {"drop": ["ALL"]}:
            found.append("capabilities")
        if own.get("readOnlyRootFilesystem") is not True:
            found.append("file system")
        found += [
            f"host port {item['hostPort']}" for item in container.get("ports", ()) if "hostPort" in item
        ]
    return found


def test_the_pod_is_restricted() -> None:
    """The pod meets the restricted standard, which its namespace enforces."""
    assert violations(POD["spec"]) == []
    labels = only("Namespace")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


FORBIDDEN: dict[str, Callable[[Manifest, Manifest], Any]] = {
    "hostNetwork": lambda pod, _: pod.update(hostNetwork=True),
    "enableServiceLinks of the pod": lambda pod, _: pod.pop("enableServiceLinks"),
    "sysctls": lambda pod, _: pod["securityContext"].update(sysctls=[]),
    "volume hostPath": lambda pod, _: pod["volumes"].append({"name": "x", "hostPath": {"path": "/"}}),
    "root": lambda pod, _: pod["securityContext"].pop("runAsNonRoot"),
    "seccomp": lambda pod, _: pod["securityContext"].pop("seccompProfile"),
    "privileges": lambda _, own: own["securityContext"].pop("allowPrivilegeEscalation"),
    "capabilities": lambda _, own: own["securityContext"]["capabilities"].update(add=["NET_RAW"]),
    "file system": lambda _, own: own["securityContext"].pop("readOnlyRootFilesystem"),
    "host port 1": lambda _, own: own["ports"][0].update(hostPort=1),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_violations_are_found(what: str) -> None:
    """The check finds each violation."""
    spec = copy.deepcopy(POD["spec"])
    FORBIDDEN[what](spec, spec["containers"][0])
    assert violations(spec) == [what]


def test_image_and_user() -> None:
    """Image, user and version match the Dockerfile and the package; one place changes the image."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (user, group) = re.findall(r"(?m)^USER (\d+):(\d+)$", dockerfile)[0]
    pod = POD["spec"]["securityContext"]
    assert (pod["runAsUser"], pod["runAsGroup"], pod["fsGroup"]) == (int(user), int(group), int(group))
    assert CONTAINER["image"] == f"pf-exporter:{__version__}"
    (image,) = KUSTOMIZATION["images"]
    assert image == {"name": "pf-exporter", "newName": "pf-exporter", "newTag": __version__}


def test_api_key_is_mounted(tmp_path: Path) -> None:
    """The variable names the file from the Secret, which only the group of the pod can read."""
    (variable,) = CONTAINER["env"]
    (mount,) = CONTAINER["volumeMounts"]
    (volume,) = POD["spec"]["volumes"]
    # Each key of the Secret becomes a file of its name.
    assert "items" not in volume["secret"]
    (command,) = {line for line in "".join(blocks("sh")).splitlines() if "generic pf-exporter " in line}
    (key,) = re.findall(r"--from-file=(\w+)=", command)
    assert variable == {"name": "PF_TOKEN_FILE", "value": f"{mount['mountPath']}/{key}"}
    assert mount["name"] == volume["name"]
    assert mount["readOnly"] is True
    assert volume["secret"]["defaultMode"] == 0o440
    (tmp_path / "token").write_text("api-key\n")
    (tmp_path / "token").chmod(volume["secret"]["defaultMode"])
    config = load(
        create_parser().parse_args(CONTAINER.get("args", [])), {variable["name"]: str(tmp_path / "token")}
    )
    assert config.warnings == ()


def test_ports_and_probes() -> None:
    """Probes, Service, network policy and ServiceMonitor use the port and paths of the exporter."""
    (port,) = CONTAINER["ports"]
    assert WebSettings().listen_address == (f":{port['containerPort']}",)
    for probe, page in (("livenessProbe", "/-/healthy"), ("readinessProbe", "/-/ready")):
        assert CONTAINER[probe]["httpGet"] == {"path": page, "port": port["name"]}
    (published,) = only("Service")["spec"]["ports"]
    assert published["targetPort"] == port["name"]
    (endpoint,) = only("ServiceMonitor")["spec"]["endpoints"]
    assert endpoint["port"] == published["name"]
    (entry,) = only("NetworkPolicy")["spec"]["ingress"]
    assert entry["ports"] == [{"port": port["containerPort"]}]


def test_selectors_select() -> None:
    """Deployment, Service and policy select the pod, and the ServiceMonitor selects the Service."""
    labels = POD["metadata"]["labels"].items()
    assert only("Deployment")["spec"]["selector"]["matchLabels"].items() <= labels
    assert only("Service")["spec"]["selector"].items() <= labels
    assert only("NetworkPolicy")["spec"]["podSelector"]["matchLabels"].items() <= labels
    selected = only("ServiceMonitor")["spec"]["selector"]["matchLabels"]
    assert selected.items() <= only("Service")["metadata"]["labels"].items()


def test_only_the_namespace_of_prometheus_has_access() -> None:
    """The policy admits one namespace by name, and README.md describes where to change it."""
    (entry,) = only("NetworkPolicy")["spec"]["ingress"]
    (peer,) = entry["from"]
    assert list(peer) == ["namespaceSelector"]
    assert list(peer["namespaceSelector"]) == ["matchLabels"]
    ((key, name),) = peer["namespaceSelector"]["matchLabels"].items()
    assert key == "kubernetes.io/metadata.name"
    page = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")
    assert f"the namespace `{name}`" in page
    assert "`networkpolicy.yaml`" in page


def test_an_unready_exporter_is_scraped() -> None:
    """The Service publishes unready pods: an exporter that cannot subscribe has to be scraped."""
    assert only("Service")["spec"]["publishNotReadyAddresses"] is True


def test_labels_match_the_rules() -> None:
    """The job has the name in the alerts, and no label of the operator conflicts with one of the exporter."""
    (scrape,) = load_yaml((PROMETHEUS / "prometheus.yml").read_text("utf-8"))["scrape_configs"]
    (endpoint,) = only("ServiceMonitor")["spec"]["endpoints"]
    assert {"targetLabel": "job", "replacement": scrape["job_name"]} in endpoint["relabelings"]
    labels = frozenset().union(*METRICS.values()) - TARGET
    dropped = {one["regex"] for one in endpoint["relabelings"] if one.get("action") == "labeldrop"}
    operator = {"namespace", "service", "pod", "container", "endpoint", "node", "prometheus"} - dropped
    assert labels.isdisjoint(operator)
