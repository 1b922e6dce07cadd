"""The Helm chart: linted, rendered for each file of values in ci/, and checked like the manifests."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import helm_python as helm
import pytest

from pf_exporter import __version__
from pf_exporter.command_line import create_parser
from pf_exporter.config.loader import load
from pf_exporter.server import web_config_file
from tests.deploy import blocks, read
from tests.deploy.test_kubernetes import MANIFESTS, only, validate, violations
from tests.server.authority import Authority
from tests.yaml_loader import load_all_yaml, load_yaml
from tools.chart import FOLDER, chart_files, write_chart

pytestmark = pytest.mark.no_cover


Manifest = dict[str, Any]
VALUES = {path.stem: path for path in sorted((FOLDER / "ci").glob("*.yaml"))}
FREE = {"resources", "nodeSelector", "affinity", "tolerations"}
"""Values that are parts of Kubernetes' own objects, whose keys the schema does not list."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart as `make chart` writes it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        return write_chart(tmp_path_factory.mktemp("chart"))


@pytest.fixture(scope="module")
def chart(archive: Path) -> helm.Chart:
    """The chart, loaded by Helm."""
    return helm.Chart.load(archive)


def render(chart: helm.Chart, values: Any) -> list[Manifest]:
    """Return the manifests that Helm renders for valid values."""
    chart.validate_schema(values)
    rendered = chart.render(values, name="pf-exporter", namespace="packetfabric")
    texts = (text for name, text in rendered.items() if name.endswith(".yaml"))
    return [manifest for text in texts for manifest in load_all_yaml(text) if manifest]


def kinds(manifests: list[Manifest], kind: str) -> list[Manifest]:
    return [item for item in manifests if item["kind"] == kind]


def one(manifests: list[Manifest], kind: str) -> Manifest:
    (found,) = kinds(manifests, kind)
    return found


@pytest.mark.parametrize("name", VALUES)
def test_lint(archive: Path, name: str) -> None:
    """helm lint finds nothing but a missing icon."""
    report = helm.lint(archive, read(VALUES[name]), strict=True, kube_version="v1.31.0")
    assert [message["error"] for message in report["messages"]] == ["icon is recommended"]
    assert report["errors"] == []


@pytest.mark.parametrize("name", VALUES)
def test_manifests(chart: helm.Chart, name: str) -> None:
    """Each manifest is valid and in the namespace, and each pod meets the restricted standard."""
    manifests = render(chart, read(VALUES[name]))
    for manifest in manifests:
        validate(manifest)
        assert manifest["metadata"]["namespace"] == "packetfabric"
        assert manifest["metadata"]["labels"]["app.kubernetes.io/version"] == __version__
    for deployment in kinds(manifests, "Deployment"):
        spec = deployment["spec"]["template"]["spec"]
        assert violations(spec) == []
        labels = deployment["spec"]["template"]["metadata"]["labels"].items()
        assert deployment["spec"]["selector"]["matchLabels"].items() <= labels
        assert one(manifests, "Service")["spec"]["selector"].items() <= labels


def test_the_same_as_the_kustomization(chart: helm.Chart) -> None:
    """By default the chart makes the objects of kubernetes/, with the same names, ports and probes."""
    manifests = render(chart, {})
    for kind in ("Deployment", "Service", "NetworkPolicy"):
        assert one(manifests, kind)["metadata"]["name"] == only(kind)["metadata"]["name"]
    ours, theirs = (
        item["spec"]["template"]["spec"] for item in (one(manifests, "Deployment"), only("Deployment"))
    )
    (container,), (other,) = ours["containers"], theirs["containers"]
    for key in ("image", "env", "ports", "resources", "securityContext"):
        assert container[key] == other[key]
    for key in ("livenessProbe", "readinessProbe"):
        assert container[key].pop("httpGet") == other[key]["httpGet"] | {"scheme": "HTTP"}
        assert container[key].items() <= other[key].items()
    assert ours["securityContext"] == theirs["securityContext"]
    assert ours["volumes"][0]["secret"] == theirs["volumes"][0]["secret"]
    assert container["volumeMounts"][0]["mountPath"] == other["volumeMounts"][0]["mountPath"]
    for key in ("ports", "publishNotReadyAddresses"):
        assert one(manifests, "Service")["spec"][key] == only("Service")["spec"][key]
    assert one(manifests, "NetworkPolicy")["spec"]["ingress"] == only("NetworkPolicy")["spec"]["ingress"]


def test_operator_objects(chart: helm.Chart) -> None:
    """Rules, dashboards and the ServiceMonitor are those of kubernetes/, with the labels of the values."""
    manifests = render(chart, read(VALUES["operator"]))
    expected = [item["spec"] for item in MANIFESTS if item["kind"] == "PrometheusRule"]
    rules = kinds(manifests, "PrometheusRule")
    assert sorted((item["spec"] for item in rules), key=str) == sorted(expected, key=str)
    boards = [item["data"] for item in kinds(manifests, "ConfigMap")]
    expected = [item["data"] for item in MANIFESTS if item["kind"] == "ConfigMap"]
    assert sorted(boards, key=str) == sorted(expected, key=str)
    monitor = one(manifests, "ServiceMonitor")
    assert monitor["spec"]["endpoints"] == only("ServiceMonitor")["spec"]["endpoints"]
    selected = monitor["spec"]["selector"]["matchLabels"].items()
    assert selected <= one(manifests, "Service")["metadata"]["labels"].items()
    for item in (*rules, monitor):
        assert item["metadata"]["labels"]["release"] == "kube-prometheus-stack"
    image = one(manifests, "Deployment")["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image.startswith("registry.example.org/pf-exporter@sha256:")


def test_replicas(chart: helm.Chart) -> None:
    """Each replica has its own name, label and Secret, and one may be evicted at a time."""
    manifests = render(chart, read(VALUES["replicas"]))
    first, second = kinds(manifests, "Deployment")
    selectors = [item["spec"]["selector"]["matchLabels"] for item in (first, second)]
    assert selectors[0]["app.kubernetes.io/instance"] == "pf-exporter-a"
    assert selectors[0] != selectors[1]
    secrets = [
        item["spec"]["template"]["spec"]["volumes"][0]["secret"]["secretName"] for item in (first, second)
    ]
    assert secrets == ["pf-exporter-a", one(manifests, "Secret")["metadata"]["name"]]
    assert one(manifests, "PodDisruptionBudget")["spec"]["minAvailable"] == 1
    assert kinds(render(chart, {}), "PodDisruptionBudget") == []


def test_documented_values(chart: helm.Chart) -> None:
    """The values in README.md are valid, and make two exporters and the objects of the operator."""
    (text,) = (block for block in blocks("yaml") if block.startswith("replicas:"))
    manifests = render(chart, load_yaml(text))
    assert len(kinds(manifests, "Deployment")) == len(kinds(manifests, "PrometheusRule")) == 2


def test_configuration_file(chart: helm.Chart, tmp_path: Path) -> None:
    """The exporter accepts the rendered pf.yaml, whose credentials are files of the Secret."""
    manifests = render(chart, read(VALUES["configuration-file"]))
    (container,) = one(manifests, "Deployment")["spec"]["template"]["spec"]["containers"]
    mounts = {item["name"]: item["mountPath"] for item in container["volumeMounts"]}
    for name, value in one(manifests, "Secret")["stringData"].items():
        (tmp_path / name).write_text(value)
        (tmp_path / name).chmod(0o440)
    text = one(manifests, "ConfigMap")["data"]["pf.yaml"]
    (tmp_path / "pf.yaml").write_text(text.replace(mounts["secret"], str(tmp_path)))
    environ = {item["name"]: item["value"] for item in container["env"]}
    environ = {key: value.replace(mounts["configuration"], str(tmp_path)) for key, value in environ.items()}
    config = load(create_parser().parse_args([]), environ)
    assert [account.name for account in config.accounts] == ["east", "lab"]
    assert config.warnings == ()


def test_web_configuration(chart: helm.Chart, tmp_path: Path) -> None:
    """The exporter accepts the rendered web.yml; probes and scrapes use HTTPS, and track ends of series."""
    manifests = render(chart, read(VALUES["web-configuration"]))
    Authority(tmp_path).sign("tls", "127.0.0.1")
    for name, file in (("tls.pem", "tls.crt"), ("tls.key", "tls.key")):
        (tmp_path / name).rename(tmp_path / file)
    (tmp_path / "web.yml").write_text(one(manifests, "ConfigMap")["data"]["web.yml"])
    web = web_config_file.read_web_config(str(tmp_path / "web.yml"), {})
    assert web.tls is not None
    spec = one(manifests, "Deployment")["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert container["livenessProbe"]["httpGet"]["scheme"] == "HTTPS"
    environ = {item["name"]: item["value"] for item in container["env"]}
    assert environ["PF_EXPORTER_WEB_OPEN_HEALTH"] == "true"
    assert environ["PF_EXPORTER_WEB_CONFIG_FILE"] == "/etc/pf-exporter-web/web.yml"
    (volume,) = (item["projected"] for item in spec["volumes"] if item["name"] == "web")
    assert volume["sources"][1] == {"secret": {"name": "pf-exporter-tls"}}
    (endpoint,) = one(manifests, "ServiceMonitor")["spec"]["endpoints"]
    assert endpoint["scheme"] == "https"
    assert endpoint["trackTimestampsStaleness"] is True


def test_settings(chart: helm.Chart) -> None:
    """Settings become variables that the exporter accepts, and everything optional can be left out."""
    values = read(VALUES["created-secret"])
    manifests = render(chart, values)
    (container,) = one(manifests, "Deployment")["spec"]["template"]["spec"]["containers"]
    environ = {item["name"]: item["value"] for item in container["env"]}
    assert environ.keys() >= values["settings"].keys()
    config = load(create_parser().parse_args([]), environ | {"PF_TOKEN": "key", "PF_TOKEN_FILE": ""})
    assert (config.log.format, config.series.limit) == ("json", 100_000)
    assert {item["kind"] for item in manifests} == {"Deployment", "Secret", "Service"}


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"replica": []}, "replica"),
        ({"replicas": []}, "replicas"),
        ({"replicas": [{"suffix": ""}]}, "replicas"),
        ({"replicas": [{"suffix": "", "existingSecret": "a", "secret": {"token": "b"}}]}, "replicas"),
        ({"settings": {"LOG_LEVEL": "debug"}}, "settings"),
        ({"networkPolicy": {"namespaces": []}}, "networkPolicy"),
        ({"configurationFile": {"account": []}}, "configurationFile"),
        ({"web": {"configurationFile": {"tls_server_config": {}}}}, "web"),
        ({"service": {"port": "http"}}, "service"),
        ({"image": {"digest": "latest"}}, "image"),
    ],
)
def test_wrong_values(chart: helm.Chart, values: Any, problem: str) -> None:
    """The schema rejects misspelt keys, missing or contradictory credentials, and an open policy."""
    with pytest.raises(helm.HelmValuesError, match=problem):
        chart.validate_schema(values)


def test_two_replicas_with_one_name(chart: helm.Chart) -> None:
    """Two replicas with the same suffix are an error."""
    values = {"replicas": [{"suffix": "a", "existingSecret": name} for name in ("one", "two")]}
    with pytest.raises(helm.HelmError, match='two entries have the suffix "a"'):
        render(chart, values)


@pytest.mark.parametrize("part", ["rules", "dashboards"])
def test_a_chart_without_its_files(part: str) -> None:
    """From a clone the chart installs the exporter; rules and dashboards are an error with a remedy."""
    chart = helm.Chart.load(FOLDER)
    assert render(chart, {})
    with pytest.raises(helm.HelmError, match="install the one that `make chart` writes to dist/"):
        render(chart, {part: {"enabled": True}})


def keys(schema: Any, values: Any, path: str = "") -> set[str]:
    """Return the paths that only the schema has, or only the values."""
    properties = schema.get("properties", {})
    if not properties or not isinstance(values, dict) or path.strip(".") in FREE:
        return set()
    found = {f"{path}{key}" for key in properties.keys() ^ values.keys()}
    for key in properties.keys() & values.keys():
        found |= keys(properties[key], values[key], f"{path}{key}.")
    return found


def test_the_schema_lists_all_values() -> None:
    """Schema and values.yaml have the same keys, except for what Helm itself passes and for accounts."""
    schema = read(FOLDER / "values.schema.json")
    assert keys(schema, read(FOLDER / "values.yaml")) == {"global", "configurationFile.accounts"}


def test_versions_and_documentation(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The chart has the version of the exporter; a release sets image, address and links to the runbook."""
    metadata = read(FOLDER / "Chart.yaml")
    assert metadata["version"] == metadata["appVersion"] == __version__
    url = "https://git.example.org/pf_exporter"
    files = chart_files("registry.example.org/pf_exporter", f"{url}/blob/v1", url)
    assert load_yaml(files["values.yaml"])["image"]["repository"] == "registry.example.org/pf_exporter"
    assert load_yaml(files["Chart.yaml"])["home"] == url
    assert f"{url}/blob/v1/docs/runbook.md#".encode() in files["files/alerts.yml"]
    assert not [name for name in files if name.startswith("ci/")]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert write_chart(tmp_path).read_bytes() == archive.read_bytes()
    # Helm stores the release, compressed, in a Secret.
    assert archive.stat().st_size < 512 * 1024


def test_notes(chart: helm.Chart) -> None:
    """After the installation Helm shows how to create the Secret, and what waits for the streams."""
    rendered = chart.render({}, name="pf-exporter", namespace="packetfabric")
    (notes,) = (text for name, text in rendered.items() if name.endswith("NOTES.txt"))
    assert "create secret generic pf-exporter --from-file=token=" in notes
    assert "rollout status deployment/pf-exporter" in notes
    assert re.search(r"port-forward service/pf-exporter 10054:10054", notes)
