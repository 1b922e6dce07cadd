"""The systemd unit is valid and hardened."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pf_exporter.command_line import create_parser
from pf_exporter.config.loader import load
from pf_exporter.config.settings import Config
from pf_exporter.server import web_config_file
from tests.conftest import tool
from tests.deploy import blocks, read
from tests.server.authority import Authority

UNIT = Path(__file__).parents[2] / "deploy" / "systemd" / "pf-exporter.service"
TEXT = UNIT.read_text(encoding="utf-8")
INSTALLED = "/opt/pf-exporter/bin/pf-exporter"


def values(key: str, text: str = TEXT) -> list[str]:
    """Return the values of a key; an empty value resets those before it."""
    found: list[str] = re.findall(rf"(?m)^{key}=(.*)$", text)
    return found[len(found) - found[::-1].index("") :] if "" in found else found


def analyze(folder: Path, text: str, *arguments: str, dropin: str = "") -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze on the unit, with programs that exist on this machine."""
    (folder / f"{UNIT.name}.d").mkdir()
    (folder / f"{UNIT.name}.d" / "override.conf").write_text(dropin)
    installed = Path(sys.executable).with_name("pf-exporter")
    assert installed.exists()
    unit = folder / UNIT.name
    # A minimal Debian has no /bin/kill, which is in procps.
    unit.write_text(text.replace(INSTALLED, str(installed)).replace("/bin/kill ", f"{tool('true')} "))
    command = [tool("systemd-analyze"), *arguments, str(unit)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_unit_is_valid(tmp_path: Path) -> None:
    """systemd-analyze reports no problem."""
    done = analyze(tmp_path, TEXT, "verify", "--man=no")
    # Its exit code is 0 even if it reports problems.
    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_analyze_finds_errors(tmp_path: Path) -> None:
    """systemd-analyze reports a misspelt key."""
    done = analyze(tmp_path, TEXT.replace("PrivateTmp=", "PrivateTpm="), "verify", "--man=no")
    assert "PrivateTpm" in done.stderr


@pytest.mark.parametrize(("text", "code"), [(TEXT, 0), (TEXT.replace("SystemCallFilter", "#"), 1)])
def test_exposure(tmp_path: Path, text: str, code: int) -> None:
    """The exposure is at most 1.5 of 10; without the system call filter it is higher."""
    done = analyze(tmp_path, text, "security", "--offline=true", "--threshold=15", "--no-pager")
    assert done.returncode == code, done.stdout + done.stderr


def load_config(folder: Path, text: str) -> Config:
    """Load the configuration from the command line, variables and credentials of the unit."""
    (start,) = values("ExecStart", text)
    program, *arguments = shlex.split(start)
    assert program == INSTALLED
    for credential in values("LoadCredential", text):
        name, _, path = credential.partition(":")
        assert Path(path).parent == Path("/etc/pf-exporter")
        if not (folder / name).exists():
            (folder / name).write_text(f"{name}-key\n")
        (folder / name).chmod(0o400)
    # %d is the folder of the credentials.
    words = shlex.split(" ".join(values("Environment", text)).replace("%d", str(folder)))
    environ = dict(word.replace("/etc/pf-exporter", str(folder)).split("=", 1) for word in words)
    config = load(create_parser().parse_args(arguments), environ)
    assert config.warnings == ()
    assert config.web.listen_address == ("127.0.0.1:10054",)
    return config


def test_default_configuration(tmp_path: Path) -> None:
    """The unit configures the credential as API key and listens on loopback."""
    (account,) = load_config(tmp_path, TEXT).accounts
    assert account.token is not None
    assert account.token.read().reveal() == "token-key"


PASSWORD, ACCOUNTS, TLS = blocks("ini")
"""The drop-ins in deploy/README.md."""


@pytest.mark.parametrize("dropin", [PASSWORD, ACCOUNTS, TLS], ids=["password", "accounts", "tls"])
def test_drop_ins_are_valid(tmp_path: Path, dropin: str) -> None:
    """systemd-analyze accepts each drop-in of README.md, and reports a misspelt key in it."""
    (tmp_path / "good").mkdir()
    done = analyze(tmp_path / "good", TEXT, "verify", "--man=no", dropin=dropin)
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "bad").mkdir()
    misspelt = dropin.replace("Environment=", "Enviroment=")
    assert "Enviroment" in analyze(tmp_path / "bad", TEXT, "verify", "--man=no", dropin=misspelt).stderr


def test_drop_in_with_a_password(tmp_path: Path) -> None:
    """The drop-in in README.md replaces the API key by user and password."""
    (account,) = load_config(tmp_path, TEXT + PASSWORD).accounts
    assert values("LoadCredential", TEXT + PASSWORD) == ["password:/etc/pf-exporter/password"]
    assert account.token is None
    assert account.login is not None
    assert account.password is not None
    assert account.password.read().reveal() == "password-key"


def test_drop_in_with_accounts(tmp_path: Path) -> None:
    """The drop-in in README.md uses a file with accounts and their credentials, without warnings."""
    page = (UNIT.parents[1] / "README.md").read_text(encoding="utf-8")
    (folder,) = re.findall(r"`(/run/credentials/\S+)/token`", page)
    assert folder == f"/run/credentials/{UNIT.name}"
    accounts = [f"{{name: {name}, token_file: {tmp_path}/{name}}}" for name in ("token", "lab")]
    (tmp_path / "pf.yaml").write_text(f"accounts: [{', '.join(accounts)}]\n")
    (tmp_path / "pf.yaml").chmod(0o644)
    config = load_config(tmp_path, TEXT + ACCOUNTS)
    assert [account.name for account in config.accounts] == ["token", "lab"]


def test_drop_in_with_tls(tmp_path: Path) -> None:
    """The drop-in in README.md uses a web configuration, which finds certificate and key next to it."""
    authority = Authority(tmp_path)
    authority.sign("server", "127.0.0.1")
    (tmp_path / "web.yml").write_text("tls_server_config: {cert_file: server.pem, key_file: server.key}\n")
    config = load_config(tmp_path, TEXT + TLS)
    assert config.web.config_file == str(tmp_path / "web.yml")
    assert web_config_file.read_web_config(config.web.config_file, {}).tls is not None


def test_writable_folder() -> None:
    """One folder is writable, and README.md uses it for a recording."""
    assert values("ProtectSystem") == ["strict"]
    (state,) = values("StateDirectory")
    page = (UNIT.parents[1] / "README.md").read_text(encoding="utf-8")
    assert f"PF_EXPORTER_RECORD_FILE=/var/lib/{state}/" in page


def test_memory_limits_are_equal() -> None:
    """The memory limits of systemd and Kubernetes are those in docs/scaling.md."""
    (systemd,) = values("MemoryMax")
    pod = read(UNIT.parents[1] / "kubernetes" / "deployment.yaml")["spec"]["template"]["spec"]
    assert f"{systemd}i" == pod["containers"][0]["resources"]["limits"]["memory"]
    scaling = (UNIT.parents[2] / "docs" / "scaling.md").read_text(encoding="utf-8")
    assert f"{systemd.removesuffix('M')} MiB" in scaling


def test_restart() -> None:
    """The service restarts after a failure, except for the exit code of an unusable configuration."""
    assert values("Restart") == ["on-failure"]
    assert values("RestartPreventExitStatus") == ["2"]


SOCKET = UNIT.with_suffix(".socket").read_text(encoding="utf-8")


@pytest.mark.parametrize(("key", "problem"), [("NoDelay", ""), ("NoDealy", "NoDealy")])
def test_socket_unit(tmp_path: Path, key: str, problem: str) -> None:
    """systemd-analyze accepts the socket unit together with its service, and reports a misspelt key."""
    unit = tmp_path / "pf-exporter.socket"
    unit.write_text(SOCKET.replace("NoDelay", key))
    done = analyze(tmp_path, TEXT, "verify", "--man=no", str(unit))
    assert problem in done.stderr
    assert bool(problem) == bool(done.stderr)


def test_socket_and_service_have_the_same_address() -> None:
    """The socket unit listens where the service does without it."""
    assert f"PF_EXPORTER_WEB_LISTEN_ADDRESS={values('ListenStream', SOCKET)[0]}" in values("Environment")


def test_watchdog() -> None:
    """systemd waits until the exporter listens, restarts it when it hangs, and dumps no memory."""
    assert values("Type") == ["notify"]
    (seconds,) = values("WatchdogSec")
    # The exporter sends a sign of life every second.
    assert 10 <= int(seconds.removesuffix("s")) <= 120
    assert values("LimitCORE") == ["0"]
