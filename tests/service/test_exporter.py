"""Reloading and stopping: what has not changed keeps running, and nothing runs after the end."""

from __future__ import annotations

import dataclasses
import re
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar
from urllib.error import HTTPError

import pytest

from pf_exporter.config import RemoteWriteSettings
from pf_exporter.config.accounts import StreamFilter
from pf_exporter.config.settings import (
    Config,
    CounterSettings,
    RecordSettings,
    SeriesSettings,
    StreamSettings,
    WebSettings,
)
from pf_exporter.errors import ConfigError
from pf_exporter.schema.temporality import Temporality
from pf_exporter.service.exporter import Exporter
from pf_exporter.service.pipeline import AccountPipeline
from tests.conftest import Program, get, until
from tests.fakes import Fake, dead_url, event
from tests.remote_write.fake_receiver import FakeReceiver

WEB = WebSettings(listen_address=("127.0.0.1:0",), enable_lifecycle=True)


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as api:
        api.events = [event("port|metrics", {"port_circuit_id": "P", "bytes_rx_total": 1})]
        yield api


class ReloadableExporter:
    """An exporter whose next configuration a test sets."""

    def __init__(self, fake: Fake, *names: str, web: WebSettings = WEB) -> None:
        self.fake = fake
        self.next = Config(accounts=tuple(fake.account(name=name) for name in names), web=web)
        self.problem = ""
        self.exporter = Exporter(self.next, source=self._source)
        self.url = f"http://{self.exporter.server.addresses[0]}"

    def _source(self) -> Config:
        if self.problem:
            raise ConfigError([self.problem])
        return self.next

    def post(self) -> tuple[int, str]:
        try:
            status, _, body = get(self.url + "/-/reload", method="POST")
            return status, body.decode()
        except HTTPError as exc:
            with exc:
                return exc.code, exc.read().decode()

    def metrics(self) -> str:
        return get(self.url + "/metrics")[2].decode()

    def wait(self) -> None:
        """Wait until every account streams and has its port."""
        until(
            lambda: (
                all(pipeline.stats.up for pipeline in self.exporter.pipelines)
                and all(self.exporter.store.rows("port|metrics").values())
            ),
            "all streams and ports",
        )


@pytest.fixture
def running(fake: Fake) -> Iterator[ReloadableExporter]:
    """An exporter with two accounts that stream."""
    reloadable = ReloadableExporter(fake, "one", "two")
    with reloadable.exporter:
        reloadable.wait()
        yield reloadable


def test_a_recording_has_metrics(fake: Fake, tmp_path: Path) -> None:
    """With record.file /metrics shows what is recorded, without it nothing about recordings."""
    config = Config(accounts=(fake.account(),), web=WEB, record=RecordSettings(file=str(tmp_path / "file")))
    frames = re.compile(r"^packetfabric_recording_frames_total ([1-9]\S*)$", re.MULTILINE)
    with Exporter(config) as exporter:
        url = f"http://{exporter.server.addresses[0]}/metrics"
        until(lambda: frames.search(get(url)[2].decode()), "a frame is recorded")
        page = get(url)[2].decode()
    assert "packetfabric_recording_failures_total 0.0" in page
    assert "packetfabric_recording_last_success_timestamp_seconds 1." in page
    assert (tmp_path / "file").exists()
    with Exporter(dataclasses.replace(config, record=RecordSettings())) as exporter:
        assert b"recording" not in get(f"http://{exporter.server.addresses[0]}/metrics")[2]


def test_remote_write_ends_every_series(fake: Fake) -> None:
    """When the exporter stops, the receiver gets what waits, then a stale marker for each series."""
    with FakeReceiver() as receiver:
        endpoint = RemoteWriteSettings(url=receiver.url, send=("stream",))
        config = Config(accounts=(fake.account(),), web=WEB, endpoints=(endpoint,))
        with Exporter(config) as exporter:
            until(lambda: any(exporter.store.rows("port|metrics").values()), "a row")
    name = "packetfabric_port_receive_bytes_total"
    samples = [sample for sample in receiver.samples if sample.name == name]
    assert [sample.is_stale for sample in samples] == [False, True]


def test_an_unchanged_configuration(running: ReloadableExporter) -> None:
    """Reloading the same configuration affects no stream, no session and no row."""
    pipelines, rows = list(running.exporter.pipelines), running.exporter.store.rows("port|metrics")
    assert running.post() == (200, "Reloaded.\n")
    assert running.exporter.pipelines == pipelines
    assert running.exporter.store.rows("port|metrics") == rows
    assert len(running.fake.of("login")) == len(running.fake.of("open")) == 2


def test_a_bad_web_configuration_is_refused(fake: Fake, tmp_path: Path) -> None:
    """A reload with a web configuration that cannot be used changes nothing, and counts as failed."""
    file = tmp_path / "web.yml"
    file.write_text("basic_auth_users: {}")
    running = ReloadableExporter(fake, "one", web=dataclasses.replace(WEB, config_file=str(file)))
    with running.exporter:
        before = list(running.exporter.pipelines)
        running.next = dataclasses.replace(running.next, accounts=(fake.account(name="two"),))
        file.write_text("basic_auth_users: {anna: secret}")
        status, text = running.post()
        assert status == 500
        assert f"{file}:1:" in text
        assert "basic_auth_users.anna: expected a bcrypt hash" in text
        assert running.exporter.pipelines == before
        assert "packetfabric_config_last_reload_successful 0.0" in running.metrics()
        file.write_text("basic_auth_users: {}")
        assert running.post()[0] == 200
        assert [pipeline.account for pipeline in running.exporter.pipelines] == ["two"]


def test_an_account_is_added_and_another_removed(running: ReloadableExporter) -> None:
    """An added account streams, a removed one leaves no series, a third one is not interrupted."""
    kept = running.exporter.pipelines[0]
    first, _ = running.next.accounts
    running.next = Config(accounts=(first, running.fake.account(name="three")), web=WEB)
    assert running.post()[0] == 200
    running.wait()
    assert running.exporter.pipelines[0] is kept
    assert kept.stats.connects == 1
    page = running.metrics()
    assert 'account="two"' not in page
    for name in ("one", "three"):
        assert f'packetfabric_up{{account="{name}"}} 1.0' in page
        assert f'packetfabric_port_receive_bytes_total{{account="{name}",port_circuit_id="P"}} 1.0' in page
    assert len(running.fake.of("logout")) == 1
    assert running.exporter.store.series().keys() == {"one", "three"}


def test_an_account_changes(running: ReloadableExporter) -> None:
    """An account with other events gets a new subscription and keeps its rows; the other continues."""
    first = running.next.accounts[0]
    changed = running.fake.account(name="two", streams=(StreamFilter("port", ("metrics",)),))
    running.next = Config(accounts=(first, changed), web=WEB)
    rows = running.exporter.store.rows("port|metrics")["two"]
    kept, replaced = running.exporter.pipelines
    assert running.post()[0] == 200
    assert [circuit for circuit, _ in running.exporter.store.rows("port|metrics")["two"]] == [rows[0][0]]
    running.wait()
    assert running.exporter.pipelines[0] is kept
    assert running.exporter.pipelines[1] is not replaced
    assert running.fake.of("subscribe")[-1].json()["streams"] == [{"type": "port", "events": ["metrics"]}]


def test_stream_and_series_settings(running: ReloadableExporter) -> None:
    """Stream settings reopen the streams; series settings take effect without that."""
    stream = StreamSettings(idle_timeout=33.0)
    before = list(running.exporter.pipelines)
    running.next = Config(accounts=running.next.accounts, web=WEB, series=SeriesSettings(ttl=77.0))
    running.post()
    assert running.exporter.store.ttl == 77.0
    assert running.exporter.pipelines == before
    running.next = Config(accounts=running.next.accounts, web=WEB, series=running.next.series, stream=stream)
    running.post()
    assert not set(map(id, running.exporter.pipelines)) & set(map(id, before))
    running.wait()


def test_limits_of_accounts(running: ReloadableExporter, fake: Fake) -> None:
    """Each account has its share of the limit of series, or its own limit, which a reload changes."""
    store = running.exporter.store
    assert [store.quota(name).share for name in ("one", "two")] == [250_000, 250_000]
    accounts = (
        fake.account(name="one", series_limit=100),
        *running.next.accounts[1:],
        fake.account(name="new"),
    )
    running.next = dataclasses.replace(running.next, accounts=accounts, series=SeriesSettings(limit=300))
    assert running.post()[0] == 200
    assert [store.quota(name).share for name in ("one", "two", "new")] == [100, 100, 100]
    assert [store.quota(name).maximum for name in ("one", "two", "new")] == [100, 300, 300]


def test_a_bad_configuration_changes_nothing(running: ReloadableExporter) -> None:
    """The response is 500 with the problem; the old configuration stays, and a metric shows the failure."""
    pipelines = list(running.exporter.pipelines)
    running.problem = "pf.yml: accounts[0].nme: unknown key; did you mean name?"
    assert running.post() == (
        500,
        f"Not reloaded; the previous configuration stays in force.\n{running.problem}\n",
    )
    assert running.exporter.pipelines == pipelines
    page = running.metrics()
    assert "\npacketfabric_config_last_reload_successful 0.0\n" in page
    at = float(page.split("\npacketfabric_config_last_reload_success_timestamp_seconds ")[1].split("\n")[0])
    running.problem = ""
    running.post()
    page = running.metrics()
    assert "\npacketfabric_config_last_reload_successful 1.0\n" in page
    again = page.split("\npacketfabric_config_last_reload_success_timestamp_seconds ")[1].split("\n")[0]
    assert float(again) > at


def test_sections_that_need_a_restart(running: ReloadableExporter, caplog: pytest.LogCaptureFixture) -> None:
    """Sections that cannot be reloaded are named in the log, and keep their values."""
    running.next = Config(
        accounts=running.next.accounts,
        web=WebSettings(),
        counters=CounterSettings(port_errors=Temporality.DELTA),
    )
    assert running.post()[0] == 200
    assert running.exporter.config.web == WEB
    assert running.exporter.config.counters == CounterSettings()
    assert "sections not reloaded" in caplog.text


def test_an_account_is_removed_and_added_again(running: ReloadableExporter) -> None:
    """A removed account leaves the page at once, and returns with its data when it is added again."""
    assert 'account="two"' in running.metrics()
    running.next = Config(accounts=running.next.accounts[:1], web=WEB)
    running.post()
    assert 'account="two"' not in running.metrics()
    running.next = Config(accounts=(*running.next.accounts, running.fake.account(name="two")), web=WEB)
    running.post()
    running.wait()
    assert 'packetfabric_port_receive_bytes_total{account="two",port_circuit_id="P"}' in running.metrics()


def test_reload_is_disabled_by_default(fake: Fake) -> None:
    """Without --web.enable-lifecycle POST gets 403, as from Prometheus, and the flag that enables it."""
    web = WebSettings(listen_address=("127.0.0.1:0",))
    with Exporter(Config(accounts=(fake.account(),), web=web)) as exporter:
        url = f"http://{exporter.server.addresses[0]}/-/reload"
        for method, code in (("POST", 403), ("GET", 405), ("PUT", 405)):
            with pytest.raises(HTTPError) as caught:
                get(url, method=method)
            with caught.value:
                assert caught.value.code == code
                assert (b"--web.enable-lifecycle" in caught.value.read()) is (code == 403)


def test_get_does_not_reload(running: ReloadableExporter) -> None:
    """A link or a prefetch cannot trigger a reload."""
    with pytest.raises(HTTPError) as caught:
        get(running.url + "/-/reload")
    with caught.value:
        assert caught.value.code == 405


class SwitchedPipeline(AccountPipeline):
    """A pipeline that calls ``during[step]`` once, at each of its steps: ``create``, ``start``, ``stop``."""

    during: ClassVar[dict[str, Callable[[], None]]] = {}
    running: ClassVar[set[SwitchedPipeline]] = set()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.during.pop("create", lambda: None)()

    def start(self) -> None:
        self.during.pop("start", lambda: None)()
        self.running.add(self)
        super().start()

    def stop(self) -> bool:
        self.during.pop("stop", lambda: None)()
        self.running.discard(self)
        return super().stop()


@pytest.mark.parametrize("step", ["create", "stop", "start"])
def test_stop_during_a_reload(fake: Fake, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """No pipeline is left running when the exporter stops while a reload creates, stops or starts one.

    Then the reload reports that it was not applied. In the last case ``stop`` has to wait for the reload, so
    the test does not wait for its end.
    """
    monkeypatch.setattr(SwitchedPipeline, "during", {})
    monkeypatch.setattr(SwitchedPipeline, "running", set())
    before = Config(accounts=(fake.account(name="old"),), web=WEB)
    after = Config(accounts=(fake.account(name="new"),), web=WEB)
    exporter = Exporter(before, source=lambda: after, create_pipeline=SwitchedPipeline)
    stopping = threading.Thread(target=exporter.stop)

    def stop() -> None:
        stopping.start()
        if step != "start":
            stopping.join(60)
            assert not stopping.is_alive()

    exporter.start()
    until(lambda: exporter.pipelines[0].stats.up, "a stream")
    SwitchedPipeline.during[step] = stop
    if step == "start":
        exporter.reload()
    else:
        with pytest.raises(ConfigError, match="the exporter is stopping"):
            exporter.reload()
    stopping.join(60)
    assert not stopping.is_alive()
    assert SwitchedPipeline.during == {}
    assert SwitchedPipeline.running == set()
    if step != "start":
        assert len(fake.of("login")) == len(fake.of("logout")) == 1


@pytest.mark.parametrize("step", ["create", "start"])
def test_a_reload_that_fails_unexpectedly(fake: Fake, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """An exporter that may have stopped an account without starting it again ends, and is unhealthy."""

    def fail() -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(SwitchedPipeline, "during", {})
    monkeypatch.setattr(SwitchedPipeline, "running", set())
    after = Config(accounts=(fake.account(name="new"),), web=WEB)
    ended = threading.Event()
    with Exporter(
        Config(accounts=(fake.account(name="old"),), web=WEB),
        source=lambda: after,
        on_failure=ended.set,
        create_pipeline=SwitchedPipeline,
    ) as exporter:
        SwitchedPipeline.during[step] = fail
        with pytest.raises(RuntimeError):
            exporter.reload()
        assert ended.is_set()
        assert exporter.failed
        assert exporter.problem()


class UnstoppablePipeline(AccountPipeline):
    """A pipeline whose reader, once it has an event, goes on only while ``released`` is set."""

    released: ClassVar[threading.Event]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.is_processing = False
        process = self.processor.process

        def slowly(event: Any) -> None:
            self.is_processing = True
            assert self.released.wait(60)
            process(event)

        self.processor.process = slowly  # type: ignore[method-assign]


def test_the_thread_of_a_removed_account_is_late(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account whose thread does not end in time leaves the store when it does."""
    monkeypatch.setattr(UnstoppablePipeline, "released", threading.Event(), raising=False)
    monkeypatch.setattr("pf_exporter.service.shutdown.STOP_TIMEOUT", 0.2)
    monkeypatch.setattr("pf_exporter.service.pipeline.STOP_TIMEOUT", 0.1)
    accounts = (fake.account(name="one"), fake.account(name="two"))
    after = Config(accounts=accounts[:1], web=WEB)
    with Exporter(
        Config(accounts=accounts, web=WEB), source=lambda: after, create_pipeline=UnstoppablePipeline
    ) as exporter:
        until(
            lambda: all(vars(pipeline)["is_processing"] for pipeline in exporter.pipelines), "events of both"
        )
        exporter.reload()
        assert exporter.store.series().keys() == {"one", "two"}
        UnstoppablePipeline.released.set()
        until(lambda: exporter.store.series().keys() == {"one"}, "the end of the account")


def test_a_reader_that_is_stuck(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """The health page is 503 and names the account whose reader is stuck, and no progress is reported."""
    released = threading.Event()
    released.set()
    monkeypatch.setattr(UnstoppablePipeline, "released", released, raising=False)
    monkeypatch.setattr("pf_exporter.stream.reader.PROGRESS_MARGIN", 0.2)
    progress = threading.Event()
    config = Config(accounts=(fake.account(name="one"),), web=WEB, stream=StreamSettings(idle_timeout=0.5))
    with Exporter(config, on_progress=progress.set, create_pipeline=UnstoppablePipeline) as exporter:
        url = f"http://{exporter.server.addresses[0]}/-/healthy"

        def health() -> tuple[int, bytes]:
            try:
                status, _, body = get(url)
            except HTTPError as exc:
                with exc:
                    return exc.code, exc.read()
            return status, body

        until(lambda: health()[0] == 200, "a thread with progress")
        assert progress.wait(60)
        released.clear()
        fake.send(event("port|metrics", {"port_circuit_id": "P", "bytes_rx_total": 2}))
        until(lambda: exporter.problem(), "a thread without progress")
        status, body = health()
        assert status == 503
        assert b"makes no progress: account one" in body
        progress.clear()
        assert not progress.wait(2.5)
        released.set()
        assert progress.wait(60)
        until(lambda: health()[0] == 200, "a thread with progress again")


def test_a_reader_that_waits_is_not_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long an API does not answer, or a silent stream stays open, the exporter is healthy."""
    monkeypatch.setattr("pf_exporter.stream.reader.PROGRESS_MARGIN", 0.2)
    stream = StreamSettings(idle_timeout=0.3, backoff_min=1.0, backoff_max=1.0)
    with Fake(heartbeat=60.0) as silent:
        accounts = (silent.account(name="silent"), silent.account(name="dead", api_url=dead_url()))
        with Exporter(Config(accounts=accounts, web=WEB, stream=stream)) as exporter:
            problems: list[str] = []

            def have_failed() -> bool:
                problems.append(exporter.problem())
                return all(sum(p.stats.disconnects.values()) > 2 for p in exporter.pipelines)

            until(have_failed, "failures of both")
            # If the machine pauses this process, a reader really is late for once.
            assert problems.count("") > 0.8 * len(problems)


def test_sighup(program: Callable[..., Program], fake: Fake, tmp_path: Path) -> None:
    """SIGHUP reloads the file: a bad one is logged and ignored, a good one takes effect."""
    path = tmp_path / "pf.yml"
    account = "{{name: {}, api_url: '{}', login: user, password: password}}"
    path.write_text(f"accounts: [{account.format('one', fake.url)}]\n")
    path.chmod(0o600)
    exporter = program(f"--config.file={path}", "--web.listen-address=127.0.0.1:0")
    exporter.wait_for("msg=streaming account=one")
    path.write_text("accounts: 1\n")
    exporter.process.send_signal(signal.SIGHUP)
    exporter.wait_for("configuration not reloaded")
    path.write_text(f"accounts: [{account.format('one', fake.url)}, {account.format('two', fake.url)}]\n")
    exporter.process.send_signal(signal.SIGHUP)
    exporter.wait_for("msg=streaming account=two")
    exporter.wait_for('msg="configuration reloaded" kept=1 started=1 stopped=0')
    exporter.process.send_signal(signal.SIGTERM)
    assert exporter.end() == 0
