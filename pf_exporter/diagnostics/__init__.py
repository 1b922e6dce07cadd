"""The checks of ``pf-exporter check``: one result per step, with a remedy.

Never writes to the terminal.
"""

from __future__ import annotations

from pf_exporter.diagnostics.checks import AccountChecks
from pf_exporter.diagnostics.listen_address import listening
from pf_exporter.diagnostics.result import BAD, GOOD, NOTE, CheckResult

__all__ = ["BAD", "GOOD", "NOTE", "AccountChecks", "CheckResult", "listening"]
