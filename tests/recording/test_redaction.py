from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pf_exporter.config.accounts import Account
from pf_exporter.config.secrets import Secret
from pf_exporter.errors import EventError
from pf_exporter.packetfabric import sse
from pf_exporter.recording.pseudonyms import Pseudonyms
from pf_exporter.recording.redaction import MAX_DEPTH, Redaction, redaction_for
from pf_exporter.schema import decoder
from pf_exporter.schema.activity_fields import ACTIVITY_FIELDS
from pf_exporter.schema.events import EVENT_NAMES, EVENTS
from pf_exporter.schema.observation import ActivityLogEntry, Observation

KEY = b"the key of these tests"


def frame(name: str, data: object) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def read(stream: bytes) -> list[tuple[str, str]]:
    """The events that the parser of the stream reads."""
    return [(event.event, event.data) for event in sse.read_events([stream], lambda error: None)]


def redacted(document: object, event: str = "port|metrics") -> Any:
    """The data of an event after redaction."""
    [(_, data)] = read(Redaction(KEY).frame(frame(event, document)))
    return json.loads(data)


# Texts that no output can contain by chance: each has a word of letters that no pseudonym has.
NAMED = st.one_of(
    st.sampled_from(
        [
            "User Hank Aaron logged in.",
            "Hank Aaron",
            "hank.aaron@example.com",
            "192.0.2.77",
            "2001:db8::77",
            "PF-AP-LAX1-1234",
            "PF-BC-LAX1-NYC1-5678-PF",
            "CT-LON2-4321",
            "Zürich, Straße 5",
            'quote " and \\ and \n and \u2028',
            "😀 emoji",
            "half \ud83d of a pair",
            "6f1c2c1e-2f0a-4f43-9d0e-0123456789ab",
            "00:1B:44:11:3A:B7",
            "+1 415 555 0123",
        ]
    ),
    st.builds(
        "{}{}{}".format,
        st.text(max_size=20),
        st.sampled_from(
            ["Zoë", "Mr. Quill", "quill@", "10.20.30.", "fe80::", "ÄÖ", "\u202e!", "GHIJ", '{"q']
        ),
        st.text(max_size=20),
    ),
)


# Nine digits at least, so that no other number and no pseudonym holds them by chance.
DIGITS = st.integers(10**8, 10**15 - 1).map(str)
UNDOCUMENTED = ["user", "userid", "phone1", "customerNumber", "message", "notes", "line", "timestamp", "lag"]
SAFE = st.one_of(
    st.none(), st.booleans(), st.integers(-99, 99), st.sampled_from(["info", "auth", "-inf", ""])
)
FIELD = st.sampled_from([*UNDOCUMENTED, "vlan", "rx_drop", "lane_0_rx_dbm"])
ODD_KEY = NAMED.filter(lambda text: not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text))


@st.composite
def planted(draw: st.DrawFn) -> tuple[dict[str, Any], list[str]]:
    """An object of any shape, and every text in it that must not be in the output."""
    plants: list[str] = []

    def plant(text: str) -> str:
        plants.append(text)
        return text

    texts = (NAMED | DIGITS).map(plant)
    keys = FIELD | ODD_KEY.map(plant)
    value = st.recursive(
        texts | SAFE,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
        max_leaves=8,
    )
    # Deeper down no field is documented; at the top the numbers of the table may stay, whatever they are.
    document: dict[str, Any] = draw(
        st.dictionaries(st.sampled_from(UNDOCUMENTED) | ODD_KEY.map(plant), value, max_size=5)
    )
    personal = st.sampled_from(["user", "accounts", "phoneNumbers", "order_id", "10.0.0.1"])
    numbers = st.recursive(
        DIGITS.map(plant).map(int),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(FIELD, inner, max_size=2),
        max_leaves=4,
    )
    document |= draw(st.dictionaries(personal, numbers, max_size=2))
    return document, plants


@settings(max_examples=400)
@given(planted(), st.booleans(), st.sampled_from(["port|metrics", "customer|auth", "new_event"]))
def test_nothing_that_is_planted_survives(
    document: tuple[dict[str, Any], list[str]], ascii_only: bool, name: str
) -> None:
    """No user, address, number, message, circuit or undocumented key is in the output, raw or escaped."""
    data, plants = document
    text = json.dumps(data, ensure_ascii=ascii_only)
    out = Redaction(KEY).frame(f"event: {name}\ndata: {text}\n\n".encode(errors="replace")).decode()
    [(_, kept)] = read(out.encode())
    unescaped = json.dumps(json.loads(kept), ensure_ascii=False)
    for plant in plants:
        assert plant not in out
        assert plant not in unescaped
        assert json.dumps(plant)[1:-1] not in out


@settings(max_examples=300)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode(errors="replace")))
def test_any_bytes_can_be_redacted(block: bytes) -> None:
    """Any frame is redacted without an error, into UTF-8 and into as many events."""
    out = Redaction(KEY).frame(block)
    out.decode()
    assert len(read(out + b"\n\n")) == len(read(block + b"\n\n"))


VALUE = st.one_of(
    st.none(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.sampled_from(["512", " 5 ", "1e3", "+.5", "-Inf", "- inf", "n/a", "", True, [], {}, {"a": 1}]),
    st.integers().map(str),
    st.text(max_size=80),
)
CIRCUIT = st.sampled_from(["PF-AP-LAX1-1234", "PF-AP-ABC-999-PF", "PF-AE-1234", "my port", "é", "CT-77"])
STAMP = st.sampled_from(
    [
        "2021-09-22T20:34:30+00:00",
        "2021-08-06T16:23:12.872013+0000",
        "2022-03-11 10:16:42.9-0700",
        "2020-06-11T19:08:10",
        "yesterday",
        "2021-02-30T00:00:00",
        "",
        None,
        5,
    ]
)


@st.composite
def metric_events(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    event = draw(st.sampled_from([*EVENTS.values()]))
    fields = [f"lane_{lane}_{name[7:]}" for name in event.fields for lane in range(5) if "_N_" in name] or [
        *event.fields
    ]
    document: dict[str, Any] = dict.fromkeys(fields, 1.5)
    document |= draw(st.dictionaries(st.sampled_from(fields), VALUE, max_size=6))
    document |= draw(st.dictionaries(st.text(max_size=12), VALUE, max_size=3))
    document |= {"timestamp": draw(STAMP)}
    for name in event.circuit:
        usable: st.SearchStrategy[Any] = CIRCUIT | st.sampled_from(["", None, 7, "x" * 300, "\ud800", {}])
        vlans = st.sampled_from([None, "", 4, "4", 4.0, "all", "all" * 11, "PF-AP-LAX1-1234"])
        document[name] = draw(vlans if name == "vlan" else usable)
    return event.name, document


def outcome(name: str, data: str) -> object:
    """The decoded event without its names, or the reason of the error."""
    try:
        event = decoder.decode(name, data)
    except EventError as exc:
        return exc.reason
    if isinstance(event, Observation):
        return replace(event, circuit=("",) * len(event.circuit), unknown=("",) * len(event.unknown))
    if isinstance(event, ActivityLogEntry):
        return event._replace(details=dict.fromkeys(event.details, ""))
    return event


def outcomes(stream: bytes) -> list[object]:
    return [outcome(name, data) for name, data in read(stream)]


@settings(max_examples=600)
@given(metric_events())
def test_a_metric_event_decodes_to_the_same_values(event: tuple[str, dict[str, Any]]) -> None:
    """Numbers, timestamps, and everything missing, odd or unknown are the same before and after redaction."""
    name, document = event
    before = frame(name, document)
    after = Redaction(KEY).frame(before)
    assert outcomes(after) == outcomes(before)


@pytest.mark.parametrize("name", EVENT_NAMES)
def test_the_documented_fields_stay(name: str) -> None:
    """Every documented event and field keeps its name, and its number if it has one."""
    event = EVENTS.get(name)
    fields = [*event.fields, *event.ignored] if event else [*ACTIVITY_FIELDS]
    document = {field.replace("_N_", "_0_"): 7 for field in fields}
    [(kept, data)] = read(Redaction(KEY).frame(frame(name, document)))
    assert kept == name
    assert list(json.loads(data)) == list(document)
    if event is not None:
        assert json.loads(data) == document


def test_an_entry_of_the_activity_log() -> None:
    """An entry keeps its time, level and category, but not its user, address or message."""
    document = {
        "log_level": "info",
        "category": "auth",
        "event": "login",
        "ip_address": "192.0.2.1",
        "user": "hank",
        "message": "User Hank Aaron logged in.",
        "timestamp": "2021-08-06T16:23:12.872013+0000",
        "workflow_id": 1234,
    }
    out = redacted(document)
    for field in ("log_level", "category", "timestamp"):
        assert out[field] == document[field]
    for field in ("event", "ip_address", "user", "message"):
        assert re.fullmatch("x[0-9a-f]{12}", out[field])
    assert isinstance(out["workflow_id"], int)
    assert out["workflow_id"] != 1234


PERSONAL = [
    "id",
    "userid",
    "user_id",
    "userIDs",
    "users",
    "customerid",
    "CustomerNumber",
    "accountnumber",
    "phone1",
    "homePhone",
    "e_mail",
    "srcIPv4",
    "IPAddress",
    "lat",
    "message",
    "hank@example.com",
]


@pytest.mark.parametrize("field", PERSONAL)
def test_personal_numbers_become_pseudonyms(field: str) -> None:
    """Numbers and texts under a personal name are replaced, at every depth below it."""
    [out] = redacted({field: 12345678}).values()
    assert re.fullmatch(r"[1-9]\d{8}", str(out))
    below = {"age": 41, "rx_drop": 77, "vlan": "4", "at": "2021-09-22T20:34:30", "hank": [{"level": "info"}]}
    for document in (below, [below], [[{"a": below}]]):
        [out] = redacted({field: document}).values()
        text = json.dumps(out)
        assert [word for word in ("41", "77", '"4"', "2021", "hank", "info") if word in text] == []


def test_quantities_stay() -> None:
    """A number in an undocumented field of a metric event is kept: it may be a new measurement."""
    document = {"vlan": 77, "rx_new": 77, "rx_invalid": 7, "lane_12_rx_dbm": -3.5, "new": {"a": [1, 2]}}
    for event in ("port|metrics", "port|temperature", "vc|latency"):
        assert redacted(document, event) == document


def test_an_entry_of_the_activity_log_has_no_measurements() -> None:
    """Undocumented numbers are replaced in the activity log, and in events whose name is not an API name."""
    document = {"log_level": 6, "vlan": 4, "line": 14155550123, "new": {"a": [14155550123]}}
    for event in ("customer|auth", "customer|new", "", "14155550123", "Hank", "port|metrics\nevent"):
        out = redacted(document, event)
        assert (out["log_level"], out["vlan"]) == (6, 4)
        assert "4155550123" not in json.dumps(out)
        assert isinstance(out["line"], int)
        assert isinstance(out["new"]["a"][0], int)


@pytest.mark.parametrize(
    "text", ["4155550123", "4111111111111111", "+14155550123", " 077 ", "1e9", "-inf", "12.5"]
)
def test_a_text_that_is_a_number_is_kept_in_numeric_fields_only(text: str) -> None:
    """Digits in a text can be a phone number: they are kept only where the exporter reads a number."""
    kept = {"vlan": text, "rx_drop": text, "lane_0_rx_dbm": text, "bytes_rx_total": text}
    assert redacted(kept) == kept
    gone = {"line": text, "rx_new": text, "log_level": text, "timestamp": text, "lane_0_new": text}
    nested = {"new": {"vlan": text}, "rx_drop": [text], "tx_drop": {"rx_drop": text}}
    assert text not in json.dumps(redacted({**gone, **nested}))


def test_numbers_keep_their_spelling() -> None:
    """A number that is kept has the same digits, however large, small or odd."""
    spelt = '{"rx_a": 123456789012345678901234567890, "rx_b": 1.50, "rx_c": 1E-7, "rx_d": -0.0, "rx_e": NaN}'
    [(_, data)] = read(Redaction().frame(f"event: new\ndata: {spelt}\n\n".encode()))
    assert data == spelt


def test_names_that_look_like_ids_are_replaced() -> None:
    """A name is kept if it could be a new field of the API, and not if it can identify something."""
    kept = {"rx_new_2": 1, "lane_7_rx_dbm": 1, "someField": 1}
    gone = {"PF-AP-LAX1-1234": 1, "hank@example.com": 1, "user_12345": 1, "10.0.0.1": 1, "a b": 1, "é": 1}
    gone |= {
        "ip_10_0_0_1": 1,
        "u415_555_012": 1,
        "ab0cdeff": 1,
        "mac_aa1bccddeeff": 1,
        "aa_bb_cc_dd_ee_ff": 1,
    }
    out = redacted({**kept, **gone})
    assert len(out) == len(kept) + len(gone)
    assert {name for name in out if name in kept or name in gone} == set(kept)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("", "not_json"),
        ("Hank Aaron", "not_json"),
        ('"Hank Aaron"', "not_json"),
        ("[1, 2]", "not_json"),
        ('{"user": "Hank', "not_json"),
        ('{"a": 1} trailing', "not_json"),
        ('{"rx_a": 1}', "no_circuit_id"),
    ],
)
def test_what_is_rejected_is_rejected_for_the_same_reason(data: str, reason: str) -> None:
    """Data that is not a JSON object is not one after redaction either, and holds nothing of the original."""
    before = f"event: port|metrics\ndata: {data}\n\n".encode()
    after = Redaction(KEY).frame(before)
    assert outcomes(before) == outcomes(after) == [reason]
    assert b"Hank" not in after


@pytest.mark.parametrize("depth", [MAX_DEPTH - 2, MAX_DEPTH + 5, 500, 100_000])
def test_depth_is_bounded(depth: int) -> None:
    """However deeply data is nested, redaction ends, and the deepest values are dropped."""
    data = '{"user": ' * depth + '"Hank Aaron"' + "}" * depth
    out = Redaction(KEY).frame(f"event: x\ndata: {data}\n\n".encode())
    assert b"Hank" not in out
    assert len(read(out)) == 1
    assert out.count(b"{") <= MAX_DEPTH + 1


def test_accounts_are_numbered_in_their_order() -> None:
    """The redaction of a configuration gives an account the same number in every run."""
    accounts = [Account(name=name, token=Secret("x")) for name in ("west", "east")]
    redaction = redaction_for(accounts)
    assert [redaction.account(name) for name in ("east", "west", "new")] == [
        "account-2",
        "account-1",
        "account-3",
    ]


def test_a_text_has_one_pseudonym() -> None:
    """The same text is replaced by the same pseudonym wherever it is."""
    out = redacted({"a": "Hank", "b": ["Hank"], "user": "Hank"})
    assert {out["a"], out["b"][0], out["user"]} == {Pseudonyms(KEY).text("Hank")}


def test_every_field_of_a_frame() -> None:
    """Comments, IDs, retry times and unknown fields of a frame each have their rule."""
    block = (
        b": heartbeat\n:\n: KeepAlive\n: hello Hank\nid: Hank\nretry: 3000\nretry: Hank\nHank: Hank\nHank\n"
        b"event: Hank Aaron\nevent: customer|Hank Aaron\nevent: new_event|x\nevent\nevent:vc|metrics\n"
        b"event: user_4155550123\nretry: 4155550123\n\n"
    )
    redaction, text = Redaction(KEY), Pseudonyms(KEY).text
    hank, aaron = text("Hank"), text("Hank Aaron")
    assert redaction.frame(block).decode() == (
        f": heartbeat\n:\n: KeepAlive\n: redacted\nid: {hank}\nretry: 3000\nretry: {hank}\n{hank}: {hank}\n"
        f"{hank}\nevent: {aaron}\nevent: customer|{text('customer|Hank Aaron')}\n"
        "event: new_event|x\nevent\nevent: vc|metrics\n"
        f"event: {text('user_4155550123')}\nretry: {text('4155550123')}\n\n"
    )


@pytest.mark.parametrize("newline", [b"\n", b"\r", b"\r\n"], ids=["LF", "CRLF", "CR"])
def test_newlines_data_lines_and_byte_order_mark(newline: bytes) -> None:
    """An event with several data lines, with any newlines, is redacted to the same event."""
    block = b'\xef\xbb\xbfdata: {"vlan":\n: ping\ndata: 4}\nevent: x\n\n'.replace(b"\n", newline)
    out = Redaction(KEY).frame(block)
    assert out == b'\xef\xbb\xbfdata: {"vlan": 4}\n: ping\nevent: x\n\n'
    assert read(out) == [("x", '{"vlan": 4}')]


@pytest.mark.parametrize(
    "block",
    [
        b"event: customer|hank",
        b"event: hank",
        b"retry: 41555",
        b'event: x|y\ndata: {"line": 41555}',
        b'event: x|y\ndata: {"line": 41555}\n',
        b'"user": [\nevent: x|y\ndata: {"rx_drop": "41555"}\ndata: ]',
    ],
)
def test_what_is_cut_short(block: bytes) -> None:
    """A line or event that was cut short is redacted whole: it can be a piece of something else."""
    out = Redaction(KEY).frame(block)
    assert [word for word in (b"hank", b"41555") if word in out] == []


def test_parts_of_a_frame() -> None:
    """The end of a stream, or a piece of a large frame, reveals no more than a whole frame."""
    redaction = Redaction(KEY)
    for part in (b'event: x\ndata: {"user": "Hank Aar', b'on"}\n\n', b"Hank", b": Hank", b"data: {}\nHank"):
        out = redaction.frame(part)
        assert b"Hank" not in out
        assert b"Aar" not in out
        assert out.endswith(b"\n\n") == part.endswith(b"\n\n")


def test_the_examples_of_the_api() -> None:
    """The examples in the API documentation keep their numbers and lose everything personal."""
    for line in (
        (Path(__file__).parents[1] / "fixtures" / "stream-events.jsonl").read_text("utf-8").splitlines()
    ):
        example = json.loads(line)
        before = frame(example["event"], example["data"])
        after = Redaction(KEY).frame(before)
        assert outcomes(after) == outcomes(before)
        assert b"Hank" not in after
