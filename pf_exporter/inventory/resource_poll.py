"""The poll of one resource beside the lists of circuits, one target at a time."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from pf_exporter.errors import (
    ApiError,
    ExporterError,
    Forbidden,
    NotFound,
    Unauthorized,
)
from pf_exporter.inventory.memory import Memory
from pf_exporter.inventory.poll_context import PollContext
from pf_exporter.inventory.resource_reader import ResourceReader
from pf_exporter.inventory.targets import Target
from pf_exporter.log import Logger
from pf_exporter.packetfabric import Backoff, Session
from pf_exporter.reason import Reason
from pf_exporter.schema import PolledResource, Reading, Scope

DAY = 86_400.0
"""Seconds until something that the API refuses (HTTP 403 or 404) is requested again."""
FIRST_RETRY = 30.0
"""Shortest time in seconds from a failure to the next request; it doubles with each failure in a row."""
REFUSALS = 10
"""Refusals in a row after which a whole resource counts as refused: of its targets, or of all if there are
fewer, or of the account, if it was allowed before."""
SHOWN_PERIODS = 3
"""Periods for which a reading is shown, but at least for a day."""

log = Logger(__name__)


class Shown(NamedTuple):
    """A reading, and when it was read."""

    reading: Reading
    at: float
    """UNIX seconds."""
    read_at: float
    """By the monotonic clock, which nothing sets."""


class ResourcePoll:
    """Polls one resource. One thread polls, any thread may call :meth:`readings`."""

    def __init__(
        self,
        context: PollContext,
        resource: PolledResource,
        reader: ResourceReader,
        *,
        memory: Memory | None,
        problem_of_lists: Callable[[], Reason | None],
    ) -> None:
        self._context = context
        self.resource = resource
        self._reader = reader
        self._memory = memory
        self._problem_of_lists = problem_of_lists
        self._targets: dict[str, Target] = {}
        self._queue: list[tuple[float, str]] = []
        """A heap of the targets by the monotonic time at which they are due."""
        self._shown: dict[str, Shown] = {}
        self._backoff = Backoff(min(FIRST_RETRY, resource.period), resource.period)
        self._not_before = float("-inf")
        self._refusals = 0
        self._accepted_session: Session | None = None
        self._problem: tuple[str, type[ExporterError]] | None = None
        """The message and the error that were logged last, until a success."""
        self.served_at = float("-inf")
        """The monotonic time of the last request."""

    @property
    def rejected(self) -> Mapping[str, int]:
        """Unusable values by field."""
        return self._reader.rejected

    @property
    def is_failing(self) -> bool:
        """Whether it was refused, or its last requests failed; not if there is nothing to request."""
        return self._problem is not None and bool(self._targets)

    @property
    def due(self) -> float:
        """The monotonic time of the next request; infinite if there is nothing to request."""
        return max(self._queue[0][0], self._not_before) if self._queue else float("inf")

    def set_targets(self, targets: Iterable[Target]) -> None:
        """Set what the resource is requested for; new targets are due at once, old ones are forgotten."""
        wanted = {target.id: target for target in targets}
        if wanted != self._targets:
            self._queue = [(due, key) for due, key in self._queue if key in wanted]
            self._queue += [(float("-inf"), key) for key in wanted.keys() - self._targets.keys()]
            heapq.heapify(self._queue)
            self._shown = {key: shown for key, shown in self._shown.items() if key in wanted}
            self._targets = wanted

    def readings(self) -> Iterator[Reading]:
        """Yield the readings that are recent enough to be shown."""
        now = self._context.wall()
        oldest = self._context.clock() - max(SHOWN_PERIODS * self.resource.period, DAY)
        for reading, _, read_at in list(self._shown.values()):
            measured_at, max_age = reading.measured_at, self.resource.max_age
            is_recent = max_age is None or measured_at is None or measured_at >= now - max_age
            if read_at >= oldest and is_recent:
                yield reading

    def run(self) -> None:
        """Request the target that is due, and decide when to do so again."""
        due, key = heapq.heappop(self._queue)
        self.served_at = self._context.clock()
        try:
            session = self._context.session_manager.get()
        except ApiError as exc:
            # The stream and the lists have the same problem, and report it.
            heapq.heappush(self._queue, (due, key))
            self._not_before = self._context.clock() + max(exc.retry_after or 0.0, self._next_delay())
            return
        try:
            self._read(session, self._targets[key])
        except ExporterError as exc:
            if not self._context.is_stopping():
                self._failed(exc, session, key)
        else:
            self._accepted_session = session
            self._requeue(key, self.resource.period * (0.95 + 0.1 * self._context.random()))
            self._succeeded()

    def _requeue(self, key: str, delay: float) -> None:
        heapq.heappush(self._queue, (self._context.clock() + delay, key))

    def _read(self, session: Session, target: Target) -> None:
        before = self._shown.get(target.id)
        now = self._context.wall()
        reading = self._reader.read(session, target, since=before.at if before is not None else now, now=now)
        if self._memory is not None:
            reading = self._memory.update(target.id, reading, now)
        self._shown[target.id] = Shown(reading, now, self._context.clock())

    def _succeeded(self) -> None:
        self._context.stats.last_success[self.resource.name] = self._context.wall()
        self._backoff = self._backoff.reset()
        self._refusals = 0
        if self._problem is not None:
            self._problem = None
            log.info("resource polled again", account=self._context.account, resource=self.resource.name)

    def _next_delay(self) -> float:
        delay = self._backoff.delay(self._context.random())
        self._backoff = self._backoff.next()
        return delay

    @property
    def _may_be_temporary(self) -> bool:
        """Whether a refusal may be an error of the API: it allowed the same before."""
        was_allowed = self.resource.scope is Scope.ACCOUNT and self._accepted_session is not None
        return was_allowed and self._refusals < REFUSALS

    def _failed(self, exc: ExporterError, session: Session, key: str) -> None:
        """Count and log the error, and decide when to try again what."""
        self._context.stats.failed(self.resource.name, exc.reason)
        is_refusal = isinstance(exc, Forbidden | NotFound)
        # If the lists are refused, too, it is not about this resource, and can end any time.
        if is_refusal and exc.reason is not self._problem_of_lists():
            self._refusals += 1
            if not self._may_be_temporary:
                self._refused(exc, key)
                return
        if isinstance(exc, Unauthorized) and not is_refusal and session is self._accepted_session:
            self._context.session_manager.discard(session)
        delay = self._next_delay()
        if isinstance(exc, ApiError):
            delay = max(delay, exc.retry_after or 0.0)
        self._not_before = self._context.clock() + delay
        # Others first: the error may be about this target only.
        is_alone = self.resource.scope is Scope.ACCOUNT
        self._requeue(key, delay if is_alone else self.resource.period)
        self._report("resource not polled", exc, delay)

    def _refused(self, exc: ExporterError, key: str) -> None:
        """Request a refused target, or after several in a row the whole resource, once a day."""
        self._shown.pop(key, None)
        self._requeue(key, DAY)
        if self._refusals >= min(REFUSALS, len(self._targets)):
            self._not_before = self._context.clock() + DAY
            self._shown = {}
            self._report("resource not available; its metrics are absent", exc, DAY)
        else:
            log.warning_throttled(
                f"refused {self.resource.name} {self._context.account}",
                "resource not available for a target; its metrics are absent",
                every=float("inf"),
                account=self._context.account,
                resource=self.resource.name,
                target=key,
                reason=exc.reason,
                error=exc,
                retry_in=DAY,
                hint="more targets are only counted, in packetfabric_poll_failures_total",
            )

    def _report(self, message: str, exc: ExporterError, delay: float) -> None:
        """Log a failure, but neither its repetitions nor what the lists of circuits report already."""
        if exc.reason is self._problem_of_lists():
            return
        if self._problem != (message, type(exc)):
            self._problem = message, type(exc)
            log.warning(
                message,
                account=self._context.account,
                resource=self.resource.name,
                reason=exc.reason,
                error=exc,
                retry_in=round(delay, 1),
            )


def poll_order(polls: Iterable[ResourcePoll], now: float) -> ResourcePoll | None:
    """Return the poll whose turn it is; None if none is due.

    What is requested for the account comes first. The rest take turns, so that thousands of ports do not
    delay a few connections.
    """
    due = [poll for poll in polls if poll.due <= now]
    return min(
        due,
        key=lambda poll: (poll.resource.scope is not Scope.ACCOUNT, poll.served_at),
        default=None,
    )
