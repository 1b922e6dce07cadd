"""The check of an endpoint of remote write against good and bad receivers."""

from __future__ import annotations

from pathlib import Path

import pytest

from pf_exporter.config import RemoteWriteSettings
from pf_exporter.diagnostics import CheckStatus, FailureClass, check_remote_write
from tests.remote_write.fake_receiver import FakeReceiver, Reply


@pytest.mark.parametrize(
    ("reply", "status", "message"),
    [
        (Reply(), CheckStatus.OK, "accepts samples"),
        (
            Reply(400, body=b"empty"),
            CheckStatus.WARNING,
            'refuses a request without samples: HTTP 400 ("empty")',
        ),
        (Reply(401), CheckStatus.FAILED, "HTTP 401; check the credentials"),
        (Reply(404), CheckStatus.FAILED, "check the path of url"),
        (Reply(302), CheckStatus.FAILED, "redirects are not followed, check url"),
        (Reply(200, {"Content-Type": "text/html"}, b"<p>"), CheckStatus.FAILED, "is a web page; check url"),
        (Reply(closes=True), CheckStatus.FAILED, "connection closed by the server"),
    ],
)
def test_receivers(reply: Reply, status: CheckStatus, message: str) -> None:
    """Each receiver gets one request without samples, and the result says what is wrong."""
    with FakeReceiver() as fake:
        fake.answer = lambda samples: reply
        result = check_remote_write(RemoteWriteSettings(name="main", url=fake.url))
        assert [request.samples for request in fake.requests] == [[]]
    assert result.status is status
    assert result.message.startswith("main: 127.0.0.1:")
    assert message in result.message
    assert (result.failure is FailureClass.CONNECTION) is (status is CheckStatus.FAILED)


def test_secrets_and_spool(tmp_path: Path) -> None:
    """An unreadable secret, and a spool whose parent is a file, are found."""
    with FakeReceiver() as fake:
        missing = RemoteWriteSettings(url=fake.url, bearer_token_file=str(tmp_path / "none"))
        assert check_remote_write(missing).failure is FailureClass.CONFIG
        spool = RemoteWriteSettings(url=fake.url, spool_path=str(tmp_path / "a" / "b"))
        assert check_remote_write(spool).status is CheckStatus.OK
        assert list(tmp_path.iterdir()) == []
        (tmp_path / "file").touch()
        spool = RemoteWriteSettings(url=fake.url, spool_path=str(tmp_path / "file" / "b"))
        result = check_remote_write(spool)
    assert result.failure is FailureClass.CONFIG
    assert "cannot be written" in result.message
