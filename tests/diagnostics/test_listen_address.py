from __future__ import annotations

import errno
import os
import socket

import pytest

from pf_exporter.diagnostics.listen_address import check_listen_address
from pf_exporter.diagnostics.result import CheckResult, CheckStatus, FailureClass


def checked(address: str, *, is_exporter: bool = False) -> CheckResult:
    return check_listen_address(address, lambda _: is_exporter)


def test_a_free_address() -> None:
    """An address that can be bound is free, and is free again afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    for _ in range(2):
        result = checked(address)
        assert (result.status, result.message) == (CheckStatus.OK, f"{address} is free")


def test_an_address_in_use() -> None:
    """An address in use is a failure, unless a healthy exporter uses it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        result = checked(address)
        assert (result.status, result.failure) == (CheckStatus.FAILED, FailureClass.LISTEN)
        assert result.message == f"{address}: {os.strerror(errno.EADDRINUSE)}"
        assert "stop the program" in result.remedy
        result = checked(address, is_exporter=True)
        assert (result.status, result.message) == (
            CheckStatus.WARNING,
            f"{address}: in use by a healthy exporter",
        )


@pytest.mark.parametrize("address", ["192.0.2.1:0", "no-such-host.invalid:0"])
def test_an_address_of_another_machine(address: str) -> None:
    """An address that this machine does not have, or a name that does not exist, is a failure."""
    result = checked(address)
    assert (result.status, result.failure) == (CheckStatus.FAILED, FailureClass.LISTEN)
    assert "address of this machine" in result.remedy


def test_all_addresses() -> None:
    """Without a host every address of the machine is tried; one without IPv6 is good."""
    assert checked(":0").status is CheckStatus.OK
