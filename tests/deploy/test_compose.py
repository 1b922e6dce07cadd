"""The compose services find their files and each other, with minimal privileges."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from pf_exporter import __version__
from pf_exporter.command_line import create_parser
from pf_exporter.config.loader import load
from tests.alertmanager_server import Alertmanager
from tests.conftest import Program, get, tool, until
from tests.deploy.containers import FOLDER, SERVICES, flag, lay_out, mounts
from tests.prometheus_server import Prometheus
from tests.yaml_loader import load_all_yaml, load_yaml

ROOT = FOLDER.parent
COMPOSE = (FOLDER / "compose.yaml").read_text(encoding="utf-8")
ACCOUNT = load_yaml((FOLDER / "compose.account.yaml").read_text(encoding="utf-8"))
PORTS = {"exporter": 10054, "alertmanager": 9093, "prometheus": 9090, "grafana": 3000}


def check_schema(*paths: Path) -> subprocess.CompletedProcess[str]:
    checker = Path(sys.executable).with_name("check-jsonschema")
    command = [str(checker), "--builtin-schema", "vendor.compose-spec", *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_schema() -> None:
    """The files match the schema of the Compose specification."""
    done = check_schema(FOLDER / "compose.yaml", FOLDER / "compose.account.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_schema_finds_errors(tmp_path: Path) -> None:
    """The schema check reports a misspelt key."""
    path = tmp_path / "compose.yaml"
    path.write_text(COMPOSE.replace("healthcheck:", "healthchek:"))
    assert "healthchek" in check_schema(path).stdout


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_hardened(name: str) -> None:
    """A service has no capabilities, no privileges, a read-only file system, and a pinned version."""
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert service.keys().isdisjoint(
        {"privileged", "cap_add", "user", "network_mode", "pid", "ipc", "devices"}
    )
    # With another image by PF_EXPORTER_IMAGE.
    image, _, tag = re.sub(r"\$\{\w+:-(.*)\}", r"\1", service["image"]).partition(":")
    assert image
    assert re.fullmatch(r"v?\d+\.\d+\.\d+", tag)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_a_health_check(name: str) -> None:
    """A service publishes its port on loopback only and has a health check, which dependents wait for."""
    assert SERVICES[name]["ports"] == [f"127.0.0.1:{PORTS[name]}:{PORTS[name]}"]
    kind, *command = SERVICES[name]["healthcheck"]["test"]
    assert kind == "CMD"
    if name == "exporter":
        assert create_parser().parse_args(command[1:]).command == "health"
    else:
        assert urlsplit(command[-1]).netloc == f"127.0.0.1:{PORTS[name]}"
    for condition in SERVICES[name].get("depends_on", {}).values():
        assert condition == {"condition": "service_healthy"}


def test_start_order() -> None:
    """Grafana waits for Prometheus, and Prometheus for the exporter and Alertmanager."""
    waits = {name: set(service.get("depends_on", ())) for name, service in SERVICES.items()}
    assert waits["grafana"] == {"prometheus"}
    assert waits["prometheus"] == {"exporter", "alertmanager"}
    assert not waits["exporter"] | waits["alertmanager"]


@pytest.mark.parametrize("name", SERVICES)
def test_mounts_exist(name: str) -> None:
    """Each mounted path is in the repository and mounted read-only."""
    for mount in mounts(name):
        assert mount.source.is_relative_to(ROOT)
        assert mount.source.exists(), mount
        assert mount.mode == "ro"


def test_grafana_requires_a_password() -> None:
    """Grafana's password has to be set by the user, and anonymous access is disabled."""
    (message,) = re.findall(r"GF_SECURITY_ADMIN_PASSWORD: \$\{GRAFANA_ADMIN_PASSWORD:\?(.*)\}", COMPOSE)
    assert message.startswith("set it")
    environment = SERVICES["grafana"]["environment"]
    assert environment["GF_AUTH_ANONYMOUS_ENABLED"] == "false"
    assert environment["GF_USERS_ALLOW_SIGN_UP"] == "false"


def test_exporter_service() -> None:
    """The exporter is pulled or built, has the version of the package, and runs the demo."""
    exporter = SERVICES["exporter"]
    assert (FOLDER / exporter["build"] / "Dockerfile").exists()
    assert exporter["image"] == f"${{PF_EXPORTER_IMAGE:-pf-exporter:{__version__}}}"
    assert exporter["pull_policy"] == "missing"
    arguments = create_parser().parse_args(exporter["command"])
    assert (arguments.command, vars(arguments)["web.listen_address"]) == ("demo", ["0.0.0.0:10054"])


def test_exporter_on_an_account(tmp_path: Path) -> None:
    """With compose.account.yaml it exports one account, with the API key in a secret, on the same port."""
    assert list(ACCOUNT["services"]) == ["exporter"]
    exporter = ACCOUNT["services"]["exporter"]
    (secret,) = exporter["secrets"]
    assert [secret["source"]] == list(ACCOUNT["secrets"]) == ["token"]
    assert exporter["environment"] == {"PF_TOKEN_FILE": secret["target"]}
    assert ACCOUNT["secrets"]["token"]["file"].startswith("${PF_TOKEN_FILE:?")
    (tmp_path / "pf_token").write_text("api-key\n")
    (tmp_path / "pf_token").chmod(0o400)
    environ = {"PF_TOKEN_FILE": str(tmp_path / "pf_token")}
    config = load(create_parser().parse_args(exporter["command"]), environ)
    assert config.warnings == ()
    assert config.web.listen_address == (f":{PORTS['exporter']}",)


def config_files(key: str) -> set[str]:
    """Return the YAML files with a top-level key."""
    found = set()
    for folder in ("deploy", "grafana", "prometheus"):
        for path in (ROOT / folder).rglob("*.y*ml"):
            if path.parent.name == "templates":
                continue
            for content in load_all_yaml(path.read_text(encoding="utf-8")):
                if key in content:
                    found.add(str(path.relative_to(ROOT)))
    return found


def run_check(*command: str | Path) -> None:
    program, *arguments = map(str, command)
    done = subprocess.run(
        [tool(program), *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_configs(tmp_path: Path) -> None:
    """promtool accepts each configuration of Prometheus, at the path of the container, with its rules."""
    assert config_files("scrape_configs") == {"prometheus/prometheus.yml", "deploy/compose/prometheus.yml"}
    run_check("promtool", "check", "config", ROOT / "prometheus" / "prometheus.yml")
    inside = lay_out("prometheus", tmp_path) / flag("prometheus", "config.file").lstrip("/")
    assert inside.read_text("utf-8") == (FOLDER / "compose" / "prometheus.yml").read_text("utf-8")
    run_check("promtool", "check", "config", inside)
    # promtool reads the rule files as well: it fails if one is missing.
    (inside.parent / "alerts.yml").unlink()
    with pytest.raises(AssertionError, match=r"alerts\.yml"):
        run_check("promtool", "check", "config", inside)


def test_alertmanager_config(tmp_path: Path) -> None:
    """amtool accepts the configuration of Alertmanager at the path of the container."""
    assert config_files("receivers") == {"prometheus/alertmanager.yml"}
    inside = lay_out("alertmanager", tmp_path) / flag("alertmanager", "config.file").lstrip("/")
    run_check("amtool", "check-config", inside)


@pytest.mark.parametrize("name", SERVICES)
def test_state_is_in_volumes(name: str) -> None:
    """Each service keeps its data in a declared volume, at the path in its command."""
    volumes = [item.split(":") for item in SERVICES[name].get("volumes", ()) if not item.startswith(".")]
    assert all(source in load_yaml(COMPOSE)["volumes"] for source, _ in volumes)
    expected = {
        "exporter": [],
        "alertmanager": [flag("alertmanager", "storage.path")],
        "prometheus": [flag("prometheus", "storage.tsdb.path")],
        "grafana": ["/var/lib/grafana"],
    }
    assert [target for _, target in volumes] == expected[name]


def test_grafana_provisioning(tmp_path: Path) -> None:
    """Grafana provisions the data source and all dashboards from the mounted paths."""
    root = lay_out("grafana", tmp_path)
    provisioning = root / "etc" / "grafana" / "provisioning"
    (source,) = load_yaml((provisioning / "datasources" / "prometheus.yml").read_text("utf-8"))["datasources"]
    assert source["url"] == f"http://prometheus:{PORTS['prometheus']}"
    (provider,) = load_yaml((provisioning / "dashboards" / "packetfabric.yml").read_text("utf-8"))[
        "providers"
    ]
    folder = root / provider["options"]["path"].lstrip("/")
    dashboards = ROOT / "grafana" / "dashboards"
    assert {path.name for path in folder.glob("*.json")} == {path.name for path in dashboards.glob("*.json")}
    assert len(list(dashboards.glob("*.json"))) > 5
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert json.loads((root / home.lstrip("/")).read_text("utf-8"))["title"] == "PacketFabric / Fleet"


class Stack:
    """The services whose programs Debian packages, with the files of their containers, on free ports."""

    def __init__(self, folder: Path) -> None:
        self.exporter = Program("demo", "--web.listen-address=127.0.0.1:0", "--interval=1s")
        listening = re.search(r"addresses=(\S+)", self.exporter.wait_for("msg=listening"))
        assert listening is not None
        self.alertmanager = Alertmanager(folder, "http://127.0.0.1:9/")
        inside = lay_out("prometheus", folder) / flag("prometheus", "config.file").lstrip("/")
        config = inside.read_text("utf-8").replace("scrape_interval: 15s", "scrape_interval: 1s")
        for name, address in (("exporter", listening[1]), ("alertmanager", self.alertmanager.address)):
            assert config.count(f"{name}:{PORTS[name]}") == 1
            config = config.replace(f"{name}:{PORTS[name]}", address)
        self.prometheus = Prometheus(inside.parent, config)
        self.urls = {
            "exporter": f"http://{listening[1]}",
            "alertmanager": f"http://{self.alertmanager.address}",
            "prometheus": self.prometheus.url,
        }

    def api(self, path: str) -> Any:
        """Return the data of a request to Prometheus' API."""
        with urlopen(f"{self.prometheus.url}/api/v1/{path}", timeout=60) as page:
            return json.load(page)["data"]

    def stop(self) -> None:
        self.prometheus.stop()
        self.alertmanager.stop()
        self.exporter.process.kill()
        self.exporter.end()
        assert self.exporter.process.stdout is not None
        self.exporter.process.stdout.close()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("stack"))
    yield stack
    stack.stop()


def test_services_find_each_other(stack: Stack) -> None:
    """Prometheus scrapes the exporter as the job in the alerts, loads the rules and finds Alertmanager."""
    until(
        lambda: [item["value"][1] for item in stack.prometheus.query('up{job="packetfabric"}')] == ["1"],
        "the target is up",
    )
    until(lambda: stack.prometheus.query("packetfabric_up == 1"), "the stream is up")
    names = {rule["name"] for group in stack.api("rules")["groups"] for rule in group["rules"]}
    assert {"PacketFabricExporterDown", "account:packetfabric_up:max"} <= names
    # Prometheus discovers Alertmanagers a few seconds after the start.
    until(lambda: stack.api("alertmanagers")["activeAlertmanagers"], "the Alertmanager is discovered")
    (alertmanager,) = stack.api("alertmanagers")["activeAlertmanagers"]
    assert alertmanager["url"].startswith(stack.urls["alertmanager"])


@pytest.mark.parametrize("name", ["alertmanager", "prometheus"])
def test_health_check_urls(stack: Stack, name: str) -> None:
    """The URL of the health check returns 200."""
    until(lambda: stack.prometheus.query("up"), "Prometheus is up")
    path = urlsplit(SERVICES[name]["healthcheck"]["test"][-1]).path
    assert get(stack.urls[name] + path)[0] == 200
