"""The account: sessions, API keys, and the subscriptions created with each of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone

from pf_exporter.simulator.activity_log import activity_event
from pf_exporter.simulator.events import Event
from pf_exporter.simulator.options import Options
from pf_exporter.simulator.subscription import Stream, Subscription
from pf_exporter.simulator.traffic import DAY

_OTHER_KEYS = (("automation", 5), ("reporting", 60))
"""The name and the days until expiry of the keys that exist besides the caller's."""


@dataclass(frozen=True)
class AccessToken:
    """The token of a session or of an API key; times are UNIX seconds, ``expires`` None means never."""

    token: str
    created: float
    expires: float | None
    key_uuid: str | None = None
    key_name: str = ""

    def session_row(self, **flags: bool) -> dict[str, object]:
        """Return ``UserSession`` with ``flags``; its time is UTC without a zone, as in the API's example."""
        expires = datetime.fromtimestamp(self.expires or 0, timezone.utc).replace(tzinfo=None)
        defaults = {"mfa_enabled": False, "mfa_required": False, "should_sign_eula": False}
        return {
            "token": self.token,
            **defaults,
            **flags,
            "time_expires": expires.isoformat(timespec="microseconds"),
        }

    def key_row(self) -> dict[str, object]:
        """Return ``api_key_object`` without the token; without ``expiration`` if the key never expires."""
        row: dict[str, object] = {"uuid": self.key_uuid, "name": self.key_name}
        if self.expires is not None:
            expires = datetime.fromtimestamp(self.expires, timezone.utc).isoformat(timespec="milliseconds")
            row["expiration"] = expires.replace("+00:00", "Z")
        return row


class Account:
    """Sessions, API keys and subscriptions; modified by the server's thread only.

    Tests read from other threads, so properties copy a dict with ``list`` in one step.
    """

    def __init__(self, options: Options, wall: Callable[[], float]) -> None:
        self._options = options
        self._wall = wall
        self._tokens: dict[str, AccessToken] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self.log: list[Event] = []
        """Logins and logouts on this simulator; streams send the entries appended after they opened."""
        self._add(self._new_key("demo", options.api_key_lifetime, options.api_key))
        for name, days in _OTHER_KEYS:
            self.add_key(name, days * DAY)

    def _add(self, access: AccessToken) -> AccessToken:
        self._tokens[access.token] = access
        return access

    def _append_log(self, verb: str, message: str, ip_address: str) -> None:
        self.log.append(activity_event("auth", verb, message, self._wall(), ip_address=ip_address))

    def log_in(
        self, login: object, password: object, ip_address: str, *, end_others: bool
    ) -> AccessToken | None:
        """Return a new session, or None for wrong credentials; ``end_others`` ends all other sessions."""
        if (login, password) != (self._options.login, self._options.password):
            return None
        if end_others:
            self.log_out_all()
        self._append_log("login", f"User {login} logged in.", ip_address)
        return self._add(self.new_session())

    def new_session(self) -> AccessToken:
        """Return a session whose token is not valid yet; a login that is incomplete gets no other."""
        now = self._wall()
        return AccessToken(str(uuid.uuid4()), now, now + self._options.session_lifetime)

    def log_out(self, token: str, ip_address: str) -> None:
        """End the token's session; an API key stays valid."""
        access = self._tokens.get(token)
        if access and not access.key_uuid:
            del self._tokens[token]
            self._append_log("logout", f"User {self._options.login} logged out.", ip_address)

    def log_out_all(self) -> None:
        """End every session; API keys stay valid."""
        for access in self.sessions():
            del self._tokens[access.token]

    def add_key(self, name: str, lifetime: float | None) -> AccessToken:
        """Create an API key that expires after ``lifetime`` seconds, None for never."""
        return self._add(self._new_key(name, lifetime, f"api-{uuid.uuid4()}-{uuid.uuid4()}"))

    def _new_key(self, name: str, lifetime: float | None, token: str) -> AccessToken:
        """Return a key; its UUID is the first one in its token, as in the API's examples."""
        now = self._wall()
        expires = None if lifetime is None else now + lifetime
        return AccessToken(token, now, expires, token.removeprefix("api-")[:36], name)

    def delete_key(self, key_uuid: str) -> bool:
        """Delete an API key; return whether it existed."""
        for access in self.api_keys():
            if access.key_uuid == key_uuid:
                del self._tokens[access.token]
                return True
        return False

    def access(self, token: str) -> AccessToken | None:
        """Return the token if it is valid now, None if it is unknown, deleted or expired."""
        access = self._tokens.get(token)
        if access is None or (access.expires is not None and self._wall() >= access.expires):
            return None
        return access

    def _valid(self) -> list[AccessToken]:
        return [access for access in list(self._tokens.values()) if self.access(access.token)]

    def sessions(self) -> list[AccessToken]:
        """Return the valid sessions."""
        return [access for access in self._valid() if not access.key_uuid]

    def api_keys(self) -> list[AccessToken]:
        """Return the valid API keys."""
        return [access for access in self._valid() if access.key_uuid]

    def subscribe(self, token: str, streams: tuple[Stream, ...]) -> Subscription:
        """Create a subscription that only this token can stream."""
        self._subscriptions = {subscription.uuid: subscription for subscription in self.subscriptions()}
        subscription = Subscription(str(uuid.uuid4()), token, self._wall(), streams)
        self._subscriptions[subscription.uuid] = subscription
        return subscription

    def subscriptions(self) -> list[Subscription]:
        """Return the subscriptions that can be streamed."""
        return [
            subscription
            for subscription in list(self._subscriptions.values())
            if self.subscription(subscription.token, subscription.uuid)
        ]

    def subscription(self, token: str, uuid_: str) -> Subscription | None:
        """Return the subscription, None if it does not exist, belongs to another token, or has expired."""
        subscription = self._subscriptions.get(uuid_)
        if subscription is None or subscription.token != token or not self.access(token):
            return None
        waited = self._wall() - subscription.created
        return subscription if subscription.streamed or waited <= self._options.subscription_ttl else None
