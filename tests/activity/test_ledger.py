"""Each entry of the activity log is counted once, in whatever order stream and log deliver it."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pf_exporter.activity.ledger import ActivityLedger
from pf_exporter.state.stats import CatchUpResult
from tests.activity.entries import T, Truth


class Merge(RuleBasedStateMachine):
    """A stream that is cut, repeats and delays entries, and a log that is read in parts and again.

    Few different times, messages and users, so that many entries agree.
    """

    def __init__(self) -> None:
        super().__init__()
        self.ledger = ActivityLedger()
        self.truth: list[Truth] = []
        self.streamed: set[str] = set()
        self.on_connection: set[str] = set()
        self.read: set[str] = set()
        self.counted = 0

    @rule(second=st.integers(0, 2), user=st.sampled_from("ab"), has_user=st.booleans(), is_lost=st.booleans())
    def happen(self, second: int, user: str, has_user: bool, is_lost: bool) -> None:
        """Something happens; the stream may lose it, or deliver it later."""
        # One message either names its user in events or does not.
        message = "named" if has_user else "anonymous"
        entry = Truth(f"id {len(self.truth)}", T + second / 1e6, message, user, has_user=has_user)
        self.truth.append(entry)
        if not is_lost:
            self.deliver(entry)

    def deliver(self, entry: Truth) -> None:
        self.streamed.add(entry.uuid)
        self.on_connection.add(entry.uuid)
        self.counted += self.ledger.add_streamed(entry.event())

    @rule(data=st.data())
    def arrive_late(self, data: st.DataObject) -> None:
        """The stream delivers something that happened before, or repeats it after a cut."""
        late = [entry for entry in self.truth if entry.uuid not in self.on_connection]
        if late:
            self.deliver(data.draw(st.sampled_from(late)))

    @rule()
    def cut(self) -> None:
        """The stream is lost and opened again."""
        self.ledger.stream_opened()
        self.on_connection = set()

    @rule(data=st.data())
    def read_page(self, data: st.DataObject) -> None:
        """A page of the log is read, with rows that were read before."""
        for entry in data.draw(st.lists(st.sampled_from(self.truth), max_size=5)) if self.truth else []:
            self.read.add(entry.uuid)
            self.counted += self.ledger.add_logged(entry.logged()) is CatchUpResult.FOUND

    @invariant()
    def counts_no_entry_twice(self) -> None:
        """Nothing is counted that did not happen."""
        assert self.counted <= len({*self.streamed, *self.read})

    def teardown(self) -> None:
        """Once the whole log has been read, everything was counted exactly once."""
        for entry in self.truth:
            self.counted += self.ledger.add_logged(entry.logged()) is CatchUpResult.FOUND
        assert self.counted == len(self.truth)


TestMerge = Merge.TestCase


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=100), st.integers(2, 10))
def test_full_memory_counts_nothing_twice(steps: list[tuple[bool, int]], limit: int) -> None:
    """With a full memory, rows that were forgotten are left out; the size stays within the limit."""
    ledger = ActivityLedger(limit)
    counted: Counter[int] = Counter()
    streamed: set[int] = set()
    for is_event, number in steps:
        entry = Truth(f"id {number}", T + number)
        if not is_event:
            counted[number] += ledger.add_logged(entry.logged()) is CatchUpResult.FOUND
        elif number not in streamed:
            streamed.add(number)
            # The log is read late: an entry that was found is no longer streamed after it is forgotten.
            if not counted[number]:
                counted[number] += ledger.add_streamed(entry.event())
    assert all(number <= 1 for number in counted.values())


def test_entries_without_a_time() -> None:
    """An event without a usable time is always counted: it cannot be compared."""
    ledger = ActivityLedger()
    entry = Truth("a", T).event()._replace(timestamp=None)
    assert [ledger.add_streamed(entry), ledger.add_streamed(entry)] == [True, True]


def test_repeats_on_one_connection_are_entries() -> None:
    """Two equal events of one connection are two entries; after a cut they are the same two."""
    ledger = ActivityLedger()
    entry = Truth("a", T).event()
    assert [ledger.add_streamed(entry), ledger.add_streamed(entry)] == [True, True]
    ledger.stream_opened()
    assert [ledger.add_streamed(entry) for _ in range(3)] == [False, False, True]


def test_contradictions() -> None:
    """An entry at another time is a contradiction, and so are many that are missing; a few are not."""
    ledger = ActivityLedger()
    rows = [Truth("a", T + 5, "early").logged(), Truth("b", T + 9, "late").logged()]
    for number in range(4):
        ledger.add_streamed(Truth("c", T + number, f"missing {number}").event())
    assert not ledger.contradicts(rows, T)
    assert not ledger.contradicts([], T)
    ledger.add_streamed(Truth("d", T + 10, "after the last row").event())
    assert not ledger.contradicts(rows, T)
    ledger.add_streamed(Truth("d", T + 4, "missing, too").event())
    assert ledger.contradicts(rows, T)
    assert not ledger.contradicts(rows, T + 1)
    ledger.add_streamed(Truth("a", T + 6, "early").event())
    assert ledger.contradicts(rows, T + 1)
    ledger.add_streamed(Truth("b", T + 9, "late").event())
    assert not ledger.contradicts(rows, T)


def test_taken_over() -> None:
    """The next reader's entries are recognized; what only the previous one streamed is no contradiction."""
    ledger = ActivityLedger()
    streamed = [Truth("c", T + number, f"streamed {number}") for number in range(5)]
    rows = [Truth("a", T + 9).logged()]
    for entry in streamed:
        ledger.add_streamed(entry.event())
    assert ledger.contradicts(rows, T)
    ledger.taken_over()
    assert not ledger.contradicts(rows, T)
    assert [ledger.add_streamed(entry.event()) for entry in streamed] == [False] * 5
    assert ledger.contradicts(rows, T)
    assert ledger.add_logged(streamed[0].logged()) is CatchUpResult.STREAMED


def test_different_users() -> None:
    """Entries of two users are two, also if they agree in everything else; a missing user can be any."""
    ledger = ActivityLedger()
    assert ledger.add_streamed(Truth("a", T, user="ada").event())
    assert ledger.add_logged(Truth("b", T, user="bob").logged()) is CatchUpResult.FOUND
    assert ledger.add_logged(Truth("a", T, user="ada").logged()) is CatchUpResult.STREAMED
    assert ledger.add_streamed(Truth("c", T + 1, has_user=False).event())
    assert ledger.add_logged(Truth("c", T + 1).logged()) is CatchUpResult.STREAMED


def test_what_is_forgotten() -> None:
    """At the limit the oldest entries are forgotten; rows of their time and before are not counted."""
    ledger = ActivityLedger(limit=2)
    for second in (1, 2, 3):
        assert ledger.add_streamed(Truth("a", T + second).event())
    assert ledger.add_logged(Truth("0", T).logged()) is None
    assert ledger.add_logged(Truth("1", T + 1).logged()) is None
    assert ledger.add_logged(Truth("3", T + 3).logged()) is CatchUpResult.STREAMED
    assert ledger.add_logged(Truth("4", T + 4).logged()) is CatchUpResult.FOUND
    # Each row takes room, too.
    assert ledger.add_logged(Truth("3", T + 3).logged()) is None
