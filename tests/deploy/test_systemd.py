"""systemd understands the unit, and finds it hardened."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pf_exporter.cli import parser
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
    """The values of a key; what stands before an empty one does not count."""
    found: list[str] = re.findall(rf"(?m)^{key}=(.*)$", text)
    return found[len(found) - found[::-1].index("") :] if "" in found else found


def analysed(folder: Path, text: str, *arguments: str, dropin: str = "") -> subprocess.CompletedProcess[str]:
    """What systemd-analyze says of the unit, with programs that are on this machine."""
    (folder / f"{UNIT.name}.d").mkdir()
    (folder / f"{UNIT.name}.d" / "override.conf").write_text(dropin)
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


def configured(folder: Path, text: str) -> Config:
    """What the unit's command line and variables make, with the credentials that it loads."""
    (start,) = values("ExecStart", text)
    program, *arguments = shlex.split(start)
    assert program == INSTALLED
    for credential in values("LoadCredential", text):
        name, _, path = credential.partition(":")
        assert Path(path).parent == Path("/etc/pf-exporter")
        if not (folder / name).exists():
            (folder / name).write_text(f"{name}-key\n")
        (folder / name).chmod(0o400)
    # %d is where systemd shows the service its credentials.
    words = shlex.split(" ".join(values("Environment", text)).replace("%d", str(folder)))
    environ = dict(word.replace("/etc/pf-exporter", str(folder)).split("=", 1) for word in words)
    config = load(parser().parse_args(arguments), environ)
    assert config.warnings == ()
    assert config.web.listen_address == ("127.0.0.1:10054",)
    return config


def test_the_exporter_understands_its_settings(tmp_path: Path) -> None:
    """Command line and variables make a configuration: the credential for a key, loopback to listen on."""
    (account,) = configured(tmp_path, TEXT).accounts
    assert account.token is not None
    assert account.token.read().reveal() == "token-key"


PASSWORD, ACCOUNTS, TLS = blocks("ini")
"""What deploy/README.md says to write by `systemctl edit`."""


@pytest.mark.parametrize("dropin", [PASSWORD, ACCOUNTS, TLS], ids=["password", "accounts", "tls"])
def test_systemd_understands_an_edit(tmp_path: Path, dropin: str) -> None:
    """systemd-analyze has no fault to tell of what the page adds, and reads it: a misspelt key is told of."""
    (tmp_path / "good").mkdir()
    done = analysed(tmp_path / "good", TEXT, "verify", "--man=no", dropin=dropin)
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "bad").mkdir()
    wrong = dropin.replace("Environment=", "Enviroment=")
    assert "Enviroment" in analysed(tmp_path / "bad", TEXT, "verify", "--man=no", dropin=wrong).stderr


def test_a_user_and_a_password(tmp_path: Path) -> None:
    """As the page has it they come in the place of the key, of which nothing is left."""
    (account,) = configured(tmp_path, TEXT + PASSWORD).accounts
    assert values("LoadCredential", TEXT + PASSWORD) == ["password:/etc/pf-exporter/password"]
    assert account.token is None
    assert account.login is not None
    assert account.password is not None
    assert account.password.read().reveal() == "password-key"


def test_accounts_in_a_file(tmp_path: Path) -> None:
    """As the page has it a file names accounts, with credentials as their keys, and nothing is warned of."""
    page = (UNIT.parents[1] / "README.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"`(/run/credentials/\S+)/token`", page)
    assert shown == f"/run/credentials/{UNIT.name}"
    accounts = [f"{{name: {name}, token_file: {tmp_path}/{name}}}" for name in ("token", "lab")]
    (tmp_path / "pf.yaml").write_text(f"accounts: [{', '.join(accounts)}]\n")
    (tmp_path / "pf.yaml").chmod(0o644)
    config = configured(tmp_path, TEXT + ACCOUNTS)
    assert [account.name for account in config.accounts] == ["token", "lab"]


def test_tls(tmp_path: Path) -> None:
    """As the page has it the web configuration finds certificate and key beside it."""
    authority = Authority(tmp_path)
    authority.sign("server", "127.0.0.1")
    (tmp_path / "web.yml").write_text("tls_server_config: {cert_file: server.pem, key_file: server.key}\n")
    config = configured(tmp_path, TEXT + TLS)
    assert config.web.config_file == str(tmp_path / "web.yml")
    assert web_config_file.read_web_config(config.web.config_file, {}).tls is not None


def test_what_it_may_write_to() -> None:
    """Of a file system that is read-only it has one folder, and the page names it for a recording."""
    assert values("ProtectSystem") == ["strict"]
    (state,) = values("StateDirectory")
    page = (UNIT.parents[1] / "README.md").read_text(encoding="utf-8")
    assert f"PF_EXPORTER_RECORD_FILE=/var/lib/{state}/" in page


def test_memory_is_limited_alike() -> None:
    """systemd and Kubernetes allow what docs/scaling.md says is enough."""
    (systemd,) = values("MemoryMax")
    pod = read(UNIT.parents[1] / "kubernetes" / "deployment.yaml")["spec"]["template"]["spec"]
    assert f"{systemd}i" == pod["containers"][0]["resources"]["limits"]["memory"]
    scaling = (UNIT.parents[2] / "docs" / "scaling.md").read_text(encoding="utf-8")
    assert f"{systemd.removesuffix('M')} MiB" in scaling


def test_an_unusable_configuration_is_not_tried_again() -> None:
    """It is restarted after a fault of its own, and not after the exit code of a bad configuration."""
    assert values("Restart") == ["on-failure"]
    assert values("RestartPreventExitStatus") == ["2"]
