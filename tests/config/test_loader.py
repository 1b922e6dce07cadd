"""Load a configuration: precedence, problems of every kind, warnings, and no secret in any of them."""

from __future__ import annotations

import dataclasses
import json
import pickle
from pathlib import Path

import pytest

from pf_exporter.config.accounts import Account
from pf_exporter.config.loader import load
from pf_exporter.config.secrets import Secret, SecretFile
from pf_exporter.config.setting import Setting
from pf_exporter.config.settings import SETTINGS
from pf_exporter.config.tag_keys import reserved_labels
from pf_exporter.errors import ConfigError
from tests.config.helpers import (
    CANARY,
    FIXTURES,
    TOKEN,
    load_text,
    parse_flags,
    placed_problems,
    problems_of,
    traceback_of,
    without_position,
    write_file,
)

REMOTE_WRITE_EXAMPLES: dict[str, tuple[tuple[str, str, str], tuple[object, object, object]]] = {
    "remote_write.name": (("main", "b", "c"),) * 2,
    "remote_write.url": (("http://a/x", "https://b:1/?x=1", "http://c"),) * 2,
    "remote_write.username": (("one", "two", "3"),) * 2,
    "remote_write.password_file": (("/a", "b", "c/d"),) * 2,
    "remote_write.bearer_token_file": (("/a", "b", "c/d"),) * 2,
    "remote_write.headers": (
        ("{X-Scope-OrgID: 'a,b=c', X-B: '1'}", "X-Scope-OrgID=a", "X-A=1\\,2"),
        ((("X-Scope-OrgID", "a,b=c"), ("X-B", "1")), (("X-Scope-OrgID", "a"),), (("X-A", "1,2"),)),
    ),
    "remote_write.header_files": (
        ("{Authorization: /a}", "X-A=/b", "X-B=c"),
        ((("Authorization", "/a"),), (("X-A", "/b"),), (("X-B", "c"),)),
    ),
    "remote_write.ca_file": (("/a", "b", "c/d"),) * 2,
    "remote_write.cert_file": (("/a", "b", "c/d"),) * 2,
    "remote_write.key_file": (("/a", "b", "c/d"),) * 2,
    "remote_write.server_name": (("a.example.com", "b", "c"),) * 2,
    "remote_write.proxy_url": (("http://a:1", "b", "http://c"),) * 2,
    "remote_write.proxy_url_file": (("/a", "b", "c/d"),) * 2,
    "remote_write.queue_bytes": (("1MiB", "2MiB", "1GiB"), (1 << 20, 2 << 20, 1 << 30)),
    "remote_write.spool_path": (("/a", "b", "c/d"),) * 2,
    "remote_write.spool_bytes": (("16MiB", "17MiB", "1GiB"), (16 << 20, 17 << 20, 1 << 30)),
    "remote_write.max_age": (("1m", "3h", "1d"), (60.0, 10_800.0, 86_400.0)),
    "remote_write.job": (("a", "b b", "c"),) * 2,
    "remote_write.instance": (("a:1", "b", "c"),) * 2,
    "remote_write.external_labels": (
        ("{replica: a}", "zone=b", "zone=c,replica=d"),
        ((("replica", "a"),), (("zone", "b"),), (("zone", "c"), ("replica", "d"))),
    ),
    "remote_write.send": (
        ("[stream, own]", "own", "inventory"),
        (("stream", "own"), ("own",), ("inventory",)),
    ),
}

# The value of every setting in the file, the environment and the command line: as text, and parsed.
EXAMPLES: dict[str, tuple[tuple[str, str, str], tuple[object, object, object]]] = {
    "stream.idle_timeout": (("30s", "1m30s", "2h"), (30.0, 90.0, 7200.0)),
    "stream.rotate_after": (("0", "10m", "90s"), (0.0, 600.0, 90.0)),
    "stream.backoff_min": (("2s", "500ms", "250ms"), (2.0, 0.5, 0.25)),
    "stream.backoff_max": (("30s", "40s", "50s"), (30.0, 40.0, 50.0)),
    "series.ttl": (("1d", "1h", "1m"), (86400.0, 3600.0, 60.0)),
    "series.limit": (("1", "20", "300"), (1, 20, 300)),
    "counters.port_errors": (("delta", "cumulative", "delta"), ("delta", "cumulative", "delta")),
    "counters.port_etherstats": (("delta", "cumulative", "delta"), ("delta", "cumulative", "delta")),
    "units.rates": (("bytes", "bits", "bytes"), ("bytes", "bits", "bytes")),
    "inventory.interval": (("1m", "0", "2m"), (60.0, 0.0, 120.0)),
    "inventory.description_tags": (("[env, owner]", "a_1,B", "x"), (("env", "owner"), ("a_1", "B"), ("x",))),
    "inventory.cloud_router_connections": (("true", "false", ""), (True, False, True)),
    "activity.catch_up": (("5m", "0", "1h"), (300.0, 0.0, 3600.0)),
    "inventory.requests_per_minute": (("10", "600", "120"), (10, 600, 120)),
    "inventory.maintenance_timezone": (("Asia/Tokyo", "UTC", "America/New_York"),) * 2,
    "inventory.optics": (("true", "false", ""), (True, False, True)),
    "inventory.bgp_routes": (("true", "false", ""), (True, False, True)),
    "inventory.bgp_log": (("true", "false", ""), (True, False, True)),
    "inventory.cloud_state": (("true", "false", ""), (True, False, True)),
    "inventory.contract": (("true", "false", ""), (True, False, True)),
    "inventory.labels": (("true", "false", ""), (True, False, True)),
    "web.listen_address": (
        ("['127.0.0.1:1', ':2']", "localhost:3,[::1]:4", ":5"),
        (("127.0.0.1:1", ":2"), ("localhost:3", "[::1]:4"), (":5",)),
    ),
    "web.telemetry_path": (("/a", "/b/c", "/d.e"), ("/a", "/b/c", "/d.e")),
    "web.disable_exporter_metrics": (("true", "false", ""), (True, False, True)),
    "web.config_file": (("a.yml", "b/c.yml", "/d.yml"), ("a.yml", "b/c.yml", "/d.yml")),
    "web.max_requests": (("0", "7", "400"), (0, 7, 400)),
    "web.enable_lifecycle": (("true", "false", ""), (True, False, True)),
    "web.systemd_socket": (("true", "false", ""), (True, False, True)),
    "web.event_timestamps": (("true", "false", ""), (True, False, True)),
    "web.open_health": (("true", "false", ""), (True, False, True)),
    "record.file": (("a.gz", "b.gz", "/c.gz"), ("a.gz", "b.gz", "/c.gz")),
    "record.limit": (("1MiB", "1024KiB", "1GiB"), (1048576, 1048576, 1073741824)),
    "record.kept": (("1", "2", "4"), (1, 2, 4)),
    "record.redact": (("false", "true", ""), (False, True, True)),
    "log.level": (("debug", "warn", "error"), ("debug", "warn", "error")),
    "log.activity_fields": (
        ("[user, event]", "category", "event,user"),
        (("user", "event"), ("category",), ("event", "user")),
    ),
    **REMOTE_WRITE_EXAMPLES,
    "log.format": (("json", "logfmt", "json"), ("json", "logfmt", "json")),
}


def flag_of(row: Setting, text: str) -> list[str]:
    """The arguments that set a setting; a boolean flag has no text."""
    return [row.flag, text] if text else [row.flag]


# Valid configurations


def test_full_file() -> None:
    """A file with every section gives exactly these values."""
    config = load(parse_flags("--config.file", str(FIXTURES / "full.good.yml")), {})
    east, lab = config.accounts
    assert east.token == SecretFile(str(FIXTURES / "token"), "anywhere")
    assert east.token.read() == Secret("lab-token")
    assert (east.name, east.on_behalf) == ("east", "11111111-2222-3333-4444-555555555555")
    assert [stream.request() for stream in east.streams] == [
        {
            "type": "port",
            "events": ["metrics", "etherstats", "errors", "optical"],
            "ifds": ["PF-AP-LAX1-1234"],
        },
        {"type": "vc", "vcs": ["PF-BC-MIA-LAS-1234567-PF&PF-AP-LAS1-987654"]},
        {"type": "customer", "events": ["auth", "physical_interface"]},
    ]
    assert lab == Account(
        name="lab",
        api_url="http://127.0.0.1:8080",
        login=Secret("lab-user"),
        password=Secret("lab-password"),
    )
    secret = str(FIXTURES / "token")
    assert config.endpoints == (config.remote_write,)
    assert {row.key: config.value(row.key) for row in SETTINGS} == {
        "stream.idle_timeout": 90.0,
        "stream.rotate_after": 0.0,
        "stream.backoff_min": 0.5,
        "stream.backoff_max": 90.0,
        "series.ttl": 1200.0,
        "series.limit": 1000,
        "counters.port_errors": "delta",
        "counters.port_etherstats": "delta",
        "units.rates": "bytes",
        "inventory.interval": 120.0,
        "inventory.description_tags": ("env", "owner"),
        "inventory.cloud_router_connections": True,
        "activity.catch_up": 300.0,
        "inventory.requests_per_minute": 120,
        "inventory.maintenance_timezone": "America/Los_Angeles",
        "inventory.optics": True,
        "inventory.bgp_routes": True,
        "inventory.bgp_log": True,
        "inventory.cloud_state": True,
        "inventory.contract": True,
        "inventory.labels": True,
        "web.listen_address": (":9000", "[::1]:9001"),
        "web.systemd_socket": True,
        "web.telemetry_path": "/federate/metrics",
        "web.disable_exporter_metrics": True,
        "web.config_file": "web.yml",
        "web.max_requests": 7,
        "web.event_timestamps": True,
        "web.enable_lifecycle": True,
        "web.open_health": True,
        "record.file": "streams.gz",
        "record.limit": 2097152,
        "record.kept": 2,
        "record.redact": False,
        "remote_write.name": "main",
        "remote_write.url": "https://metrics.example.com/api/v1/write?tenant=1",
        "remote_write.username": "exporter",
        "remote_write.password_file": secret,
        "remote_write.bearer_token_file": "",
        "remote_write.headers": (("X-Scope-OrgID", "a,b"),),
        "remote_write.header_files": (("X-Key", secret),),
        "remote_write.ca_file": secret,
        "remote_write.cert_file": secret,
        "remote_write.key_file": secret,
        "remote_write.server_name": "metrics",
        "remote_write.proxy_url": "http://proxy.example.com:3128",
        "remote_write.proxy_url_file": "",
        "remote_write.queue_bytes": 2 << 20,
        "remote_write.spool_path": str(FIXTURES / "spool"),
        "remote_write.spool_bytes": 32 << 20,
        "remote_write.max_age": 3600.0,
        "remote_write.job": "pf",
        "remote_write.instance": "a:1",
        "remote_write.external_labels": (("replica", "a"),),
        "remote_write.send": ("stream", "inventory"),
        "log.level": "debug",
        "log.format": "json",
        "log.activity_fields": ("event", "user"),
    }


@pytest.mark.parametrize("row", SETTINGS, ids=lambda row: row.key)
def test_precedence(row: Setting, tmp_path: Path) -> None:
    """The file, the environment and a flag can set every setting; later sources override earlier ones."""
    (in_file, in_environ, in_flag), (from_file, from_environ, from_flag) = EXAMPLES[row.key]
    section, _, name = row.key.partition(".")
    file = f"{section}: {{{name}: {in_file}}}"
    environ = {**TOKEN, row.variable: in_environ}
    flag = flag_of(row, in_flag)
    assert load_text(tmp_path, "").value(row.key) == row.type.parse(row.default)
    assert load_text(tmp_path, file).value(row.key) == from_file
    assert load_text(tmp_path, file, environ=environ).value(row.key) == from_environ
    assert load_text(tmp_path, file, *flag, environ=environ).value(row.key) == from_flag
    assert load_text(tmp_path, "", *flag).value(row.key) == from_flag


@pytest.mark.parametrize(
    "text", ["inventory: {description_tags: []}", "inventory: {description_tags: ''}", ""]
)
def test_no_tags_by_default(tmp_path: Path, text: str) -> None:
    """A missing and an empty list of tags are the same: no tag becomes a label."""
    assert load_text(tmp_path, text).inventory.description_tags == ()


@pytest.mark.parametrize("text", ["", "# only a comment", "---", "stream:", "accounts:\nweb: null", "\ufeff"])
def test_empty_file(text: str, tmp_path: Path) -> None:
    """An empty file, or one with empty sections, leaves every default in place."""
    assert load_text(tmp_path, text) == load(parse_flags(), TOKEN)


def test_values_are_strings(tmp_path: Path) -> None:
    """Values that YAML would read as a number, a boolean or a base-60 number stay strings."""
    (account,) = load_text(tmp_path, "accounts: [{name: on, token: 0123}]", environ={}).accounts
    assert account == Account(name="on", token=Secret("0123"))
    assert problems_of(tmp_path, "series: {ttl: 1:30}") == [
        "pf.yml: series.ttl: expected a duration with a unit, such as 90s, 10m, 1h30m or 500ms"
    ]


# Problems


PROBLEMS: dict[str, str] = {
    "stream: {idle_timeout: true}": "pf.yml: stream.idle_timeout: expected a duration with a unit,"
    " such as 90s, 10m, 1h30m or 500ms",
    "stream: {idle_timeout: 120}": "pf.yml: stream.idle_timeout: expected a duration with a unit,"
    " such as 90s, 10m, 1h30m or 500ms",
    "record: {limit: 67108864}": "pf.yml: record.limit: expected a size with a unit,"
    " such as 512KiB, 64MiB or 1GiB",
    "record: {limit: 64KiB}": "pf.yml: record.limit: expected a size of at least 1MiB",
    "stream: {rotate_after: 59s}": "pf.yml: stream.rotate_after: expected a duration of at least 1m,"
    " or 0 to disable",
    "stream: {backoff_min: 99ms}": "pf.yml: stream.backoff_min: expected a duration of at least 100ms",
    "stream: {backoff_max: 999ms}": "pf.yml: stream.backoff_max: expected a duration of at least 1s",
    "series: {ttl: 59s}": "pf.yml: series.ttl: expected a duration of at least 1m",
    "web: {max_requests: many}": "pf.yml: web.max_requests: expected an integer from 0 to 999999999",
    "stream: {idle_timeout: 1ms}": "pf.yml: stream.idle_timeout: expected a duration of at least 20s",
    "stream: {rotate_after: 500d}": "pf.yml: stream.rotate_after: expected a duration of at most 365d",
    "inventory: {interval: 59s}": "pf.yml: inventory.interval: expected a duration of at least 1m,"
    " or 0 to disable",
    **{
        f"inventory: {{description_tags: [env, '{key}']}}": "pf.yml: inventory.description_tags: item 2:"
        " expected the name of a label, such as env"
        for key in ("1", "a-b", "__name__", "a b", "é", "x" * 65)
    },
    **{
        f"inventory: {{description_tags: [env, {key}]}}": "pf.yml: inventory.description_tags: expected none"
        f" of the reserved labels {', '.join(sorted(reserved_labels()))}"
        for key in ("account", "pop", "port_circuit_id", "job")
    },
    f"inventory: {{description_tags: [{', '.join(f'k{n}' for n in range(17))}]}}": "pf.yml:"
    " inventory.description_tags: expected at most 16 items",
    "inventory: {description_tags: [[]]}": "pf.yml: inventory.description_tags: expected a string or a list"
    " of strings",
    "stream: {backoff_min: 61s}": "pf.yml: stream.backoff_min: stream.backoff_min is longer than"
    " stream.backoff_max; lower stream.backoff_min or raise stream.backoff_max",
    "stream: {backoff_max: 1s, backoff_min: 2s}": "pf.yml: stream.backoff_min: stream.backoff_min is longer"
    " than stream.backoff_max; lower stream.backoff_min or raise stream.backoff_max",
    "series: {limit: 0}": "pf.yml: series.limit: expected an integer from 1 to 999999999",
    "series: {limit: 1e6}": "pf.yml: series.limit: expected an integer from 1 to 999999999",
    "counters: {port_errors: both}": "pf.yml: counters.port_errors: expected one of cumulative, delta",
    "web: {disable_exporter_metrics: 1}": "pf.yml: web.disable_exporter_metrics: expected true or false",
    "web: {listen_address: []}": "pf.yml: web.listen_address: expected at least one item;"
    " omit the setting to use the default",
    "web: {listen_address: [':1', '1']}": "pf.yml: web.listen_address: item 2: expected HOST:PORT,"
    " [IPV6]:PORT or :PORT, such as 127.0.0.1:10054",
    "web: {listen_address: [':99999', ':1', 'a b:1']}": "pf.yml: web.listen_address:"
    " item 1: expected a port from 0 to 65535;"
    " item 3: expected a host name or an IP address before the port, such as 127.0.0.1:10054",
    "web: {listen_address: ':99999'}": "pf.yml: web.listen_address: expected a port from 0 to 65535",
    **{
        f"web: {{telemetry_path: '{path}'}}": "pf.yml: web.telemetry_path: expected a path such as /metrics,"
        " but not / or /-/…"
        for path in ("/", "/-/healthy", "/-", "metrics", "/a?b", "/{a}", "//", "/../x", "/é")
    },
    "log: {level: verbose}": "pf.yml: log.level: expected one of debug, info, warn, error",
}


@pytest.mark.parametrize(("text", "problem"), PROBLEMS.items(), ids=[text[:60] for text in PROBLEMS])
def test_problem(text: str, problem: str, tmp_path: Path) -> None:
    """A bad file gives exactly one line: where, what, and what to do."""
    environ = {} if "accounts" in text else TOKEN
    assert problems_of(tmp_path, text, environ=environ) == [problem]


def test_all_problems_at_once(tmp_path: Path) -> None:
    """The problems of the file, the environment and the flags are all reported together."""
    found = problems_of(
        tmp_path,
        "log: {level: x, levle: y}\naccounts: [{token: a, name: '?'}]",
        "--series.limit=no",
        environ={"PF_EXPORTER_SERIES_TTL": "long"},
    )
    assert found == [
        "pf.yml: log.level: expected one of debug, info, warn, error",
        "pf.yml: log.levle: unknown key; did you mean level?",
        "pf.yml: accounts[0].name: expected 1 to 64 letters, digits, dots, hyphens or underscores",
        "PF_EXPORTER_SERIES_TTL: expected a duration with a unit, such as 90s, 10m, 1h30m or 500ms",
        "--series.limit: expected an integer from 1 to 999999999",
    ]


def test_overridden_value_is_checked(tmp_path: Path) -> None:
    """A flag does not hide a bad value in the file."""
    assert problems_of(tmp_path, "series: {limit: no}", "--series.limit=5") == [
        "pf.yml: series.limit: expected an integer from 1 to 999999999"
    ]


def test_unreadable_file(tmp_path: Path) -> None:
    """A missing file, a directory, non-UTF-8 text and a large file are one line each."""
    cases: dict[bytes, str] = {
        b"log: \xff": "pf.yml: the file is not UTF-8 text; check --config.file",
        b"#" * (1024 * 1024 + 1): "pf.yml: the file is larger than 1024 KiB; check --config.file",
    }
    for content, problem in cases.items():
        assert problems_of(tmp_path, content) == [problem]
    for path, why in ((tmp_path, "Is a directory"), (tmp_path / "none", "No such file or directory")):
        with pytest.raises(ConfigError) as caught:
            load(parse_flags("--config.file", str(path)), TOKEN)
        assert str(caught.value) == f"{path}: the file cannot be read: {why}; check --config.file"


def test_every_setting_has_an_example() -> None:
    """The examples cover every setting."""
    assert EXAMPLES.keys() == {row.key for row in SETTINGS}


PLACED = """\
stream:
  idle_timout: 30s
  rotate_after: soon
accounts:
  - name: east
    tokn: x
    token: x
    streams:
      - type: port
        ifd: [PF-AP-LAX1-1234]
      - {events: [metrics]}
  - {name: west, api_url: http://a}
"""


def test_position_of_problems(tmp_path: Path) -> None:
    """A problem begins with file, line and column: of its key, or of the mapping where a key is missing."""
    assert placed_problems(tmp_path, PLACED, environ={}) == [
        "pf.yml:2:3: stream.idle_timout: unknown key; did you mean idle_timeout?",
        "pf.yml:3:3: stream.rotate_after: expected a duration with a unit, such as 90s, 10m, 1h30m or 500ms",
        "pf.yml:6:5: accounts[0].tokn: unknown key; did you mean token?",
        "pf.yml:10:9: accounts[0].streams[0].ifd: unknown key; did you mean ifds?",
        "pf.yml:11:9: accounts[0].streams[1].type: missing; set it to one of port, vc, customer",
        "pf.yml:12:5: accounts[1]: has no credentials; set either token (or token_file), or login and"
        " password (or login_file and password_file)",
        "pf.yml:12:18: accounts[1].api_url: http would send the credentials in clear text; use https",
    ]


def test_web_configuration_file(tmp_path: Path) -> None:
    """The problems of the web configuration file follow those of the main file."""
    text = "series: {ttl: no}\nweb: {config_file: web.yml}"
    path = write_file(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(parse_flags("--config.file", path), TOKEN, check_web_config=lambda file: [f"{file}: bad"])
    assert list(map(without_position, caught.value.problems)) == [
        f"{path}: series.ttl: expected a duration with a unit, such as 90s, 10m, 1h30m or 500ms",
        "web.yml: bad",
    ]
    assert load(parse_flags(), TOKEN, check_web_config=lambda file: [f"{file}: bad"]).web.config_file == ""


def test_other_default() -> None:
    """A command can replace the default of a setting; a flag overrides it."""
    defaults = {"web.listen_address": "127.0.0.1:1"}
    assert load(parse_flags(), TOKEN, defaults=defaults).web.listen_address == ("127.0.0.1:1",)
    flags = parse_flags("--web.listen-address=:2")
    assert load(flags, TOKEN, defaults=defaults).web.listen_address == (":2",)


# Warnings


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("PF_TOKN", "PF_TOKEN"),
        ("PF_EXPORTER_TOKEN", "PF_TOKEN"),
        ("PF_EXPORTER_PASSWORD_FILE", "PF_PASSWORD_FILE"),
        ("PF_LOGIN", "PF_USER"),
        ("PF_API_URL", "PF_HOST"),
        ("PF_EXPORTER_CONFIG_FIL", "PF_EXPORTER_CONFIG_FILE"),
        ("PF_EXPORTER_LOG_LEVL", "PF_EXPORTER_LOG_LEVEL"),
        ("PF_ACCOUNT_ID", None),
        ("PF_EXPORTER_SERVICE_HOST", None),
        ("PF_EXPORTER_PORT", None),
    ],
)
def test_unknown_variable(name: str, meant: str | None) -> None:
    """A variable that resembles one of the exporter's is a warning with a suggestion; others are ignored."""
    warning = f"{name}: unknown variable; did you mean {meant}?"
    assert load(parse_flags(), {**TOKEN, name: "x"}).warnings == ((warning,) if meant else ())


def test_a_misspelt_variable_explains_a_problem() -> None:
    """Without an account, the error names the misspelt variable as well, because it is often the cause."""
    with pytest.raises(ConfigError, match="PF_TOKEN_FIL: unknown variable; did you mean PF_TOKEN_FILE"):
        load(parse_flags(), {"PF_TOKEN_FIL": "x"})


def test_warnings(tmp_path: Path) -> None:
    """An unused account, a misspelt variable and world-readable files are warnings, not problems."""
    (tmp_path / "token").write_text("t\n")
    (tmp_path / "token").chmod(0o644)
    path = write_file(tmp_path, "accounts: [{name: a, token: x}, {name: b, token_file: token}]", mode=0o644)
    environ = {
        **TOKEN,
        "PF_EXPORTER_STREAM_IDLE_TIMOUT": "5s",
        "PF_EXPORTER_SERVICE_HOST": "10.0.0.1",
        "PF_EXPORTER_PORT_10054_TCP_ADDR": "10.0.0.1",
    }
    assert load(parse_flags("--config.file", path), environ).warnings == (
        "PF_EXPORTER_STREAM_IDLE_TIMOUT: unknown variable; did you mean PF_EXPORTER_STREAM_IDLE_TIMEOUT?",
        f"PF_TOKEN: ignored, because {path} lists accounts",
        f"{path}:1:12: accounts[0]: the file contains a secret and is world-readable; run chmod o-r on it",
        f"{path}:1:43: accounts[1].token_file: the file is world-readable; run chmod o-r on it",
    )


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o440, 0o640])
def test_no_warnings(tmp_path: Path, mode: int) -> None:
    """A secret that its owner or group may read, and a world-readable file without a secret, are fine."""
    (tmp_path / "token").write_text("t\n")
    (tmp_path / "token").chmod(mode)
    path = write_file(tmp_path, "accounts: [{token_file: token}]", mode=0o644)
    assert load(parse_flags("--config.file", path), {}).warnings == ()
    assert load_text(tmp_path, "accounts: [{token: x}]", environ={}).warnings == ()


# Secrets


def test_configuration_without_secrets(tmp_path: Path) -> None:
    """The text, the pickle and the JSON of a configuration contain no secret."""
    (tmp_path / "s").write_text(CANARY)
    text = f"""accounts:
      - {{name: a, token: {CANARY}}}
      - {{name: b, login: {CANARY}, password: {CANARY}}}
      - {{name: c, login_file: s, password_file: s}}"""
    config = load_text(tmp_path, text)
    as_json = json.dumps(dataclasses.asdict(config))
    for shown in (repr(config), str(config), as_json, pickle.dumps(config).decode("latin-1")):
        assert "accounts" in shown
        assert CANARY not in shown


MISPLACED_SECRETS = [
    f"accounts: [{{token: {CANARY}, tokn: {CANARY}}}]",
    f"accounts: [{{token:{CANARY}}}]",
    f"accounts: [{{password: {CANARY}}}]",
    f"accounts: [{{token_file: {CANARY}}}]",
    f"accounts: [{{token: x, api_url: 'https://user:{CANARY}@a.net'}}]",
    f"accounts: [{{token: x, name: '{CANARY}?', on_behalf: {CANARY}, ca_file: {CANARY}}}]",
    f"accounts: [{{token: [{CANARY}]}}]",
    f"accounts: [{{token: !vault {CANARY}}}]",
    f"accounts: [{{token: &{CANARY} x}}]",
    f"accounts: [{{token: *{CANARY}}}]",
    f"accounts: [{{token: !{CANARY}!x y}}]",
    f'accounts: [{{token: "{CANARY}\\n x"}}]',
    f'accounts: [{{token: "{CANARY}}}]',
    f"accounts:\n  token: {CANARY}\n : {CANARY}",
    f"accounts: [{CANARY}]",
    f"accounts: {CANARY}",
    f"accounts: [{{token: x, streams: [{{type: {CANARY}, events: {CANARY}}}, {CANARY}]}}]",
    f"token: {CANARY}",
    f"token: {CANARY}\ntoken: {CANARY}",
    f"token: {CANARY}\x07",
    *(f"{row.key.replace('.', ': {')}: '{CANARY}?'}}" for row in SETTINGS),
]


@pytest.mark.parametrize("text", MISPLACED_SECRETS)
def test_problems_show_no_secret(text: str, tmp_path: Path) -> None:
    """A misplaced secret is neither in the message nor in a traceback with local variables."""
    environ = {"PF_PASSWORD": CANARY, "PF_TOKEN": CANARY, **{row.variable: f"{CANARY}?" for row in SETTINGS}}
    for variables in ({}, environ):
        arguments = parse_flags("--config.file", write_file(tmp_path, text))
        with pytest.raises(ConfigError) as caught:
            load(arguments, variables)
        assert CANARY not in traceback_of(caught.value)
