"""What the routes read from a request: the caller's token, the client's address, a JSON body."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request

from pf_exporter.simulator.account import AccessToken, Account
from pf_exporter.simulator.errors import BadRequest


def bearer_token(request: Request) -> str:
    """Return the token in the ``Authorization`` header, empty if there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def authenticate(request: Request, account: Account) -> AccessToken:
    """Return the caller's token if it is valid; raises 401."""
    access = account.access(bearer_token(request))
    if access is None:
        raise HTTPException(401, "Authentication required.")
    return access


def client_address(request: Request) -> str:
    """Return the IP address of the client."""
    return request.client.host if request.client else "127.0.0.1"


async def read_json_object(request: Request) -> dict[str, object]:
    """Return the body, which has to be a JSON object; raises :class:`BadRequest`."""
    try:
        body = await request.json()
    except ValueError as exc:
        raise BadRequest("the body is not JSON") from exc
    if not isinstance(body, dict):
        raise BadRequest("the body is not a JSON object")
    return body
