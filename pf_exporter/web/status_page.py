"""The status page as HTML: its template, its style, and the headers that go with them."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pf_exporter.web.status_context import StatusContext

if TYPE_CHECKING:
    from jinja2 import Template

_FOLDER = Path(__file__).parent


@functools.cache
def _style() -> str:
    return (_FOLDER / "static" / "status.css").read_text(encoding="utf-8")


@functools.cache
def _template() -> Template:
    # Imported with the first request, so that the exporter starts faster and needs less memory without it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("status.html")


def render_page(context: StatusContext) -> str:
    """The whole page."""
    return _template().render(page=context, style=_style())


@functools.cache
def page_headers() -> Mapping[str, str]:
    """The page's headers: it may use its own style and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return {
        "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none';"
        " form-action 'self'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
