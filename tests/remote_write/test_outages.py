"""Real receivers get every sample, once, whatever is killed or cut meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.remote_write.outages import Receiver, VictoriaMetrics, expected, run

EVENTS = 4000


@pytest.mark.parametrize("kind", [Receiver, VictoriaMetrics])
def test_every_sample_once(kind: type[Receiver], tmp_path: Path) -> None:
    """The receiver is killed, the network is cut, the exporter is killed: every sample is found, once."""
    assert run(kind, tmp_path, EVENTS) == expected(EVENTS)
