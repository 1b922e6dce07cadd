"""The poll of one account's lists of ports, virtual circuits and cloud router connections."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from pf_exporter.config import InventorySettings
from pf_exporter.errors import ExporterError, Forbidden, RateLimited, Unauthorized
from pf_exporter.inventory.list_reader import ListReader
from pf_exporter.inventory.list_schedule import ListSchedule
from pf_exporter.inventory.poll_context import PollContext
from pf_exporter.inventory.poll_stats import POLL_REASONS
from pf_exporter.inventory.snapshot import Circuits, Snapshot
from pf_exporter.log import Logger
from pf_exporter.packetfabric import Session
from pf_exporter.reason import Reason
from pf_exporter.schema import CLOUD_ROUTER_CONNECTIONS, RESOURCES, Resource
from pf_exporter.state import ErrorLog

NOT_REFRESHED = "inventory not refreshed"

log = Logger(__name__)


def enabled_resources(settings: InventorySettings) -> tuple[Resource, ...]:
    """Return the lists to poll: all except those whose ``opt_in_setting`` is off.

    What is requested for each cloud router connection needs the list of those.
    """
    needs_connections = settings.bgp_routes or settings.bgp_log or settings.cloud_state
    return tuple(
        resource
        for resource in RESOURCES
        if not resource.opt_in_setting
        or getattr(settings, resource.opt_in_setting)
        or (resource is CLOUD_ROUTER_CONNECTIONS and needs_connections)
    )


class CircuitLists:
    """Polls the lists: each that has been read completely replaces the last one, whether or not others fail.

    ``limit`` is the greatest number of series; ``on_update`` is called after each poll that has read a list.
    One thread polls, any thread may read the attributes.
    """

    def __init__(
        self,
        context: PollContext,
        lists: ListReader,
        settings: InventorySettings,
        *,
        limit: int,
        min_interval: float,
        on_update: Callable[[Snapshot], None],
    ) -> None:
        self._context = context
        self._lists = lists
        self.resources = enabled_resources(settings)
        self._schedules = {
            resource.name: ListSchedule(settings.interval, min_interval) for resource in self.resources
        }
        self._limit = limit
        self._on_update = on_update
        self.snapshot = Snapshot(read_at=dict.fromkeys(self._schedules))
        self.failures: dict[str, int] = dict.fromkeys(POLL_REASONS, 0)
        """Polls that failed completely or in part, by reason; two lists that fail alike count once."""
        self.errors = ErrorLog()
        """The errors of failed polls."""
        self.retry_at: float | None = None
        """UNIX seconds of the next poll of a list that has failed; None if none has."""

    @property
    def due(self) -> float:
        """The monotonic time of the next poll."""
        return min(schedule.due for schedule in self._schedules.values())

    @property
    def problem(self) -> Reason | None:
        """Why the last polls of all lists have failed; None if one has not, or for another reason."""
        problems = {schedule.problem for schedule in self._schedules.values()}
        return problems.pop() if len(problems) == 1 else None

    def refresh(self) -> None:
        """Poll each list as soon as the minimum interval has passed since its last poll began."""
        for schedule in self._schedules.values():
            schedule.refresh()

    def run(self) -> None:
        """Poll the lists that are due, and decide when to poll each of them again."""
        started = self._context.clock()
        due = [resource for resource in self.resources if self._schedules[resource.name].due <= started]
        found, errors = self._read(due)
        if self._context.is_stopping():
            return
        if found:
            self.snapshot = snapshot = self.snapshot.updated(found, self._limit, self._context.wall())
            self._on_update(snapshot)
            self._warn(snapshot)
        now = self._context.clock()
        for name in found:
            self._schedules[name].succeeded(started, now)
        self._recover(errors)
        failing = [schedule.due for schedule in self._schedules.values() if schedule.problem is not None]
        self.retry_at = self._context.wall() + min(failing) - self._context.clock() if failing else None
        if not failing:
            self._context.session_manager.failures.resolved(NOT_REFRESHED)

    def _read(self, resources: Iterable[Resource]) -> tuple[dict[str, Circuits], dict[str, ExporterError]]:
        """Return the lists that could be read, and the errors of the others, by name of the resource."""
        found: dict[str, Circuits] = {}
        errors: dict[str, ExporterError] = {}
        of_account: ExporterError | None = None
        for resource in resources:
            if of_account is None:
                try:
                    session = self._context.session_manager.get()
                except ExporterError as exc:
                    of_account = exc
            if of_account is not None:
                errors[resource.name] = of_account
                continue
            try:
                found[resource.name] = self._read_list(resource, session)
            except ExporterError as exc:
                errors[resource.name] = exc
                if self._context.is_stopping():
                    break
                self._context.stats.failed(resource.name, exc.reason)
                if isinstance(exc, RateLimited):
                    of_account = exc
        return found, errors

    def _read_list(self, resource: Resource, session: Session) -> Circuits:
        schedule = self._schedules[resource.name]
        try:
            circuits = self._lists.read(resource, session)
        except Unauthorized as exc:
            # A session that this list has never accepted may still be good for the stream: leave it alone.
            if session is schedule.accepted_session and not isinstance(exc, Forbidden):
                self._context.session_manager.discard(session)
            raise
        schedule.accepted_session = session
        self._context.session_manager.verified(session)
        self._context.stats.last_success[resource.name] = self._context.wall()
        return circuits

    def _recover(self, errors: Mapping[str, ExporterError]) -> None:
        """Decide when to try again what has failed; log and count each reason once."""
        # One delay for all, so that lists that fail together are also tried again together.
        now, random = self._context.clock(), self._context.random()
        counted = set()
        for name, exc in errors.items():
            delay = self._schedules[name].failed(exc, now, random)
            if exc.reason not in counted:
                counted.add(exc.reason)
                self._context.session_manager.failures.failed(NOT_REFRESHED, exc, delay)
                self.failures[exc.reason] += 1
                self.errors.add(exc.reason, str(exc))

    def _warn(self, snapshot: Snapshot) -> None:
        for name in snapshot.falls:
            log.warning(
                "most circuits are missing from the inventory; they stay until another poll confirms it",
                account=self._context.account,
                resource=name,
                missing=snapshot.count_missing()[name],
            )
        if snapshot.left_out:
            log.warning_throttled(
                f"left out {self._context.account}",
                "limit of series reached by the inventory",
                account=self._context.account,
                limit=self._limit,
                left_out=snapshot.left_out,
            )
