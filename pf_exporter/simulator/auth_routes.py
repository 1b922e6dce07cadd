"""The routes of authentication: login, logout, sessions, API keys."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pf_exporter.simulator.context import Context
from pf_exporter.simulator.counters import Count
from pf_exporter.simulator.errors import UPSTREAM_ERROR, BadRequest
from pf_exporter.simulator.faults import Fault
from pf_exporter.simulator.request import authenticate, bearer_token, client_address, read_json_object
from pf_exporter.simulator.stream import OpenStreams


class AuthRoutes:
    """Handlers of ``/v2/auth`` and ``/v2/api-keys``; a token that is withdrawn ends its streams."""

    def __init__(self, context: Context, streams: OpenStreams) -> None:
        self._account = context.account
        self._faults = context.faults
        self._counters = context.counters
        self._streams = streams

    def routes(self) -> list[Route]:
        """Return the routes with their handlers."""
        return [
            Route("/v2/auth/login", self._login, methods=["POST"]),
            Route("/v2/auth/logout", self._logout, methods=["GET"]),
            Route("/v2/auth/sessions", self._list_sessions, methods=["GET"]),
            Route("/v2/auth/sessions", self._delete_sessions, methods=["DELETE"]),
            Route("/v2/api-keys", self._create_key, methods=["POST"]),
            Route("/v2/api-keys/{uuid}", self._delete_key, methods=["DELETE"]),
        ]

    async def _login(self, request: Request) -> Response:
        self._counters.increment(Count.LOGIN_ATTEMPTS)
        body = await read_json_object(request)
        for field in ("login", "password"):
            if not isinstance(body.get(field), str):
                raise BadRequest(f"{field}: a string is required")
        faults, account = self._faults, self._account
        if (delay := faults.number(Fault.LOGIN_429)) is not None:
            raise HTTPException(429, "Too many requests.", {"Retry-After": f"{delay:.0f}"})
        if Fault.LOGIN_500 in faults:
            return UPSTREAM_ERROR
        if Fault.LOGIN_MFA in faults:
            session = account.new_session()
            return JSONResponse(session.session_row(mfa_enabled=True, mfa_required=True))
        if Fault.LOGIN_EULA in faults:
            return JSONResponse(account.new_session().session_row(should_sign_eula=True))
        access = None
        if Fault.LOGIN_401 not in faults:
            access = account.log_in(
                body["login"],
                body["password"],
                client_address(request),
                end_others=Fault.SINGLE_SESSION in faults,
            )
        if access is None:
            raise HTTPException(401, "Invalid login or password.")
        self._streams.end_unauthorized(account)
        self._counters.increment(Count.LOGINS)
        return JSONResponse(access.session_row())

    async def _logout(self, request: Request) -> Response:
        # The API describes this route without authentication: any token, or none, is answered 200.
        self._account.log_out(bearer_token(request), client_address(request))
        self._streams.end_unauthorized(self._account)
        self._counters.increment(Count.LOGOUTS)
        return JSONResponse({"message": "logged out"})

    async def _list_sessions(self, request: Request) -> Response:
        authenticate(request, self._account)
        return JSONResponse([access.session_row() for access in self._account.sessions()])

    async def _delete_sessions(self, request: Request) -> Response:
        authenticate(request, self._account)
        self._account.log_out_all()
        self._streams.end_unauthorized(self._account)
        return JSONResponse({"message": "logged out"})

    async def _create_key(self, request: Request) -> Response:
        authenticate(request, self._account)
        body = await read_json_object(request)
        name, lifetime = body.get("name"), body.get("expiration")
        if not isinstance(name, str):
            raise BadRequest("name: a string is required")
        if lifetime is not None and (not isinstance(lifetime, int) or lifetime < 1):
            raise BadRequest("expiration: an integer number of seconds is required")
        access = self._account.add_key(name, lifetime)
        return JSONResponse({"token": access.token, **access.key_row()}, 201)

    async def _delete_key(self, request: Request) -> Response:
        authenticate(request, self._account)
        if not self._account.delete_key(request.path_params["uuid"]):
            raise HTTPException(404, "API key not found.")
        self._streams.end_unauthorized(self._account)
        return JSONResponse({"message": "API key deleted"})
