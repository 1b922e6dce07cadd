"""The dashboards are what the code makes, load anywhere, name what exists, and have something to show."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import NEW_ENOUGH, NOT_NEW_ENOUGH, until
from tests.grafana.history import make
from tests.prometheus_server import Prometheus
from tests.rules.promql import PROMETHEUS, rules, unknown_names

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
}


def asked(expression: str, *, board: str) -> str:
    """An expression with the values of the variables in it; what can be several is all."""
    several = {variable["name"] for variable in BOARDS[board]["templating"]["list"] if variable.get("multi")}
    return re.sub(r"\$([a-z_]+)", lambda found: ".+" if found[1] in several else VALUES[found[1]], expression)


def expressions(panel: dict[str, Any]) -> list[str]:
    return [target["expr"] for target in panel["targets"]]


def variables(board: str) -> dict[str, str]:
    """By name of a variable, what Prometheus is asked for it."""
    found = {}
    for variable in BOARDS[board]["templating"]["list"]:
        if variable["type"] == "query":
            inner = re.fullmatch(
                r"query_result\((.*)\)|label_values\((.*), \w+\)", variable["query"], re.DOTALL
            )
            assert inner is not None
            found[variable["name"]] = inner[1] or inner[2]
    return found


@pytest.mark.skipif(not NEW_ENOUGH, reason=NOT_NEW_ENOUGH)
# Version 2 of the format, which it praises, is none that Grafana 11 can read.
@pytest.mark.filterwarnings("ignore:Prefer using dashboardv2:DeprecationWarning")
@pytest.mark.parametrize("name", BOARDS)
def test_the_files_are_what_the_code_makes(name: str) -> None:
    """Each file equals what the code makes of it now; `python -m grafana.build` renews it."""
    from grafana.build import BOARDS as BUILT
    from grafana.build import text

    assert sorted(BUILT) == sorted(BOARDS)
    assert FILES[list(BOARDS).index(name)].read_text(encoding="utf-8") == text(BUILT[name]())


@pytest.mark.parametrize("name", BOARDS)
def test_a_dashboard_loads_anywhere(name: str) -> None:
    """It has a uid of its own, our tag, links to the others, and takes its data source from a variable."""
    board = BOARDS[name]
    assert board["uid"] == f"packetfabric-{name}"
    assert board["tags"] == ["packetfabric"]
    assert board["links"][0]["tags"] == ["packetfabric"]
    assert not board["editable"]
    assert board["description"]
    assert "__inputs" not in board
    first, *others = board["templating"]["list"]
    assert (first["type"], first["query"]) == ("datasource", "prometheus")
    assert [one["name"] for one in others][:3] == ["job", "instance", "account"]
    assert all(one["allValue"] == ".+" and one["multi"] for one in others[:3])
    text = json.dumps(board)
    assert set(re.findall(r'"uid": "([^"]+)"', text)) == {board["uid"], "${datasource}"}
    led_to = set(re.findall(r"/d/(packetfabric-\w+)\?", text))
    assert led_to <= {one["uid"] for one in BOARDS.values()}
    assert led_to or name == "exporter"


@pytest.mark.parametrize("name", BOARDS)
def test_panels_lie_side_by_side(name: str) -> None:
    """No two panels overlap, none sticks out, no two have one title or number, and no row is half empty."""
    panels = BOARDS[name]["panels"]
    cells: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        mine = {
            (x, y)
            for x in range(place.get("x", 0), place.get("x", 0) + place["w"])
            for y in range(place.get("y", 0), place.get("y", 0) + place["h"])
        }
        assert not mine & cells
        cells |= mine
    assert len(cells) == 24 * (1 + max(y for _, y in cells))
    assert len({panel["title"] for panel in panels}) == len({panel["id"] for panel in panels}) == len(panels)


@pytest.mark.parametrize(("name", "panel"), PANELS)
def test_a_panel_says_what_it_is(name: str, panel: dict[str, Any]) -> None:
    """It has a title, a unit, and a description in whole sentences; what is over time has a least step."""
    assert panel["title"]
    assert panel["description"].endswith((".", "?"))
    assert panel["fieldConfig"]["defaults"]["unit"]
    if panel["type"] in ("timeseries", "state-timeline"):
        # For as long as a step takes, a new Prometheus has nothing to show.
        assert panel["interval"] in ("2m", "5m")
    if panel["type"] == "timeseries":
        assert panel["options"]["legend"]["showLegend"]
    if panel["type"] in ("stat", "bargauge"):
        assert panel["fieldConfig"]["defaults"]["noValue"]
        assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    recorded = any(re.search(r"\b(?:lane|port|vc|account):", expression) for expression in expressions(panel))
    assert not recorded or "recording rules" in panel["description"]


def test_axes_of_zeros_are_small() -> None:
    """Counts and shares, which may be 0 for days, do not then have an axis to 100 or to 10000 %."""
    highest = {}
    for board in BOARDS.values():
        for panel in board["panels"]:
            looks = panel["fieldConfig"]["defaults"]
            share = panel["type"] == "timeseries" and looks["unit"] == "percentunit"
            if share or looks.get("custom", {}).get("drawStyle") == "bars":
                highest[panel["title"]] = looks["custom"]["axisSoftMax"]
    assert {"Activity", "Stream disconnects", "Time without a stream", "Utilisation by end"} <= set(highest)
    assert all(0 < value <= 1 for value in highest.values())


def test_light_is_judged_by_its_margin() -> None:
    """A margin is red where the alert fires; power alone has no colour, for optics differ."""
    (least,) = [
        float(str(rule["expr"]).removeprefix("vector(").removesuffix(")"))
        for rule in rules("rules.yml")
        if rule["record"] == "packetfabric:receive_margin:threshold"
    ]
    margins = set()
    for board in BOARDS.values():
        for panel in board["panels"]:
            steps = panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])
            if panel["fieldConfig"]["defaults"]["unit"] == "dBm":
                assert not steps, panel["title"]
            if any("lane:packetfabric_receive_margin:db" in expression for expression in expressions(panel)):
                colors = [step["color"] for step in steps]
                assert steps[colors.index("red") + 1]["value"] == least, panel["title"]
                margins.add(panel["title"])
    assert margins == {"Lowest receive margin", "Lowest margin", "Margin"}


@pytest.mark.parametrize(("name", "panel"), PANELS)
def test_a_panel_names_what_exists(name: str, panel: dict[str, Any]) -> None:
    """Its expressions are PromQL, their metrics and labels exist, and ranges follow the zoom or are fixed."""
    for expression in expressions(panel):
        assert unknown_names(asked(expression, board=name)) == []
        assert not re.search(r"\[\$__interval\]", expression)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """One that holds the last hour and a half of the simulated network, a bit of yesterday, and our rules."""
    folder = tmp_path_factory.mktemp("history")
    now = int(time.time() // 60 * 60)
    yesterday = range(now - 86400 - 900, now - 86400 + 900, 300)
    # Nothing of the future: what the rules record has to come after it.
    make(folder, [*yesterday, *range(now - 5400, now + 1, 60)])
    config = {
        "global": {"evaluation_interval": "1s"},
        "rule_files": [str(PROMETHEUS / "rules.yml")],
    }
    server = Prometheus(folder, yaml.safe_dump(config))
    # These come of all that panels ask for.
    recorded = "lane:packetfabric_receive_margin:db and lane:packetfabric_receive_headroom:db"
    try:
        until(lambda: server.query(recorded), recorded, seconds=30)
        yield server
    finally:
        server.stop()


@pytest.mark.parametrize(("name", "panel"), PANELS)
def test_a_panel_has_something_to_show(name: str, panel: dict[str, Any], prometheus: Prometheus) -> None:
    """A real Prometheus with an exporter's history answers each of its expressions with data."""
    for expression in expressions(panel):
        assert prometheus.query(asked(expression, board=name)), expression


@pytest.mark.parametrize("name", BOARDS)
def test_a_variable_has_values(name: str, prometheus: Prometheus) -> None:
    """What is asked for each variable has an answer; circuits are found by name and handed on by id."""
    for variable, expression in variables(name).items():
        found = prometheus.query(asked(expression, board=name))
        assert found, variable
        if variable in ("port", "vc"):
            for one in found:
                assert sorted(one["metric"]) == ["name", f"{variable}_circuit_id"]
            names = {one["metric"]["name"] for one in found}
            assert names & {"Los Angeles core uplink", "LAX1 to NYC1 (transit)"}


def test_provisioning_names_what_there_is() -> None:
    """The provisioning files are of the present version; the data source has the interval of our scrape."""
    folder = ROOT / "grafana" / "provisioning"
    provider = yaml.safe_load((folder / "dashboards" / "packetfabric.yml").read_text(encoding="utf-8"))
    source = yaml.safe_load((folder / "datasources" / "prometheus.yml").read_text(encoding="utf-8"))
    assert provider["apiVersion"] == source["apiVersion"] == 1
    assert provider["providers"][0]["type"] == "file"
    scrape = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8"))["global"]
    assert source["datasources"][0]["jsonData"]["timeInterval"] == scrape["scrape_interval"]
