"""Error responses in the form the API gives them."""

from __future__ import annotations

import uuid

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

# Plain text instead of JSON, as a proxy in front of the API would send it.
UPSTREAM_ERROR = PlainTextResponse(
    "upstream connect error or disconnect/reset before headers", status_code=500
)


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
