"""The exit codes of all commands."""

from __future__ import annotations

import enum


class ExitCode(enum.IntEnum):
    """The exit code of the process."""

    description: str

    OK = 0, "ready to export, or stopped on request"
    FAILED = 1, "unexpected error, or interrupted; for health, the exporter is not healthy"
    BAD_CONFIG = 2, "the configuration, or a file that it names, cannot be used"
    UNREACHABLE = 3, "the API cannot be reached: DNS, connection, TLS, or a server error"
    LOGIN_REJECTED = 4, "the login or API key is rejected, or the user has to act first (MFA, EULA)"
    STREAM_REJECTED = 5, "the subscription or the stream is rejected"
    NO_EVENTS = 6, "nothing arrived on the stream"
    WRONG_CLOCK = 7, "the clock of this machine is wrong"
    CANNOT_LISTEN = 8, "a listen address is in use by another program, or does not belong to this machine"

    def __new__(cls, value: int, description: str) -> ExitCode:
        """A code with the description that help shows."""
        code = int.__new__(cls, value)
        code._value_ = value
        code.description = description
        return code
