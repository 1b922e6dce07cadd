"""The routes of everything the exporter polls: the lists, the rates of a connection, the customer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pf_exporter.simulator.context import Context
from pf_exporter.simulator.errors import UPSTREAM_ERROR
from pf_exporter.simulator.faults import Fault
from pf_exporter.simulator.pagination import page, select
from pf_exporter.simulator.request import authenticate
from pf_exporter.simulator.resources import RESOURCES
from pf_exporter.simulator.resources import cloud_router_connections as connections
from pf_exporter.simulator.resources.customer import customer_row
from pf_exporter.simulator.resources.resource import RowSource


class ResourceRoutes:
    """Handlers of the polled resources; all of :data:`RESOURCES` are filtered and paged in the same way."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._account = context.account
        self._faults = context.faults

    def routes(self) -> list[Route]:
        """Return the routes with their handlers."""
        return [
            *(
                Route(resource.path, self._list_handler(resource.rows), methods=["GET"])
                for resource in RESOURCES
            ),
            Route(connections.RATES_PATH, self._rates, methods=["GET"]),
            Route("/v2/customers/current", self._customer, methods=["GET"]),
        ]

    def _list_handler(self, rows: RowSource) -> Callable[[Request], Awaitable[Response]]:
        async def handler(request: Request) -> Response:
            authenticate(request, self._account)
            if Fault.INVENTORY_500 in self._faults:
                return UPSTREAM_ERROR
            query = request.query_params
            selected = select(rows(self._context.network, self._context.wall()), query)
            if Fault.PAGING_IGNORED in self._faults:
                return JSONResponse(selected)
            return JSONResponse(page(selected, query))

        return handler

    async def _rates(self, request: Request) -> Response:
        """Return the last hour; the query parameters that limit the time are ignored."""
        authenticate(request, self._account)
        network, now = self._context.network, self._context.wall()
        connection = request.path_params["id"]
        series = connections.rates(network, connection, now).get(request.path_params["type"])
        ids = {row["cloud_circuit_id"] for row in connections.rows(network, now)}
        if series is None or connection not in ids:
            raise HTTPException(404, "Connection not found.")
        return JSONResponse(series)

    async def _customer(self, request: Request) -> Response:
        authenticate(request, self._account)
        return JSONResponse(customer_row(self._context.options.seed))
