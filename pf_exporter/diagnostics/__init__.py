"""The checks of ``pf-exporter check``: one result per step, with a remedy.

Never writes to the terminal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pf_exporter.diagnostics.listen_address import listening
from pf_exporter.diagnostics.result import BAD, GOOD, NOTE, CheckResult
from pf_exporter.lazy import lazy_names

if TYPE_CHECKING:
    from pf_exporter.diagnostics.checks import AccountChecks
else:  # Needs requests.
    __getattr__ = lazy_names(__name__, {"AccountChecks": "checks"})

__all__ = ["BAD", "GOOD", "NOTE", "AccountChecks", "CheckResult", "listening"]
