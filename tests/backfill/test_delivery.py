"""Samples in the spool, and how they are delivered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pf_exporter.backfill import delivery
from pf_exporter.backfill.continuation import open_spool
from pf_exporter.backfill.delivery import IMPORT_PATH, Importer, reset_cache_url, write_openmetrics
from pf_exporter.backfill.request import BackfillRequest
from pf_exporter.backfill.runner import FAMILIES
from pf_exporter.backfill.spool import Spool
from pf_exporter.backfill.time_range import TimeSpan
from pf_exporter.errors import ConfigError, Rejected, Unavailable
from pf_exporter.schema.events import EVENTS
from tests.fakes import Answer, Fake, dead_url

FIELDS = EVENTS["port|metrics"].fields
RATE, TOTAL = FIELDS["bytes_rx_bps"], FIELDS["bytes_rx_total"]
LABELS = '{account="a",job="j",port_circuit_id="%s"}'


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path / "spool", {"job": "j"})
    for port in ("p2", "p1"):
        spool.add(port, [(RATE, ("a", port), at, at / 2) for at in (120.0, 60.5, 120.0)])
    spool.add("total", [(TOTAL, ("a", "p1"), 60.0, 1e20)])
    yield spool
    spool.close()


def test_openmetrics(spool: Spool, tmp_path: Path) -> None:
    """Families, series and times are sorted, each sample is there once, and the counter has its suffix."""
    counts: list[int] = []
    write_openmetrics(spool, tmp_path / "x.om", FAMILIES, counts.append)
    name = "packetfabric_port_receive_bytes"
    lines = (tmp_path / "x.om").read_text().splitlines()
    assert [line for line in lines if "HELP" not in line] == [
        f"# TYPE {name}_per_second gauge",
        f"# UNIT {name}_per_second bytes_per_second",
        *(f"{name}_per_second{LABELS % port} {at / 2} {at}" for port in ("p1", "p2") for at in (60.5, 120.0)),
        f"# TYPE {name} counter",
        f"# UNIT {name} bytes",
        f"{name}_total{LABELS % 'p1'} 1e+20 60.0",
        "# EOF",
    ]
    assert sum(counts) == 5 == spool.counts()[0]
    assert spool.is_done("p1")
    assert not spool.is_done("p3")


def test_unwritable(spool: Spool, tmp_path: Path) -> None:
    """A file that cannot be written is one line."""
    with pytest.raises(ConfigError, match=r"/no/x.om: cannot be written: No such file or directory"):
        write_openmetrics(spool, tmp_path / "no" / "x.om", FAMILIES, lambda count: None)


def test_import_continues(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an error only what the server has not accepted is sent."""
    monkeypatch.setattr(delivery, "LINES_PER_IMPORT", 1)
    with Fake() as fake:
        fake.script[IMPORT_PATH] = [Answer(204), Answer(503), Answer(400), *[Answer(204)] * 4]
        for error in (Unavailable, Rejected):
            with pytest.raises(error, match="import: "):
                Importer(fake.url).send(spool, lambda count: None)
        Importer(fake.url + IMPORT_PATH).send(spool, lambda count: None)
        bodies = [request.body.decode() for request in fake.of(IMPORT_PATH)]
    first, *failed, second, third, fourth, fifth = bodies
    assert failed == [second, second]
    name = "packetfabric_port_receive_bytes"
    assert [first, second, third, fourth, fifth] == [
        f"{name}_per_second{LABELS % 'p2'} 30.25 60500\n",
        f"{name}_per_second{LABELS % 'p2'} 60.0 120000\n",
        f"{name}_per_second{LABELS % 'p1'} 30.25 60500\n",
        f"{name}_per_second{LABELS % 'p1'} 60.0 120000\n",
        f"{name}_total{LABELS % 'p1'} 1e+20 60000\n",
    ]


def test_no_server(spool: Spool) -> None:
    """A server that does not run is one line."""
    with pytest.raises(Unavailable, match=r"import: http://.*; is VictoriaMetrics running\?"):
        Importer(dead_url()).send(spool, lambda count: None)


@pytest.mark.parametrize("path", ["", "/", IMPORT_PATH])
def test_cache(path: str) -> None:
    """The URL that resets the cache is beside that of the import."""
    expected = "http://h:8428/internal/resetRollupResultCache"
    assert reset_cache_url(f"http://h:8428{path}") == expected


def test_continuation(tmp_path: Path) -> None:
    """A command that continues keeps its moments and gaps; another command is refused, as is another file."""
    path = tmp_path / "spool"
    first = BackfillRequest("x", 1.0, 2.0, gaps={"a": (TimeSpan(1.0, 2.0),)})
    open_spool(path, first, "command")[0].close()
    spool, request = open_spool(path, BackfillRequest("x", 3.0, 4.0, gaps={}), "command")
    spool.close()
    assert request == first
    with pytest.raises(ConfigError, match="belongs to another backfill"):
        open_spool(path, first, "other command")
    (tmp_path / "notes").write_text("not to be lost" * 100)
    with pytest.raises(ConfigError, match="cannot hold unfinished work: file is not a database"):
        open_spool(tmp_path / "notes", first, "command")
    assert (tmp_path / "notes").read_text().startswith("not to be lost")
