"""The first mistake in the words of a command line, as one line with a suggestion."""

from __future__ import annotations

import argparse
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from pf_exporter.config import ACCOUNT_KEYS, closest_name

_FLAG = re.compile(r"--?[A-Za-z][A-Za-z0-9_.-]{0,63}")
_NEGATIVE_NUMBER = re.compile(r"-\d|-\.\d")
_MIN_SIMILARITY = 0.7

CONFIG_FLAG = "--config.file"


def _is_flag(word: str) -> bool:
    name = word.partition("=")[0]
    return len(name) > 1 and name.startswith("-") and " " not in name and not _NEGATIVE_NUMBER.match(name)


def _simplified(word: str) -> str:
    return re.sub(r"[_.]", "-", word.lstrip("-").lower())


def closest(word: str, names: Iterable[str]) -> str:
    """The name that is most similar to a word, or an empty text.

    >>> closest("--web.listenaddress", ["--web.listen-address", "--web.open-health"])
    '--web.listen-address'
    """
    by_simplified = {_simplified(name): name for name in names}
    found = closest_name(_simplified(word), by_simplified, _MIN_SIMILARITY)
    return by_simplified[found] if found else ""


def _credential_variables(flag: str) -> str:
    """The variables for a value that was given as a flag, or an empty text."""
    variables = {key.name: key.variable for key in ACCOUNT_KEYS if key.variable}
    name = closest(flag, variables)
    return variables.get(name, "")


def unknown_flag(word: str, known: Iterable[str], elsewhere: Iterable[str], help: str) -> str:
    """The line for a flag that a command does not have; ``elsewhere`` names the commands that have it."""
    flag = word.partition("=")[0]
    if not _FLAG.fullmatch(flag):
        flag = "(not a name)"  # It may be a secret.
    if commands := " and ".join(elsewhere):
        return f"unknown flag {flag}; it is a flag of {commands}: write it after the command"
    if suggestion := closest(flag, known):
        return f"unknown flag {flag}; did you mean {suggestion}?"
    if variable := _credential_variables(flag):
        return f"unknown flag {flag}; set {variable} in the environment, or use --config.file"
    return f"unknown flag {flag}; see {help}"


def _config_file(word: str, flags: Iterable[str]) -> str:
    """The flag for a file that was given without it, or an empty text; ``flags`` are those of the command."""
    is_config = word.endswith((".yaml", ".yml")) and CONFIG_FLAG in flags
    return f"{CONFIG_FLAG}={word}" if is_config else ""


def unknown_command(word: str, commands: Collection[str], flags: Collection[str] = ()) -> str:
    """The line for a command that does not exist; it may be one of ``flags`` without its dashes.

    >>> unknown_command("frobnicate", ["check", "top"])
    "unknown command 'frobnicate'; use one of check, top"
    >>> unknown_command("pf.yml", ["check", "top"], ["--config.file"])
    "unknown command 'pf.yml'; did you mean --config.file=pf.yml?"
    """
    suggestion = _config_file(word, flags) or closest(word, [*commands, *flags])
    hint = f"did you mean {suggestion}?" if suggestion else f"use one of {', '.join(commands)}"
    return f"unknown command {word!r}; {hint}"


def unexpected_argument(word: str, flags: Collection[str], help: str) -> str:
    """The line for a word that a command does not take; ``flags`` are those of the command."""
    suggestion = _config_file(word, flags)
    return f"unexpected argument {word!r}; {f'did you mean {suggestion}?' if suggestion else f'see {help}'}"


def unknown_value(value: str, values: Iterable[str]) -> str:
    """The line for a value that an argument does not have.

    >>> unknown_value("busyest", ["busiest", "name"]), unknown_value("x", ["busiest", "name"])
    ("unknown value 'busyest'; did you mean busiest?", "unknown value 'x'; use one of busiest, name")
    """
    suggestion = closest(value, values := list(values))
    hint = f"did you mean {suggestion}?" if suggestion else f"use one of {', '.join(values)}"
    return f"unknown value {value!r}; {hint}"


def _flag_problem(word: str, following: str | None, action: argparse.Action) -> str:
    """What is wrong with the value of a flag, or an empty text; ``following`` is the next word."""
    flag, separator, _ = word.partition("=")
    if action.nargs == 0:
        return f"{flag} takes no value" if separator else ""
    if not separator and (following is None or _is_flag(following)):
        return f"{flag} needs a value: {flag} {action.metavar}"
    return ""


class WordScan(NamedTuple):
    """The first words of a command line that matter; each is empty if there is none."""

    unknown: str = ""
    """The first word that looks like a flag and is not one."""
    problem: str = ""
    """What is wrong with the first flag that is used wrongly."""
    command: str = ""
    """The first word that is neither a flag nor its value."""


def scan_words(
    words: Sequence[str], actions: Mapping[str, argparse.Action], *, stop_at_command: bool
) -> WordScan:
    """Read the words of one parser until one is not understood, or the command is found.

    argparse reports a missing argument before an unknown flag, although the flag may be the reason.
    """
    position = 0
    while position < len(words) and words[position] != "--":
        word = words[position]
        position += 1
        if not _is_flag(word):
            if stop_at_command:
                return WordScan(command=word)
            continue
        action = actions.get(word.partition("=")[0])
        if action is None:
            return WordScan(unknown=word)
        following = words[position] if position < len(words) else None
        problem = _flag_problem(word, following, action)
        if problem or action.option_strings[0] in ("-h", "-V"):
            return WordScan(problem=problem)
        if action.nargs != 0 and "=" not in word:
            position += 1
    return WordScan()
