"""The checks of ``pf-exporter check``: one result per check, with a remedy.

The checks never write to the terminal and leave nothing behind at the API.

>>> checks = AccountChecks(account, config, within=30.0)
>>> results = list(checks.run())
>>> checks.close()
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pf_exporter.diagnostics.listen_address import check_listen_address
from pf_exporter.diagnostics.result import CheckResult, CheckStatus, FailureClass
from pf_exporter.lazy import lazy_names

if TYPE_CHECKING:
    from pf_exporter.diagnostics.account_checks import AccountChecks
    from pf_exporter.diagnostics.remote_write import check_remote_write
else:  # Needs requests.
    __getattr__ = lazy_names(
        __name__,
        {
            "account_checks": ("AccountChecks",),
            "remote_write": ("check_remote_write",),
        },
    )

__all__ = [
    "AccountChecks",
    "CheckResult",
    "CheckStatus",
    "FailureClass",
    "check_listen_address",
    "check_remote_write",
]
