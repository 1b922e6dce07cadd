"""The dashboard POPs: which points of presence exchange how much traffic."""

from __future__ import annotations

from grafana_foundation_sdk.builders import common as builders
from grafana_foundation_sdk.builders import dashboard, geomap, nodegraph, table
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import geomap as geomap_model

from grafana.layout import new_dashboard, place
from grafana.panels import BLUE, GREEN, RED, with_frame, with_queries
from grafana.promql import (
    ADMIN_DOWN,
    ALL,
    CAPACITY,
    NOT_A_MEMBER,
    OPERATIONAL_UP,
    PORT_KEYS,
    VC_KEYS,
    WAYS,
    end_of,
    fold,
    fold_ends,
    here,
    mean,
    one,
    port_traffic,
)
from grafana.tables import rows

CLOSEST_ZOOM = 6
"""Of the map, which shows a region of about 1,000 km."""
POP_OF = one(f"max by ({PORT_KEYS}, pop, market) (packetfabric_port_info{{{ALL}}})")


def _by_pop(aggregation: str, expression: str) -> str:
    joined = f"({here(expression)}) * on ({PORT_KEYS}) group_left (pop, market) {POP_OF}"
    return f"{aggregation} by (pop, market) ({joined})"


def _pop_at(side: str, label: str) -> str:
    """Return a series per circuit with the POP of one end in a label."""
    located = f"{end_of(side)} * on ({PORT_KEYS}) group_left (pop) {here(POP_OF)}"
    at_end = fold(f'label_replace({located}, "{label}", "$1", "pop", "(.+)")', f"{VC_KEYS}, {label}")
    return one(at_end, VC_KEYS)


def _between(source: str, target: str, *labels: str) -> str:
    """Return the traffic that circuits receive at one end, with the POPs of both ends."""
    received = fold_ends(mean("packetfabric_vc_receive_bytes_per_second", ALL, "10m"))
    at_end = f"sum by ({VC_KEYS}) ({received} and on ({VC_KEYS}, port_circuit_id) {end_of(source)})"
    of_pops = " ".join(
        f"* on ({VC_KEYS}) group_left ({label}) {_pop_at(side, label)}"
        for side, label in zip((source, target), labels, strict=True)
    )
    return f'label_replace({at_end} {of_pops}, "way", "{source}", "", "")'


def _matrix() -> table.Panel:
    traffic = f"{_between('a', 'z', 'from', 'to')}\nor {_between('z', 'a', 'from', 'to')}"
    panel = with_frame(
        table.Panel(),
        "Traffic between POPs",
        "What virtual circuits receive in the POP of the row and deliver in the POP of the column. Circuits"
        " of which only one end belongs to this account are not in it.",
        "bps",
        (24, 14),
    )
    with_queries(panel, [(f"8 * sum by (from, to) ({traffic})", "")], instant=True, rows=True)
    by_target = {"fields": {}, "sort": [{"field": "to", "desc": False}]}
    panel.with_transformation(model.DataTransformerConfig(id_val="sortBy", options=by_target))
    panel.with_transformation(
        model.DataTransformerConfig(
            id_val="groupingToMatrix",
            options={"columnField": "to", "rowField": "from", "valueField": "Value", "emptyValue": "null"},
        )
    )
    by_source = {"fields": {}, "sort": [{"field": "from\\to", "desc": False}]}
    panel.with_transformation(model.DataTransformerConfig(id_val="sortBy", options=by_source))
    panel.color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.CONTINUOUS_BLUES))
    solid = common.TableColoredBackgroundCellOptions(mode=common.TableCellBackgroundDisplayMode.BASIC)
    panel.cell_options(solid).min_width(95)
    names = model.MatcherConfig(id_val="byName", options="from\\to")
    return panel.with_override(names, [model.DynamicConfigValue("custom.cellOptions", {"type": "auto"})])


def _graph() -> nodegraph.Panel:
    """Return the POPs as nodes, with their traffic, and the circuits between them as edges."""
    panel = with_frame(
        nodegraph.Panel(),
        "Map of circuits",
        "POPs with the traffic that their ports receive, and the virtual circuits between them with their "
        "traffic in the busier direction. Circuits within a POP are not shown.",
        "bps",
        (12, 16),
    )
    received = _by_pop("sum", f"{port_traffic('receive')} {NOT_A_MEMBER}")
    nodes = _with_text(received, "pop, market")
    for label, source in (("id", "pop"), ("title", "pop"), ("subtitle", "market")):
        nodes = f'label_replace({nodes}, "{label}", "$1", "{source}", "(.+)")'
    pairs = f"{_between('a', 'z', 'source', 'target')}\nor {_between('z', 'a', 'target', 'source')}"
    traffic = f"max by (source, target) (sum by (source, target, way) ({pairs}))"
    # PromQL compares no labels, so the pairs within a POP are made of the sources.
    same = f'label_replace(max by (source) ({traffic}), "target", "$1", "source", "(.+)")'
    different = f"({traffic} unless on (source, target) {same})"
    edges = f'label_join({_with_text(different, "source, target")}, "id", " ", "source", "target")'
    return with_queries(panel, [(nodes, ""), (edges, "")], instant=True, rows=True)


def _with_text(traffic: str, labels: str) -> str:
    """Add traffic as the label ``mainstat``, because the panel finds columns by name."""
    gigabits = f'count_values by ({labels}) ("mainstat", round(8 * {traffic} / 1e9, 0.01))'
    return f'label_replace({gigabits}, "mainstat", "$1 Gb/s", "mainstat", "(.+)")'


def _table() -> table.Panel:
    down = f"{OPERATIONAL_UP} == bool 0 unless on ({PORT_KEYS}) {ADMIN_DOWN}"
    ports = f"{PORT_KEYS}, vc_circuit_id"
    circuits = f"count by ({PORT_KEYS}) (group by ({ports}) ({end_of('a')} or {end_of('z')}))"
    used = {way: f"{port_traffic(way)} {NOT_A_MEMBER}" for way in WAYS}
    return rows(
        "POPs",
        "Each point of presence with its ports. Circuits counts VC ends; Speed is the sum of all ports, LAGs "
        "instead of their members.",
        [
            (_by_pop("count", OPERATIONAL_UP), "Ports", "none"),
            (_by_pop("sum", down), "Down", "none"),
            (_by_pop("sum", circuits), "Circuits", "none"),
            (f"8 * {_by_pop('sum', f'{CAPACITY} {NOT_A_MEMBER}')}", "Speed", "bps"),
            (f"8 * {_by_pop('sum', used['receive'])}", "Receive", "bps"),
            (f"8 * {_by_pop('sum', used['transmit'])}", "Transmit", "bps"),
        ],
        {"pop": "POP", "market": "Market"},
        size=(12, 16),
        links=[("POP", "fleet", "var-pop=${__value.text}")],
        colors={"Down": ((None, GREEN), (1, RED))},
        sort=[("Down", True), ("Receive", True)],
        widths={"POP": 90, "Market": 90},
    )


def _map() -> geomap.Panel:
    """Return the POPs in use on a map of the world, which Grafana loads from its provider."""
    places = "pop, city, latitude, longitude"
    info = one(fold(f"packetfabric_pop_info{{{ALL}}}", places), "pop")
    counted = (
        f"sum by (pop) ({_by_pop('count', OPERATIONAL_UP)}) * on (pop) group_left (city, latitude, longitude)"
    )
    panel = with_frame(
        geomap.Panel(),
        "Map of POPs",
        "POPs in use at their coordinates, as polled; the size of a point is the number of ports.",
        "none",
        (24, 12),
    )
    with_queries(panel, [(f"{counted} {info}", "")], instant=True, rows=True)
    numbers = [{"targetField": name, "destinationType": "number"} for name in ("latitude", "longitude")]
    panel.with_transformation(
        model.DataTransformerConfig(id_val="convertFieldType", options={"fields": {}, "conversions": numbers})
    )
    style = {
        "size": {"field": "Value", "min": 6, "max": 24, "fixed": 8},
        "color": {"fixed": BLUE},
        "text": {"field": "pop", "mode": "field", "fixed": ""},
        "textConfig": {"fontSize": 12, "offsetX": 0, "offsetY": 18, "textAlign": "center"},
        "opacity": 0.7,
        "symbol": {"fixed": "img/icons/marker/circle.svg", "mode": "fixed"},
    }
    layer = builders.MapLayerOptions().type("markers").name("POPs").tooltip(True)
    layer.config({"showLegend": False, "style": style})
    source = builders.FrameGeometrySource().mode(common.FrameGeometrySourceMode.COORDS)
    layer.location(source.latitude("latitude").longitude("longitude"))
    panel.layers([layer]).basemap(builders.MapLayerOptions().type("default").name("Map"))
    # Their licences require that the map names its sources.
    panel.controls(geomap.ControlsOptions().show_zoom(True).show_attribution(True).mouse_wheel_zoom(False))
    panel.tooltip(geomap.TooltipOptions().mode(geomap_model.TooltipMode.DETAILS))
    # With "fit", the zoom is the closest one that Grafana chooses.
    return panel.view(geomap.MapViewConfig().id("fit").all_layers(True).zoom(CLOSEST_ZOOM).padding(10))


def build() -> dashboard.Dashboard:
    """Return the dashboard."""
    board = new_dashboard(
        "pops",
        "POPs",
        "Points of presence: their ports, their traffic, and the virtual circuits between them.",
        since="now-24h",
        variables=place(),
    )
    board.with_panel(_matrix())
    board.with_panel(_map())
    board.with_panel(_graph())
    board.with_panel(_table())
    return board
