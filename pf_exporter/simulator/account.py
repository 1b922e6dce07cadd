"""The account: who may come in and until when, and the bundles of streams that each session has made."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from types import MappingProxyType

from pf_exporter.simulator.activity_log import entry
from pf_exporter.simulator.network import Event
from pf_exporter.simulator.options import Options

_CUSTOMER = (
    "auth bgp cloud_connection cloud_router document lag_interface logical_interface physical_interface "
    "outbound_cross_connect point_to_point rate_limit user virtual_circuit"
)
CATEGORIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "customer": tuple(_CUSTOMER.split()),
        "port": ("errors", "etherstats", "metrics", "optical"),
        "vc": ("metrics",),
    }
)
"""What can be asked for by name, per type of stream."""

_SELECTORS = {"port": "ifds", "vc": "vcs"}


class BadRequest(Exception):
    """The body of a request is not what the API takes; the text says where and why."""


@dataclass(frozen=True)
class Access:
    """One token, of a login or of an API key; times are UNIX seconds, ``expires`` None means never."""

    token: str
    made: float
    expires: float | None
    key_uuid: str | None = None
    key_name: str = ""

    def session(self, **flags: bool) -> dict[str, object]:
        """``UserSession``; its time has no zone, as in the API's own example, and is meant as UTC."""
        expires = datetime.fromtimestamp(self.expires or 0, timezone.utc).replace(tzinfo=None)
        known = {"mfa_enabled": False, "mfa_required": False, "should_sign_eula": False}
        return {
            "token": self.token,
            **known,
            **flags,
            "time_expires": expires.isoformat(timespec="microseconds"),
        }

    def key(self) -> dict[str, object]:
        """``api_key_object``, without the token; a key that never expires does not say when."""
        row: dict[str, object] = {"uuid": self.key_uuid, "name": self.key_name}
        if self.expires is not None:
            expires = datetime.fromtimestamp(self.expires, timezone.utc).isoformat(timespec="milliseconds")
            row["expiration"] = expires.replace("+00:00", "Z")
        return row


@dataclass
class Bundle:
    """What one ``POST /v2/events`` asked for."""

    uuid: str
    token: str
    made: float
    streams: tuple[Mapping[str, object], ...]
    streamed: bool = False

    def wants(self, event: Event) -> bool:
        """Whether one of the streams asked for this event."""
        name, data = event
        kind, _, category = name.partition("|")
        port = data.get("port_circuit_id")
        key = f"{data.get('vc_circuit_id')}&{port}" if kind == "vc" else port
        for stream in self.streams:
            if stream["type"] != kind:
                continue
            events, selected = stream.get("events"), stream.get(_SELECTORS.get(kind, ""))
            # Nothing named means everything, also what has no name to ask for by.
            if isinstance(events, list) and events and category not in events:
                continue
            if not isinstance(selected, list) or not selected or key in selected:
                return True
        return False

    def measures(self) -> bool:
        """Whether anything but the activity log is asked for."""
        return any(stream["type"] != "customer" for stream in self.streams)


def read_streams(body: object) -> tuple[Mapping[str, object], ...]:
    """The streams in the body of ``POST /v2/events``; raises :class:`BadRequest`."""
    streams = body.get("streams") if isinstance(body, dict) else None
    if not isinstance(streams, list):
        raise BadRequest("streams: a list is required")
    for index, stream in enumerate(streams):
        place = f"streams.{index}"
        kind = stream.get("type") if isinstance(stream, dict) else None
        if not isinstance(kind, str) or kind not in CATEGORIES:
            raise BadRequest(f"{place}.type: one of {', '.join(CATEGORIES)} is required")
        for field in ("events", _SELECTORS.get(kind, "events")):
            # PacketFabric's own Terraform provider sends null for what it has not been told.
            names = stream.get(field) or []
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise BadRequest(f"{place}.{field}: a list of strings is required")
        for name in stream.get("events") or []:
            if name not in CATEGORIES[kind]:
                raise BadRequest(f"{place}.events: unknown category {name!r}")
    return tuple(streams)


class Account:
    """Sessions, keys and bundles. Written by the server's thread only."""

    def __init__(self, options: Options, clock: Callable[[], float]) -> None:
        self._options = options
        self._clock = clock
        self._accesses: dict[str, Access] = {}
        self._bundles: dict[str, Bundle] = {}
        self.log: list[Event] = []
        """The activity log of what has really been done here; streams pass on what is added."""
        self._admit(Access(options.api_key, clock(), None, str(uuid.UUID(int=1)), "demo"))

    def _admit(self, access: Access) -> Access:
        self._accesses[access.token] = access
        return access

    def _note(self, verb: str, message: str, ip_address: str) -> None:
        self.log.append(entry("auth", verb, message, self._clock(), ip_address=ip_address))

    def log_in(self, login: object, password: object, ip_address: str, *, alone: bool) -> Access | None:
        """A new session, None for wrong words; ``alone`` ends the others."""
        if (login, password) != (self._options.login, self._options.password):
            return None
        if alone:
            self.log_out_all()
        self._note("login", f"User {login} logged in.", ip_address)
        return self._admit(self.unadmitted())

    def unadmitted(self) -> Access:
        """What a login would give, but not let in."""
        now = self._clock()
        return Access(str(uuid.uuid4()), now, now + self._options.session_lifetime)

    def log_out(self, token: str, ip_address: str) -> None:
        """End one session; an API key has none to end."""
        access = self._accesses.get(token)
        if access and not access.key_uuid:
            del self._accesses[token]
            self._note("logout", f"User {self._options.login} logged out.", ip_address)

    def log_out_all(self) -> None:
        """End every session; API keys stay."""
        for access in self.sessions():
            del self._accesses[access.token]

    def add_key(self, name: str, seconds: int | None) -> Access:
        """A new API key, for so many seconds or for ever."""
        key, now = str(uuid.uuid4()), self._clock()
        expires = None if seconds is None else now + seconds
        return self._admit(Access(f"api-{key}-{uuid.uuid4()}", now, expires, key, name))

    def delete_key(self, key_uuid: str) -> bool:
        """Whether there was such a key; it opens nothing from now on."""
        for access in self.api_keys():
            if access.key_uuid == key_uuid:
                del self._accesses[access.token]
                return True
        return False

    def access(self, token: str) -> Access | None:
        """What the token gives right now: None if it was never given, was taken back, or has expired."""
        access = self._accesses.get(token)
        if access is None or (access.expires is not None and self._clock() >= access.expires):
            return None
        return access

    def _live(self) -> list[Access]:
        # Copied in one step, because tests look on from another thread.
        return [access for access in list(self._accesses.values()) if self.access(access.token)]

    def sessions(self) -> list[Access]:
        """The logins that still hold."""
        return [access for access in self._live() if not access.key_uuid]

    def api_keys(self) -> list[Access]:
        """The API keys that still hold."""
        return [access for access in self._live() if access.key_uuid]

    def subscribe(self, token: str, streams: tuple[Mapping[str, object], ...]) -> Bundle:
        """A new bundle, bound to the token."""
        self._bundles = {bundle.uuid: bundle for bundle in self.bundles()}
        bundle = Bundle(str(uuid.uuid4()), token, self._clock(), streams)
        self._bundles[bundle.uuid] = bundle
        return bundle

    def bundles(self) -> list[Bundle]:
        """The bundles that can be streamed."""
        return [bundle for bundle in list(self._bundles.values()) if self.bundle(bundle.token, bundle.uuid)]

    def bundle(self, token: str, uuid_: str) -> Bundle | None:
        """The bundle, None if it does not exist, belongs to another token, or has waited too long."""
        bundle = self._bundles.get(uuid_)
        if bundle is None or bundle.token != token or not self.access(token):
            return None
        waited = self._clock() - bundle.made
        return bundle if bundle.streamed or waited <= self._options.bundle_ttl else None
