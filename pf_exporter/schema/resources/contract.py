"""The contract: ends of terms, and flex bandwidth. Rates and prices are never read."""

from __future__ import annotations

from typing import Any

from pf_exporter.schema.family import gauge
from pf_exporter.schema.parsers import parse_megabits
from pf_exporter.schema.polled_resource import (
    HOUR,
    PolledRequest,
    PolledResource,
    ReadContext,
    Reading,
    Sample,
    Scope,
    rows,
    text,
)
from pf_exporter.schema.timestamps import parse_timestamp
from pf_exporter.schema.values import is_id

_ORDERS_PATH = "/v2/billing/services/{id}"
_FLEX_PATH = "/v2/flex-bandwidth"

TERM_END = gauge(
    "circuit_term_end_timestamp_seconds",
    "When the term of the circuit's order ends; the latest one if it has several orders",
    ("circuit_id",),
    f"{_ORDERS_PATH.format(id='{account_uuid}')} end_date",
)
FLEX_CAPACITY = gauge(
    "flex_bandwidth_capacity_bytes_per_second",
    "Capacity of the flex bandwidth; the API gives Mbps",
    ("flex_bandwidth_id",),
    f"{_FLEX_PATH} capacity_mbps",
)
FLEX_USED = gauge(
    "flex_bandwidth_used_bytes_per_second",
    "Capacity of the flex bandwidth that is assigned to virtual circuits; the API gives Mbps",
    ("flex_bandwidth_id",),
    f"{_FLEX_PATH} used_capacity_mbps",
)


def _read_orders(body: Any, context: ReadContext) -> Reading:
    ends: dict[str, float] = {}
    rejected: list[str] = []
    for item in rows(body):
        circuit = item.get("circuit_id")
        end, unusable = parse_timestamp(item.get("end_date") or None)
        if unusable:
            rejected.append("end_date")
        if is_id(circuit) and end is not None:
            ends[circuit] = max(end, ends.get(circuit, end))
    samples = tuple(Sample(TERM_END.name, (circuit,), end) for circuit, end in ends.items())
    return Reading(samples, rejected=tuple(rejected))


def _read_flex(body: Any, context: ReadContext) -> Reading:
    found: dict[tuple[str, str], Sample] = {}
    rejected: list[str] = []
    for item in rows(body):
        flex_id = text(item, "flex_bandwidth_id") or text(item, "aggregate_capacity_id")
        for family, field in ((FLEX_CAPACITY, "capacity_mbps"), (FLEX_USED, "used_capacity_mbps")):
            raw = item.get(field)
            if raw is None or not flex_id:
                continue
            try:
                found[family.name, flex_id] = Sample(family.name, (flex_id,), parse_megabits(raw))
            except (ValueError, OverflowError):
                rejected.append(field)
    return Reading(tuple(found.values()), rejected=tuple(rejected))


ORDERS = PolledResource(
    name="contract",
    title="Contract end dates",
    requests=(PolledRequest(_ORDERS_PATH),),
    period=6 * HOUR,
    read=_read_orders,
    families=(TERM_END,),
    scope=Scope.BILLING_ACCOUNT,
    setting="contract",
)
FLEX_BANDWIDTH = PolledResource(
    name="flex_bandwidth",
    title="Flex bandwidth and its use",
    requests=(PolledRequest(_FLEX_PATH),),
    period=HOUR,
    read=_read_flex,
    families=(FLEX_CAPACITY, FLEX_USED),
    setting="contract",
)
