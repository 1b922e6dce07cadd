"""Error responses in the form the API gives them."""

from __future__ import annotations

import uuid

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

# Plain text instead of JSON, as a proxy in front of the API would send it.
UPSTREAM_ERROR = PlainTextResponse(
    "upstream connect error or disconnect/reset before headers", status_code=500
)
MAINTENANCE_PAGE = HTMLResponse("<!DOCTYPE html><title>Maintenance</title><p>Please try again later.")


class TruncatedResponse(Response):
    """A response whose connection breaks in the middle of the body."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send half of the body in one chunk, and not the chunk that ends it."""
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        half = self.body[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})


class BadRequest(Exception):
    """A request does not match the API's schema; the text names the field and the problem."""


def http_error(request: Request, exc: Exception) -> Response:
    """Return the response for an :class:`HTTPException`: its status and a message."""
    assert isinstance(exc, HTTPException)
    unrouted = exc.detail == "Not Found"
    message = f"Requested URL {request.url.path} not found" if unrouted else exc.detail
    return JSONResponse({"message": message}, exc.status_code, exc.headers)


def bad_request(request: Request, exc: Exception) -> Response:
    """Return the response 400 for a :class:`BadRequest`: a message and the ID of the request."""
    return JSONResponse({"message": str(exc), "request_id": str(uuid.uuid4())}, 400)
