"""The routes of everything the exporter polls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pf_exporter.simulator.context import Context
from pf_exporter.simulator.errors import UPSTREAM_ERROR
from pf_exporter.simulator.faults import Fault
from pf_exporter.simulator.request import authenticate
from pf_exporter.simulator.resource_name import ResourceName
from pf_exporter.simulator.resources import RESOURCES, Query, Resource

_INVENTORY = (ResourceName.PORTS, ResourceName.SERVICES, ResourceName.CONNECTIONS)
_PAGING = ("offset", "page_size")


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
            # In a thread, because a long list or history would delay the streams.
            return await run_in_threadpool(self._respond, resource, request)

        return handler

    def _respond(self, resource: Resource, request: Request) -> Response:
        context = self._context
        parameters = request.query_params
        if Fault.PAGING_IGNORED in self._faults:
            parameters = QueryParams([item for item in parameters.multi_items() if item[0] not in _PAGING])
        query = Query(
            network=context.network,
            now=context.wall(),
            started=context.started,
            log=tuple(context.account.log),
            maintenances=tuple(context.maintenances),
            path=request.path_params,
            parameters=parameters,
        )
        return JSONResponse(resource.answer(query))
