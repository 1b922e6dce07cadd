"""The completion scripts of bash, zsh and fish, made from the command line itself."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from pf_exporter.command_line.parser import PROGRAM
from pf_exporter.command_line.synopsis import Argument, Synopsis, describe_command_line

HEADER = f"# Completion of {PROGRAM} in {{0}}. Generated: `{PROGRAM} completion {{0}}` prints it.\n"

BASH = r"""
_pf_exporter() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command="" index
  # bash splits --flag=value at the equals sign.
  if [[ $current == "=" ]]; then
    current=""
  elif [[ $previous == "=" ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((index = 1; index < COMP_CWORD; index++)); do
    case ${COMP_WORDS[index]} in
      %(commands)s) command=${COMP_WORDS[index]} && break ;;
    esac
  done
  local flags="" words="" files="" settings=(%(settings)s)
  COMPREPLY=()
  case $previous in
%(values)s
  esac
  case $command in
%(words)s
  esac
  if [[ $files && $current != -* ]]; then
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
    return
  fi
  [[ $current == -* ]] && words=$flags
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _pf_exporter pf-exporter
"""

BASH_FILES = 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current"); return'
BASH_WORDS = 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -W {} -- "$current"); return'

ZSH = """\
#compdef {program}
{header}
_{program}() {{
  local curcontext=$curcontext state line
  local -A opt_args
  local -a commands=(
    {commands}
  )
  local -a settings=(
    {settings}
  )
  _arguments -C -s -S $settings {flags} '1: :->command' '*:: :->arguments'
  case $state in
  command) _describe -t commands command commands ;;
  arguments)
    case $words[1] in
{branches}
    esac ;;
  esac
}}

if [[ $funcstack[1] == _{program} ]]; then
  _{program} "$@"
else
  compdef _{program} {program}
fi
"""


def _settings(exporter: Synopsis, commands: Iterable[Synopsis]) -> list[Argument]:
    """The flags of the exporter that commands take, too."""
    inherited = {one.flags for command in commands for one in command.inherited}
    return [argument for argument in exporter.arguments if argument.flags in inherited]


def _flags(arguments: Iterable[Argument]) -> str:
    return " ".join(flag for argument in arguments for flag in argument.flags)


def _words(values: Iterable[str]) -> str:
    """Values as words for a shell, quoted twice: the shell reads the list, then each word."""
    return shlex.quote(" ".join(map(shlex.quote, values)))


def _bash_value(argument: Argument) -> str:
    """What completes the value of a flag."""
    if argument.is_file:
        return BASH_FILES
    return BASH_WORDS.format(_words(argument.values)) if argument.values else "return"


def bash() -> str:
    """The script for bash; it needs nothing of the package bash-completion."""
    exporter, *commands = synopses = describe_command_line()
    settings = _settings(exporter, commands)
    values: dict[str, dict[str, None]] = {}  # For each way to complete a value, the flags.
    words = []
    for one in synopses:
        for argument in one.arguments:
            if argument.flags and argument.metavar:
                values.setdefault(_bash_value(argument), {}).update(dict.fromkeys(argument.flags))
        choices = [value for argument in one.positional for value in argument.values]
        flags = [_flags(argument for argument in one.flags if argument not in settings)]
        if one.inherited or one is exporter:
            flags.append("${settings[*]}")
        parts = [f'flags="{" ".join(flags)}"']
        if one is exporter:
            choices = [command.name for command in commands]
        if choices:
            parts.append(f'words="{" ".join(choices)}"')
        if any(argument.is_file for argument in one.positional):
            parts.append("files=yes")
        pattern = one.name or '""'
        words.append(f"    {pattern}) {' '.join(parts)} ;;")
    return HEADER.format("bash") + BASH % {
        "commands": " | ".join(command.name for command in commands),
        "settings": _flags(settings),
        "values": "\n".join(f"    {' | '.join(flags)}) {action} ;;" for action, flags in values.items()),
        "words": "\n".join(words),
    }


def _zsh_text(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "\\[]:" else letter for letter in text)


def _zsh_value(argument: Argument) -> str:
    action = f"({' '.join(map(shlex.quote, argument.values))})" if argument.values else " "
    return f":{_zsh_text(argument.metavar)}:{'_files' if argument.is_file else action}"


def _zsh_flags(arguments: Iterable[Argument]) -> list[str]:
    """The specifications of flags, each form by itself."""
    specifications = []
    for argument in arguments:
        exclusive = f"({' '.join(argument.flags)})" if len(argument.flags) > 1 else ""
        before = "*" if argument.is_repeatable else exclusive
        after = _zsh_value(argument) if argument.metavar else ""
        equals = "=" if argument.metavar else ""
        text = f"{equals}[{_zsh_text(argument.summary)}]{after}"
        specifications += [shlex.quote(f"{before}{flag}{text}") for flag in argument.flags]
    return specifications


def _zsh_branch(command: Synopsis) -> str:
    words = ["$settings"] if command.inherited else []
    words += _zsh_flags(command.flags)
    words += [shlex.quote(f":{_zsh_value(argument)}") for argument in command.positional]
    lines = " \\\n        ".join(words)
    return f"    {command.name})\n      _arguments -s -S \\\n        {lines}\n      ;;"


def zsh() -> str:
    """The script for zsh: a file of ``fpath``, or one to source."""
    exporter, *commands = describe_command_line()
    settings = _settings(exporter, commands)
    return ZSH.format(
        program=PROGRAM,
        header=HEADER.format("zsh"),
        commands="\n    ".join(shlex.quote(f"{command.name}:{command.summary}") for command in commands),
        settings="\n    ".join(_zsh_flags(settings)),
        flags=" ".join(_zsh_flags(argument for argument in exporter.flags if argument not in settings)),
        branches="\n".join(map(_zsh_branch, commands)),
    )


def _fish_line(argument: Argument, condition: str) -> str:
    words = [f"complete -c {PROGRAM} -n {shlex.quote(condition)}"]
    for flag in argument.flags:
        name = flag.lstrip("-")
        words.append(f"-l {name}" if flag.startswith("--") else f"-s {name}")
    if argument.is_file:
        words.append("-r -F")
    elif argument.flags and argument.metavar:
        words.append("-x")
    if argument.values:
        words.append(f"-a {_words(argument.values)}")
    if argument.flags:
        words.append(f"-d {shlex.quote(argument.summary)}")
    return " ".join(words)


def fish() -> str:
    """The script for fish."""
    exporter, *commands = describe_command_line()
    settings = _settings(exporter, commands)
    seen = "__fish_seen_subcommand_from"
    outside = f"not {seen} {' '.join(command.name for command in commands)}"
    settings_allowed = f"not {seen} {' '.join(command.name for command in commands if not command.inherited)}"
    lines = [f"complete -c {PROGRAM} -f"]
    lines += [
        f"complete -c {PROGRAM} -n {shlex.quote(outside)} -a {one.name} -d {shlex.quote(one.summary)}"
        for one in commands
    ]
    lines += [_fish_line(argument, settings_allowed) for argument in settings]
    lines += [_fish_line(argument, outside) for argument in exporter.flags if argument not in settings]
    for command in commands:
        lines += [
            _fish_line(argument, f"{seen} {command.name}")
            for argument in (*command.flags, *command.positional)
        ]
    return HEADER.format("fish") + "\n" + "\n".join(lines) + "\n"


SCRIPTS: Mapping[str, Callable[[], str]] = MappingProxyType({"bash": bash, "zsh": zsh, "fish": fish})
"""The script of each shell."""
