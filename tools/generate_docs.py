"""Writes the parts of the documentation that stand in the code already: ``make docs``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from prometheus_client.metrics_core import Metric

from pf_exporter.config.accounts import ACCOUNT_KEYS, STREAM_KEYS
from pf_exporter.config.accounts import SUBSCRIBABLE_EVENTS as SUBSCRIBABLE
from pf_exporter.config.flags import FLAGS
from pf_exporter.config.settings import SETTINGS
from pf_exporter.metrics.exporter_collector import ExporterCollector
from pf_exporter.metrics.inventory_collector import InventoryCollector
from pf_exporter.metrics.reload_status import of_config, of_web_config
from pf_exporter.metrics.stream_collector import Collector
from pf_exporter.schema.events import ACTIVITY, EVENTS
from pf_exporter.schema.family import FamilySpec
from pf_exporter.state.stats import DISCONNECT_REASONS, REJECT_REASONS, STATES
from pf_exporter.state.store import Store
from tests.matrix import MATRIX

FOLDER = Path(__file__).parents[1] / "docs"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _table(head: str, rows: Iterable[Iterable[str]]) -> str:
    columns = head.split("|")
    lines = [columns, ["---"] * len(columns), *([cell.replace("|", r"\|") for cell in row] for row in rows)]
    return "\n".join([*(f"| {' | '.join(line)} |" for line in lines), ""])


def _section(title: str, head: str, rows: Iterable[Iterable[str]]) -> str:
    return f"## {title}\n\n{_table(head, rows)}"


def configuration() -> str:
    """The reference of everything that can be set: docs/configuration.md."""
    settings = (
        (f"`{row.key}`", _code(row.default), _code(row.kind.metavar), row.kind.unit, row.help)
        for row in SETTINGS
    )
    account = [
        (f"`{key.name}`", _code(key.default), _code(key.kind.metavar), key.help) for key in ACCOUNT_KEYS
    ]
    account.append(("`streams`", "everything", "list", "The streams to subscribe to, see below."))
    stream = ((f"`{key.name}`", key.default, _code(key.kind.metavar), key.help) for key in STREAM_KEYS)
    variables = [(f"`{key.variable}`", f"`{key.name}`") for key in ACCOUNT_KEYS if key.variable]
    names = ((f"`{row.key}`", f"`{row.flag}`", f"`{row.variable}`") for row in SETTINGS)
    events = ((f"`{type_}`", ", ".join(SUBSCRIBABLE[type_])) for type_ in SUBSCRIBABLE)
    return "\n".join(
        (
            _section("Settings", "Key|Default|Value|Unit|Meaning", settings),
            _section("Flags and variables of the settings", "Key|Flag|Variable", names),
            _section("Other flags", "Flag|Meaning", ((f"`{flag}`", help) for flag, help in FLAGS.items())),
            _section("Keys of an account", "Key|Default|Value|Meaning", account),
            _section("Keys of a stream", "Key|Default|Value|Meaning", stream),
            _section("Events of a stream", "Type|Events", events),
            _section("An account in the environment", "Variable|Key of an account", variables),
        )
    )


def _families(families: Iterable[FamilySpec]) -> str:
    return _table(
        "Metric|Type|Field|Meaning",
        (
            (f"`{known.name}`", known.kind, _code(known.source.split(" ")[-1]), known.help)
            for known in families
        ),
    )


def _shown(metric: Metric) -> str:
    """A family's name as it stands on /metrics."""
    return metric.name + "_total" * (metric.type == "counter")


def _described(metrics: Iterable[Metric]) -> str:
    rows = (
        (
            f"`{_shown(metric)}`",
            metric.type,
            ", ".join(f"`{label}`" for label in metric._labelnames),  # type: ignore[attr-defined]
            metric.documentation,
        )
        for metric in metrics
    )
    return _table("Metric|Type|Labels|Meaning", rows)


def _own() -> Iterator[Metric]:
    """Every family that is no event's and no list's."""
    for collector in (ExporterCollector([]), Collector(Store(ttl=1, limit=1)), of_config(), of_web_config()):
        yield from collector.describe()


def metrics() -> str:
    """The catalogue of /metrics: docs/metrics.md."""
    parts: list[str] = []
    for name, event in EVENTS.items():
        first, *_ = event.fields.values()
        labels = ", ".join(f"`{label}`" for label in first.labels)
        parts.append(f"## `{name}`\n\nLabels: {labels}.\n\n{_families(event.fields.values())}\n")
    parts.append("## The activity log (`customer|*`)\n\n")
    parts.append(
        "Labels: `account`, `category`, `log_level`. User, address and message are never labels. "
        "Every category that was subscribed is there from the start, at 0.\n\n"
    )
    parts.append(_families([ACTIVITY]) + "\n")
    parts.append("## Inventory (`/v2/ports`, `/v2/services`)\n\n")
    parts.append(
        "Fetched every `inventory.interval`; how to join it with the numbers: [queries.md](queries.md). "
        "The keys in `inventory.description_tags` are further labels of the `_info` metrics. "
        "`series.limit` bounds the inventory of each account by itself.\n\n"
    )
    parts.append(_described(InventoryCollector([], Store(ttl=1, limit=1)).describe()) + "\n")
    fields = {known.name for event in EVENTS.values() for known in event.fields.values()} | {ACTIVITY.name}
    others = [*_own()]
    parts.append("## Freshness, and the exporter on itself\n\n")
    parts.append(_described(metric for metric in others if _shown(metric) not in fields) + "\n")
    parts.append("`process_*` and `python_*` are those of prometheus_client; ")
    parts.append("`--web.disable-exporter-metrics` leaves them out.\n\n")
    for title, values in (
        ("States of a stream", STATES),
        ("Reasons of disconnects and login failures", DISCONNECT_REASONS),
        ("Reasons of rejected events", REJECT_REASONS),
    ):
        parts.append(f"{title}: {', '.join(f'`{value}`' for value in values)}.\n\n")
    return "".join(parts).rstrip() + "\n"


_PHASES = {
    "connect": "Before a byte is read",
    "login": "Login",
    "subscribe": "Subscription",
    "open": "Opening the stream",
    "stream": "The open stream",
}


def reliability() -> str:
    """The matrix of faults: docs/reliability.md."""
    rows = (
        (
            _PHASES[fault.phase],
            f"the other side {fault.what}",
            f"`{fault.reason}`",
            str(fault.logins),
            str(fault.bundles),
        )
        for fault in MATRIX
    )
    return (
        "## Faults it is tested against\n\n"
        "Each happens once in a test, which then asserts: exactly one stream and one subscription in use, "
        "`packetfabric_up` was 0 meanwhile, no counter fell, the reason was counted once, no thread and no "
        "descriptor is left over. Logins and subscriptions are those it took until a stream was open again, "
        "the first ones included.\n\n" + _table("Where|What happens|Counted as|Logins|Subscriptions", rows)
    )


PAGES = {"configuration.md": configuration, "metrics.md": metrics, "reliability.md": reliability}
"""The pages with a generated part, and what makes it."""

MARK = "<!-- Below this line: made from the code by `make docs`. -->\n\n"


def page(name: str) -> str:
    """A whole page: what a person wrote above the mark, and what the code says below it."""
    written, _, _ = (FOLDER / name).read_text(encoding="utf-8").partition(MARK)
    return written + MARK + PAGES[name]()


if __name__ == "__main__":
    for name in PAGES:
        (FOLDER / name).write_text(page(name), encoding="utf-8")
