"""The parsers of the commands, and what they import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pf_exporter.cli import main
from pf_exporter.command_line import COMMANDS, DEFAULT_COMMAND, create_parser, load_command
from pf_exporter.command_line.parser import Command
from pf_exporter.commands import (
    assets,
    backfill,
    check,
    completion,
    demo,
    export,
    health,
    help,
    record,
    replay,
    simulate,
    tail,
    top,
)
from pf_exporter.process import ExitCode
from tests.fakes import dead_url

MODULES: dict[str, Command] = {
    "check": check,
    "tail": tail,
    "top": top,
    "record": record,
    "replay": replay,
    "backfill": backfill,
    "demo": demo,
    "simulate": simulate,
    "health": health,
    "assets": assets,
    "completion": completion,
    "help": help,
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
    """The table names every module of the package, but for that of the exporter itself."""
    assert list(MODULES) == list(COMMANDS)
    found = {path.stem for path in Path(export.__file__ or "").parent.glob("[a-z]*.py")}
    assert found == {*COMMANDS, DEFAULT_COMMAND}
    assert [load_command(name) for name in COMMANDS] == list(MODULES.values())


def test_the_exporter_is_the_default_command() -> None:
    """Without a command the exporter runs; it describes the whole command line."""
    default: Command = export
    assert load_command(DEFAULT_COMMAND) is default


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["-V"],
        ["--help"],
        ["help"],
        ["completion", "bash"],
        ["--web.listenaddress=:1"],
        ["--duration", "1h"],
        ["chek"],
        *([command, "--help"] for command in COMMANDS),
        *(["help", command] for command in COMMANDS),
    ],
    ids=" ".join,
)
def test_help_and_version_import_no_library(arguments: list[str]) -> None:
    """Help, version, completion scripts and errors in the command line need no third-party package."""
    assert imported(*arguments) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_a_terminal(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The help of a command has lines of at most 100 characters."""
    with pytest.raises(SystemExit):
        create_parser().parse_args([command, "--help"])
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
    assert {"starlette", "uvicorn", "prometheus_client"} <= set(
        imported("demo", "--web.listen-address=127.0.0.1:65536")
    )


def test_a_setting_after_the_command_wins() -> None:
    """A flag of the exporter may stand before or after the command; the last one counts."""
    address = "--web.listen-address"
    assert vars(create_parser().parse_args([f"{address}=:1", "health"]))["web.listen_address"] == [":1"]
    arguments = vars(create_parser().parse_args(["--series.ttl=1h", "health", "--series.ttl=2h"]))
    assert (arguments["command"], arguments["series.ttl"]) == ("health", "2h")


def test_help_of_check_lists_every_exit_code() -> None:
    """`check --help` describes every exit code."""
    assert [code for code in ExitCode if f"  {code:d}  {code.description}\n" not in check.EPILOG] == []
    assert list(ExitCode) == list(range(9))


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("--web.listenaddress=:1", "unknown flag --web.listenaddress; did you mean --web.listen-address?"),
        ("--web.listenaddress :1", "unknown flag --web.listenaddress; did you mean --web.listen-address?"),
        ("--listen-address :1", "unknown flag --listen-address; did you mean --web.listen-address?"),
        ("--stream.recrd x", "unknown flag --stream.recrd; see pf-exporter --help"),
        ("--ports 3", "unknown flag --ports; it is a flag of demo and simulate: write it after the command"),
        ("-config.file x", "unknown flag -config.file; did you mean --config.file?"),
        ("--log.level debug --LOG.FORMAT json", "unknown flag --LOG.FORMAT; did you mean --log.format?"),
        ("--frobnicate", "unknown flag --frobnicate; see pf-exporter --help"),
        ("--tokn canary", "unknown flag --tokn; set PF_TOKEN in the environment, or use --config.file"),
        ("--password=canary", "set PF_PASSWORD in the environment, or use --config.file"),
        ("--to:canary", "unknown flag (not a name); see pf-exporter --help"),
        ("--json check", "unknown flag --json; it is a flag of check and tail: write it after the command"),
        ("chek", "unknown command 'chek'; did you mean check?"),
        ("version", "unknown command 'version'; did you mean --version?"),
        ("frobnicate", "unknown command 'frobnicate'; use one of check, tail, top, record, replay, backfill"),
        ("pf.yaml", "unknown command 'pf.yaml'; did you mean --config.file=pf.yaml?"),
        ("completion powershell", "SHELL: unknown value 'powershell'; use one of bash, zsh, fish"),
        ("completion bsh", "SHELL: unknown value 'bsh'; did you mean bash?"),
        ("top --sort busyest", "--sort: unknown value 'busyest'; did you mean busiest?"),
        ("top --interval 0s", "--interval: expected a duration of at least 1ms"),
        ("top --show circuits", "--show: unknown value 'circuits'; use one of ports, vcs"),
        ("simulate --fault strem-cut:3", "--fault: unknown value 'strem-cut'; did you mean stream-cut?"),
        ("simulate --interval 0", "--interval: expected a duration of at least 1ms"),
        ("demo --max-connection nan", "--max-connection: expected a duration with a unit, such as 90s"),
        ("check --wihtin 3s", "unknown flag --wihtin; did you mean --within?"),
        ("check -x", "unknown flag -x; see pf-exporter check --help"),
        ("check --series.tl 3s", "unknown flag --series.tl; did you mean --series.ttl?"),
        ("check --json=1", "--json takes no value"),
        ("check --within soon", "--within: expected a duration with a unit, such as 90s"),
        ("check extra", "unexpected argument 'extra'; see pf-exporter check --help"),
        ("check pf.yml", "unexpected argument 'pf.yml'; did you mean --config.file=pf.yml?"),
        ("completion zsh pf.yml", "unexpected argument 'pf.yml'; see pf-exporter completion --help"),
        ("record --durtion=1h", "unknown flag --durtion; did you mean --duration?"),
        ("record --duration", "--duration needs a value: --duration DURATION"),
        ("record --duration --no-redact x", "--duration needs a value: --duration DURATION"),
        ("tail --subscription-uuid ../x", "--subscription-uuid: expected a UUID"),
        ("replay x --speed fast", "--speed: expected a number, such as 60"),
        ("simulate --web.listen-address :99999", "--web.listen-address: expected a port from 0 to 65535"),
        ("record", "FILE is missing; see pf-exporter record --help"),
        ("tail --json --raw", "--raw: not allowed with argument --json"),
        ("demo --ports 0", "--ports: expected a whole number of at least 1"),
        ("simulate --vcs -4", "--vcs: expected a whole number of at least 0"),
        ("demo --seed x", "--seed: expected a whole number"),
        ("demo --seed -1 --vcs", "--vcs needs a value: --vcs N"),
    ],
)
def test_a_mistake_is_one_line(words: str, line: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A mistake in the command line is one line with a suggestion, and exit code 2; no value is repeated."""
    with pytest.raises(SystemExit) as exit:
        create_parser().parse_args(words.split())
    assert exit.value.code == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("pf-exporter: ")
    assert line in err
    assert err.count("\n") == 1
    assert "canary" not in err


def test_what_follows_help_is_not_read(capsys: pytest.CaptureFixture[str]) -> None:
    """--help wins over a mistake after it, and a value may look like a negative number or have a space."""
    with pytest.raises(SystemExit) as exit:
        create_parser().parse_args(["check", "--help", "--frobnicate"])
    assert exit.value.code == 0
    assert "usage: pf-exporter check" in capsys.readouterr().out
    arguments = create_parser().parse_args(["demo", "--seed", "-1", "--fault=stream-cut: 1"])
    assert (arguments.seed, arguments.fault) == (-1, ["stream-cut: 1"])
    assert create_parser().parse_args(["record", "--", "--file"]).file == "--file"


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_is_that_of_the_command(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`help COMMAND` prints what `COMMAND --help` prints; without a command, the help of the exporter."""
    words = [name] if name else []
    assert main(["help", *words]) == 0
    by_command = capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([*words, "--help"])
    assert by_command == capsys.readouterr().out


@pytest.mark.parametrize(
    ("topic", "hint"), [("chek", "did you mean check?"), ("nosuch", f"use one of {', '.join(COMMANDS)}")]
)
def test_help_of_an_unknown_command(topic: str, hint: str, capfd: pytest.CaptureFixture[str]) -> None:
    """`help` of a command that does not exist names the command as it was typed, and a remedy."""
    assert main(["help", topic]) == 2
    assert capfd.readouterr().err == f"pf-exporter: unknown command {topic!r}; {hint}\n"
