"""The routes of everything the exporter polls."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pf_exporter.simulator.context import Context
from pf_exporter.simulator.errors import MAINTENANCE_PAGE, UPSTREAM_ERROR, TruncatedResponse
from pf_exporter.simulator.faults import Fault
from pf_exporter.simulator.pagination import page
from pf_exporter.simulator.request import authenticate
from pf_exporter.simulator.resource_name import ResourceName
from pf_exporter.simulator.resources import RESOURCES, Query, Resource

_INVENTORY = (ResourceName.PORTS, ResourceName.SERVICES, ResourceName.CONNECTIONS)
_PAGING = ("offset", "page_size")
_GARBAGE = [None, 7, "text", [], [1, None, "x"], {}, {"surprise": {"a": [1]}}]


class ResourceRoutes:
    """Handlers of :data:`RESOURCES`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._faults = context.faults

    def routes(self) -> list[Route]:
        """Return the routes with their handlers."""
        return [Route(resource.path, self._handler(resource), methods=["GET"]) for resource in RESOURCES]

    def _handler(self, resource: Resource) -> Callable[[Request], Awaitable[Response]]:
        async def handler(request: Request) -> Response:
            authenticate(request, self._context.account)
            if Fault.INVENTORY_500 in self._faults and resource.name in _INVENTORY:
                return UPSTREAM_ERROR
            if (delay := self._faults.of_resource(Fault.POLL_SLOW, resource.name)) is not None:
                await asyncio.sleep(delay)
            if (failure := self._failure(resource.name)) is not None:
                return failure
            # In a thread, because a long list or history would delay the streams.
            body = await run_in_threadpool(self._answer, resource, request)
            if self._faults.of_resource(Fault.POLL_TRUNCATED, resource.name) is not None:
                return TruncatedResponse(body, media_type="application/json")
            return Response(body, media_type="application/json")

        return handler

    def _failure(self, name: ResourceName) -> Response | None:
        """Return the response of a fault that replaces a resource, None if there is no such fault."""
        faults = self._faults
        if faults.of_resource(Fault.POLL_403, name) is not None:
            raise HTTPException(403, "You do not have permission to do this.")
        if faults.of_resource(Fault.POLL_404, name) is not None:
            raise HTTPException(404, "Not Found")
        if (delay := faults.of_resource(Fault.POLL_429, name)) is not None:
            raise HTTPException(429, "Too many requests.", {"Retry-After": f"{delay:.0f}"})
        if faults.of_resource(Fault.POLL_500, name) is not None:
            return UPSTREAM_ERROR
        return MAINTENANCE_PAGE if faults.of_resource(Fault.POLL_HTML, name) is not None else None

    def _answer(self, resource: Resource, request: Request) -> bytes:
        is_malformed = self._faults.of_resource(Fault.POLL_GARBAGE, resource.name) is not None
        parameters = request.query_params
        if is_malformed or Fault.PAGING_IGNORED in self._faults:
            parameters = QueryParams([item for item in parameters.multi_items() if item[0] not in _PAGING])
        body = resource.answer(self._query(request, parameters))
        if is_malformed and isinstance(body, list):
            body = page([*body, *_GARBAGE], request.query_params)
        elif is_malformed:
            body = _GARBAGE
        return json.dumps(body).encode()

    def _query(self, request: Request, parameters: QueryParams) -> Query:
        context = self._context
        return Query(
            network=context.network,
            now=context.wall(),
            started=context.started,
            log=tuple(context.account.log),
            maintenances=tuple(context.maintenances),
            api_keys=[access.key_row() for access in context.account.api_keys()],
            path=request.path_params,
            parameters=parameters,
        )
