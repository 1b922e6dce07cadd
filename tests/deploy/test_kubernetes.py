"""The manifests are valid, belong together, and ask for no more than they must."""

from __future__ import annotations

import copy
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml
from cloudcoil.models.prometheus_operator.v1 import PrometheusRule, ServiceMonitor

from pf_exporter import __version__
from pf_exporter.cli import parser
from pf_exporter.config.loader import load
from pf_exporter.config.settings import WebSettings
from tests.conftest import tool
from tests.deploy import blocks
from tests.programs import installed_version
from tests.rules.promql import METRICS, PROMETHEUS, TARGET

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
VERSION = "1.37"
OPERATOR: dict[str, Any] = {"PrometheusRule": PrometheusRule, "ServiceMonitor": ServiceMonitor}

Manifest = dict[str, Any]


def read(path: Path) -> list[Manifest]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


(KUSTOMIZATION,) = read(FOLDER / "kustomization.yaml")
MANIFESTS: list[Manifest] = [one for name in KUSTOMIZATION["resources"] for one in read(FOLDER / name)]


def label(manifest: Manifest) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def only(kind: str) -> Manifest:
    (found,) = (one for one in MANIFESTS if one["kind"] == kind)
    return found


POD = only("Deployment")["spec"]["template"]
(CONTAINER,) = POD["spec"]["containers"]


def validate(manifest: Manifest) -> None:
    """Raise an error unless a manifest is what the API server, or the operator, takes; no key more."""
    model = OPERATOR.get(manifest["kind"])
    if model is None:
        kubernetes_validate.validate(manifest, VERSION, strict=True)
        return
    assert manifest["apiVersion"] == "monitoring.coreos.com/v1"
    # The types pass over keys they do not know: what they kept has to be all there was.
    kept = model.model_validate(manifest).model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert kept == manifest


@pytest.mark.parametrize("manifest", MANIFESTS, ids=label)
def test_a_manifest_is_valid(manifest: Manifest) -> None:
    """It follows the schema of Kubernetes, or that of the Prometheus operator."""
    validate(manifest)


@pytest.mark.parametrize("kind", ["Deployment", "Service", "ServiceMonitor", "PrometheusRule"])
def test_a_fault_is_found(kind: str) -> None:
    """A key too many, in a spec or deep in it, is found."""
    manifest = copy.deepcopy(next(one for one in MANIFESTS if one["kind"] == kind))
    manifest["spec"]["selectr"] = {}
    with pytest.raises((kubernetes_validate.ValidationError, AssertionError), match="selectr"):
        validate(manifest)


def test_every_file_is_named() -> None:
    """kustomize is given every file of the folder."""
    files = {path.name for path in FOLDER.iterdir()} - {"kustomization.yaml"}
    assert sorted(KUSTOMIZATION["resources"]) == sorted(files)


def built(folder: Path) -> list[Manifest]:
    """What kubectl's kustomize makes of a folder; each is valid, and in the namespace."""
    done = subprocess.run(
        [tool("kubectl"), "kustomize", str(folder)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    manifests = list(yaml.safe_load_all(done.stdout))
    for manifest in manifests:
        validate(manifest)
        assert manifest["kind"] == "Namespace" or manifest["metadata"]["namespace"] == "packetfabric"
    return manifests


def test_kustomize_builds_it() -> None:
    """kubectl's kustomize makes of it all the objects, in the namespace, each of them valid still."""
    assert sorted(map(label, built(FOLDER))) == sorted(map(label, MANIFESTS))
    assert only("Namespace")["metadata"]["name"] == "packetfabric"


def write_kustomization(folder: Path, text: str) -> None:
    """Write a kustomization on top of another; for Debian 12's kubectl 1.20 in the form that it reads."""
    version = installed_version("kubectl", tool("kubectl"))
    assert version is not None
    if version.numbers < (1, 21):
        content = yaml.safe_load(text)
        # Folders are listed under another key, and it reads patches from files alone.
        content["bases"] = content.pop("resources")
        content["patchesStrategicMerge"] = []
        for number, one in enumerate(content.pop("patches")):
            (folder / f"patch-{number}.yaml").write_text(one["patch"])
            content["patchesStrategicMerge"].append(f"patch-{number}.yaml")
        text = yaml.safe_dump(content)
    (folder / "kustomization.yaml").write_text(text)


def test_with_a_configuration_file(tmp_path: Path) -> None:
    """What the page says to write puts pf.yaml where the variable says, and the key's variable goes."""
    shutil.copytree(FOLDER, tmp_path / "kubernetes")
    mine = tmp_path / "mine"
    mine.mkdir()
    write_kustomization(mine, *blocks("yaml"))
    (mine / "pf.yaml").write_text("accounts: []\n")
    manifests = built(mine)
    (made,) = (one for one in manifests if "pf.yaml" in one.get("data", {}))
    (spec,) = (one["spec"]["template"]["spec"] for one in manifests if one["kind"] == "Deployment")
    (container,) = spec["containers"]
    mounts = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
    assert container["env"] == [{"name": "PF_EXPORTER_CONFIG_FILE", "value": f"{mounts['config']}/pf.yaml"}]
    (volume,) = (one["configMap"] for one in spec["volumes"] if one["name"] == "config")
    assert volume == {"name": made["metadata"]["name"]}
    assert violations(spec) == []


def violations(spec: Manifest) -> list[str]:
    """What the restricted pod security standard forbids in a pod, and a hardened one should not have."""
    pod = spec.get("securityContext", {})
    found: list[str] = [key for key in ("hostNetwork", "hostPID", "hostIPC", "initContainers") if key in spec]
    found += [
        f"{key} of the pod"
        for key, wanted in {"automountServiceAccountToken": False, "enableServiceLinks": False}.items()
        if spec.get(key) is not wanted
    ]
    found += [key for key in ("sysctls", "supplementalGroups", "appArmorProfile") if key in pod]
    allowed = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "projected", "secret"}
    found += [f"volume {kind}" for one in spec.get("volumes", ()) for kind in one.keys() - allowed - {"name"}]
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
        found += [f"host port {one['hostPort']}" for one in container.get("ports", ()) if "hostPort" in one]
    return found


def test_the_pod_is_restricted() -> None:
    """The pod breaks no rule of the restricted standard, which its namespace enforces."""
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
def test_what_is_forbidden_is_found(what: str) -> None:
    """The check above finds each thing that it looks for."""
    spec = copy.deepcopy(POD["spec"])
    FORBIDDEN[what](spec, spec["containers"][0])
    assert violations(spec) == [what]


def test_the_image_is_ours() -> None:
    """Image, user and version are those of the Dockerfile and the package; one place changes the image."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (user, group) = re.findall(r"(?m)^USER (\d+):(\d+)$", dockerfile)[0]
    pod = POD["spec"]["securityContext"]
    assert (pod["runAsUser"], pod["runAsGroup"], pod["fsGroup"]) == (int(user), int(group), int(group))
    assert CONTAINER["image"] == f"pf-exporter:{__version__}"
    (image,) = KUSTOMIZATION["images"]
    assert image == {"name": "pf-exporter", "newName": "pf-exporter", "newTag": __version__}


def test_the_key_is_where_the_exporter_looks(tmp_path: Path) -> None:
    """The variable names the file that the volume makes of the Secret, readable by the pod's group alone."""
    (variable,) = CONTAINER["env"]
    (mount,) = CONTAINER["volumeMounts"]
    (volume,) = POD["spec"]["volumes"]
    # Each key of the Secret becomes a file of its name.
    assert "items" not in volume["secret"]
    (command,) = (line for line in "".join(blocks("sh")).splitlines() if "generic pf-exporter " in line)
    (key,) = re.findall(r"--from-file=(\w+)=", command)
    assert variable == {"name": "PF_TOKEN_FILE", "value": f"{mount['mountPath']}/{key}"}
    assert mount["name"] == volume["name"]
    assert mount["readOnly"] is True
    assert volume["secret"]["defaultMode"] == 0o440
    (tmp_path / "token").write_text("api-key\n")
    (tmp_path / "token").chmod(volume["secret"]["defaultMode"])
    config = load(parser().parse_args(CONTAINER.get("args", [])), {variable["name"]: str(tmp_path / "token")})
    assert config.warnings == ()


def test_ports_and_probes() -> None:
    """Probes, Service, policy and monitor lead to the port and pages that the exporter has."""
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
    """Deployment, Service and policy select the pod, the monitor selects the Service."""
    labels = POD["metadata"]["labels"].items()
    assert only("Deployment")["spec"]["selector"]["matchLabels"].items() <= labels
    assert only("Service")["spec"]["selector"].items() <= labels
    assert only("NetworkPolicy")["spec"]["podSelector"]["matchLabels"].items() <= labels
    selected = only("ServiceMonitor")["spec"]["selector"]["matchLabels"]
    assert selected.items() <= only("Service")["metadata"]["labels"].items()


def test_only_prometheus_may_ask() -> None:
    """The policy lets in one namespace, by its name, and the page says where to change it."""
    (entry,) = only("NetworkPolicy")["spec"]["ingress"]
    (peer,) = entry["from"]
    assert list(peer) == ["namespaceSelector"]
    assert list(peer["namespaceSelector"]) == ["matchLabels"]
    ((key, name),) = peer["namespaceSelector"]["matchLabels"].items()
    assert key == "kubernetes.io/metadata.name"
    page = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")
    assert f"the namespace `{name}`" in page
    assert "`networkpolicy.yaml`" in page


def test_an_exporter_in_trouble_is_scraped() -> None:
    """What is not ready is published all the same: who cannot subscribe is who Prometheus must hear of."""
    assert only("Service")["spec"]["publishNotReadyAddresses"] is True


def test_prometheus_sees_what_the_rules_ask_for() -> None:
    """The job has the name that the alerts know, and no label of the operator's hides one of ours."""
    (scrape,) = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text("utf-8"))["scrape_configs"]
    (endpoint,) = only("ServiceMonitor")["spec"]["endpoints"]
    assert {"targetLabel": "job", "replacement": scrape["job_name"]} in endpoint["relabelings"]
    ours = frozenset().union(*METRICS.values()) - TARGET
    assert ours.isdisjoint({"namespace", "service", "pod", "container", "endpoint", "node", "prometheus"})
