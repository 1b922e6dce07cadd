"""The fast page against prometheus_client's, the memory it takes, and how it is served."""

from __future__ import annotations

import gzip
import itertools
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, IncompleteRead

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from prometheus_client.registry import Collector as AnyCollector

from pf_exporter.metrics.exposition import Exposition, Format
from pf_exporter.schema.event_type import EventType
from pf_exporter.schema.events import EVENTS
from pf_exporter.schema.observation import Observation
from pf_exporter.server.server import Server
from pf_exporter.state.store import Store
from pf_exporter.state.table import Row
from pf_exporter.web.app import MetricsPage, create_app
from tests.conftest import until
from tests.metrics.reference_collector import ReferenceCollector

LABELS = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    ['"', "\\", "\n", '\\"', "\\n", "{}", "%s", "é", "\u2028", "#", ""]
)
COUNTS = (
    st.none()
    | st.floats(0, 1e18)
    | st.integers(0, 10**17).map(float)
    | st.sampled_from([0.0, 5.0, 999999.0, 1e6, 1234567.0, 1e15, 1e16, 1e-5, 5e-324, 1e308])
)
NUMBERS = COUNTS | st.floats(-1e18, 1e18)


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    event = draw(st.sampled_from(list(EVENTS.values())))
    circuit = tuple(draw(LABELS) for _ in event.circuit)
    lanes = tuple(draw(st.lists(st.sampled_from("0123"), unique=True))) if event.has_lanes else ()
    kinds = (family.type for family in event.fields.values())
    columns = st.tuples(*(COUNTS if kind == "counter" else NUMBERS for kind in kinds))
    values = tuple(number for _ in (lanes if event.has_lanes else "0") for number in draw(columns))
    return Observation(event, circuit, lanes, values, None)


class Others(AnyCollector):
    """A collector of something else."""

    def collect(self) -> Iterator[Metric]:
        family = GaugeMetricFamily("something_else", "Else.", labels=("text",))
        family.add_metric(('a "\\\n',), 1e6)
        yield family


def store(**options: float) -> Store:
    made = Store(ttl=1e9, limit=10**6, **options)  # type: ignore[arg-type]
    made.add_account('an "account"')
    made.add_account("b")
    return made


def slow_and_fast(store: Store) -> tuple[CollectorRegistry, Exposition]:
    """What prometheus_client reads, and the fast page over the same."""
    everything, others = (CollectorRegistry(auto_describe=False) for _ in range(2))
    everything.register(ReferenceCollector(store))
    everything.register(Others())
    others.register(Others())
    return everything, Exposition(store, others)


_LARGE = re.compile(rb"(?<= )(\d)(?:\.(\d+))?e\+(0[6-9]|1[0-5])$", re.MULTILINE)


def spelt(page: bytes) -> bytes:
    """The page with numbers from a million on as Python writes them, not Go."""
    return _LARGE.sub(lambda number: repr(float(number[0])).encode(), page)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(['an "account"', "b"]), observations()), max_size=12), st.data())
def test_same_bytes_as_prometheus_client(seen: list[tuple[str, Observation]], data: st.DataObject) -> None:
    """Whatever is in the store, each format is byte for byte prometheus_client's but for large numbers."""
    one = store()
    registry, exposition = slow_and_fast(one)
    # Scrapes in between fill what the page keeps.
    for account, observation in seen:
        one.write(account, observation)
        if data.draw(st.booleans()):
            exposition.gzip(data.draw(st.sampled_from(Format)))
    for format in Format:
        expected = spelt(format.encode(registry))
        assert spelt(exposition.plain(format)) == expected
        assert spelt(gzip.decompress(exposition.gzip(format))) == expected


@settings(max_examples=30, deadline=None)
@given(st.lists(observations(), max_size=6))
def test_same_families_to_a_parser(seen: list[Observation]) -> None:
    """Parsed, both pages have the same families, types, helps, units and samples, numbers exactly."""
    one = store()
    registry, exposition = slow_and_fast(one)
    for observation in seen:
        one.write("b", observation)
    for format, parse in ((Format.TEXT, parse_text), (Format.OPENMETRICS, parse_openmetrics)):
        fast, slow = (
            list(parse(page.decode())) for page in (exposition.plain(format), format.encode(registry))
        )
        assert fast == slow


@pytest.mark.parametrize("ports", [999, 1000, 1001, 2500])
def test_a_page_of_many_lines(ports: int) -> None:
    """Where lines and what is compressed are taken in parts, none is lost, and the check sum is right."""
    one = store()
    registry, exposition = slow_and_fast(one)
    event = EVENTS["port|metrics"]
    for port in range(ports):
        values = (*range(port, port + 7), None)
        one.write("b", Observation(event, (f"PF-AP-{port}",), (), values, None))
    expected = spelt(Format.TEXT.encode(registry))
    assert len(expected) > 5 * (1 << 16)
    assert spelt(exposition.plain(Format.TEXT)) == expected
    assert spelt(gzip.decompress(exposition.gzip(Format.TEXT))) == expected


def test_a_sum_beyond_all_numbers() -> None:
    """A total that has run over is written as the formats write infinity."""
    one = Store(ttl=1e9, limit=10**6, delta=["port|errors"])
    one.add_account("b")
    registry, exposition = slow_and_fast(one)
    event = EVENTS["port|errors"]
    for _ in range(2):
        one.write("b", Observation(event, ("p",), (), (1.7e308,) * len(event.fields), None))
    assert spelt(exposition.plain(Format.TEXT)) == spelt(Format.TEXT.encode(registry))
    assert b" +Inf\n" in exposition.plain(Format.TEXT)


def test_formats_are_those_of_prometheus_client() -> None:
    """Each format's content type is the one prometheus_client gives it."""
    for format in Format:
        assert choose_encoder(format.value)[1] == format.value


def observation(event: EventType, number: float, circuit: str = "PF-AP-LAX1-1") -> Observation:
    lanes = ("0",) if event.has_lanes else ()
    names = (circuit, "PF-AP-LAX1-1", "4")[: len(event.circuit)]
    return Observation(event, names, lanes, (number,) * len(event.fields), None)


def test_only_what_changed_is_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scrape takes the rows of the events that came since the last one, and of no others."""
    one = store()
    _, exposition = slow_and_fast(one)
    taken: list[str] = []
    rows = one.rows

    def watched(event: str) -> dict[str, list[tuple[tuple[str, ...], Row]]]:
        taken.append(event)
        return rows(event)

    monkeypatch.setattr(one, "rows", watched)
    exposition.gzip(Format.TEXT)
    assert taken == list(EVENTS)
    for event in EVENTS.values():
        taken.clear()
        one.write("b", observation(event, 1.0))
        page = exposition.plain(Format.TEXT)
        assert taken == [event.name]
        assert next(iter(event.fields.values())).name.encode() + b"{" in page
    taken.clear()
    exposition.plain(Format.TEXT)
    assert taken == []


def test_what_expires_leaves_the_page() -> None:
    """Silence changes the page as an event does: values go, and when they were last heard stays."""
    now = [0.0]
    one = Store(ttl=10.0, limit=10**6, clock=lambda: now[0])
    one.add_account("b")
    registry, exposition = slow_and_fast(one)
    one.write("b", observation(EVENTS["port|metrics"], 1.0))
    before = exposition.plain(Format.TEXT)
    assert b'packetfabric_port_receive_bytes_total{account="b"' in before
    now[0] = 11.0
    after = exposition.plain(Format.TEXT)
    assert b'packetfabric_port_receive_bytes_total{account="b"' not in after
    assert b'packetfabric_port_last_event_timestamp_seconds{account="b"' in after
    assert spelt(after) == spelt(Format.TEXT.encode(registry))


def test_an_event_is_on_the_page_whole_or_not_at_all() -> None:
    """While a thread writes, no page shows one field of an event without the others, or without its time."""
    wall = itertools.count(1)
    one = Store(ttl=1e9, limit=10**6, wall=lambda: float(next(wall)))
    one.add_account("b")
    _, exposition = slow_and_fast(one)
    event = EVENTS["port|errors"]
    done = threading.Event()

    def write() -> None:
        # The n-th event has n in every field, and comes at the time n.
        for number in itertools.count(1):
            one.write("b", observation(event, float(number)))
            if done.is_set():
                return

    with ThreadPoolExecutor() as pool:
        writing = pool.submit(write)
        try:
            for _ in range(50):
                page = exposition.plain(Format.TEXT).decode()
                numbers = {
                    sample.value
                    for family in parse_text(page)
                    for sample in family.samples
                    if "port_circuit_id" in sample.labels
                }
                assert len(numbers) <= 1
        finally:
            done.set()
        writing.result()


class Counting:
    """A page that takes as long to render as it is told, and counts."""

    def __init__(self, body: bytes = b"x 1\n") -> None:
        self.body = body
        self.begun = 0
        self.at_once = 0
        self.most_at_once = 0
        self.go = threading.Event()
        self.go.set()

    def plain(self, format: Format) -> bytes:
        self.begun += 1
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        self.go.wait(10)
        self.at_once -= 1
        return b"%d " % self.begun + self.body

    def gzip(self, format: Format) -> bytes:
        return gzip.compress(self.plain(format))


@pytest.fixture
def serve() -> Iterator[Callable[[MetricsPage], str]]:
    """Serves a page; gives host and port."""
    servers: list[Server] = []

    def start(page: MetricsPage) -> str:
        site = create_app(page, telemetry_path="/metrics", healthy=lambda: True)
        servers.append(Server(site, ["127.0.0.1:0"], name="web"))
        servers[-1].start()
        return servers[-1].addresses[0]

    yield start
    for server in servers:
        server.stop()


def scrape(host: str, *, method: str = "GET", **headers: str) -> tuple[dict[str, str], bytes]:
    connection = HTTPConnection(host, timeout=20)
    try:
        connection.request(method, "/metrics", headers={k.replace("_", "-"): v for k, v in headers.items()})
        answer = connection.getresponse()
        assert answer.status == 200
        return {key.lower(): value for key, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (None, None),
        ("gzip", "gzip"),
        ("deflate, GZIP;q=1.0, *;q=0.5", "gzip"),
        ("gzip;q=0", None),
        ("gzip; q=0.000, identity", None),
        ("identity, gzip;q=0.5", None),
        ("gzip;q=high", None),
        ("br, *", None),
        ("", None),
    ],
)
def test_compression_is_negotiated(
    serve: Callable[[MetricsPage], str], asked: str | None, given: str | None
) -> None:
    """gzip for who asks for it and not for who refuses it; a cache is told what the answer depends on."""
    headers, body = scrape(serve(Counting()), **({} if asked is None else {"Accept_Encoding": asked}))
    assert headers.get("content-encoding") == given
    assert headers["vary"] == "Accept, Accept-Encoding"
    assert headers["content-length"] == str(len(body))
    assert (gzip.decompress(body) if given else body) == b"1 x 1\n"


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("", Format.TEXT),
        ("*/*", Format.TEXT),
        ("text/html", Format.TEXT),
        ("text/plain;version=0.0.4", Format.TEXT),
        ("text/plain; version=1.0.0", Format.TEXT_1),
        ("application/openmetrics-text", Format.OPENMETRICS),
        ("application/openmetrics-text;version=0.0.1, text/plain;version=0.0.4;q=0.5", Format.TEXT),
        ("application/openmetrics-text;version=9.x;q", Format.TEXT),
        ("text/plain;q=0.4, application/openmetrics-text;version=1.0.0;q=0.6", Format.OPENMETRICS),
        # Prometheus 2.42 and 3.5.
        (
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
            "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            Format.OPENMETRICS,
        ),
        (
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
            "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8"
            ";q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            Format.OPENMETRICS,
        ),
    ],
)
def test_format_is_negotiated(serve: Callable[[MetricsPage], str], asked: str, given: Format) -> None:
    """The format a client wants most among those there are; whatever it asks for, it gets one."""
    assert scrape(serve(Counting()), Accept=asked)[0]["content-type"] == given.value


def test_head_is_told_the_size(serve: Callable[[MetricsPage], str]) -> None:
    """HEAD has the headers of GET and no body."""
    headers, body = scrape(serve(Counting(b"x" * 10**6)), method="HEAD")
    assert (headers["content-length"], body) == (str(10**6 + 2), b"")


def test_scrapes_share_renderings(serve: Callable[[MetricsPage], str]) -> None:
    """Twenty scrapes at once share one rendering; a scrape after it has one of its own."""
    page = Counting()
    page.go.clear()
    host = serve(page)
    with ThreadPoolExecutor(20) as pool:
        scrapes = [pool.submit(scrape, host) for _ in range(20)]
        until(lambda: page.begun, "the first rendering")
        threading.Event().wait(0.5)
        page.go.set()
        bodies = [one.result()[1] for one in scrapes]
    # One that was slow to connect may have come too late to share.
    assert bodies.count(b"1 x 1\n") >= 18
    begun = page.begun
    assert begun <= 3
    assert scrape(host)[1] == b"%d x 1\n" % (begun + 1)
    assert page.most_at_once == 1


def test_who_does_not_read_holds_up_nobody(
    serve: Callable[[MetricsPage], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that asks and never reads is left behind: others are served, and its answer is given up."""
    monkeypatch.setattr("pf_exporter.web.app.CHUNK_TIMEOUT", 0.2)
    page = Counting(b"x" * 50_000_000)
    host = serve(page)
    deaf = HTTPConnection(host, timeout=20)
    deaf.request("GET", "/metrics")
    assert len(scrape(host)[1]) > 50_000_000
    threading.Event().wait(0.5)
    with deaf.getresponse() as answer, pytest.raises(IncompleteRead):
        answer.read()
    deaf.close()
