"""systemd understands the unit, and finds it hardened."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pf_exporter.cli import parser
from pf_exporter.config import load
from tests.conftest import tool

UNIT = Path(__file__).parents[2] / "deploy" / "systemd" / "pf-exporter.service"
TEXT = UNIT.read_text(encoding="utf-8")
INSTALLED = "/opt/pf-exporter/bin/pf-exporter"


def values(key: str) -> list[str]:
    return re.findall(rf"(?m)^{key}=(.*)$", TEXT)


def analysed(folder: Path, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What systemd-analyze says of the unit, with programs that are on this machine."""
    here = Path(sys.executable).with_name("pf-exporter")
    assert here.exists()
    unit = folder / UNIT.name
    # A small Debian has no kill, which is in procps.
    unit.write_text(text.replace(INSTALLED, str(here)).replace("/bin/kill ", f"{tool('true')} "))
    command = [tool("systemd-analyze"), *arguments, str(unit)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_systemd_understands_it(tmp_path: Path) -> None:
    """systemd-analyze has no fault to tell of."""
    done = analysed(tmp_path, TEXT, "verify", "--man=no")
    # It leaves with 0 whatever it finds.
    assert (done.returncode, done.stderr) == (0, "")


def test_a_fault_is_found(tmp_path: Path) -> None:
    """systemd-analyze tells of a misspelt key, so that its silence says something."""
    done = analysed(tmp_path, TEXT.replace("PrivateTmp=", "PrivateTpm="), "verify", "--man=no")
    assert "PrivateTpm" in done.stderr


@pytest.mark.parametrize(("text", "code"), [(TEXT, 0), (TEXT.replace("SystemCallFilter", "#"), 1)])
def test_it_is_hardened(tmp_path: Path, text: str, code: int) -> None:
    """Its exposure is 1.5 of 10 at most; without the filter of system calls it would be more."""
    done = analysed(tmp_path, text, "security", "--offline=true", "--threshold=15", "--no-pager")
    assert done.returncode == code, done.stdout + done.stderr


def test_the_exporter_understands_its_settings(tmp_path: Path) -> None:
    """Command line and variables make a configuration: the credential for a key, loopback to listen on."""
    (start,) = values("ExecStart")
    program, *arguments = shlex.split(start)
    assert program == INSTALLED
    (tmp_path / "token").write_text("api-key\n")
    (tmp_path / "token").chmod(0o600)
    assert [one.partition(":")[0] for one in values("LoadCredential")] == ["token"]
    # %d is where systemd shows the service its credentials.
    environ = dict(one.replace("%d", str(tmp_path)).split("=", 1) for one in values("Environment"))
    config = load(parser().parse_args(arguments), environ)
    assert config.warnings == ()
    assert config.web.listen_address == ("127.0.0.1:10054",)
    (account,) = config.accounts
    assert account.token is not None
    assert account.token.read().reveal() == "api-key"


def test_an_unusable_configuration_is_not_tried_again() -> None:
    """It is restarted after a fault of its own, and not after the exit code of a bad configuration."""
    assert values("Restart") == ["on-failure"]
    assert values("RestartPreventExitStatus") == ["2"]
