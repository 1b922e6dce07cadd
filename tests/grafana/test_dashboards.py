"""The dashboards match their code, load into any Grafana, use existing names and have data to show."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from grafana.export import for_grafana_com
from pf_exporter.schema import BGP_STATES
from pf_exporter.schema.resource import Resource
from pf_exporter.schema.resources.ports import PORTS
from pf_exporter.schema.resources.virtual_circuits import VIRTUAL_CIRCUITS
from pf_exporter.simulator import Network
from tests.conftest import NEW_ENOUGH, NOT_NEW_ENOUGH, until
from tests.grafana.history import ONE_ENDED, write_history
from tests.prometheus_server import Prometheus
from tests.rules.promql import LABELS, PROMETHEUS, unknown_names
from tests.rules.test_rules import configuration
from tests.yaml_loader import load_yaml

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "grafana" / "dashboards").iterdir())
BOARDS: dict[str, dict[str, Any]] = {
    file.stem: json.loads(file.read_text(encoding="utf-8")) for file in FILES
}
PANELS = [
    pytest.param(name, panel, id=f"{name}: {panel['title']}")
    for name, board in BOARDS.items()
    for panel in board["panels"]
]
VALUES = {
    "port": "PF-AP-LAX1-2000001",
    "vc": "PF-BC-LAX-NYC-3000001-PF",
    "__rate_interval": "5m",
    "__range": "1h",
    "__range_s": "3600",
}


ONE_ENDED_ID = Network().circuits[ONE_ENDED].circuit_id
LAG = {"port": "PF-AE-NYC1-2000004"}
"""The value for panels about LAGs."""


def interpolate(expression: str, *, board: str, panel: str = "") -> str:
    """Return an expression with values of its variables; variables with several values match all."""
    multi = {variable["name"] for variable in BOARDS[board]["templating"]["list"] if variable.get("multi")}
    values = VALUES | LAG if panel.startswith("LAG ") else VALUES
    return re.sub(r"\$([a-z_]+)", lambda found: ".*" if found[1] in multi else values[found[1]], expression)


def exported_states(resource: Resource) -> list[str]:
    (state,) = [metric for metric in resource.metrics if metric.suffix == "state"]
    return [labels[0] for labels, _ in state.parse("active")]


def expressions(panel: dict[str, Any]) -> list[str]:
    return [target["expr"] for target in panel["targets"]]


def variables(board: str) -> dict[str, str]:
    """Return the PromQL expression of each query variable by its name."""
    queries = {}
    for variable in BOARDS[board]["templating"]["list"]:
        if variable["type"] == "query":
            inner = re.fullmatch(
                r"query_result\((.*)\)|label_values\((.*), \w+\)", variable["query"], re.DOTALL
            )
            assert inner is not None
            queries[variable["name"]] = inner[1] or inner[2]
    return queries


@pytest.mark.skipif(not NEW_ENOUGH, reason=NOT_NEW_ENOUGH)
# Grafana 11 cannot read version 2 of the format, which the library recommends.
@pytest.mark.filterwarnings("ignore:Prefer using dashboardv2:DeprecationWarning")
@pytest.mark.parametrize("name", BOARDS)
def test_files_are_current(name: str) -> None:
    """Each file equals what the code builds; `python -m grafana.build` updates it."""
    from grafana.build import BOARDS as BUILT
    from grafana.build import text

    assert sorted(BUILT) == sorted(BOARDS)
    assert FILES[list(BOARDS).index(name)].read_text(encoding="utf-8") == text(BUILT[name]())


@pytest.mark.parametrize("name", BOARDS)
def test_a_dashboard_loads_anywhere(name: str) -> None:
    """It has a unique uid, the common tag, links to the others, and its data source in a variable."""
    board = BOARDS[name]
    assert board["uid"] == f"packetfabric-{name}"
    assert board["tags"] == ["packetfabric"]
    assert board["links"][0]["tags"] == ["packetfabric"]
    assert not board["editable"]
    assert board["description"]
    assert "__inputs" not in board
    first, *others = board["templating"]["list"]
    assert (first["type"], first["query"]) == ("datasource", "prometheus")
    assert [variable["name"] for variable in others][:3] == ["job", "instance", "account"]
    assert all(variable["allValue"] == ".*" and variable["multi"] for variable in others[:3])
    text = json.dumps(board)
    assert set(re.findall(r'"uid": "([^"]+)"', text)) == {board["uid"], "${datasource}"}
    linked = set(re.findall(r"/d/(packetfabric-[a-z-]+)\?", text))
    assert linked <= {other["uid"] for other in BOARDS.values()}
    assert linked or name in ("exporter", "cloud-router")


@pytest.mark.parametrize("name", BOARDS)
def test_export_for_grafana_com(name: str) -> None:
    """The export asks for its data source, and lists it and all types of its panels as requirements."""
    content = json.loads(for_grafana_com(FILES[list(BOARDS).index(name)].read_text(encoding="utf-8")))
    (source,) = content["__inputs"]
    assert (source["name"], source["pluginId"]) == ("DS_PROMETHEUS", "prometheus")
    required = {(item["type"], item["id"]) for item in content["__requires"]}
    assert {("grafana", "grafana"), ("datasource", "prometheus")} <= required
    assert {id for type_, id in required if type_ == "panel"} == {
        panel["type"] for panel in BOARDS[name]["panels"]
    }
    assert content["id"] is None
    assert [variable["type"] for variable in content["templating"]["list"]].count("datasource") == 0
    text = json.dumps(content)
    assert "datasource}" not in text
    assert "${datasource" not in text
    assert set(re.findall(r'"uid": "([^"]+)"', text)) == {content["uid"], "${DS_PROMETHEUS}"}


@pytest.mark.parametrize("name", BOARDS)
def test_layout(name: str) -> None:
    """Panels do not overlap or leave gaps, and their titles and IDs are unique."""
    panels = BOARDS[name]["panels"]
    cells: set[tuple[int, int]] = set()
    for panel in panels:
        position = panel["gridPos"]
        area = {
            (x, y)
            for x in range(position.get("x", 0), position.get("x", 0) + position["w"])
            for y in range(position.get("y", 0), position.get("y", 0) + position["h"])
        }
        assert not area & cells
        cells |= area
    assert len(cells) == 24 * (1 + max(y for _, y in cells))
    assert len({panel["title"] for panel in panels}) == len({panel["id"] for panel in panels}) == len(panels)


@pytest.mark.parametrize(("name", "panel"), PANELS)
def test_a_panel_is_described(name: str, panel: dict[str, Any]) -> None:
    """It has a title, a unit, a description in sentences, and a minimum step if it shows time."""
    assert panel["title"]
    assert panel["description"].endswith((".", "?"))
    assert panel["fieldConfig"]["defaults"]["unit"]
    if panel["type"] in ("timeseries", "state-timeline", "heatmap"):
        # A new Prometheus shows nothing for the duration of one step.
        assert panel["interval"] in ("2m", "10m")
    if panel["type"] == "timeseries":
        assert panel["options"]["legend"]["showLegend"]
    if panel["type"] in ("stat", "bargauge"):
        assert panel["fieldConfig"]["defaults"]["noValue"]
        assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    recorded = any(re.search(r"\b(?:lane|port|vc|account):", expression) for expression in expressions(panel))
    assert not recorded or "recording rules" in panel["description"]


def test_axes_without_values() -> None:
    """Counts and ratios, which can be 0 for days, have a small axis then."""
    soft_maximum = {}
    for board in BOARDS.values():
        for panel in board["panels"]:
            defaults = panel["fieldConfig"]["defaults"]
            share = panel["type"] == "timeseries" and defaults["unit"] == "percentunit"
            if share or defaults.get("custom", {}).get("drawStyle") == "bars":
                soft_maximum[panel["title"]] = defaults["custom"]["axisSoftMax"]
    assert {"Activity log", "Stream disconnects", "Time without a stream", "Utilization by end"} <= set(
        soft_maximum
    )
    assert all(0 < value <= 1 for value in soft_maximum.values())


def test_colors_of_optical_power() -> None:
    """A margin is red where the alert fires; power has no colors, because the range depends on the optics."""
    threshold = configuration()["thresholds"]["receiveMargin"]
    margins = set()
    for board in BOARDS.values():
        for panel in board["panels"]:
            steps = panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])
            if panel["fieldConfig"]["defaults"]["unit"] == "suffix:dBm":
                assert not steps, panel["title"]
            if any(
                "lane:packetfabric_receive_power_dbm:margin" in expression
                for expression in expressions(panel)
            ):
                colors = [step["color"] for step in steps]
                assert steps[colors.index("red") + 1]["value"] == threshold, panel["title"]
                margins.add(panel["title"])
    assert margins == {"Lowest receive margin", "Lowest margin", "Receive margin"}


@pytest.mark.parametrize(("name", "panel"), PANELS)
def test_names_in_a_panel_exist(name: str, panel: dict[str, Any]) -> None:
    """Its expressions are valid, metrics and labels exist, and ranges follow the zoom or are fixed."""
    for expression in expressions(panel):
        assert unknown_names(interpolate(expression, board=name, panel=panel["title"])) == []
        assert not re.search(r"\[\$__interval\]", expression)


@pytest.mark.parametrize(
    ("board", "title", "states"),
    [
        ("port", "State over time", exported_states(PORTS)),
        ("vc", "State over time", exported_states(VIRTUAL_CIRCUITS)),
        ("cloud-router", "BGP sessions over time", [*BGP_STATES, "other"]),
    ],
)
def test_every_state_is_shown(board: str, title: str, states: list[str]) -> None:
    """Each state that the exporter exports has a number in the query, and its name as the text of it."""
    (panel,) = [panel for panel in BOARDS[board]["panels"] if panel["title"] == title]
    numbers = {
        state: number
        for expression in expressions(panel)
        for state, number in re.findall(r'state="(\w+)"} == 1\) \+ (\d+)', expression)
    }
    assert sorted(numbers) == sorted(states)
    mappings = panel["fieldConfig"]["defaults"]["mappings"]
    texts = {value: result["text"] for mapping in mappings for value, result in mapping["options"].items()}
    assert {state: texts[number] for state, number in numbers.items()} == {state: state for state in states}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus with 90 minutes of the simulated network, parts of the last 28 days, and the rules."""
    folder = tmp_path_factory.mktemp("history")
    now = int(time.time() // 60 * 60)
    # At midnight, where subqueries with a step of a day read the speeds, and after that outage of the stream.
    midnights = range((now // 86400 - 27) * 86400, now, 86400)
    times = {midnight + seconds for midnight in midnights for seconds in (0, 60)}
    for days in (1, 7):
        times.update(range(now - days * 86400 - 900, now - days * 86400 + 900, 300))
    times.update(range(now - 5400, now - 1200, 120), range(now - 1200, now + 1, 60))
    # Nothing after now, because the results of the rules have to be newer.
    write_history(folder, sorted(times))
    config = {
        "global": {"evaluation_interval": "1s"},
        "rule_files": [str(PROMETHEUS / "rules.yml")],
    }
    server = Prometheus(folder, yaml.safe_dump(config), "--storage.tsdb.retention.time=60d")
    # The last recording rules that panels use.
    recorded = "lane:packetfabric_receive_power_dbm:margin and lane:packetfabric_receive_power_dbm:headroom"
    try:
        until(lambda: server.query(recorded), recorded)
        server.moment = time.time()  # The history does not get older, however long the tests take.
        yield server
    finally:
        server.stop()


@pytest.mark.parametrize(("name", "panel"), PANELS)
def test_a_panel_has_data(name: str, panel: dict[str, Any], prometheus: Prometheus) -> None:
    """Each of its expressions returns data from a real Prometheus with the history of an exporter."""
    for expression in expressions(panel):
        assert prometheus.query(interpolate(expression, board=name, panel=panel["title"])), expression


@pytest.mark.parametrize(("name", "panel"), [param for param in PANELS if param.values[0] != "exporter"])
def test_replicas_are_folded(name: str, panel: dict[str, Any], prometheus: Prometheus) -> None:
    """No series of a panel is about one of two exporters; there are as many as with one."""
    for expression in expressions(panel):
        folded = prometheus.query(interpolate(expression, board=name, panel=panel["title"]))
        assert not any("instance" in series["metric"] for series in folded)
        one = interpolate(
            expression.replace("$instance", "pf-exporter-1:10054"), board=name, panel=panel["title"]
        )
        both = {json.dumps(series["metric"]) for series in folded}
        assert both == {json.dumps(series["metric"]) for series in prometheus.query(one)}


def test_loss_needs_both_ends(prometheus: Prometheus) -> None:
    """A circuit of which only one end reports has no loss; all others have one in each direction."""
    (table,) = [panel for panel in BOARDS["fleet"]["panels"] if panel["title"] == "Virtual circuits"]
    losses = [expression for expression in expressions(table) if "transmit_packets_total" in expression]
    assert len(losses) == 2
    for expression in losses:
        results = prometheus.query(interpolate(expression, board="fleet"))
        values = {result["metric"]["vc_circuit_id"]: float(result["value"][1]) for result in results}
        assert len(values) == 15
        assert ONE_ENDED_ID not in values
        assert max(values.values()) < 0.001


def test_disabled_sessions_are_not_down(prometheus: Prometheus) -> None:
    """BGP sessions that are switched off are neither up nor down; the simulated network has two others."""
    counted = 0.0
    for panel in BOARDS["cloud-router"]["panels"]:
        if panel["title"] in ("BGP sessions up", "BGP sessions down"):
            (result,) = prometheus.query(interpolate(*expressions(panel), board="cloud-router"))
            counted += float(result["value"][1])
    assert counted == 2


@pytest.mark.parametrize("name", BOARDS)
def test_annotations(name: str, prometheus: Prometheus) -> None:
    """Every dashboard marks alerts, restarts, lost streams and counter resets, with valid expressions."""
    annotations = BOARDS[name]["annotations"]["list"]
    assert [annotation["name"] for annotation in annotations] == [
        "Alerts",
        "Maintenance",
        "Exporter restarts",
        "Stream lost",
        "Stream rotated",
        "Counter resets",
    ]
    for annotation in annotations:
        expression = interpolate(annotation["expr"], board=name)
        assert unknown_names(expression) == []
        assert set(re.findall(r"{{(\w+)}}", annotation["titleFormat"])) <= LABELS
        # Grafana 11 reads one, newer versions the other.
        assert annotation["target"]["expr"] == annotation["expr"]
        assert annotation["target"]["interval"] == annotation["step"]
        prometheus.query(f"absent({expression}) or ({expression})")
    alerts = interpolate(annotations[0]["expr"], board=name)
    assert prometheus.query(re.sub("port_circuit_id=[^}]+", "port_circuit_id!=''", alerts))


def test_map() -> None:
    """The map zooms in on the POPs, and names the source of its tiles, as their licence requires."""
    (options,) = [panel["options"] for panel in BOARDS["pops"]["panels"] if panel["type"] == "geomap"]
    # With "fit", Grafana never zooms in further than this; 1 is the whole world.
    assert (options["view"]["id"], options["view"]["zoom"]) == ("fit", 6)
    assert options["controls"]["showAttribution"]
    assert options["tooltip"]["mode"] == "details"


@pytest.mark.parametrize("name", BOARDS)
def test_a_variable_has_values(name: str, prometheus: Prometheus) -> None:
    """The query of each variable returns values; circuits have their name as text and their ID as value."""
    for variable, expression in variables(name).items():
        results = prometheus.query(interpolate(expression, board=name))
        assert results, variable
        if variable in ("port", "vc"):
            for result in results:
                assert sorted(result["metric"]) == ["name", f"{variable}_circuit_id"]
            names = {result["metric"]["name"] for result in results}
            assert names & {"Los Angeles core uplink", "LAX1 to NYC1 (transit)"}


def test_provisioning() -> None:
    """The files have the current version, and the data source the scrape interval of prometheus.yml."""
    folder = ROOT / "grafana" / "provisioning"
    provider = load_yaml((folder / "dashboards" / "packetfabric.yml").read_text(encoding="utf-8"))
    source = load_yaml((folder / "datasources" / "prometheus.yml").read_text(encoding="utf-8"))
    assert provider["apiVersion"] == source["apiVersion"] == 1
    assert provider["providers"][0]["type"] == "file"
    scrape = load_yaml((PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8"))["global"]
    assert source["datasources"][0]["jsonData"]["timeInterval"] == scrape["scrape_interval"]
