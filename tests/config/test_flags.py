"""Flags: every setting has one, and none is for a secret."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from pf_exporter.config.flags import add_flags, add_former_flag
from pf_exporter.config.loader import load
from pf_exporter.config.settings import SETTINGS
from tests.config.helpers import TOKEN, load_text, parse_flags


def test_negated_flag(tmp_path: Path) -> None:
    """The --no- form on the command line overrides true in the file."""
    config = load_text(tmp_path, "web: {disable_exporter_metrics: true}", "--no-web.disable-exporter-metrics")
    assert config.web.disable_exporter_metrics is False


def test_repeated_flag() -> None:
    """Every --web.listen-address counts, and together they replace the default."""
    flags = ("--web.listen-address", ":1", "--web.listen-address", "[::]:2")
    assert load(parse_flags(*flags), TOKEN).web.listen_address == (":1", "[::]:2")


def test_no_flag_takes_a_secret() -> None:
    """No flag is for a secret, because every user of the machine can read arguments."""
    parser = argparse.ArgumentParser()
    add_flags(parser)
    flags = set(re.findall(r"--[a-z][\w.-]+", parser.format_help()))
    assert {setting.flag for setting in SETTINGS} <= flags
    assert not [
        flag
        for flag in flags - {"--remote-write.username"}
        if any(word in flag for word in ("token", "password", "login", "user")) and not flag.endswith("-file")
    ]


def test_flags_cannot_be_abbreviated() -> None:
    """An abbreviation is refused, because a later setting could make it ambiguous."""
    with pytest.raises(SystemExit):
        parse_flags("--web.telemetry", "/x")


def test_help() -> None:
    """--help contains every flag and default of the table."""
    parser = argparse.ArgumentParser()
    add_flags(parser)
    text = " ".join(parser.format_help().split())
    assert [row.key for row in SETTINGS if f"{row.flag} " not in text or row.default not in text] == []


def test_former_flag(tmp_path: Path) -> None:
    """A flag of an earlier version still works, with one warning, and is not in help."""
    config = load_text(tmp_path, "", "--stream.record=a.gz")
    assert (config.record.file, config.warnings) == (
        "a.gz",
        ("--stream.record: deprecated; use --record.file",),
    )
    parser = argparse.ArgumentParser()
    add_flags(parser)
    assert "--stream.record" not in parser.format_help()
    assert load_text(tmp_path, "", "--record.file=a.gz").warnings == ()


def test_former_flag_of_a_command() -> None:
    """A command's former flag converts, repeats and negates like its successor."""
    parser = argparse.ArgumentParser()
    actions = add_flags(parser, of_command=True, shown={"record.redact": "true", "web.listen_address": ":1"})
    add_former_flag(parser, "--no-redact", actions["--no-record.redact"])
    add_former_flag(parser, "--listen-address", actions["--web.listen-address"])
    number = parser.add_argument("--number", type=int)
    add_former_flag(parser, "--count", number)
    arguments = vars(
        parser.parse_args(["--no-redact", "--listen-address=:2", "--listen-address=:3", "--count=4"])
    )
    assert arguments["former_flags"] == {
        "--no-redact": "--no-record.redact",
        "--listen-address": "--web.listen-address",
        "--count": "--number",
    }
    assert (arguments["record.redact"], arguments["web.listen_address"]) == ("false", [":2", ":3"])
    assert arguments["number"] == 4
    text = parser.format_help()
    flags = ("--record.redact", "Default: :1.", "--series.ttl", "--count", "--listen-address")
    assert [flag for flag in flags if flag in text] == ["--record.redact", "Default: :1."]
    assert vars(parser.parse_args([])) == {"number": None}
