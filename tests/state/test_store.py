"""The store: the latest observation wins whole, silence empties, the limit holds, and clocks may jump."""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pf_exporter.schema.events import EVENTS, families
from pf_exporter.schema.observation import Numbers, Observation
from pf_exporter.state.store import Store, WriteResult
from pf_exporter.state.table import Row
from tests.metrics.reference_collector import ReferenceCollector

TTL = 600.0
T = 1_790_000_000.0


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class World:
    """A store whose clocks the test holds, and whose accounts are ``a`` and ``b``."""

    def __init__(self, *, limit: int = 1_000_000, delta: tuple[str, ...] = ()) -> None:
        self.clock = Clock(50.0)
        self.wall = Clock(T)
        self.store = Store(ttl=TTL, limit=limit, delta=delta, clock=self.clock, wall=self.wall)
        for account in ("a", "b"):
            self.store.add_account(account)

    def write(self, observation: Observation, account: str = "a") -> WriteResult:
        return self.store.write(account, observation)

    def row(self, circuit: str = "p", event: str = "port|metrics", account: str = "a") -> Row | None:
        return dict(self.store.rows(event)[account]).get(circuit_of(event, circuit))

    def values(self, circuit: str = "p", event: str = "port|metrics", account: str = "a") -> Numbers | None:
        row = self.row(circuit, event, account)
        return None if row is None else row.values

    def on_metrics(self) -> dict[str, float]:
        """Per account, how many series are on /metrics, and as how many they are counted there."""
        families = list(ReferenceCollector(self.store).collect())
        counts = dict.fromkeys(("a", "b"), 0.0)
        for family in families:
            for sample in family.samples:
                counts[sample.labels["account"]] += family.name != "packetfabric_series"
        (counted,) = (family for family in families if family.name == "packetfabric_series")
        assert {sample.labels["account"]: sample.value for sample in counted.samples} == self.store.series()
        return counts


def circuit_of(event: str, circuit: str) -> tuple[str, ...]:
    return (circuit,) if event.startswith("port|") else (circuit, "port", "4")


def observed(
    value: float | None,
    circuit: str = "p",
    event: str = "port|metrics",
    at: float | None = None,
    lanes: int = 1,
) -> Observation:
    """An observation all of whose numbers are the same."""
    known = EVENTS[event]
    names = tuple(map(str, range(lanes))) if known.has_lanes else ()
    width = len(known.fields) * (lanes if known.has_lanes else 1)
    return Observation(known, circuit_of(event, circuit), names, (value,) * width, at)


@pytest.fixture
def world() -> World:
    return World()


# What is kept


def test_the_last_observation_wins(world: World) -> None:
    """A row is replaced whole: its numbers, its absences, its times."""
    world.write(observed(1.0, at=T - 5))
    world.clock.now += 60
    world.wall.now += 60
    values = (None, *range(2, 9))
    assert world.write(observed(1.0, at=T + 55)._replace(values=values)) is WriteResult.KEPT
    assert world.row() == Row((), values, T + 55, 110.0, T + 60)


def test_accounts_events_and_circuits_do_not_meet(world: World) -> None:
    """The same circuit in another account or event, and another VLAN of the same, are rows of their own."""
    world.write(observed(1.0))
    world.write(observed(2.0), "b")
    world.write(observed(3.0, event="port|errors"))
    world.write(observed(4.0, "p-PF"))
    assert world.values() == (1.0,) * 8
    assert world.values(account="b") == (2.0,) * 8
    assert world.values(event="port|errors") == (3.0,) * 19
    assert world.values("p-PF") == (4.0,) * 8
    assert world.row(event="port|optical") is None


def test_rows_keep_their_order(world: World) -> None:
    """/metrics lists circuits as they were first seen, whichever spoke last, through expiry and return."""
    for circuit in "cab":
        world.write(observed(1.0, circuit))
    world.clock.now += TTL + 1
    for circuit in "bca":
        world.write(observed(2.0, circuit))
    assert [circuit for circuit, _ in world.store.rows("port|metrics")["a"]] == [("c",), ("a",), ("b",)]


def test_a_copy_does_not_change(world: World) -> None:
    """What a scrape has got stays as it was, whatever is written meanwhile."""
    world.write(observed(1.0, at=T))
    copy = world.store.rows("port|metrics")
    world.write(observed(2.0, at=T + 1))
    world.write(observed(2.0, "q"))
    ((circuit, row),) = copy["a"]
    assert (circuit, row.values) == (("p",), (1.0,) * 8)


def test_an_account_is_listed_from_the_start(world: World) -> None:
    """An account that has not said anything has no rows and no series, which is not the same as not being."""
    assert world.store.rows("vc|metrics") == {"a": [], "b": []}
    assert world.store.series() == {"a": 0, "b": 0}


# Silence


def test_silence_empties_a_row(world: World) -> None:
    """Up to its time to live a row has its numbers; beyond it, only the time it was last heard of."""
    world.write(observed(1.0, at=T))
    world.clock.now += TTL
    assert world.values() == (1.0,) * 8
    world.clock.now += 0.001
    assert world.row() == Row((), (), None, 50.0, T)
    assert world.store.series() == {"a": 1, "b": 0}
    world.write(observed(2.0, at=T - 1000))
    assert world.values() == (2.0,) * 8


def test_expiry_is_by_circuit_and_event(world: World) -> None:
    """What speaks keeps its numbers beside what is silent: in another circuit, event or account."""
    for circuit in "pq":
        for event in EVENTS:
            world.write(observed(1.0, circuit, event))
            world.write(observed(1.0, circuit, event), "b")
    world.clock.now += TTL - 1
    world.write(observed(2.0))
    world.clock.now += 2
    alive = {
        (account, event, circuit)
        for account in "ab"
        for event in EVENTS
        for circuit in "pq"
        if world.values(circuit, event, account)
    }
    assert alive == {("a", "port|metrics", "p")}


def test_a_row_that_is_often_written_expires_last(world: World) -> None:
    """Expiry goes by when a circuit last spoke, not by when it first did."""
    world.write(observed(1.0, "p"))
    world.clock.now += 1
    world.write(observed(1.0, "q"))
    world.clock.now += 1
    world.write(observed(2.0, "p"))
    world.clock.now += TTL - 0.5
    assert (world.values("p"), world.values("q")) == ((2.0,) * 8, ())


def test_dropped_events_do_not_keep_a_row_alive(world: World) -> None:
    """A sample that is repeated for ever is silence."""
    for _ in range(3):
        world.write(observed(1.0, at=T))
        world.clock.now += TTL / 3
    assert world.values() == (1.0,) * 8
    world.clock.now += 1
    assert world.values() == ()


@pytest.mark.parametrize("jump", [3600.0, -3600.0, 10 * 365 * 86400.0, -10 * 365 * 86400.0])
def test_a_jump_of_the_wall_clock_changes_nothing(jump: float, world: World) -> None:
    """Expiry, order and duplicates go by other clocks; only the time people read follows the wall's."""
    world.write(observed(1.0, "p", at=T))
    world.wall.now += jump
    assert world.values("p") == (1.0,) * 8
    assert world.write(observed(1.0, "p", at=T)) is WriteResult.DUPLICATE
    assert world.write(observed(2.0, "p", at=T + 1)) is WriteResult.KEPT
    row = world.row()
    assert row is not None
    assert (row.received_monotonic, row.received_at) == (50.0, T + jump)
    world.wall.now -= jump
    world.clock.now += TTL + 1
    assert world.values("p") == ()


# Repeats and disorder


def test_the_same_sample_twice_is_dropped(world: World) -> None:
    """Two streams that overlap bring the same sample; it counts once, and the first one's arrival stays."""
    world.write(observed(1.0, at=T))
    world.clock.now += 5
    assert world.write(observed(1.0, at=T)) is WriteResult.DUPLICATE
    row = world.row()
    assert row is not None
    assert row.received_monotonic == 50.0


def test_another_sample_of_the_same_second_is_kept(world: World) -> None:
    """The network stamps whole seconds: other numbers are another sample, and the later one wins."""
    world.write(observed(1.0, at=T))
    assert world.write(observed(2.0, at=T)) is WriteResult.KEPT
    assert world.values() == (2.0,) * 8


def test_an_older_sample_is_dropped(world: World) -> None:
    """What was sampled before what is held does not replace it, however late it comes."""
    world.write(observed(2.0, at=T))
    assert world.write(observed(1.0, at=T - 0.001)) is WriteResult.OUT_OF_ORDER
    assert world.values() == (2.0,) * 8


def test_within_a_second_totals_tell_the_order(world: World) -> None:
    """Of two samples with one timestamp, the one with the lower totals is the earlier, and no reset."""
    world.write(observed(2.0, at=T))
    assert world.write(observed(1.0, at=T)) is WriteResult.OUT_OF_ORDER
    assert world.values() == (2.0,) * 8


def test_without_a_time_there_is_no_order(world: World) -> None:
    """An event that does not say when it was sampled is the latest, and so is the one after it."""
    world.write(observed(3.0, at=T))
    assert world.write(observed(4.0)) is WriteResult.KEPT
    assert world.write(observed(4.0)) is WriteResult.KEPT
    assert world.write(observed(5.0, at=T - 100)) is WriteResult.KEPT
    assert world.values() == (5.0,) * 8


def test_a_clock_that_went_back_is_believed_in_the_end(world: World) -> None:
    """After a sample from the year 2099 the right ones are dropped, but no longer than the time to live."""
    world.write(observed(1.0, at=4_070_908_800.0))
    outcomes = []
    for minute in range(12):
        outcomes.append(world.write(observed(2.0, at=T + 60 * minute)))
        world.clock.now += 60
    assert outcomes == [WriteResult.OUT_OF_ORDER] * 11 + [WriteResult.KEPT]
    assert world.values() == (2.0,) * 8


def test_a_dark_module_has_an_order_too(world: World) -> None:
    """A module without light has no numbers; a repeat and an older sample of it are known all the same."""
    assert world.write(observed(1.0, event="port|optical", at=T, lanes=0)) is WriteResult.KEPT
    assert world.write(observed(1.0, event="port|optical", at=T, lanes=0)) is WriteResult.DUPLICATE
    assert world.write(observed(1.0, event="port|optical", at=T - 1)) is WriteResult.OUT_OF_ORDER
    assert world.values(event="port|optical") == ()
    assert world.write(observed(1.0, event="port|optical", at=T + 1, lanes=8)) is WriteResult.KEPT
    assert world.store.series()["a"] == 49


# Totals that fell, and differences


def test_totals_that_fell_are_told(world: World) -> None:
    """A counter below what it was is a reset, kept and told; a gauge may fall, and silence forgets."""
    before = observed(5.0)
    world.write(before)
    gauges_fell = before._replace(values=(5.0, 5.0, 1.0, 1.0, 6.0, 6.0, 1.0, 1.0))
    assert world.write(gauges_fell) is WriteResult.KEPT
    for index in (0, 1, 4, 5):
        world.write(before._replace(values=(9.0,) * 8))
        values = tuple(0.0 if column == index else 9.0 for column in range(8))
        assert world.write(before._replace(values=values)) is WriteResult.RESET
        assert world.values() == values
    world.clock.now += TTL + 1
    assert world.write(observed(0.0)) is WriteResult.KEPT


def test_an_absent_total_has_not_fallen(world: World) -> None:
    """Between a number and nothing there is no more or less; beside it, what fell is seen."""
    world.write(observed(5.0))
    absent = (None, *(5.0,) * 7)
    assert world.write(observed(5.0)._replace(values=absent)) is WriteResult.KEPT
    assert world.write(observed(5.0)._replace(values=(0.0, *(5.0,) * 7))) is WriteResult.KEPT
    world.write(observed(5.0))
    assert world.write(observed(5.0)._replace(values=(None, 4.0, *(5.0,) * 6))) is WriteResult.RESET


def test_differences_add_up() -> None:
    """Where events carry differences the row holds their sum, through absences, and only for counters."""
    world = World(delta=("port|errors",))
    for index, value in enumerate((3.0, 0.0, None, 4.0)):
        assert world.write(observed(value, event="port|errors", at=T + index)) is WriteResult.KEPT
        assert world.write(observed(value, at=T + index)) is not WriteResult.DUPLICATE
    assert world.values(event="port|errors") == (7.0,) * 19
    assert world.values() == (4.0,) * 8


def test_gauges_do_not_add_up() -> None:
    """In an event of differences a rate is still the last one."""
    world = World(delta=("port|metrics",))
    world.write(observed(3.0, at=T))
    world.write(observed(4.0, at=T + 1))
    assert world.values() == (7.0, 7.0, 4.0, 4.0, 7.0, 7.0, 4.0, 4.0)


def test_a_sum_starts_with_the_first_difference() -> None:
    """A field that is absent at first is absent, and begins with its first difference."""
    world = World(delta=("port|errors",))
    world.write(observed(None, event="port|errors"))
    assert world.values(event="port|errors") == (None,) * 19
    world.write(observed(2.0, event="port|errors"))
    assert world.values(event="port|errors") == (2.0,) * 19


def test_a_difference_counts_once() -> None:
    """A second event of the same second is the same difference, even where it says something else."""
    world = World(delta=("port|errors",))
    world.write(observed(3.0, event="port|errors", at=T))
    assert world.write(observed(3.0, event="port|errors", at=T)) is WriteResult.DUPLICATE
    assert world.write(observed(4.0, event="port|errors", at=T)) is WriteResult.DUPLICATE
    assert world.write(observed(4.0, event="port|errors", at=T - 1)) is WriteResult.OUT_OF_ORDER
    assert world.values(event="port|errors") == (3.0,) * 19


def test_a_sum_survives_a_pause_and_not_silence() -> None:
    """Up to the time to live the sum goes on; after it the series was gone, and a new one begins."""
    world = World(delta=("port|errors",))
    world.write(observed(3.0, event="port|errors"))
    world.clock.now += TTL
    world.write(observed(4.0, event="port|errors"))
    assert world.values(event="port|errors") == (7.0,) * 19
    world.clock.now += TTL + 1
    assert world.write(observed(5.0, event="port|errors")) is WriteResult.KEPT
    assert world.values(event="port|errors") == (5.0,) * 19


# The limit


def test_new_circuits_are_refused_above_the_limit() -> None:
    """What does not fit is refused whole, in any account; what is there goes on being written."""
    world = World(limit=20)
    assert world.write(observed(1.0, "p")) is WriteResult.KEPT
    assert world.write(observed(1.0, "q"), "b") is WriteResult.KEPT
    assert world.write(observed(1.0, "r")) is WriteResult.REFUSED
    assert world.write(observed(1.0, "r"), "b") is WriteResult.REFUSED
    assert world.write(observed(2.0, "p")) is WriteResult.KEPT
    assert world.row("r") is None
    assert world.store.series() == {"a": 9, "b": 9}


def test_the_limit_itself_fits() -> None:
    """As many series as the limit says are held, and not one more."""
    world = World(limit=18)
    assert world.write(observed(1.0, "p")) is WriteResult.KEPT
    assert world.write(observed(1.0, "q")) is WriteResult.KEPT
    assert world.write(observed(None, "r")) is WriteResult.REFUSED
    assert sum(world.store.series().values()) == 18


def test_growth_is_refused_above_the_limit() -> None:
    """A module may not grow lanes there is no room for; it keeps what it had, and may shrink."""
    world = World(limit=30)
    world.write(observed(1.0, event="port|optical", lanes=4))
    assert world.write(observed(2.0, event="port|optical", lanes=8)) is WriteResult.REFUSED
    assert world.values(event="port|optical") == (1.0,) * 24
    assert world.write(observed(3.0, event="port|optical", lanes=1)) is WriteResult.KEPT
    assert world.write(observed(1.0)) is WriteResult.KEPT
    assert sum(world.store.series().values()) == 7 + 9


def test_room_comes_back_with_silence() -> None:
    """What expires makes room for another event of another account, though nobody scrapes."""
    world = World(limit=9)
    world.write(observed(1.0, "p", event="port|metrics"))
    assert world.write(observed(1.0, "v", event="vc|metrics"), "b") is WriteResult.REFUSED
    world.clock.now += TTL + 1
    assert world.write(observed(1.0, "v", event="vc|metrics"), "b") is WriteResult.KEPT
    assert world.store.series() == {"a": 0, "b": 9}


def test_the_silent_do_not_fill_the_store_for_ever() -> None:
    """After any number of circuits have come and gone there is room for those that speak now."""
    world = World(limit=90)
    for wave in range(30):
        for circuit in range(10):
            assert world.write(observed(1.0, f"{wave}-{circuit}")) is WriteResult.KEPT
        world.clock.now += TTL + 1
    assert world.write(observed(1.0, "0-0")) is WriteResult.KEPT
    assert sum(world.store.series().values()) <= 90


def test_the_longest_silent_go_first_and_only_for_need() -> None:
    """When last heard of stays known while there is room, or no room to gain, and the oldest goes first."""
    world = World(limit=20)

    def known() -> str:
        return "".join(circuit for (circuit,), _ in world.store.rows("port|metrics")["a"])

    for circuit in "pq":
        world.write(observed(1.0, circuit))
        world.clock.now += 1
    world.clock.now += TTL
    assert world.write(observed(1.0, "r")) is WriteResult.KEPT
    assert world.write(observed(1.0, "s")) is WriteResult.KEPT
    assert (known(), sum(world.store.series().values())) == ("pqrs", 20)
    assert world.write(observed(1.0, "t")) is WriteResult.REFUSED
    assert known() == "pqrs"
    assert world.write(observed(None, "t")) is WriteResult.KEPT
    assert known() == "qrst"


def test_one_who_returns_in_vain_stays_known() -> None:
    """An expired circuit that finds no room is refused, and when it was last heard of does not change."""
    world = World(limit=10)
    world.write(observed(1.0, "p"))
    world.clock.now += TTL + 1
    assert world.write(observed(1.0, "q")) is WriteResult.KEPT
    assert world.write(observed(1.0, "p")) is WriteResult.REFUSED
    assert world.row("p") == Row((), (), None, 50.0, T)
    assert world.store.series() == {"a": 10, "b": 0}
    world.clock.now += TTL + 1
    assert world.write(observed(1.0, "p")) is WriteResult.KEPT


def test_a_flood_of_circuits_stays_within_the_limit() -> None:
    """50,000 circuits, each heard once, take no more than the limit of 10,000 series."""
    world = World(limit=10_000)
    world.write(observed(1.0, "mine"))
    outcomes = dict.fromkeys(WriteResult, 0)
    template = observed(1.0)
    for index in range(50_000):
        outcomes[world.write(template._replace(circuit=(f"p{index}",)))] += 1
    assert outcomes[WriteResult.KEPT] == 1110
    assert outcomes[WriteResult.REFUSED] == 50_000 - 1110
    assert world.store.series()["a"] == 1111 * 9
    assert world.write(observed(2.0, "mine")) is WriteResult.KEPT


def test_counted_series_are_those_on_metrics(world: World) -> None:
    """What the store counts is what a scrape shows: numbers that are there, and one freshness to a row."""
    world.write(observed(1.0))
    world.write(observed(1.0, event="port|errors")._replace(values=(None, *(1.0,) * 18)))
    world.write(observed(1.0, event="port|optical", lanes=8))
    world.write(observed(None, event="port|etherstats"))
    world.write(observed(1.0, event="vc|metrics"), "b")
    assert world.on_metrics() == world.store.series() == {"a": 9 + 19 + 49 + 1, "b": 9}
    world.clock.now += TTL + 1
    assert world.on_metrics() == world.store.series() == {"a": 4, "b": 1}


def test_vlans_that_share_a_freshness_are_counted_for_more(world: World) -> None:
    """Two VLANs of a circuit on one port show one freshness; the store counts two: the limit holds."""
    world.write(observed(1.0, event="vc|metrics"))
    world.write(observed(1.0, event="vc|metrics")._replace(circuit=("p", "port", "5")))
    assert world.store.series()["a"] == 18
    assert world.on_metrics()["a"] == 17


def test_the_version_rises_with_every_change() -> None:
    """Whoever remembers a version knows whether the rows have changed: written, silent, making room."""
    world = World(limit=20)

    def rose(event: str = "port|metrics") -> bool:
        before, versions[event] = versions.get(event), world.store.version(event)
        return before != versions[event]

    versions: dict[str, int] = {}
    assert rose()
    assert rose("port|errors")
    assert not rose()
    world.write(observed(1.0, at=T))
    assert rose()
    assert world.write(observed(1.0, at=T)) is WriteResult.DUPLICATE
    assert world.write(observed(1.0, at=T - 1)) is WriteResult.OUT_OF_ORDER
    assert world.write(observed(1.0, event="port|etherstats")) is WriteResult.REFUSED
    assert not rose()
    world.write(observed(1.0, "q"), "b")
    assert rose()
    world.clock.now += TTL + 1
    assert rose()
    assert not rose("port|errors")
    assert world.write(observed(1.0, event="port|errors")) is WriteResult.KEPT
    assert rose()
    assert rose("port|errors")


# Threads


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Threads take turns a thousand times as often as they would."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("hasty_threads")
@pytest.mark.parametrize("event", EVENTS)
def test_an_event_is_shown_whole_or_not_at_all(event: str) -> None:
    """While a thread writes events of equal numbers, no scrape shows two numbers in one event."""
    store = Store(ttl=TTL, limit=100_000)
    store.add_account("a")
    collector = ReferenceCollector(store)
    stop = threading.Event()

    def write() -> None:
        for count in itertools.count(1):
            for circuit in "pq":
                store.write("a", observed(count * 8000.0, circuit, event, lanes=1 + count % 4))
            if stop.is_set():
                break

    seen = set()
    writer = threading.Thread(target=write, name="writer")
    writer.start()
    try:
        for scrape in range(5000):
            shown: dict[str, set[float]] = {"p": set(), "q": set()}
            for family, known in zip(collector.collect(), families(), strict=False):
                if known.source.startswith(event):
                    for sample in family.samples:
                        circuit = sample.labels.get("vc_circuit_id") or sample.labels["port_circuit_id"]
                        shown[circuit].add(sample.value * known.divisor)
            assert [circuit for circuit, numbers in shown.items() if len(numbers) > 1] == []
            seen |= shown["p"]
            if scrape > 50 and len(seen) > 10:
                break
    finally:
        stop.set()
        writer.join()
    assert len(seen) > 10


@pytest.mark.usefixtures("hasty_threads")
def test_many_threads_may_write() -> None:
    """The books are right after four threads have written, expired and refused at once."""
    clock = Clock(0.0)
    store = Store(ttl=5.0, limit=200, clock=clock)
    for account in "abcd":
        store.add_account(account)
    start = threading.Barrier(4)
    failures: list[BaseException] = []

    def write(account: str) -> None:
        start.wait()
        try:
            for index in range(1500):
                clock.now += 0.01
                event = ("port|metrics", "port|optical")[index % 2]
                store.write(account, observed(1.0, f"p{index % 37}", event, lanes=index % 5))
        except BaseException as exc:  # noqa: BLE001 - told by the main thread
            failures.append(exc)

    threads = [threading.Thread(target=write, args=(account,)) for account in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    held = dict.fromkeys("abcd", 0)
    for event in EVENTS:
        for account, rows in store.rows(event).items():
            held[account] += sum(1 + len(row.values) - row.values.count(None) for _, row in rows)
    assert held == store.series()
    assert sum(held.values()) <= 200


def test_who_comes_later_is_later() -> None:
    """The clock is read by who has the turn: a time read before it could be earlier than what is held."""
    turns = []

    def clock() -> float:
        turns.append(store._lock.locked())
        return 0.0

    store = Store(ttl=TTL, limit=100, clock=clock)
    store.add_account("a")
    store.write("a", observed(1.0))
    store.rows("port|metrics")
    store.version("port|metrics")
    assert turns == [True] * 3


# Against a naive model

CIRCUITS = st.sampled_from("pqr")
ACCOUNTS = st.sampled_from("ab")
TIMES = st.none() | st.sampled_from([T, T + 1, T + 2])
KINDS = st.sampled_from(["port|metrics", "port|errors", "vc|metrics", "port|optical"])
DELTA = ("port|errors",)


class Model(RuleBasedStateMachine):
    """Store beside a list of rows in which everything is looked up the long way."""

    def __init__(self) -> None:
        super().__init__()
        self.limit = 65
        self.world = World(limit=self.limit, delta=DELTA)
        self.now = 50.0
        self.rows: dict[tuple[str, str, str], dict[str, Any]] = {}

    def size(self) -> int:
        return sum(1 + sum(v is not None for v in row["values"]) for row in self.rows.values())

    def expire(self) -> None:
        for row in self.rows.values():
            if row["alive"] and self.now - row["arrived"] > TTL:
                row.update(alive=False, values=(), timestamp=None)

    @rule(seconds=st.sampled_from([0.0, 1.0, TTL / 2, TTL, TTL + 1]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.world.clock.now += seconds

    @rule(seconds=st.sampled_from([3600.0, -3600.0, 1e9]))
    def set_the_wall_clock(self, seconds: float) -> None:
        self.world.wall.now += seconds

    @rule(
        account=ACCOUNTS,
        event=KINDS,
        circuit=CIRCUITS,
        value=st.none() | st.sampled_from([0.0, 1.0, 5.0]),
        at=TIMES,
        lanes=st.sampled_from([0, 1, 4]),
    )
    def write(
        self, account: str, event: str, circuit: str, value: float | None, at: float | None, lanes: int
    ) -> None:
        observation = observed(value, circuit, event, at, lanes)
        outcome = self.world.write(observation, account)
        self.expire()
        key = (account, event, circuit)
        held = self.rows.get(key)
        wanted = WriteResult.KEPT
        values = observation.values
        if held is not None and held["alive"]:
            before = held["values"]
            if at is not None and held["timestamp"] is not None:
                if at < held["timestamp"]:
                    assert outcome is WriteResult.OUT_OF_ORDER
                    return
                if at == held["timestamp"] and (event in DELTA or values == before):
                    assert outcome is WriteResult.DUPLICATE
                    return
            if event in DELTA:
                values = tuple(a if b is None else b + (a or 0) for a, b in zip(before, values, strict=True))
            elif (
                event != "port|optical" and value is not None and before[0] is not None and value < before[0]
            ):
                if at is not None and at == held["timestamp"]:
                    assert outcome is WriteResult.OUT_OF_ORDER
                    return
                wanted = WriteResult.RESET
        size = 1 + sum(v is not None for v in values)
        grows = size - (0 if held is None else 1 + sum(v is not None for v in held["values"]))
        if grows > 0:
            others = [row for name, row in self.rows.items() if not row["alive"] and name != key]
            if self.size() + grows - len(others) > self.limit:
                assert outcome is WriteResult.REFUSED
                return
        assert outcome is wanted
        self.rows[key] = {
            "alive": True,
            "values": values,
            "timestamp": at,
            "arrived": self.now,
            "arrived_at": self.world.wall.now,
            "lanes": observation.lanes,
        }
        # Which of the silent had to go is for a test of its own: here, those that are gone had to be silent.
        for name in [name for name, row in self.rows.items() if not row["alive"]]:
            if self.size() > self.limit and self.world.row(name[2], name[1], name[0]) is None:
                del self.rows[name]

    @invariant()
    def holds_the_same(self) -> None:
        self.expire()
        for account in "ab":
            for event in EVENTS:
                rows = dict(self.world.store.rows(event)[account])
                mine = {key[2]: row for key, row in self.rows.items() if key[:2] == (account, event)}
                assert rows.keys() == {circuit_of(event, circuit) for circuit in mine}
                for circuit, row in mine.items():
                    theirs = rows[circuit_of(event, circuit)]
                    assert theirs.values == row["values"]
                    assert theirs.lanes == (row["lanes"] if row["alive"] else ())
                    assert theirs.timestamp == row["timestamp"]
                    assert (theirs.received_monotonic, theirs.received_at) == (
                        row["arrived"],
                        row["arrived_at"],
                    )

    @invariant()
    def counts_right(self) -> None:
        self.expire()
        self.world.store.rows("port|metrics")
        counted = self.world.on_metrics()
        assert counted == self.world.store.series()
        assert sum(counted.values()) == self.size() <= self.limit


Model.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestModel = Model.TestCase
