"""Where the pages of an exporter are, and what is wrong with a target."""

from __future__ import annotations

import pytest

from pf_exporter.scrape.target import ScrapeTarget


@pytest.mark.parametrize(
    ("target", "problems"),
    [
        (ScrapeTarget("http://127.0.0.1:10054/metrics"), []),
        (ScrapeTarget("127.0.0.1:10054"), ["--from: expected a URL, such as http://127.0.0.1:10054/metrics"]),
        (ScrapeTarget("http://[::1"), ["--from: expected a URL, such as http://127.0.0.1:10054/metrics"]),
        (ScrapeTarget("http://h:99999"), ["--from: expected a URL, such as http://127.0.0.1:10054/metrics"]),
        (
            ScrapeTarget("http://ada:secret@h"),
            ["--from: give the user with --user and the password with --password-file"],
        ),
        (
            ScrapeTarget("http://h", user="ada", ca_file="ca.pem"),
            ["--user: needs --password-file, and the reverse", "--ca-file: needs an https URL"],
        ),
    ],
)
def test_targets(target: ScrapeTarget, problems: list[str]) -> None:
    """All problems are reported at once; a password in a URL is never repeated."""
    assert target.problems() == problems


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("http://h:1", "http://h:1/metrics"),
        ("https://h/", "https://h/metrics"),
        ("http://[::1]:2/prometheus", "http://[::1]:2/prometheus"),
        ("http://h/metrics?x=1#y", "http://h/metrics"),
    ],
)
def test_addresses(url: str, page: str) -> None:
    """The path is /metrics by default."""
    assert ScrapeTarget(url).page == page


@pytest.mark.parametrize("url", ["https://h", "HTTPS://h"])
def test_https_is_encrypted(url: str) -> None:
    """The scheme may have capitals: the password is not sent in clear text."""
    assert ScrapeTarget(url).context() is not None
