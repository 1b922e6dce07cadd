"""Requests of a transport, and how long they may take, for the tests of this package."""

from __future__ import annotations

from typing import Any

from pf_exporter.config.secrets import Secret
from pf_exporter.errors import StreamError
from pf_exporter.packetfabric.client import Client, Session
from pf_exporter.packetfabric.request import Request
from pf_exporter.packetfabric.response import StreamingResponse
from pf_exporter.packetfabric.transport import Response, Transport
from tests.fakes import Answer, Fake

KEY = Session(Secret("key"), None, from_login=False)
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
CANARY = "c4nary-5ecret"
PATH = "/v2/ports"

BODY = b'[{"name": "' + b"x" * 200 + b'"}]'
LONG = Answer(body=BODY)


def call(url: str, **options: Any) -> Response:
    options.setdefault("headers", {"Authorization": "Bearer key"})
    ca_file = options.pop("ca_file", None)
    return Transport(url, {}, ca_file=ca_file).call(Request("list", "GET", PATH, **options))


def open_stream(url: str, **options: Any) -> StreamingResponse:
    return Transport(url, {}).open(Request("stream", "GET", PATH, **options))


def end_of(stream: StreamingResponse) -> tuple[bytes, StreamError]:
    """All that a stream brings, and how it ends."""
    received = b""
    try:
        for chunk in stream.chunks():
            received += chunk
    except StreamError as exc:
        return received, exc
    finally:
        stream.close()
    raise AssertionError("the iterator itself has ended")


def make_client(fake: Fake, **changes: Any) -> Client:
    return Client(fake.account(**changes), idle_timeout=5.0)
