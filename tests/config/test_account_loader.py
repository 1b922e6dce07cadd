"""Load accounts: from the environment or the file, with their credentials and streams."""

from __future__ import annotations

from pathlib import Path

import pytest

from pf_exporter.config.accounts import Account, StreamFilter
from pf_exporter.config.loader import load
from pf_exporter.config.secrets import Secret
from pf_exporter.config.settings import Config
from pf_exporter.errors import ConfigError
from pf_exporter.schema.events import SUBSCRIBABLE_EVENTS
from tests.config.helpers import CANARY, FIXTURES, TOKEN, load_text, parse_flags, problems_of

# Valid accounts


def test_account_from_environment() -> None:
    """PF_TOKEN alone gives an account with every default and all streams without filters."""
    config = load(parse_flags(), TOKEN)
    assert config == Config(accounts=(Account(token=Secret(CANARY)),))
    assert [stream.request() for stream in config.accounts[0].streams] == [
        {"type": "port"},
        {"type": "vc"},
        {"type": "customer"},
    ]


def test_all_variables(tmp_path: Path) -> None:
    """The other variables and their _FILE forms work, and a host without a scheme means https."""
    (tmp_path / "password").write_text("pw\n")
    (tmp_path / "password").chmod(0o600)
    environ = {
        "PF_USER": "me",
        "PF_PASSWORD_FILE": str(tmp_path / "password"),
        "PF_HOST": "api.example.net",
        "PF_ON_BEHALF": "11111111-2222-3333-4444-555555555555",
        "PF_TOKEN": "",
    }
    (account,) = load(parse_flags(), environ).accounts
    assert account.login is not None
    assert account.password is not None
    assert (account.login.read(), account.password.read()) == (Secret("me"), Secret("pw"))
    assert account.api_url == "https://api.example.net"
    assert account.on_behalf == environ["PF_ON_BEHALF"]
    assert account.token is None


@pytest.mark.parametrize("type_", SUBSCRIBABLE_EVENTS)
def test_every_subscribable_event(type_: str, tmp_path: Path) -> None:
    """Each type accepts all its events, and the request contains them in the given order."""
    events = ", ".join(SUBSCRIBABLE_EVENTS[type_])
    text = f"accounts: [{{token: x, streams: [{{type: {type_}, events: [{events}]}}]}}]"
    (account,) = load_text(tmp_path, text, environ={}).accounts
    assert account.streams == (StreamFilter(type_, tuple(SUBSCRIBABLE_EVENTS[type_])),)
    assert account.streams[0].request() == {"type": type_, "events": list(SUBSCRIBABLE_EVENTS[type_])}


def test_relative_path(tmp_path: Path) -> None:
    """A relative path starts at the folder of the configuration file."""
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    (account,) = load_text(tmp_path, "accounts: [{token: x, ca_file: ca.pem}]", environ={}).accounts
    assert account.ca_file == str(tmp_path / "ca.pem")


def test_secret_rotation(tmp_path: Path) -> None:
    """A secret file is read at each login, so a new secret needs no restart."""
    (tmp_path / "token").write_text("old")
    (account,) = load_text(tmp_path, "accounts: [{token_file: token}]", environ={}).accounts
    assert account.token is not None
    assert account.token.read() == Secret("old")
    (tmp_path / "token").write_text("new\n")
    assert account.token.read() == Secret("new")
    (tmp_path / "token").unlink()
    with pytest.raises(ConfigError, match="No such file"):
        account.token.read()


def test_series_limits(tmp_path: Path) -> None:
    """An account may have a ``series_limit``, up to all of series.limit if no other account needs any."""
    text = "{series: {limit: 9}, accounts: [{token: a, name: a, series_limit: %d}, {token: b%s}]}"
    for text_of_limits, limits in (
        ((4, ""), (4, None)),
        ((8, ""), (8, None)),
        ((5, ", series_limit: 4"), (5, 4)),
    ):
        accounts = load_text(tmp_path, text % text_of_limits, environ={}).accounts
        assert tuple(account.series_limit for account in accounts) == limits


# Problems


ACCOUNT = "accounts: [{token: x, %s}]"
ONE_STREAM = "accounts: [{token: x, streams: [%s]}]"
WAYS = "set either token (or token_file), or login and password (or login_file and password_file)"
URL = "pf.yml: accounts[0].api_url: expected a URL"
CUSTOMER = ", ".join(SUBSCRIBABLE_EVENTS["customer"])


PROBLEMS: dict[str, str] = {
    "accounts: [{tokn: a}]": "pf.yml: accounts[0].tokn: unknown key; did you mean token?",
    "accounts: [{}]": f"pf.yml: accounts[0]: has no credentials; {WAYS}",
    "accounts: [{login: a}]": f"pf.yml: accounts[0]: has login; {WAYS}",
    "accounts: [{token: a, password: b}]": f"pf.yml: accounts[0]: has token and password; {WAYS}",
    "accounts: [{token: a}, {token: b}]": "pf.yml: accounts[1].name: duplicate account name;"
    " give each account its own name",
    "accounts: [a]": "pf.yml: accounts[0]: expected a mapping with any of name, api_url, token, token_file,"
    " login, login_file, password, password_file, on_behalf, ca_file, proxy_url,"
    " proxy_url_file, proxy_from_environment, no_proxy, series_limit, streams",
    ACCOUNT % "series_limit: 0": "pf.yml: accounts[0].series_limit: expected an integer from 1 to 999999999",
    ACCOUNT % "series_limit: 500001": "pf.yml: accounts: the values of series_limit add up to 500001, which"
    " series.limit (500000) does not allow; raise series.limit or lower them",
    "{series: {limit: 9}, accounts: [{token: a, name: a, series_limit: 9}, {token: b}]}": "pf.yml: accounts:"
    " the values of series_limit add up to 9, which series.limit (9) does not allow; raise series.limit or"
    " lower them",
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
    ACCOUNT
    % "streams: []": "pf.yml: accounts[0].streams: expected a list; omit the key to subscribe to everything",
    ONE_STREAM % "{}": "pf.yml: accounts[0].streams[0].type: missing; set it to one of port, vc, customer",
    ONE_STREAM % "{type: ports}": "pf.yml: accounts[0].streams[0].type: expected one of port, vc, customer;"
    " did you mean port?",
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
        % f"{{type: vc, vcs: ['{pair}']}}": "pf.yml: accounts[0].streams[0].vcs: expected the circuit"
        " IDs of a VC and of a port, joined by &"
        for pair in ("a", "a&", "&b", "a&b&c", "a & b")
    },
}


@pytest.mark.parametrize(("text", "problem"), PROBLEMS.items(), ids=[text[:60] for text in PROBLEMS])
def test_problem(text: str, problem: str, tmp_path: Path) -> None:
    """A bad file gives exactly one line: where, what, and what to do."""
    assert problems_of(tmp_path, text, environ={}) == [problem]


@pytest.mark.parametrize("text", ["accounts: [", "acounts: [{token: x}]", "- x", "accounts: {token: x}"])
def test_no_account_in_unreadable_file(tmp_path: Path, text: str) -> None:
    """A file that cannot be read gives one problem, and not also that it has no account."""
    assert len(problems_of(tmp_path, text, environ={})) == 1


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
            "environment: has PF_USER; set either PF_TOKEN (or PF_TOKEN_FILE), or PF_USER and PF_PASSWORD"
            " (or PF_USER_FILE and PF_PASSWORD_FILE)",
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
            {"PF_TOKEN_FILE": "/usr/nowhere/at/all"},
            "PF_TOKEN_FILE: /usr/nowhere/at/all: the file cannot be read: No such file or directory",
        ),
        (
            {"PF_TOKEN": "caf\udce9"},
            "PF_TOKEN: the secret contains a line break or another control character; use a single line",
        ),
    ],
)
def test_bad_environment(environ: dict[str, str], problem: str) -> None:
    """Problems with the account in the environment name its variables."""
    with pytest.raises(ConfigError) as caught:
        load(parse_flags(), environ)
    assert caught.value.problems == (problem,)


@pytest.mark.parametrize(
    "text",
    [
        "${PF_TOKEN}",
        "$PF_TOKEN",
        "$(cat token)",
        "<token>",
        "<your API key>",
        "{{ token }}",
        "%PF_TOKEN%",
        " ${x} ",
    ],
)
def test_placeholder(text: str, tmp_path: Path) -> None:
    """A placeholder is not a secret: the problem names the ways to give one, and does not repeat it."""
    assert problems_of(tmp_path, f"accounts: [{{token: '{text}'}}]", environ={}) == [
        "pf.yml: accounts[0].token: is a placeholder, and nothing replaces it with the secret;"
        " use token_file, or remove accounts from the file and set PF_TOKEN in the environment"
    ]
    assert problems_of(tmp_path, "", environ={"PF_USER": "a", "PF_PASSWORD": text}) == [
        "PF_PASSWORD: is a placeholder, and nothing replaces it with the secret;"
        " use PF_PASSWORD_FILE, or set PF_PASSWORD to the secret itself"
    ]


@pytest.mark.parametrize("text", ["$Secret", "a$PF_TOKEN", "pa<ss>", "{x}", "100%", "$Pass1", "$"])
def test_secret_that_resembles_a_placeholder(text: str, tmp_path: Path) -> None:
    """A password may contain such characters; one that looks like a placeholder can come from a file."""
    (account,) = load_text(tmp_path, f"accounts: [{{token: '{text}'}}]", environ={}).accounts
    assert account.token == Secret(text)
    (tmp_path / "token").write_text("<secret>\n")
    (account,) = load_text(tmp_path, "accounts: [{token_file: token}]", environ={}).accounts
    assert account.token is not None
    assert account.token.read() == Secret("<secret>")
