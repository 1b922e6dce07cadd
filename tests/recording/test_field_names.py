from __future__ import annotations

import pytest

from pf_exporter.recording import field_names
from pf_exporter.schema.activity_fields import ACTIVITY_FIELDS
from pf_exporter.schema.events import EVENT_NAMES, EVENTS

FIELDS = [
    name.replace("_N_", "_0_")
    for event in EVENTS.values()
    for name in (*event.fields, *event.ignored, "vlan")
]


def test_documented_names() -> None:
    """Every documented name is recognized, and no numeric field is personal."""
    assert [name for name in EVENT_NAMES if not field_names.is_event(name)] == []
    assert [name for name in (*FIELDS, *ACTIVITY_FIELDS) if not field_names.is_field(name)] == []
    assert [name for name in FIELDS if field_names.is_personal(name)] == []


@pytest.mark.parametrize(
    "name",
    [
        "account",
        "accounting",
        "asn",
        "customerid",
        "deviceUUIDs",
        "e_mail",
        "firstname",
        "homePhone2",
        "IPAddress",
        "IPv4",
        "srcIPv6Addr",
        "phone1",
        "PHONE_NUMBERS",
        "tel",
        "userid",
        "USERID",
        "zip",
    ],
)
def test_personal_names(name: str) -> None:
    """Personal words are found in every form: snake case, camel case, upper case, plural."""
    assert field_names.is_field(name)
    assert field_names.is_personal(name)


@pytest.mark.parametrize(
    "name",
    [
        "rx_new",
        "latency",
        "telemetry",
        "rx_invalid",
        "out_of_spec",
        "packets_65_to_127",
        "discards",
        "zipped",
    ],
)
def test_names_of_measurements(name: str) -> None:
    """Names of measurements that resemble personal words are not personal."""
    assert field_names.is_field(name)
    assert not field_names.is_personal(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "1a",
        "a b",
        "é",
        "a" * 65,
        "ip_10_0_0_1",
        "u_415_555_012",
        "x1234",
        "ab0cdeff",
        "aa_bb_cc_dd_ee_ff",
    ],
)
def test_what_is_not_a_field_name(name: str) -> None:
    """IDs, addresses and texts are not names, even if they have only letters, digits and underscores."""
    assert not field_names.is_field(name)
    assert not field_names.is_generic(name)
