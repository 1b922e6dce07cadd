"""The containers find their files and each other, and can do no more than they must."""

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
import yaml

from pf_exporter import __version__
from pf_exporter.cli import parser
from pf_exporter.config.loader import load
from tests.conftest import Program, get, tool, until
from tests.deploy.containers import FOLDER, SERVICES, flag, lay_out, mounts
from tests.prometheus_server import Prometheus
from tests.rules.test_alertmanager import Alertmanager

ROOT = FOLDER.parent
COMPOSE = (FOLDER / "compose.yaml").read_text(encoding="utf-8")
ACCOUNT = yaml.safe_load((FOLDER / "compose.account.yaml").read_text(encoding="utf-8"))
PORTS = {"exporter": 10054, "alertmanager": 9093, "prometheus": 9090, "grafana": 3000}


def schema(path: Path) -> subprocess.CompletedProcess[str]:
    checker = Path(sys.executable).with_name("check-jsonschema")
    command = [str(checker), "--builtin-schema", "vendor.compose-spec", str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("name", ["compose.yaml", "compose.account.yaml"])
def test_the_schema(name: str) -> None:
    """The file follows the schema of the Compose specification."""
    done = schema(FOLDER / name)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_fault_is_found(tmp_path: Path) -> None:
    """The schema finds a misspelt key, so that its silence says something."""
    path = tmp_path / "compose.yaml"
    path.write_text(COMPOSE.replace("healthcheck:", "healthchek:"))
    assert "healthchek" in schema(path).stdout


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_hardened(name: str) -> None:
    """It has no capability and no way to more, a file system that is read-only, and a fixed version."""
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert service.keys().isdisjoint(
        {"privileged", "cap_add", "user", "network_mode", "pid", "ipc", "devices"}
    )
    image, _, tag = service["image"].partition(":")
    assert image
    assert re.fullmatch(r"v?\d+\.\d+\.\d+", tag)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_checked(name: str) -> None:
    """It has a health check on the port it publishes, on loopback only; whoever needs it waits for that."""
    assert SERVICES[name]["ports"] == [f"127.0.0.1:{PORTS[name]}:{PORTS[name]}"]
    kind, *command = SERVICES[name]["healthcheck"]["test"]
    assert kind == "CMD"
    if name == "exporter":
        assert parser().parse_args(command[1:]).command == "health"
    else:
        assert urlsplit(command[-1]).netloc == f"127.0.0.1:{PORTS[name]}"
    for condition in SERVICES[name].get("depends_on", {}).values():
        assert condition == {"condition": "service_healthy"}


def test_who_waits_for_whom() -> None:
    """Grafana waits for Prometheus, and that for what it scrapes and what it tells."""
    waits = {name: set(service.get("depends_on", ())) for name, service in SERVICES.items()}
    assert waits["grafana"] == {"prometheus"}
    assert waits["prometheus"] == {"exporter", "alertmanager"}
    assert not waits["exporter"] | waits["alertmanager"]


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_is_there(name: str) -> None:
    """Each path is in the repository, and mounted to be read."""
    for mount in mounts(name):
        assert mount.source.is_relative_to(ROOT)
        assert mount.source.exists(), mount
        assert mount.mode == "ro"


def test_no_password_is_known() -> None:
    """Grafana's password comes from outside, and must; nobody is let in without one."""
    (said,) = re.findall(r"GF_SECURITY_ADMIN_PASSWORD: \$\{GRAFANA_ADMIN_PASSWORD:\?(.*)\}", COMPOSE)
    assert said.startswith("set it")
    environment = SERVICES["grafana"]["environment"]
    assert environment["GF_AUTH_ANONYMOUS_ENABLED"] == "false"
    assert environment["GF_USERS_ALLOW_SIGN_UP"] == "false"


def test_the_exporter_is_ours() -> None:
    """It is built here, has the version of the package, and simulates where others reach it."""
    exporter = SERVICES["exporter"]
    assert (FOLDER / exporter["build"] / "Dockerfile").exists()
    assert exporter["image"] == f"pf-exporter:{__version__}"
    arguments = parser().parse_args(exporter["command"])
    assert (arguments.command, arguments.listen_address) == ("demo", "0.0.0.0:10054")


def test_the_exporter_on_an_account(tmp_path: Path) -> None:
    """With the second file it exports one account, with the key in the secret, on the same port."""
    assert list(ACCOUNT["services"]) == ["exporter"]
    exporter = ACCOUNT["services"]["exporter"]
    assert exporter["secrets"] == list(ACCOUNT["secrets"]) == ["pf_token"]
    assert exporter["environment"] == {"PF_TOKEN_FILE": "/run/secrets/pf_token"}
    assert ACCOUNT["secrets"]["pf_token"]["file"].startswith("${PF_TOKEN_FILE:?")
    (tmp_path / "pf_token").write_text("api-key\n")
    (tmp_path / "pf_token").chmod(0o400)
    environ = {"PF_TOKEN_FILE": str(tmp_path / "pf_token")}
    config = load(parser().parse_args(exporter["command"]), environ)
    assert config.warnings == ()
    assert config.web.listen_address == (f":{PORTS['exporter']}",)


def configs(key: str) -> set[str]:
    """Every YAML file for people in the repository that has a key at its top."""
    found = set()
    for folder in ("deploy", "grafana", "prometheus"):
        for path in (ROOT / folder).rglob("*.y*ml"):
            for content in yaml.safe_load_all(path.read_text(encoding="utf-8")):
                if key in content:
                    found.add(str(path.relative_to(ROOT)))
    return found


def checked(*command: str | Path) -> None:
    program, *arguments = map(str, command)
    done = subprocess.run(
        [tool(program), *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_prometheus_config(tmp_path: Path) -> None:
    """promtool accepts each, those of a container where it mounts them, with the rules that they name."""
    assert configs("scrape_configs") == {"prometheus/prometheus.yml", "deploy/compose/prometheus.yml"}
    checked("promtool", "check", "config", ROOT / "prometheus" / "prometheus.yml")
    inside = lay_out("prometheus", tmp_path) / flag("prometheus", "config.file").lstrip("/")
    assert inside.read_text("utf-8") == (FOLDER / "compose" / "prometheus.yml").read_text("utf-8")
    checked("promtool", "check", "config", inside)
    # It checks the rules as well: without one of the files it fails.
    (inside.parent / "alerts.yml").unlink()
    with pytest.raises(AssertionError, match=r"alerts\.yml"):
        checked("promtool", "check", "config", inside)


def test_every_alertmanager_config(tmp_path: Path) -> None:
    """amtool accepts the one there is, where the container mounts it."""
    assert configs("receivers") == {"prometheus/alertmanager.yml"}
    inside = lay_out("alertmanager", tmp_path) / flag("alertmanager", "config.file").lstrip("/")
    checked("amtool", "check-config", inside)


@pytest.mark.parametrize("name", SERVICES)
def test_state_is_kept(name: str) -> None:
    """What a service writes to is a volume that is declared, where its command says."""
    volumes = [one.split(":") for one in SERVICES[name].get("volumes", ()) if not one.startswith(".")]
    assert all(source in yaml.safe_load(COMPOSE)["volumes"] for source, _ in volumes)
    kept = {
        "exporter": [],
        "alertmanager": [flag("alertmanager", "storage.path")],
        "prometheus": [flag("prometheus", "storage.tsdb.path")],
        "grafana": ["/var/lib/grafana"],
    }
    assert [target for _, target in volumes] == kept[name]


def test_grafana_finds_its_files(tmp_path: Path) -> None:
    """Provisioned are a data source that is the service, and every dashboard, from where it is mounted."""
    root = lay_out("grafana", tmp_path)
    provisioning = root / "etc" / "grafana" / "provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text("utf-8"))[
        "datasources"
    ]
    assert source["url"] == f"http://prometheus:{PORTS['prometheus']}"
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "packetfabric.yml").read_text("utf-8"))[
        "providers"
    ]
    folder = root / provider["options"]["path"].lstrip("/")
    assert len(list(folder.glob("*.json"))) == 5
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert json.loads((root / home.lstrip("/")).read_text("utf-8"))["title"] == "PacketFabric / Fleet"


class Stack:
    """The services of which Debian has the program, with the files of their containers, on free ports."""

    def __init__(self, folder: Path) -> None:
        self.exporter = Program("demo", "--listen-address=127.0.0.1:0", "--interval=1s")
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

    def ask(self, path: str) -> Any:
        """What Prometheus' API answers."""
        with urlopen(f"{self.prometheus.url}/api/v1/{path}", timeout=10) as page:
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


def test_they_find_each_other(stack: Stack) -> None:
    """Prometheus scrapes the exporter as the job that alerts ask for, and knows rules and Alertmanager."""
    until(
        lambda: [one["value"][1] for one in stack.prometheus.query('up{job="packetfabric"}')] == ["1"],
        "the target is up",
        seconds=60,
    )
    until(lambda: stack.prometheus.query("packetfabric_up == 1"), "the stream is up", seconds=60)
    names = {rule["name"] for group in stack.ask("rules")["groups"] for rule in group["rules"]}
    assert {"PacketFabricExporterDown", "packetfabric:stream_silence:threshold"} <= names
    # The list of Alertmanagers is discovered, a few seconds after the start.
    until(lambda: stack.ask("alertmanagers")["activeAlertmanagers"], "it knows the Alertmanager")
    (known,) = stack.ask("alertmanagers")["activeAlertmanagers"]
    assert known["url"].startswith(stack.urls["alertmanager"])


@pytest.mark.parametrize("name", ["alertmanager", "prometheus"])
def test_what_health_checks_ask_is_answered(stack: Stack, name: str) -> None:
    """The page that the health check fetches is one that the program has, and says that all is well."""
    until(lambda: stack.prometheus.query("up"), "Prometheus is up", seconds=60)
    path = urlsplit(SERVICES[name]["healthcheck"]["test"][-1]).path
    assert get(stack.urls[name] + path)[0] == 200
