"""The configuration: what is accepted, what is refused with which words, and that no secret ever shows."""

from __future__ import annotations

import argparse
import copy
import dataclasses
import json
import os
import pickle
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pf_exporter.config.accounts import Account, StreamFilter
from pf_exporter.config.flags import add_flags
from pf_exporter.config.loader import load
from pf_exporter.config.secrets import Secret, SecretFile
from pf_exporter.config.setting import Setting
from pf_exporter.config.settings import RESERVED_LABELS, SECTIONS, SETTINGS, Config
from pf_exporter.config.types import duration
from pf_exporter.errors import ConfigError
from pf_exporter.schema.events import SUBSCRIBABLE_EVENTS

FIXTURES = Path(__file__).parents[1] / "fixtures" / "config"
CANARY = "c4nary-5ecret"
TOKEN = {"PF_TOKEN": CANARY}

# For every setting a good value for the file, the environment and the command line, and what becomes of each.
EXAMPLES: dict[str, tuple[tuple[str, str, str], tuple[object, object, object]]] = {
    "stream.idle_timeout": (("30", "1m30s", "2h"), (30.0, 90.0, 7200.0)),
    "stream.rotate_after": (("0", "10m", "90s"), (0.0, 600.0, 90.0)),
    "stream.backoff_min": (("2s", "500ms", "0.25"), (2.0, 0.5, 0.25)),
    "stream.backoff_max": (("30s", "40s", "50s"), (30.0, 40.0, 50.0)),
    "series.ttl": (("1d", "1h", "1m"), (86400.0, 3600.0, 60.0)),
    "series.limit": (("1", "20", "300"), (1, 20, 300)),
    "counters.port_errors": (("delta", "cumulative", "delta"), ("delta", "cumulative", "delta")),
    "counters.port_etherstats": (("delta", "cumulative", "delta"), ("delta", "cumulative", "delta")),
    "inventory.interval": (("1m", "0", "2m"), (60.0, 0.0, 120.0)),
    "inventory.description_tags": (("[env, owner]", "a_1,B", "x"), (("env", "owner"), ("a_1", "B"), ("x",))),
    "inventory.cloud_router_connections": (("true", "false", ""), (True, False, True)),
    "web.listen_address": (
        ("['127.0.0.1:1', ':2']", "localhost:3,[::1]:4", ":5"),
        (("127.0.0.1:1", ":2"), ("localhost:3", "[::1]:4"), (":5",)),
    ),
    "web.telemetry_path": (("/a", "/b/c", "/d.e"), ("/a", "/b/c", "/d.e")),
    "web.disable_exporter_metrics": (("true", "false", ""), (True, False, True)),
    "web.config_file": (("a.yml", "b/c.yml", "/d.yml"), ("a.yml", "b/c.yml", "/d.yml")),
    "web.max_requests": (("0", "7", "400"), (0, 7, 400)),
    "web.enable_lifecycle": (("true", "false", ""), (True, False, True)),
    "web.open_health": (("true", "false", ""), (True, False, True)),
    "record.file": (("a.gz", "b.gz", "/c.gz"), ("a.gz", "b.gz", "/c.gz")),
    "record.limit": (("1000", "2000", "3000"), (1000, 2000, 3000)),
    "record.kept": (("1", "2", "4"), (1, 2, 4)),
    "record.redact": (("false", "true", ""), (False, True, True)),
    "log.level": (("debug", "warn", "error"), ("debug", "warn", "error")),
    "log.activity_fields": (
        ("[user, event]", "category", "event,user"),
        (("user", "event"), ("category",), ("event", "user")),
    ),
    "log.format": (("json", "logfmt", "json"), ("json", "logfmt", "json")),
}


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_flags(parser)
    return parser.parse_args(arguments)


def written(folder: Path, text: str | bytes, *, mode: int = 0o600) -> str:
    path = folder / "pf.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return str(path)


def loaded(folder: Path, text: str | bytes, *flags: str, environ: Mapping[str, str] = TOKEN) -> Config:
    return load(parsed("--config.file", written(folder, text), *flags), environ)


def problems(folder: Path, text: str | bytes, *flags: str, environ: Mapping[str, str] = TOKEN) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, text, *flags, environ=environ)
    assert all("\n" not in problem for problem in caught.value.problems)
    return [problem.replace(f"{folder}{os.sep}", "") for problem in caught.value.problems]


def setting(config: Config, key: str) -> Any:
    section, _, name = key.partition(".")
    return getattr(getattr(config, section), name)


def flag_of(row: Setting, text: str) -> list[str]:
    return [row.flag, text] if text else [row.flag]


# What is accepted


def test_a_full_file() -> None:
    """A file that uses every section gives exactly these values."""
    config = load(parsed("--config.file", str(FIXTURES / "full.good.yml")), {})
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
    assert {row.key: setting(config, row.key) for row in SETTINGS} == {
        "stream.idle_timeout": 90.0,
        "stream.rotate_after": 0.0,
        "stream.backoff_min": 0.5,
        "stream.backoff_max": 90.0,
        "series.ttl": 1200.0,
        "series.limit": 1000,
        "counters.port_errors": "delta",
        "counters.port_etherstats": "delta",
        "inventory.interval": 120.0,
        "inventory.description_tags": ("env", "owner"),
        "inventory.cloud_router_connections": True,
        "web.listen_address": (":9000", "[::1]:9001"),
        "web.telemetry_path": "/federate/metrics",
        "web.disable_exporter_metrics": True,
        "web.config_file": "web.yml",
        "web.max_requests": 7,
        "web.enable_lifecycle": True,
        "web.open_health": True,
        "record.file": "streams.gz",
        "record.limit": 1000000,
        "record.kept": 2,
        "record.redact": False,
        "log.level": "debug",
        "log.format": "json",
        "log.activity_fields": ("event", "user"),
    }


def test_an_account_from_the_environment_alone() -> None:
    """PF_TOKEN is all it takes: no file, every default, every stream without filters."""
    config = load(parsed(), TOKEN)
    assert config == Config(accounts=(Account(token=Secret(CANARY)),))
    assert [stream.request() for stream in config.accounts[0].streams] == [
        {"type": "port"},
        {"type": "vc"},
        {"type": "customer"},
    ]


def test_user_password_host_and_customer_from_the_environment(tmp_path: Path) -> None:
    """PacketFabric's other variables and their _FILE forms work, and a bare host is spoken to over TLS."""
    (tmp_path / "password").write_text("pw\n")
    (tmp_path / "password").chmod(0o600)
    environ = {
        "PF_USER": "me",
        "PF_PASSWORD_FILE": str(tmp_path / "password"),
        "PF_HOST": "api.example.net",
        "PF_ON_BEHALF": "11111111-2222-3333-4444-555555555555",
        "PF_TOKEN": "",
    }
    (account,) = load(parsed(), environ).accounts
    assert account.login is not None
    assert account.password is not None
    assert (account.login.read(), account.password.read()) == (Secret("me"), Secret("pw"))
    assert account.api_url == "https://api.example.net"
    assert account.on_behalf == environ["PF_ON_BEHALF"]
    assert account.token is None


@pytest.mark.parametrize("row", SETTINGS, ids=lambda row: row.key)
def test_precedence(row: Setting, tmp_path: Path) -> None:
    """Every setting can be given in all three ways, and default < file < environment < flag."""
    (in_file, in_environ, in_flag), (from_file, from_environ, from_flag) = EXAMPLES[row.key]
    section, _, name = row.key.partition(".")
    file = f"{section}: {{{name}: {in_file}}}"
    environ = {**TOKEN, row.variable: in_environ}
    flag = flag_of(row, in_flag)
    assert setting(loaded(tmp_path, ""), row.key) == row.type.parse(row.default)
    assert setting(loaded(tmp_path, file), row.key) == from_file
    assert setting(loaded(tmp_path, file, environ=environ), row.key) == from_environ
    assert setting(loaded(tmp_path, file, *flag, environ=environ), row.key) == from_flag
    assert setting(loaded(tmp_path, "", *flag), row.key) == from_flag


def test_defaults_are_those_of_the_dataclasses() -> None:
    """A section built by hand without arguments has the documented defaults."""
    for name, cls in SECTIONS.items():
        for row in dataclasses.fields(cls):
            (found,) = (each for each in SETTINGS if each.key == f"{name}.{row.name}")
            assert getattr(cls(), row.name) == found.type.parse(found.default)


@pytest.mark.parametrize(
    "text", ["inventory: {description_tags: []}", "inventory: {description_tags: ''}", ""]
)
def test_no_tags_by_default(tmp_path: Path, text: str) -> None:
    """No list of tags, and an empty one, are the same: no tag becomes a label."""
    assert loaded(tmp_path, text).inventory.description_tags == ()


def test_a_boolean_flag_can_be_taken_back(tmp_path: Path) -> None:
    """--no-… on the command line is stronger than true in the file."""
    config = loaded(tmp_path, "web: {disable_exporter_metrics: true}", "--no-web.disable-exporter-metrics")
    assert config.web.disable_exporter_metrics is False


def test_a_repeated_flag_is_a_list() -> None:
    """Every --web.listen-address counts, and together they replace the default."""
    flags = ("--web.listen-address", ":1", "--web.listen-address", "[::]:2")
    assert load(parsed(*flags), TOKEN).web.listen_address == (":1", "[::]:2")


@pytest.mark.parametrize("text", ["", "# only a comment", "---", "stream:", "accounts:\nweb: null", "\ufeff"])
def test_an_empty_file_is_no_file(text: str, tmp_path: Path) -> None:
    """Nothing, or sections with nothing in them, leave every default in place."""
    assert loaded(tmp_path, text) == load(parsed(), TOKEN)


def test_values_are_text_whatever_yaml_would_make_of_them(tmp_path: Path) -> None:
    """A token of digits, a name that YAML reads as a boolean and the base-60 trap keep their text."""
    (account,) = loaded(tmp_path, "accounts: [{name: on, token: 0123}]", environ={}).accounts
    assert account == Account(name="on", token=Secret("0123"))
    assert problems(tmp_path, "series: {ttl: 1:30}") == [
        "pf.yml: series.ttl: expected a duration, such as 90s, 10m, 1h30m or 500ms"
    ]


@pytest.mark.parametrize("kind", SUBSCRIBABLE_EVENTS)
def test_every_documented_event_can_be_asked_for(kind: str, tmp_path: Path) -> None:
    """Each type takes all its events, and the request names them as they were given."""
    events = ", ".join(SUBSCRIBABLE_EVENTS[kind])
    text = f"accounts: [{{token: x, streams: [{{type: {kind}, events: [{events}]}}]}}]"
    (account,) = loaded(tmp_path, text, environ={}).accounts
    assert account.streams == (StreamFilter(kind, tuple(SUBSCRIBABLE_EVENTS[kind])),)
    assert account.streams[0].request() == {"type": kind, "events": list(SUBSCRIBABLE_EVENTS[kind])}


def test_a_ca_file_beside_the_configuration(tmp_path: Path) -> None:
    """A relative path starts at the folder of the file that names it."""
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    (account,) = loaded(tmp_path, "accounts: [{token: x, ca_file: ca.pem}]", environ={}).accounts
    assert account.ca_file == str(tmp_path / "ca.pem")


# What is refused

ACCOUNT = "accounts: [{token: x, %s}]"
ONE_STREAM = "accounts: [{token: x, streams: [%s]}]"
WAYS = "give either token or token_file, or login or login_file together with password or password_file"
URL = "pf.yml: accounts[0].api_url: expected a URL"
CUSTOMER = ", ".join(SUBSCRIBABLE_EVENTS["customer"])

BAD: dict[str, str] = {
    # Shape
    "[]": "pf.yml: expected a mapping with any of accounts, stream, series, counters, inventory, web, record,"
    " log",
    "stream: 5": "pf.yml: stream: expected a mapping with any of"
    " idle_timeout, rotate_after, backoff_min, backoff_max",
    "series: {ttl: [1s]}": "pf.yml: series.ttl: expected a string",
    "web: {listen_address: [a: b]}": "pf.yml: web.listen_address: expected a string or a list of strings",
    "accounts: {name: x}": "pf.yml: accounts: expected a list of accounts",
    "strem: {}": "pf.yml: strem: unknown key; did you mean stream?",
    "stream: {idle_timout: 5s}": "pf.yml: stream.idle_timout: unknown key; did you mean idle_timeout?",
    "series: {xyz: 5s}": "pf.yml: series.xyz: unknown key; expected one of ttl, limit",
    "series: {ttl:5s}": "pf.yml: series.(not a name): unknown key; did you mean ttl?",
    "series: {ttl: 5s, ttl: 6s}": "pf.yml:1:19: duplicate key ttl; keep only one",
    "log: {}\nlog: {}": "pf.yml:2:1: duplicate key log; keep only one",
    "? [a]\n: b": "pf.yml:1:3: expected a string as key",
    # YAML
    "log: {level": "pf.yml:1:12: invalid YAML from here on; check for a missing quote, colon or space",
    "a: b: c": "pf.yml:1:5: invalid YAML from here on; check for a missing quote, colon or space",
    "log: {}\n--- \nweb: {}": "pf.yml:2:1: a second YAML document; keep only one",
    "log: &x {}": "pf.yml:1:6: anchors and aliases (& and *) are not allowed; repeat the value, or quote it",
    "log: *x": "pf.yml:1:6: anchors and aliases (& and *) are not allowed; repeat the value, or quote it",
    "log: !!python/object:os.system {}": "pf.yml:1:6: tags (!) are not allowed; quote the value if it is a string",
    "log: {}\n\x07": "pf.yml:2: a character that YAML does not allow; remove it",
    'log: "\\UFFFFFFFF"': "pf.yml: invalid YAML from here on; check for a missing quote, colon or space",
    "log: " + "[" * 5000: "pf.yml:1:15: nested more than 10 levels deep; no setting is",
    # Settings
    "stream: {idle_timeout: true}": "pf.yml: stream.idle_timeout: expected a duration,"
    " such as 90s, 10m, 1h30m or 500ms",
    "stream: {idle_timeout: 0}": "pf.yml: stream.idle_timeout: expected a duration of at least 1ms",
    "stream: {rotate_after: 500d}": "pf.yml: stream.rotate_after: expected a duration of at most 365d",
    "inventory: {interval: 59s}": "pf.yml: inventory.interval: expected a duration of at least 60s,"
    " or 0 to disable",
    **{
        f"inventory: {{description_tags: [env, '{key}']}}": "pf.yml: inventory.description_tags: item 2:"
        " expected the name of a label, such as env"
        for key in ("1", "a-b", "__name__", "a b", "é", "x" * 65)
    },
    **{
        f"inventory: {{description_tags: [env, {key}]}}": "pf.yml: inventory.description_tags: expected none"
        f" of the reserved labels {', '.join(sorted(RESERVED_LABELS))}"
        for key in ("account", "pop", "port_circuit_id", "job")
    },
    f"inventory: {{description_tags: [{', '.join(f'k{n}' for n in range(17))}]}}": "pf.yml:"
    " inventory.description_tags: expected at most 16 items",
    "inventory: {description_tags: [[]]}": "pf.yml: inventory.description_tags: expected a string or a list"
    " of strings",
    "stream: {backoff_min: 61s}": "pf.yml: stream.backoff_min: stream.backoff_min is longer than"
    " stream.backoff_max; lower stream.backoff_min or raise stream.backoff_max",
    "stream: {backoff_max: 1ms}": "pf.yml: stream.backoff_max: stream.backoff_min is longer than"
    " stream.backoff_max; lower stream.backoff_min or raise stream.backoff_max",
    "series: {limit: 0}": "pf.yml: series.limit: expected an integer from 1 to 999999999",
    "series: {limit: 1e6}": "pf.yml: series.limit: expected an integer from 1 to 999999999",
    "counters: {port_errors: both}": "pf.yml: counters.port_errors: expected one of cumulative, delta",
    "web: {disable_exporter_metrics: 1}": "pf.yml: web.disable_exporter_metrics: expected true or false",
    "web: {listen_address: []}": "pf.yml: web.listen_address: expected at least one item;"
    " omit the setting to use the default",
    "web: {listen_address: [':1', '1']}": "pf.yml: web.listen_address: item 2: expected HOST:PORT,"
    " [IPV6]:PORT or :PORT",
    **{
        f"web: {{telemetry_path: '{path}'}}": "pf.yml: web.telemetry_path: expected a path such as /metrics,"
        " but not / or /-/…"
        for path in ("/", "/-/healthy", "/-", "metrics", "/a?b", "/{a}", "//", "/../x", "/é")
    },
    "log: {level: INFO}": "pf.yml: log.level: expected one of debug, info, warn, error",
    # Accounts
    "accounts: [{tokn: a}]": "pf.yml: accounts[0].tokn: unknown key; did you mean token?",
    "accounts: [{}]": f"pf.yml: accounts[0]: has no credentials; {WAYS}",
    "accounts: [{login: a}]": f"pf.yml: accounts[0]: has login; {WAYS}",
    "accounts: [{token: a, password: b}]": f"pf.yml: accounts[0]: has token and password; {WAYS}",
    "accounts: [{token: a}, {token: b}]": "pf.yml: accounts[1].name: duplicate account name;"
    " give each account its own name",
    "accounts: [a]": "pf.yml: accounts[0]: expected a mapping with any of name, api_url, token, token_file,"
    " login, login_file, password, password_file, on_behalf, ca_file, streams",
    'accounts: [{token: "a\\tb"}]': "pf.yml: accounts[0].token: the secret contains a line break or another"
    " control character; use a single line",
    "accounts: [{token: ''}]": "pf.yml: accounts[0].token: the secret is empty",
    ACCOUNT
    % "name: a b": "pf.yml: accounts[0].name: expected 1 to 64 letters, digits, dots, hyphens or underscores",
    ACCOUNT % "on_behalf: me": "pf.yml: accounts[0].on_behalf: expected a UUID",
    ACCOUNT
    % "ca_file: none.pem": "pf.yml: accounts[0].ca_file: the file cannot be read: No such file or directory",
    ACCOUNT % "ca_file: pf.yml": "pf.yml: accounts[0].ca_file: the file contains no certificate in PEM form",
    ACCOUNT
    % "api_url: 'http://api.example.net'": "pf.yml: accounts[0].api_url: http would send the credentials"
    " in clear text; use https",
    ACCOUNT % "api_url: 'http://localhost.evil.net'": "pf.yml: accounts[0].api_url: http would send the"
    " credentials in clear text; use https",
    **{
        ACCOUNT % f"api_url: '{url}'": f"{URL} without user, password, query or fragment"
        for url in ("https://u:p@a.net", "https://a.net/?b", "https://a.net#b", "https://a.net\\b@c")
    },
    **{
        ACCOUNT % f"api_url: '{url}'": f"{URL}, such as https://api.packetfabric.com"
        for url in (
            "ftp://a.net",
            "https://",
            "https://a b",
            "https://a:99999",
            "https://[x]",
            "https://:1",
            "https://é",
            "",
        )
    },
    # Streams
    ACCOUNT
    % "streams: []": "pf.yml: accounts[0].streams: expected a list; omit the key to subscribe to everything",
    ONE_STREAM % "{}": "pf.yml: accounts[0].streams[0].type: missing; set it to one of port, vc, customer",
    ONE_STREAM % "{type: ports}": "pf.yml: accounts[0].streams[0].type: expected one of port, vc, customer",
    ONE_STREAM % "{type: vc, ifd: a}": "pf.yml: accounts[0].streams[0].ifd: unknown key; did you mean ifds?",
    ONE_STREAM % "{type: vc, events: [optical]}": "pf.yml: accounts[0].streams[0].events:"
    " type vc supports only metrics",
    ONE_STREAM % "{type: customer, events: [billing]}": "pf.yml: accounts[0].streams[0].events:"
    f" type customer supports only {CUSTOMER}",
    ONE_STREAM
    % "{type: customer, ifds: [a]}": "pf.yml: accounts[0].streams[0].ifds: valid only with type port;"
    " remove it",
    ONE_STREAM % "{type: port, vcs: [a&b]}": "pf.yml: accounts[0].streams[0].vcs: valid only with type vc;"
    " remove it",
    **{
        ONE_STREAM
        % f"{{type: vc, vcs: ['{pair}']}}": "pf.yml: accounts[0].streams[0].vcs: item 1: expected the circuit"
        " IDs of a VC and of a port, joined by &"
        for pair in ("a", "a&", "&b", "a&b&c", "a & b")
    },
}


@pytest.mark.parametrize(("text", "problem"), BAD.items(), ids=[text[:60] for text in BAD])
def test_a_bad_file(text: str, problem: str, tmp_path: Path) -> None:
    """A bad file gives exactly one line, and it says where, what, and what to do."""
    environ = {} if "accounts" in text else TOKEN
    assert problems(tmp_path, text, environ=environ) == [problem]


def test_all_problems_at_once(tmp_path: Path) -> None:
    """File, environment and flags are all looked through before anything is said."""
    found = problems(
        tmp_path,
        "log: {level: x, levle: y}\naccounts: [{token: a, name: '?'}]",
        "--series.limit=no",
        environ={"PF_EXPORTER_SERIES_TTL": "long"},
    )
    assert found == [
        "pf.yml: log.levle: unknown key; did you mean level?",
        "PF_EXPORTER_SERIES_TTL: expected a duration, such as 90s, 10m, 1h30m or 500ms",
        "--series.limit: expected an integer from 1 to 999999999",
        "pf.yml: log.level: expected one of debug, info, warn, error",
        "pf.yml: accounts[0].name: expected 1 to 64 letters, digits, dots, hyphens or underscores",
    ]


def test_a_bad_value_is_a_problem_even_where_a_better_one_wins(tmp_path: Path) -> None:
    """A flag does not hide a mistake in the file."""
    assert problems(tmp_path, "series: {limit: no}", "--series.limit=5") == [
        "pf.yml: series.limit: expected an integer from 1 to 999999999"
    ]


@pytest.mark.parametrize("text", ["accounts: [", "acounts: [{token: x}]", "- x", "accounts: {token: x}"])
def test_an_account_that_could_not_be_read(tmp_path: Path, text: str) -> None:
    """Where the file cannot be read as it was meant, nobody is told besides that it has no account."""
    assert len(problems(tmp_path, text, environ={})) == 1


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        (
            {},
            "no account: list one under accounts in --config.file,"
            " or set PF_TOKEN, or PF_USER and PF_PASSWORD, in the environment",
        ),
        (
            {"PF_USER": "a"},
            "environment: has PF_USER; give either PF_TOKEN or PF_TOKEN_FILE, or PF_USER or PF_USER_FILE"
            " together with PF_PASSWORD or PF_PASSWORD_FILE",
        ),
        (
            {"PF_TOKEN": "a", "PF_TOKEN_FILE": str(FIXTURES / "token")},
            "PF_TOKEN_FILE: PF_TOKEN is set too; keep only one of them",
        ),
        (
            {"PF_TOKEN": "a", "PF_HOST": "http://api.example.net"},
            "PF_HOST: http would send the credentials in clear text; use https",
        ),
        (
            {"PF_TOKEN_FILE": "/nowhere/at/all"},
            "PF_TOKEN_FILE: the file cannot be read: No such file or directory",
        ),
        (
            {"PF_TOKEN": "caf\udce9"},
            "PF_TOKEN: the secret contains a line break or another control character; use a single line",
        ),
    ],
)
def test_a_bad_environment(environ: dict[str, str], problem: str) -> None:
    """Problems with the account in the environment call everything by its variable."""
    with pytest.raises(ConfigError) as caught:
        load(parsed(), environ)
    assert caught.value.problems == (problem,)


def test_files_that_cannot_be_a_configuration(tmp_path: Path) -> None:
    """Missing, a folder, not UTF-8 and too large are one line each."""
    cases: dict[bytes, str] = {
        b"log: \xff": "pf.yml: the file is not UTF-8 text; check --config.file",
        b"#" * (1024 * 1024 + 1): "pf.yml: the file is larger than 1024 KiB; check --config.file",
    }
    for content, problem in cases.items():
        assert problems(tmp_path, content) == [problem]
    for path, why in ((tmp_path, "Is a directory"), (tmp_path / "none", "No such file or directory")):
        with pytest.raises(ConfigError) as caught:
            load(parsed("--config.file", str(path)), TOKEN)
        assert str(caught.value) == f"{path}: the file cannot be read: {why}; check --config.file"


def test_a_bomb_of_aliases_does_not_go_off(tmp_path: Path) -> None:
    """A billion laughs end as one line of text, not as memory."""
    layers = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    layers += [
        f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    assert problems(tmp_path, "\n".join(layers)) == [
        "pf.yml:1:4: anchors and aliases (& and *) are not allowed; repeat the value, or quote it"
    ]


# Warnings


def test_warnings(tmp_path: Path) -> None:
    """An unused account, a misspelt variable and files that are open to others are said, not refused."""
    (tmp_path / "token").write_text("t\n")
    (tmp_path / "token").chmod(0o644)
    path = written(tmp_path, "accounts: [{name: a, token: x}, {name: b, token_file: token}]", mode=0o644)
    environ = {
        **TOKEN,
        "PF_EXPORTER_STREAM_IDLE_TIMOUT": "5s",
        "PF_EXPORTER_SERVICE_HOST": "10.0.0.1",
        "PF_EXPORTER_PORT_10054_TCP_ADDR": "10.0.0.1",
    }
    assert load(parsed("--config.file", path), environ).warnings == (
        "PF_EXPORTER_STREAM_IDLE_TIMOUT: unknown variable; did you mean PF_EXPORTER_STREAM_IDLE_TIMEOUT?",
        f"PF_TOKEN: ignored, because {path} lists accounts",
        f"{path}: accounts[0]: the file contains a secret and is world-readable; run chmod o-r on it",
        f"{path}: accounts[1].token_file: the file is world-readable; run chmod o-r on it",
    )


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o440, 0o640])
def test_no_warning_without_cause(tmp_path: Path, mode: int) -> None:
    """A secret for its owner and group, or an open file without a secret, passes in silence."""
    (tmp_path / "token").write_text("t\n")
    (tmp_path / "token").chmod(mode)
    path = written(tmp_path, "accounts: [{token_file: token}]", mode=0o644)
    assert load(parsed("--config.file", path), {}).warnings == ()
    assert loaded(tmp_path, "accounts: [{token: x}]", environ={}).warnings == ()


# Secrets


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"t", "t"),
        (b"t\n", "t"),
        (b"t\r\n", "t"),
        (b" t ", " t "),
        ("pä€".encode(), "pä€"),
        (b"x" * 65536, "x" * 65536),
    ],
)
def test_a_secret_file(content: bytes, text: str, tmp_path: Path) -> None:
    """One newline at the end is dropped, and nothing else is."""
    (tmp_path / "s").write_bytes(content)
    assert SecretFile(str(tmp_path / "s"), "token_file").read().reveal() == text


INSIDE = "the secret contains a line break or another control character; use a single line"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "the secret is empty"),
        (b"\n", "the secret is empty"),
        (CANARY.encode() + b"\n\n", INSIDE),
        (CANARY.encode() + b"\r", INSIDE),
        (CANARY.encode() + b"\0", INSIDE),
        (CANARY.encode() + b"\x1b[0m", INSIDE),
        (CANARY.encode() + b"\xc2\x85", INSIDE),
        (CANARY.encode() + b"\xff", "the file is not UTF-8 text"),
        (CANARY.encode() * 1_000_000, "the file is larger than 64 KiB"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_bad_secret_file(content: bytes, fault: str, tmp_path: Path) -> None:
    """What cannot be a secret is refused in one line that holds neither the path nor the content."""
    path = tmp_path / "s"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        SecretFile(str(path), "here").read()
    assert caught.value.problems == (f"here: {fault}",)
    assert CANARY not in told(caught.value)


def test_a_secret_file_that_is_no_file(tmp_path: Path) -> None:
    """A folder, a FIFO without a writer, a device and nothing at all are refused at once."""
    os.mkfifo(tmp_path / "fifo")
    cases = {
        str(tmp_path): "the file cannot be read: Is a directory",
        str(tmp_path / "fifo"): "the file is not a regular file",
        "/dev/null": "the file is not a regular file",
        str(tmp_path / "none"): "the file cannot be read: No such file or directory",
    }
    for path, fault in cases.items():
        with pytest.raises(ConfigError) as caught:
            SecretFile(path, "here").read()
        assert str(caught.value) == f"here: {fault}"


def test_rotation(tmp_path: Path) -> None:
    """A secret file is read at each login, so a new secret needs no restart."""
    (tmp_path / "token").write_text("old")
    (account,) = loaded(tmp_path, "accounts: [{token_file: token}]", environ={}).accounts
    assert account.token is not None
    assert account.token.read() == Secret("old")
    (tmp_path / "token").write_text("new\n")
    assert account.token.read() == Secret("new")
    (tmp_path / "token").unlink()
    with pytest.raises(ConfigError, match="No such file"):
        account.token.read()


def told(exc: BaseException) -> str:
    """All that a traceback with local variables would say of our own frames."""
    trace = exc.__traceback__
    assert trace is not None
    return "".join(traceback.TracebackException(type(exc), exc, trace.tb_next, capture_locals=True).format())


def test_a_secret_shows_itself_to_no_one() -> None:
    """Every way to turn a secret into text, but reveal(), gives <secret>."""
    secret = Secret(CANARY)
    assert secret.reveal() == CANARY
    shown = [
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret:>8}",
        "{}".format(secret),  # noqa: UP032 - one of the ways
        json.dumps(secret, default=str),
    ]
    assert {text.strip('"') for text in shown} == {"<secret>"}
    assert CANARY.encode() not in pickle.dumps(secret)
    assert pickle.loads(pickle.dumps(secret)) == copy.deepcopy(secret) == "<secret>"
    assert not hasattr(secret, "__dict__")


def test_secrets_compare_by_what_they_hide() -> None:
    """Equal means the same text; a plain string is never equal, and there is no hash to probe."""
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    with pytest.raises(TypeError):
        hash(Secret("a"))


def test_a_configuration_shows_no_secret(tmp_path: Path) -> None:
    """The text, the pickle and the JSON of a whole configuration hold none of its secrets."""
    (tmp_path / "s").write_text(CANARY)
    text = f"""accounts:
      - {{name: a, token: {CANARY}}}
      - {{name: b, login: {CANARY}, password: {CANARY}}}
      - {{name: c, login_file: s, password_file: s}}"""
    config = loaded(tmp_path, text)
    as_json = json.dumps(dataclasses.asdict(config))
    for shown in (repr(config), str(config), as_json, pickle.dumps(config).decode("latin-1")):
        assert "accounts" in shown
        assert CANARY not in shown


CANARIES = [
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


@pytest.mark.parametrize("text", CANARIES)
def test_problems_show_no_secret(text: str, tmp_path: Path) -> None:
    """A secret in the wrong place of a bad file is not in the message nor in a traceback with locals."""
    environ = {"PF_PASSWORD": CANARY, "PF_TOKEN": CANARY, **{row.variable: f"{CANARY}?" for row in SETTINGS}}
    for variables in ({}, environ):
        arguments = parsed("--config.file", written(tmp_path, text))
        with pytest.raises(ConfigError) as caught:
            load(arguments, variables)
        assert CANARY not in told(caught.value)


def test_no_flag_takes_a_secret() -> None:
    """Arguments are open to everyone on the machine, so no flag is for a secret, and none is guessed."""
    parser = argparse.ArgumentParser()
    add_flags(parser)
    flags = {flag for action in parser._actions for flag in action.option_strings}
    assert not [
        flag for flag in flags if any(word in flag for word in ("token", "password", "login", "user"))
    ]
    with pytest.raises(SystemExit):
        parser.parse_args(["--web.telemetry", "/x"])


# Durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90.0),
        ("10m", 600.0),
        ("2h", 7200.0),
        ("1h30m", 5400.0),
        ("500ms", 0.5),
        ("1d", 86400.0),
        ("1d2h3m4s5ms", 93784.005),
        ("0", 0.0),
        ("0s", 0.0),
        ("15", 15.0),
        ("1.5", 1.5),
        ("365d", 31536000.0),
    ],
)
def test_a_duration(text: str, seconds: float) -> None:
    """Durations are written as Prometheus writes them, and a plain number is seconds."""
    assert duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", " ", "s", "1 m", "1.5h", "-1s", "+1", "1e3", "1m1h", "1h1h", "1S", "nan", "inf", "0x1", "1_0", "١s",
     "10s\n", "9" * 5000, "366d", "999999999d", "1w"],
)  # fmt: skip
def test_no_duration(text: str) -> None:
    """Everything else is refused, with words of ours that do not repeat it."""
    with pytest.raises(ValueError, match=r"^expected a duration"):
        duration(text)


@given(st.tuples(*(st.integers(0, top) for top in (300, 1000, 10_000, 100_000, 100_000))).filter(any))
def test_durations_add_up(amounts: tuple[int, ...]) -> None:
    """Whatever is written out of days, hours, minutes, seconds and milliseconds comes back as their sum."""
    units = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
    text = "".join(f"{amount}{unit}" for amount, unit in zip(amounts, units, strict=True) if amount)
    total = sum(amount * size for amount, size in zip(amounts, units.values(), strict=True))
    assert duration(text) == total / 1000


# Documentation


def test_help_names_every_flag_and_default() -> None:
    """--help is made of the same table."""
    parser = argparse.ArgumentParser()
    add_flags(parser)
    text = " ".join(parser.format_help().split())
    assert [row.key for row in SETTINGS if f"{row.flag} " not in text or row.default not in text] == []


def test_every_setting_has_an_example() -> None:
    """The table of the precedence test keeps up with the table of settings."""
    assert EXAMPLES.keys() == {row.key for row in SETTINGS}
