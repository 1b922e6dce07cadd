"""The parsers of the commands, and what they import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pf_exporter.cli import DEFAULT_COMMAND, parser
from pf_exporter.commands import (
    check,
    demo,
    export,
    health,
    load_command,
    record,
    replay,
    simulate,
    tail,
    top,
)
from pf_exporter.commands.exit_code import ExitCode
from pf_exporter.commands.parser import COMMANDS, Command
from tests.fakes import dead_url

MODULES: dict[str, Command] = {
    "check": check,
    "tail": tail,
    "top": top,
    "record": record,
    "replay": replay,
    "demo": demo,
    "simulate": simulate,
    "health": health,
}
"""The type checker compares each module with what a command has to provide."""

IMPORTS = """
import sys

before = set(sys.modules)
from pf_exporter.cli import main

try:
    main(sys.argv[1:])
except SystemExit:
    pass
names = {name.partition(".")[0] for name in set(sys.modules) - before} - sys.stdlib_module_names
print("imported:", *sorted(name for name in names if name != "pf_exporter" and not name.startswith("_")))
"""


def imported(*arguments: str) -> list[str]:
    """The third-party packages that a command line imports."""
    command = [sys.executable, "-c", IMPORTS, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    last = done.stdout.splitlines()[-1]
    assert last.startswith("imported:")
    return last.split()[1:]


def test_every_command_is_a_module() -> None:
    """The table names the modules of the package that are commands."""
    assert list(MODULES) == list(COMMANDS)
    assert [load_command(name) for name in COMMANDS] == list(MODULES.values())


def test_the_exporter_is_the_default_command() -> None:
    """Without a command the exporter runs; it describes the whole command line."""
    default: Command = export
    assert load_command(DEFAULT_COMMAND) is default


@pytest.mark.parametrize(
    "arguments",
    [["--version"], ["--help"], *([command, "--help"] for command in COMMANDS)],
    ids=" ".join,
)
def test_help_and_version_import_no_library(arguments: list[str]) -> None:
    """Help and version start without a third-party package."""
    assert imported(*arguments) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_a_terminal(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The help of a command has lines of at most 100 characters."""
    with pytest.raises(SystemExit):
        parser().parse_args([command, "--help"])
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if len(line) > 100] == []
    assert lines


def test_health_imports_no_library() -> None:
    """A health check without files starts without a third-party package: a container runs it all the time."""
    assert imported("health", f"--web.listen-address={dead_url().removeprefix('http://')}") == []


def test_health_with_files_imports_the_yaml_parser(tmp_path: Path) -> None:
    """A health check that reads configuration files imports PyYAML, and nothing else."""
    config, web = tmp_path / "pf.yml", tmp_path / "web.yml"
    config.write_text("series: {ttl: 10m}\n")
    web.write_text("http_server_config: {http2: false}\n")
    flags = [f"--config.file={config}", f"--web.config.file={web}"]
    address = f"--web.listen-address={dead_url().removeprefix('http://')}"
    # PyYAML's own extension adds cython_runtime where it is built with Cython.
    assert set(imported("health", address, *flags)) - {"cython_runtime"} == {"yaml"}


def test_the_exporter_imports_what_it_needs() -> None:
    """The list is made of what is imported: a command that serves pages imports the server."""
    assert {"requests", "starlette", "prometheus_client"} <= set(
        imported("demo", "--web.listen-address=127.0.0.1:65536")
    )


def test_a_setting_after_the_command_wins() -> None:
    """A flag of the exporter may stand before or after the command; the last one counts."""
    address = "--web.listen-address"
    assert vars(parser().parse_args([f"{address}=:1", "health"]))["web.listen_address"] == [":1"]
    arguments = vars(parser().parse_args(["--series.ttl=1h", "health", "--series.ttl=2h"]))
    assert (arguments["command"], arguments["series.ttl"]) == ("health", "2h")


def test_help_of_check_lists_every_exit_code() -> None:
    """`check --help` describes every exit code."""
    assert [code for code in ExitCode if f"  {code:d}  {code.description}\n" not in check.EPILOG] == []
    assert list(ExitCode) == list(range(9))
