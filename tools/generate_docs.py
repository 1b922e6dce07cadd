"""Write the parts of the documentation that are generated from the code: ``make docs``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from prometheus_client.metrics_core import Metric

from pf_exporter.config.account_keys import ACCOUNT_KEYS
from pf_exporter.config.accounts import STREAM_KEYS
from pf_exporter.config.flags import FLAGS
from pf_exporter.config.settings import SETTINGS
from pf_exporter.inventory import POLL_REASONS
from pf_exporter.metrics.exporter_collector import ExporterCollector
from pf_exporter.metrics.inventory_collector import InventoryCollector
from pf_exporter.metrics.metric_family import exposed_name, label_names
from pf_exporter.metrics.recording_collector import RecordingCollector
from pf_exporter.metrics.reload_status import config_reload_status, web_config_reload_status
from pf_exporter.metrics.remote_storage_collector import RemoteStorageCollector
from pf_exporter.metrics.stream_families import describe_stream_families
from pf_exporter.schema import ACTIVITY, EVENTS, POLLED, RESOURCES, SUBSCRIBABLE_EVENTS, FamilySpec
from pf_exporter.state.stats import DISCONNECT_REASONS, REJECT_REASONS, StreamState
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
    """Return the reference of all settings: docs/configuration.md."""
    settings = ((f"`{row.key}`", _code(row.default), _code(row.type.metavar), row.help) for row in SETTINGS)
    account = [
        (f"`{key.name}`", _code(key.default), _code(key.type.metavar), key.help) for key in ACCOUNT_KEYS
    ]
    account.append(("`streams`", "all events", "list", "Events to subscribe to; see Stream keys."))
    stream = ((f"`{key.name}`", key.default, _code(key.type.metavar), key.help) for key in STREAM_KEYS)
    variables = [(f"`{key.variable}`", f"`{key.name}`") for key in ACCOUNT_KEYS if key.variable]
    names = ((f"`{row.key}`", f"`{row.flag}`", f"`{row.variable}`") for row in SETTINGS)
    events = ((f"`{type_}`", ", ".join(SUBSCRIBABLE_EVENTS[type_])) for type_ in SUBSCRIBABLE_EVENTS)
    return "\n".join(
        (
            _section("Settings", "Key|Default|Value|Meaning", settings),
            _section("Flags and environment variables", "Key|Flag|Variable", names),
            _section("Other flags", "Flag|Meaning", ((f"`{flag}`", help) for flag, help in FLAGS.items())),
            _section("Account keys", "Key|Default|Value|Meaning", account),
            _section("Stream keys", "Key|Default|Value|Meaning", stream),
            _section("Stream events", "Type|Events", events),
            _section("Account from environment variables", "Variable|Account key", variables),
        )
    )


def _families(families: Iterable[FamilySpec]) -> str:
    return _table(
        "Metric|Type|Field|Meaning",
        (
            (f"`{family.name}`", family.type, _code(family.source.split(" ")[-1]), family.help)
            for family in families
        ),
    )


def _metric_table(metrics: Iterable[Metric]) -> str:
    rows = (
        (
            f"`{exposed_name(metric)}`",
            metric.type,
            ", ".join(f"`{label}`" for label in label_names(metric)),
            metric.documentation,
        )
        for metric in metrics
    )
    return _table("Metric|Type|Labels|Meaning", rows)


def _exporter_metrics() -> Iterator[Metric]:
    """Yield every family that comes from neither an event nor the inventory."""
    yield from ExporterCollector([]).describe()
    yield from describe_stream_families()
    yield from config_reload_status().describe()
    yield from web_config_reload_status().describe()
    yield from RecordingCollector(None).describe()
    yield from RemoteStorageCollector(()).describe()


def metrics() -> str:
    """Return the catalog of /metrics: docs/metrics.md."""
    parts: list[str] = []
    for name, event in EVENTS.items():
        first, *_ = event.fields.values()
        labels = ", ".join(f"`{label}`" for label in first.labels)
        parts.append(f"## `{name}`\n\nLabels: {labels}.\n\n{_families(event.fields.values())}\n")
    parts.append("## The activity log (`customer|*`)\n\n")
    parts.append(
        "Labels: `account`, `category`, `log_level`. User names, IP addresses and messages are never labels. "
        "Every subscribed category is exported from the start, with value 0.\n\n"
    )
    parts.append(_families([ACTIVITY]) + "\n")
    parts.append("## Polled resources\n\n")
    parts.append(
        "[polling.md](polling.md) lists what is polled, how often and with which setting; "
        "[queries.md](queries.md) shows how to join it with other metrics. Each key in "
        "`inventory.description_tags` adds a label to the `_info` metrics. `series.limit`, or the account's "
        "`series_limit`, applies to the lists of circuits of each account separately.\n\n"
    )
    parts.append(_metric_table(InventoryCollector([], Store(ttl=1, limit=1)).describe()) + "\n")
    fields = {family.name for event in EVENTS.values() for family in event.fields.values()} | {ACTIVITY.name}
    parts.append("## Freshness and exporter metrics\n\n")
    parts.append(
        _metric_table(metric for metric in _exporter_metrics() if exposed_name(metric) not in fields) + "\n"
    )
    parts.append("The `process_*` and `python_*` metrics come from prometheus_client; ")
    parts.append("`--web.disable-exporter-metrics` turns them off.\n\n")
    for title, values in (
        ("Values of `state`", [state.value for state in StreamState]),
        ("Values of `reason` for disconnects and login failures", DISCONNECT_REASONS),
        ("Values of `reason` for polls of the inventory", POLL_REASONS),
        ("Values of `reason` for rejected events", REJECT_REASONS),
    ):
        parts.append(f"{title}: {', '.join(f'`{value}`' for value in values)}.\n\n")
    return "".join(parts).rstrip() + "\n"


_PHASES = {
    "connect": "Before the first byte",
    "login": "Login",
    "subscribe": "Subscription",
    "open": "Stream request",
    "stream": "Open stream",
}


def reliability() -> str:
    """Return the fault matrix: docs/reliability.md."""
    rows = (
        (
            _PHASES[fault.phase],
            f"The server {fault.what}",
            f"`{fault.reason}`",
            str(fault.logins),
            str(fault.subscriptions),
        )
        for fault in MATRIX
    )
    return (
        "## Tested faults\n\n"
        "Each fault happens once in a test. The test then asserts that exactly one stream and one "
        "subscription are in use, that `packetfabric_up` was 0 in the meantime, that no counter decreased, "
        "that the reason was counted once, and that no thread or file descriptor leaked. *Logins* and "
        "*Subscriptions* are the numbers made until a stream is open again, including the first ones.\n\n"
        + _table("Where|What happens|Counted as|Logins|Subscriptions", rows)
    )


def troubleshooting() -> str:
    """Return what each reason means and what to do: docs/troubleshooting.md."""
    parts = [
        _section(
            title, "Reason|Cause|Fix", ((f"`{reason}`", reason.summary, reason.remedy) for reason in values)
        )
        for title, values in (
            ("Reasons", DISCONNECT_REASONS),
            ("Reasons for rejected events", REJECT_REASONS),
        )
    ]
    return "\n".join(parts)


_EVERY = {300.0: "5 min", 900.0: "15 min", 3600.0: "1 h", 21_600.0: "6 h", 86_400.0: "1 day"}


def polling() -> str:
    """Return what is polled, how often and at what cost: docs/polling.md."""
    lists = (
        (
            f"`{resource.name}`",
            f"`{resource.path}`",
            "account, page by page",
            "`inventory.interval`",
            _code(f"inventory.{resource.opt_in_setting}") if resource.opt_in_setting else "on",
            resource.help.partition(";")[0],
        )
        for resource in RESOURCES
    )
    others = (
        (
            f"`{resource.name}`",
            ", ".join(dict.fromkeys(f"`{request.path}`" for request in resource.requests)),
            f"{resource.scope}" + (f", {number} requests" if (number := len(resource.requests)) > 1 else ""),
            _EVERY[resource.period],
            _code(f"inventory.{resource.setting}") if resource.setting else "on",
            resource.title,
        )
        for resource in POLLED
    )
    families = (
        (f"`{resource.name}`", ", ".join(f"`{family.name}`" for family in resource.families))
        for resource in POLLED
        if resource.families
    )
    head = "Resource|Path|Requested for each|Every|Setting|What"
    return (
        _section("What is polled", head, [*lists, *others])
        + "\n"
        + _section("Metrics of each resource", "Resource|Metrics", families)
    )


PAGES = {
    "configuration.md": configuration,
    "metrics.md": metrics,
    "polling.md": polling,
    "reliability.md": reliability,
    "troubleshooting.md": troubleshooting,
}
"""The pages with a generated part, and the function that generates it."""

MARK = "<!-- Generated from the code by `make docs`; edit only above this line. -->\n\n"


def page(name: str) -> str:
    """Return the whole page: the written part above the mark and the generated part below it."""
    written, _, _ = (FOLDER / name).read_text(encoding="utf-8").partition(MARK)
    return written + MARK + PAGES[name]()


if __name__ == "__main__":
    for name in PAGES:
        (FOLDER / name).write_text(page(name), encoding="utf-8")
