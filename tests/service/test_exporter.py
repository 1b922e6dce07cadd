"""Reloading: what changed changes, what did not goes on as if nothing had happened."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError

import pytest

from pf_exporter.config.accounts import StreamFilter
from pf_exporter.config.settings import Config, CounterSettings, SeriesSettings, StreamSettings, WebSettings
from pf_exporter.errors import ConfigError
from pf_exporter.service.exporter import Exporter
from tests.conftest import Program, get, until
from tests.fakes import Fake, event

WEB = WebSettings(listen_address=("127.0.0.1:0",), enable_lifecycle=True)


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as one:
        one.events = [event("port|metrics", {"port_circuit_id": "P", "bytes_rx_total": 1})]
        yield one


class House:
    """An exporter whose next configuration a test sets."""

    def __init__(self, fake: Fake, *names: str) -> None:
        self.fake = fake
        self.next = Config(accounts=tuple(fake.account(name=name) for name in names), web=WEB)
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
        """Until every account streams and has its port."""
        until(
            lambda: (
                all(pipeline.stats.up for pipeline in self.exporter.pipelines)
                and all(self.exporter.store.rows("port|metrics").values())
            ),
            "all streams and ports",
        )


@pytest.fixture
def house(fake: Fake) -> Iterator[House]:
    """Two accounts that stream."""
    one = House(fake, "one", "two")
    with one.exporter:
        one.wait()
        yield one


def test_nothing_changed(house: House) -> None:
    """The same configuration again touches no stream, no login, no row."""
    pipelines, rows = list(house.exporter.pipelines), house.exporter.store.rows("port|metrics")
    assert house.post() == (200, "Reloaded.\n")
    assert house.exporter.pipelines == pipelines
    assert house.exporter.store.rows("port|metrics") == rows
    assert len(house.fake.of("login")) == len(house.fake.of("open")) == 2


def test_an_account_comes_and_another_goes(house: House) -> None:
    """A new account streams, one that is gone leaves nothing on the page, one that stays is not disturbed."""
    kept = house.exporter.pipelines[0]
    first, _ = house.next.accounts
    house.next = Config(accounts=(first, house.fake.account(name="three")), web=WEB)
    assert house.post()[0] == 200
    house.wait()
    assert house.exporter.pipelines[0] is kept
    assert kept.stats.connects == 1
    page = house.metrics()
    assert 'account="two"' not in page
    for name in ("one", "three"):
        assert f'packetfabric_up{{account="{name}"}} 1.0' in page
        assert f'packetfabric_port_receive_bytes_total{{account="{name}",port_circuit_id="P"}} 1.0' in page
    assert len(house.fake.of("logout")) == 1
    assert house.exporter.store.series().keys() == {"one", "three"}


def test_an_account_changes(house: House) -> None:
    """An account that wants other events is subscribed anew and keeps its rows; the other goes on."""
    first = house.next.accounts[0]
    changed = house.fake.account(name="two", streams=(StreamFilter("port", ("metrics",)),))
    house.next = Config(accounts=(first, changed), web=WEB)
    rows = house.exporter.store.rows("port|metrics")["two"]
    kept, gone = house.exporter.pipelines
    assert house.post()[0] == 200
    assert [circuit for circuit, _ in house.exporter.store.rows("port|metrics")["two"]] == [rows[0][0]]
    house.wait()
    assert house.exporter.pipelines[0] is kept
    assert house.exporter.pipelines[1] is not gone
    assert house.fake.of("subscribe")[-1].json()["streams"] == [{"type": "port", "events": ["metrics"]}]


def test_settings_of_the_stream_and_of_series(house: House) -> None:
    """Stream settings open the streams anew; those of series take effect with the streams left open."""
    stream = StreamSettings(idle_timeout=33.0)
    before = list(house.exporter.pipelines)
    house.next = Config(accounts=house.next.accounts, web=WEB, series=SeriesSettings(ttl=77.0))
    house.post()
    assert house.exporter.store.ttl == 77.0
    assert house.exporter.pipelines == before
    house.next = Config(accounts=house.next.accounts, web=WEB, series=house.next.series, stream=stream)
    house.post()
    assert not set(map(id, house.exporter.pipelines)) & set(map(id, before))
    house.wait()


def test_a_bad_configuration_changes_nothing(house: House) -> None:
    """500 with the problem as text; the old configuration stays, and a metric says so until it is mended."""
    pipelines = list(house.exporter.pipelines)
    house.problem = "pf.yml: accounts[0].nme: unknown key; did you mean name?"
    assert house.post() == (500, f"Not reloaded; what was in force stays in force.\n{house.problem}\n")
    assert house.exporter.pipelines == pipelines
    page = house.metrics()
    assert "\npacketfabric_config_last_reload_successful 0.0\n" in page
    at = float(page.split("\npacketfabric_config_last_reload_success_timestamp_seconds ")[1].split("\n")[0])
    house.problem = ""
    house.post()
    page = house.metrics()
    assert "\npacketfabric_config_last_reload_successful 1.0\n" in page
    again = page.split("\npacketfabric_config_last_reload_success_timestamp_seconds ")[1].split("\n")[0]
    assert float(again) > at


def test_what_only_a_restart_changes(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """Sections that cannot change are named in the log, and are shown as they are in force."""
    house.next = Config(
        accounts=house.next.accounts, web=WebSettings(), counters=CounterSettings(port_errors="delta")
    )
    assert house.post()[0] == 200
    assert house.exporter.config.web == WEB
    assert house.exporter.config.counters == CounterSettings()
    assert "sections not reloaded" in caplog.text


def test_rows_of_who_left_are_noticed(house: House) -> None:
    """A page rendered before an account left is not shown after, whatever was written in between."""
    assert 'account="two"' in house.metrics()
    house.next = Config(accounts=house.next.accounts[:1], web=WEB)
    house.post()
    assert 'account="two"' not in house.metrics()
    house.next = Config(accounts=(*house.next.accounts, house.fake.account(name="two")), web=WEB)
    house.post()
    house.wait()
    assert 'packetfabric_port_receive_bytes_total{account="two",port_circuit_id="P"}' in house.metrics()


def test_reload_is_off_unless_enabled(fake: Fake) -> None:
    """Without --web.enable-lifecycle POST is 405, and so is GET in any case."""
    web = WebSettings(listen_address=("127.0.0.1:0",))
    with Exporter(Config(accounts=(fake.account(),), web=web)) as exporter:
        url = f"http://{exporter.server.addresses[0]}/-/reload"
        for method, code in (("POST", 405), ("GET", 405), ("PUT", 405)):
            with pytest.raises(HTTPError) as caught:
                get(url, method=method)
            with caught.value:
                assert caught.value.code == code


def test_get_does_not_reload(house: House) -> None:
    """Nothing that a link or a prefetch can ask for reloads."""
    with pytest.raises(HTTPError) as caught:
        get(house.url + "/-/reload")
    with caught.value:
        assert caught.value.code == 405


def test_sighup(program: Callable[..., Program], fake: Fake, tmp_path: Path) -> None:
    """SIGHUP reads the file again: a bad one is logged and survived, a good one is in force."""
    path = tmp_path / "pf.yml"
    account = "{{name: {}, api_url: '{}', login: user, password: password}}"
    path.write_text(f"accounts: [{account.format('one', fake.url)}]\n")
    path.chmod(0o600)
    one = program(f"--config.file={path}", "--web.listen-address=127.0.0.1:0")
    one.wait_for("msg=streaming account=one")
    path.write_text("accounts: 1\n")
    one.process.send_signal(signal.SIGHUP)
    one.wait_for("configuration not reloaded")
    path.write_text(f"accounts: [{account.format('one', fake.url)}, {account.format('two', fake.url)}]\n")
    one.process.send_signal(signal.SIGHUP)
    one.wait_for("msg=streaming account=two")
    one.wait_for('msg="configuration reloaded" kept=1 started=1 stopped=0')
    one.process.send_signal(signal.SIGTERM)
    assert one.end() == 0
