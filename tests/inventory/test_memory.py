"""What resources remember: maintenances that are missing, and transitions that are counted once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pf_exporter.inventory.memory import MaintenanceMemory, TransitionMemory
from pf_exporter.schema.maintenance import Maintenance
from pf_exporter.schema.polled_resource import Reading, Transition

HOUR = 3600.0


def reading(*maintenances: Maintenance) -> Reading:
    return Reading(maintenances=maintenances)


def maintenance(
    uuid: str = "m", action: str = "open", end: float = 9 * HOUR, updated: float = 0.0
) -> Maintenance:
    return Maintenance(uuid, "NOC-1", "upgrade", action, 0.0, end, updated)


def test_a_missing_maintenance_is_kept_twice() -> None:
    """An announced maintenance is dropped with the third response in a row without it."""
    memory = MaintenanceMemory()
    shown = []
    for found in (True, False, False, True, False, False, False, False):
        seen = memory.update("", reading(maintenance()) if found else reading(), HOUR)
        shown.append(len(seen.maintenances))
    assert shown == [1, 1, 1, 1, 1, 1, 0, 0]


def test_one_that_is_over_is_not_kept() -> None:
    """After its end, or once it is closed or cancelled, a missing maintenance is dropped at once."""
    for last in (maintenance(end=HOUR - 1), maintenance(action="close"), maintenance(action="cancel")):
        memory = MaintenanceMemory()
        memory.update("", reading(last), HOUR)
        assert memory.update("", reading(), HOUR).maintenances == ()


def test_an_older_notification_does_not_replace_a_newer_one() -> None:
    """If a response lacks the newest notification of a maintenance, the one that was read before stays."""
    memory = MaintenanceMemory()
    memory.update("", reading(maintenance(action="cancel", updated=2.0)), HOUR)
    seen = memory.update("", reading(maintenance(updated=1.0)), HOUR)
    assert [one.action for one in seen.maintenances] == ["cancel"]


def totals(seen: Reading) -> dict[str, float]:
    return {sample.labels[1]: sample.value for sample in seen.samples if sample.value}


@given(
    st.lists(st.tuples(st.integers(0, 3600), st.sampled_from(["idle", "established"])), max_size=30),
    st.lists(st.integers(1, 600), min_size=1, max_size=12),
)
def test_every_transition_counts_once(log: list[tuple[int, str]], periods: list[int]) -> None:
    """With overlapping requests at any distance, each line counts once, also one of two equal lines."""
    memory = TransitionMemory(since=0.0, overlap=600.0)
    entries = [Transition(float(at), "10.0.0.1", to) for at, to in log]
    now = last = 0.0
    seen = memory.update("c", Reading(), now)
    for period in periods:
        now += period
        window = tuple(one for one in entries if last - 600.0 <= one.at <= now)
        seen = memory.update("c", Reading(transitions=window), now)
        last = now
    expected: dict[str, float] = {}
    for one in entries:
        if one.at <= now:
            expected[one.to] = expected.get(one.to, 0.0) + 1.0
    assert totals(seen) == expected


def test_late_lines_and_earlier_ones() -> None:
    """A line that arrives late is counted; those before the start of the exporter are not."""
    memory = TransitionMemory(since=1000.0, overlap=600.0)
    early, late = Transition(999.0, "a", "idle"), Transition(1100.0, "a", "idle")
    assert totals(memory.update("c", Reading(transitions=(early,)), 1000.0)) == {}
    assert totals(memory.update("c", Reading(transitions=(early,)), 1300.0)) == {}
    assert totals(memory.update("c", Reading(transitions=(early, late)), 1600.0)) == {"idle": 1.0}
    assert totals(memory.update("other", Reading(), 1600.0)) == {}
