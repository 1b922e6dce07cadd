"""The simulated API: all routes in one ASGI application."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from pf_exporter.simulator.auth_routes import AuthRoutes
from pf_exporter.simulator.context import Context
from pf_exporter.simulator.errors import BadRequest, bad_request, http_error
from pf_exporter.simulator.event_routes import EventRoutes
from pf_exporter.simulator.resource_routes import ResourceRoutes
from pf_exporter.simulator.stream import OpenStreams


class Api:
    """The part of PacketFabric's API that the exporter uses, as an ASGI application; counts requests."""

    def __init__(self, context: Context) -> None:
        self._counters = context.counters
        self.streams = OpenStreams()
        self._app: ASGIApp = Starlette(
            routes=[
                *AuthRoutes(context, self.streams).routes(),
                *EventRoutes(context, self.streams).routes(),
                *ResourceRoutes(context).routes(),
            ],
            exception_handlers={HTTPException: http_error, BadRequest: bad_request},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count a request by method and path, and answer it."""
        self._counters.increment((scope["method"], scope["path"]))
        await self._app(scope, receive, send)
