"""Bodies as JSON: what is read and what is refused."""

from __future__ import annotations

import pytest

from pf_exporter.errors import Rejected
from pf_exporter.packetfabric.json_body import decode


def test_values_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body is read up to the limit of values, and refused above it before anything is decoded."""
    monkeypatch.setattr("pf_exporter.packetfabric.json_body.MAX_VALUES", 6)
    assert decode(b"[{}, {}, [1]]", "list: host:443") == [{}, {}, [1]]
    with pytest.raises(Rejected, match=r"^list: host:443: the response has more than 6 values$"):
        decode(b"[{}, {}, [1], not JSON", "list: host:443")


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b'{"a":'])
def test_not_json(body: bytes) -> None:
    """Anything else than JSON is refused in one line, without its text."""
    with pytest.raises(Rejected, match=r"^list: host:443: the response is not JSON$"):
        decode(body, "list: host:443")
