"""The routes: who may ask what, and the answers in PacketFabric's shapes."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from pf_exporter.simulator import pagination, resources
from pf_exporter.simulator.account import Access, BadRequest, Bundle, read_streams
from pf_exporter.simulator.context import Context
from pf_exporter.simulator.network import Network
from pf_exporter.simulator.resources import Row
from pf_exporter.simulator.stream import Stream

# Not JSON: it would come from a proxy, not from the API.
_BROKEN = PlainTextResponse("upstream connect error or disconnect/reset before headers", status_code=500)


async def _body(request: Request) -> dict[str, object]:
    try:
        body = await request.json()
    except ValueError as exc:
        raise BadRequest("the body is not JSON") from exc
    if not isinstance(body, dict):
        raise BadRequest("the body is not a JSON object")
    return body


def _address(request: Request) -> str:
    return request.client.host if request.client else "127.0.0.1"


class Api:
    """All of PacketFabric that the simulator has, as an ASGI application."""

    def __init__(self, world: Context) -> None:
        self._world = world
        self._account = world.account
        self._faults = world.faults
        self._ledger = world.ledger
        self.streams: set[Stream] = set()
        """The streams that are open."""
        self._app: ASGIApp = Starlette(
            routes=[
                Route("/v2/auth/login", self.login, methods=["POST"]),
                Route("/v2/auth/logout", self.logout),
                Route("/v2/auth/sessions", self.sessions, methods=["GET", "DELETE"]),
                Route("/v2/api-keys", self.keys, methods=["GET", "POST"]),
                Route("/v2/api-keys/{uuid}", self.key, methods=["DELETE"]),
                Route("/v2/events", self.subscribe, methods=["POST"]),
                Route("/v2/events/{uuid}", self.stream),
                Route("/v2/ports", self.ports),
                Route("/v2/services", self.services),
                Route("/v2/services/cloud-routers/connections", self.connections),
                Route("/v2/metrics/cloud-router-connections/{id}/rate/{type}", self.rates),
                Route("/v2/customers/current", self.customer),
            ],
            exception_handlers={HTTPException: self._refuse, BadRequest: self._correct},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and count it."""
        self._ledger.add(f"{scope['method']} {scope['path']}")
        await self._app(scope, receive, send)

    async def _refuse(self, request: Request, exc: Exception) -> Response:
        assert isinstance(exc, HTTPException)
        unrouted = exc.detail == "Not Found"
        message = f"Requested URL {request.url.path} not found" if unrouted else exc.detail
        return JSONResponse({"message": message}, exc.status_code, exc.headers)

    async def _correct(self, request: Request, exc: Exception) -> Response:
        return JSONResponse({"message": str(exc), "request_id": str(uuid.uuid4())}, 400)

    def _caller(self, request: Request) -> Access:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        access = self._account.access(token.strip()) if scheme.lower() == "bearer" else None
        if access is None:
            raise HTTPException(401, "Authentication required.")
        return access

    def _end_orphans(self) -> None:
        """End the streams whose token has been taken back."""
        for stream in self.streams:
            if not self._account.access(stream.bundle.token):
                stream.end()

    async def login(self, request: Request) -> Response:
        """``POST /v2/auth/login``: a session for the right words."""
        self._ledger.add("login attempts")
        body = await _body(request)
        for field in ("login", "password"):
            if not isinstance(body.get(field), str):
                raise BadRequest(f"{field}: a string is required")
        faults, account = self._faults, self._account
        if (seconds := faults.number("login-429")) is not None:
            raise HTTPException(429, "Too many requests.", {"Retry-After": f"{seconds:.0f}"})
        if "login-500" in faults:
            return _BROKEN
        if "login-mfa" in faults:
            return JSONResponse(account.unadmitted().session(mfa_enabled=True, mfa_required=True))
        if "login-eula" in faults:
            return JSONResponse(account.unadmitted().session(should_sign_eula=True))
        access = None
        if "login-401" not in faults:
            alone = "single-session" in faults
            access = account.log_in(body["login"], body["password"], _address(request), alone=alone)
        if access is None:
            raise HTTPException(401, "Invalid login or password.")
        self._end_orphans()
        self._ledger.add("logins")
        return JSONResponse(access.session())

    async def logout(self, request: Request) -> Response:
        """``GET /v2/auth/logout``: asks for no credentials, but ends the session whose token it is given."""
        token = request.headers.get("authorization", "").partition(" ")[2]
        self._account.log_out(token.strip(), _address(request))
        self._end_orphans()
        self._ledger.add("logouts")
        return JSONResponse({"message": "logged out"})

    async def sessions(self, request: Request) -> Response:
        """``/v2/auth/sessions``: the sessions, or the end of them."""
        self._caller(request)
        if request.method != "DELETE":
            return JSONResponse([access.session() for access in self._account.sessions()])
        self._account.log_out_all()
        self._end_orphans()
        return JSONResponse({"message": "logged out"})

    async def keys(self, request: Request) -> Response:
        """``/v2/api-keys``: the keys, or a new one, whose token is shown this once."""
        self._caller(request)
        if request.method != "POST":
            return JSONResponse([access.key() for access in self._account.api_keys()])
        body = await _body(request)
        name, seconds = body.get("name"), body.get("expiration")
        if not isinstance(name, str):
            raise BadRequest("name: a string is required")
        if seconds is not None and (not isinstance(seconds, int) or seconds < 1):
            raise BadRequest("expiration: seconds are required")
        access = self._account.add_key(name, seconds)
        return JSONResponse({"token": access.token, **access.key()}, 201)

    async def key(self, request: Request) -> Response:
        """``DELETE /v2/api-keys/{uuid}``: the end of a key."""
        self._caller(request)
        if not self._account.delete_key(request.path_params["uuid"]):
            raise HTTPException(404, "API key not found.")
        self._end_orphans()
        return JSONResponse({"message": "API key deleted"})

    async def subscribe(self, request: Request) -> Response:
        """``POST /v2/events``: a bundle of streams, bound to the caller's token."""
        access = self._caller(request)
        if "subscribe-403" in self._faults:
            raise HTTPException(403, "You do not have permission to do this.")
        if "subscribe-500" in self._faults:
            return _BROKEN
        streams = read_streams(await _body(request))
        if "subscribe-empty" in self._faults:
            return JSONResponse({}, 201)
        bundle = self._account.subscribe(access.token, streams)
        self._ledger.add("bundles")
        return JSONResponse({"subscription_uuid": bundle.uuid}, 201)

    async def stream(self, request: Request) -> ASGIApp:
        """``GET /v2/events/{uuid}``: the bundle's events, until the time for one connection is up."""
        access = self._caller(request)
        faults = self._faults
        age = faults.number("stream-401")
        if age is not None and self._world.clock() - access.made >= age:
            raise HTTPException(401, "Authentication required.")
        if "stream-204" in faults:
            return Response(status_code=204)
        if "stream-html" in faults:
            return HTMLResponse("<!DOCTYPE html><title>Maintenance</title><p>We are back soon.")
        if "stream-500" in faults:
            return _BROKEN
        bundle = self._account.bundle(access.token, request.path_params["uuid"])
        if bundle is None or "stream-404" in faults:
            raise HTTPException(404, "Subscription not found.")
        others = [stream for stream in self.streams if stream.bundle is bundle]
        if others and "no-second-connection" in faults:
            raise HTTPException(409, "This subscription is being streamed already.")
        if "kick-first" in faults:
            for other in others:
                other.end()
        return self._open(bundle)

    def _open(self, bundle: Bundle) -> ASGIApp:
        bundle.streamed = True
        stream = Stream(bundle, self._world)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            self.streams.add(stream)
            self._ledger.add("streams")
            try:
                await stream(scope, receive, send)
            finally:
                self.streams.discard(stream)
                self._ledger.add("streams ended")

        return app

    def _list(self, request: Request, rows: Callable[[Network, float], list[Row]]) -> Response:
        self._caller(request)
        if "inventory-500" in self._faults:
            return _BROKEN
        query = request.query_params
        found = pagination.select(rows(self._world.network, self._world.clock()), query)
        return JSONResponse(found if "paging-ignored" in self._faults else pagination.page(found, query))

    async def ports(self, request: Request) -> Response:
        """``GET /v2/ports``."""
        return self._list(request, resources.ports)

    async def services(self, request: Request) -> Response:
        """``GET /v2/services``."""
        return self._list(request, resources.services)

    async def connections(self, request: Request) -> Response:
        """``GET /v2/services/cloud-routers/connections``."""
        return self._list(request, resources.connections)

    async def rates(self, request: Request) -> Response:
        """``GET /v2/metrics/cloud-router-connections/{id}/rate/{type}``: the last hour, whatever is asked."""
        self._caller(request)
        network, now = self._world.network, self._world.clock()
        connection = request.path_params["id"]
        found = resources.rates(network, connection, now).get(request.path_params["type"])
        known = {row["cloud_circuit_id"] for row in resources.connections(network, now)}
        if found is None or connection not in known:
            raise HTTPException(404, "Connection not found.")
        return JSONResponse(found)

    async def customer(self, request: Request) -> Response:
        """``GET /v2/customers/current``."""
        self._caller(request)
        return JSONResponse(resources.customer(self._world.options.seed))
