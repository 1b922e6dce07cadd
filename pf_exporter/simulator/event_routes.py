"""The routes of the Streaming Events API: create a subscription, and stream it."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from pf_exporter.simulator.account import AccessToken
from pf_exporter.simulator.context import Context
from pf_exporter.simulator.counters import Count
from pf_exporter.simulator.errors import MAINTENANCE_PAGE, UPSTREAM_ERROR
from pf_exporter.simulator.faults import Fault
from pf_exporter.simulator.request import authenticate, read_json_object
from pf_exporter.simulator.stream import EventStream, OpenStreams
from pf_exporter.simulator.subscription import Subscription, parse_streams


class EventRoutes:
    """Handlers of ``/v2/events``."""

    def __init__(self, context: Context, streams: OpenStreams) -> None:
        self._context = context
        self._account = context.account
        self._faults = context.faults
        self._counters = context.counters
        self._streams = streams

    def routes(self) -> list[Route]:
        """Return the routes with their handlers."""
        return [
            Route("/v2/events", self._subscribe, methods=["POST"]),
            Route("/v2/events/{uuid}", self._stream, methods=["GET"]),
        ]

    async def _subscribe(self, request: Request) -> Response:
        access = authenticate(request, self._account)
        if Fault.SUBSCRIBE_403 in self._faults:
            raise HTTPException(403, "You do not have permission to do this.")
        if Fault.SUBSCRIBE_500 in self._faults:
            return UPSTREAM_ERROR
        streams = parse_streams(await read_json_object(request))
        if Fault.SUBSCRIBE_EMPTY in self._faults:
            return JSONResponse({}, 201)
        subscription = self._account.subscribe(access.token, streams)
        self._counters.increment(Count.SUBSCRIPTIONS)
        return JSONResponse({"subscription_uuid": subscription.uuid}, 201)

    async def _stream(self, request: Request) -> ASGIApp:
        access = authenticate(request, self._account)
        failure = self._opening_fault(access)
        if failure is not None:
            return failure
        subscription = self._account.subscription(access.token, request.path_params["uuid"])
        if subscription is None or Fault.STREAM_404 in self._faults:
            raise HTTPException(404, "Subscription not found.")
        others = self._streams.of_subscription(subscription)
        if others and Fault.NO_SECOND_CONNECTION in self._faults:
            raise HTTPException(409, "This subscription is being streamed already.")
        if Fault.KICK_FIRST in self._faults:
            for other in others:
                other.end()
        return self._open(subscription)

    def _opening_fault(self, access: AccessToken) -> Response | None:
        """Return the response of a fault that applies to any subscription, None if there is no such fault."""
        faults = self._faults
        max_age = faults.number(Fault.STREAM_401)
        if max_age is not None and self._context.wall() - access.created >= max_age:
            raise HTTPException(401, "Authentication required.")
        if Fault.STREAM_204 in faults:
            return Response(status_code=204)
        if Fault.STREAM_HTML in faults:
            return MAINTENANCE_PAGE
        return UPSTREAM_ERROR if Fault.STREAM_500 in faults else None

    def _open(self, subscription: Subscription) -> ASGIApp:
        subscription.streamed = True
        stream = EventStream(subscription, self._context)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            self._streams.add(stream)
            self._counters.increment(Count.STREAMS)
            try:
                await stream(scope, receive, send)
            finally:
                self._streams.discard(stream)
                self._counters.increment(Count.STREAMS_ENDED)

        return app
