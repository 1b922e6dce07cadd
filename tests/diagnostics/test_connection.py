from __future__ import annotations

import socket
from email.utils import formatdate
from pathlib import Path

import pytest

from pf_exporter.config.accounts import Account
from pf_exporter.config.secrets import Secret, SecretFile, SecretSource
from pf_exporter.diagnostics.connection import (
    CLOCK_TOLERANCE,
    check_clock,
    check_name,
    check_secrets,
    connect,
)
from pf_exporter.diagnostics.result import CheckFailed, FailureClass, Notice
from pf_exporter.errors import ConfigError, Unavailable
from tests.fakes import Fake, answer, dead_url

NOW = 1_700_000_000.0


def account(
    *,
    api_url: str = "http://127.0.0.1",
    token: SecretSource | None = None,
    login: SecretSource | None = None,
    password: SecretSource | None = None,
) -> Account:
    return Account(api_url=api_url, token=token, login=login, password=password)


def test_secrets(tmp_path: Path) -> None:
    """The message names the kind of credentials and where they come from, and no secret."""
    file = tmp_path / "token"
    file.write_text("canary\n")
    file.chmod(0o600)
    assert check_secrets(account(token=Secret("canary"))) == "an API key, set directly"
    assert check_secrets(account(token=SecretFile(str(file), "token_file"))) == "an API key, read from files"
    user = account(login=Secret("canary"), password=SecretFile(str(file), "token_file"))
    assert check_secrets(user) == "user and password, read from files"


def test_a_secret_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file is an error that names it."""
    with pytest.raises(ConfigError, match="token_file: the file cannot be read"):
        check_secrets(account(token=SecretFile(str(tmp_path / "missing"), "token_file")))


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_an_address_needs_no_dns(address: str) -> None:
    """An IP address is not resolved."""
    host = f"[{address}]" if ":" in address else address
    assert check_name(f"http://{host}:1") == f"{address} is an IP address"


def test_a_name_and_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has the first address and the number of the others, each counted once."""
    addresses = ["192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3"]
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **options: found)
    assert check_name("https://api.example") == "api.example resolves to 192.0.2.1 and 2 more"
    del found[1:]
    assert check_name("https://api.example") == "api.example resolves to 192.0.2.1"


@pytest.mark.parametrize("host", ["no-such-host.invalid", f"{'x' * 64}.example", "a..b"])
def test_a_name_that_cannot_be_resolved(host: str) -> None:
    """An unknown name, and one that no host can have, are failures of the class ``reach``."""
    with pytest.raises(CheckFailed, match=f"^{host}: .+") as caught:
        check_name(f"https://{host}")
    assert caught.value.failure is FailureClass.CONNECTION
    assert "DNS" in caught.value.remedy


def test_connect_sends_no_secret() -> None:
    """The request that tests the connection carries no credentials, and returns the date."""
    with Fake() as fake:
        fake.script["/v2/events"] = [answer(401, {}, Date=formatdate(NOW, usegmt=True))]
        message, date = connect(account(api_url=fake.url, token=Secret("canary")))
        assert message == f"{fake.url} responds; no TLS, because it is on this machine"
        assert date == formatdate(NOW, usegmt=True)
        [request] = fake.requests
        assert "canary" not in str(request)
        assert "authorization" not in request.headers


def test_connect_to_nothing() -> None:
    """Without a server the check fails with an error that names the problem."""
    with pytest.raises(Unavailable, match="Connection refused"):
        connect(account(api_url=dead_url()))


@pytest.mark.parametrize("ahead", [0.0, CLOCK_TOLERANCE, -CLOCK_TOLERANCE])
def test_a_clock_within_the_tolerance(ahead: float) -> None:
    """A small difference is good."""
    assert check_clock(formatdate(NOW, usegmt=True), NOW + ahead) == "within 30 s of the API's clock"


@pytest.mark.parametrize(
    ("ahead", "message"),
    [(31.0, "31 s ahead of the API's clock"), (-3600.0, "3600 s behind the API's clock")],
)
def test_a_clock_that_is_wrong(ahead: float, message: str) -> None:
    """A larger difference fails, with its direction."""
    with pytest.raises(CheckFailed) as caught:
        check_clock(formatdate(NOW, usegmt=True), NOW + ahead)
    assert (str(caught.value), caught.value.failure) == (message, FailureClass.CLOCK)


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Jan 2024 00:00:00 GMT"])
def test_a_response_without_a_date(date: str) -> None:
    """A missing or unusable header is noted, and does not fail."""
    assert check_clock(date, NOW) == Notice("the API's response has no date to compare with")
