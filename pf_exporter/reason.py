"""Why something failed, was dropped or ended: the values of the label ``reason``, explained to users."""

from __future__ import annotations

import enum


class Reason(str, enum.Enum):
    """A value of the label ``reason``, with texts for users.

    ``summary`` says what happened, ``remedy`` what to do about it; both are whole sentences.

    >>> print(Reason.IDLE, "-", Reason.IDLE.summary)
    idle - The stream sent no data, not even a heartbeat, within the idle timeout.
    """

    summary: str
    remedy: str

    def __new__(cls, value: str, summary: str, remedy: str) -> Reason:
        """Make the label value the member's value, and keep the texts beside it."""
        self = str.__new__(cls, value)
        self._value_ = value
        self.summary = summary
        self.remedy = remedy
        return self

    def __str__(self) -> str:
        return str(self.value)

    # The configuration.

    CONFIG = (
        "config",
        "The configuration cannot be used.",
        "Correct the problems that the log lists; `pf-exporter --config.check` finds them before a start.",
    )

    # Requests to the API.

    UNAUTHORIZED = (
        "unauthorized",
        "PacketFabric did not accept the credentials or the session (HTTP 401).",
        "Check the login and password, or the API key; `pf-exporter check` tests them. An expired session is"
        " renewed automatically.",
    )
    FORBIDDEN = (
        "forbidden",
        "PacketFabric accepted the credentials but denied access (HTTP 403).",
        "Give the user or the API key permission to read streaming events, ports and services in the"
        " PacketFabric portal.",
    )
    LOGIN_INCOMPLETE = (
        "login_incomplete",
        "The login needs a second factor, or an agreement (EULA) has to be accepted first.",
        "Use an API key instead of login and password, or accept the agreement in the PacketFabric portal.",
    )
    CREDENTIALS_UNREADABLE = (
        "credentials_unreadable",
        "A file with a secret cannot be read or used.",
        "Check that the file exists, is not empty and can be read by the exporter's user. It is read again at"
        " the next attempt.",
    )
    SUBSCRIPTION_GONE = (
        "subscription_gone",
        "PacketFabric no longer knows the subscription of this stream (HTTP 404 or 410).",
        "Nothing, unless it happens often: the exporter subscribes again.",
    )
    REJECTED = (
        "rejected",
        "PacketFabric refused the request, or sent a response that the exporter does not understand.",
        "Check api_url (PF_HOST) and the streams of the account. Look for a newer version of the exporter.",
    )
    UNAVAILABLE = (
        "unavailable",
        "PacketFabric cannot be reached, or answers with a server error (HTTP 5xx or 408).",
        "Run `pf-exporter check`. Check api_url (PF_HOST), DNS, the firewall, the proxy and the TLS settings"
        " (ca_file for a private CA), and the status of PacketFabric. The exporter keeps trying.",
    )
    RATE_LIMITED = (
        "rate_limited",
        "PacketFabric refuses requests because there are too many (HTTP 429).",
        "Look for other programs that use this account. The exporter waits as long as PacketFabric asks.",
    )

    INCOMPLETE = (
        "incomplete",
        "The pages of a list do not prove that the list is complete.",
        "Nothing, unless it happens at every poll: the exporter keeps the last complete list and tries again."
        " Otherwise look for a proxy that changes responses, and for a newer version of the exporter.",
    )

    # An open stream.

    ENDED = (
        "ended",
        "PacketFabric ended the stream in an orderly way, as it does after two hours.",
        "Nothing: the exporter reconnects.",
    )
    IDLE = (
        "idle",
        "The stream sent no data, not even a heartbeat, within the idle timeout.",
        "Look for a firewall, NAT or proxy that drops idle connections. The exporter reconnects.",
    )
    BROKEN = (
        "broken",
        "The connection of the stream was closed or reset, or its framing was invalid.",
        "Nothing, unless it happens often: then check the network path to PacketFabric. The exporter"
        " reconnects.",
    )
    NOT_AN_EVENT_STREAM = (
        "not_an_event_stream",
        "The response is not an event stream: its status, content type or encoding is wrong.",
        "Check api_url (PF_HOST), and look for a proxy between the exporter and PacketFabric that changes"
        " responses.",
    )
    ROTATED = (
        "rotated",
        "The exporter replaced the stream by a new one before PacketFabric would have ended it.",
        "Nothing: this is planned.",
    )
    STOPPED = (
        "stopped",
        "The exporter has stopped reading the stream.",
        "Look for an error in the log of the exporter, unless it was stopped or the account was removed.",
    )

    # A single event.

    TOO_LARGE = (
        "too_large",
        "An event is larger than the limit.",
        "Check api_url (PF_HOST), and look for a newer version of the exporter.",
    )
    NOT_JSON = (
        "not_json",
        "The data of an event is not a JSON object.",
        "Check api_url (PF_HOST), and look for a newer version of the exporter.",
    )
    TOO_DEEP = (
        "too_deep",
        "The data of an event is nested deeper than any event of this API.",
        "Check api_url (PF_HOST), and look for a newer version of the exporter.",
    )
    NO_CIRCUIT_ID = (
        "no_circuit_id",
        "An event has no usable ID of a port or virtual circuit.",
        "Look for a newer version of the exporter.",
    )
    NO_VALUES = (
        "no_values",
        "An event has unknown or unusable fields, and no value that the exporter can use.",
        "Look for a newer version of the exporter: the API has probably changed. The status page lists the"
        " unknown fields.",
    )
    DUPLICATE = (
        "duplicate",
        "An event repeats the newest sample of its circuit.",
        "Nothing: each sample counts once.",
    )
    OUT_OF_ORDER = (
        "out_of_order",
        "An event is older than the newest sample of its circuit.",
        "Nothing, unless it happens often: the newest sample stays.",
    )
