"""The result of a check: its status, a message and a remedy."""

from __future__ import annotations

import enum
from typing import NamedTuple, TypeAlias


class CheckStatus(str, enum.Enum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    """Something needs attention, but it does not prevent exporting."""
    FAILED = "failed"


class FailureClass(str, enum.Enum):
    """The class of a failed check, which determines the exit code."""

    CONFIG = "config"
    CONNECTION = "connection"
    LOGIN = "login"
    STREAM = "stream"
    NO_DATA = "no_data"
    CLOCK = "clock"
    LISTEN = "listen"


class Notice(NamedTuple):
    """The outcome of a check that did not fail, but needs the user's attention."""

    message: str
    remedy: str = ""


Outcome: TypeAlias = "str | Notice"
"""What a check returns if it does not fail; a string is the message."""


class CheckFailed(Exception):
    """A check found something that prevents exporting."""

    def __init__(self, failure: FailureClass, message: str, remedy: str) -> None:
        super().__init__(message)
        self.failure = failure
        self.remedy = remedy


class CheckResult(NamedTuple):
    """One check that was run."""

    account: str
    """Empty if the check is about this machine."""
    name: str
    status: CheckStatus
    message: str
    remedy: str = ""
    """What to do; empty if nothing has to be done."""
    seconds: float = 0.0
    failure: FailureClass | None = None

    def as_json(self) -> dict[str, object]:
        """Return the object of ``check --json``, whose keys are part of the command's interface."""
        return {
            "account": self.account,
            "name": self.name,
            "status": self.status.value,
            "message": self.message,
            "remedy": self.remedy,
            "seconds": round(self.seconds, 3),
            "failure": self.failure.value if self.failure else "",
        }
