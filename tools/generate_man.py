"""Make the man page from the command line itself: ``make docs``."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator

from pf_exporter import __version__
from pf_exporter.command_line.synopsis import Argument, Synopsis, describe_command_line
from pf_exporter.config import ACCOUNT_KEYS
from pf_exporter.config.loader import FILE_VARIABLE
from pf_exporter.process import ExitCode

SIGNALS = {
    "SIGHUP": "Read the configuration again. What needs a restart is reported in the log.",
    "SIGTERM, SIGINT": "End the streams and sessions, and exit with code 0.",
}


def _text(text: str) -> str:
    """A text for roff: its backslashes, hyphens and leading dots are not markup."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "")
    return re.sub(r"(?m)^([.'])", r"\\&\1", escaped)


def _filled(text: str) -> str:
    """A paragraph for roff, which fills its lines again."""
    return _text(textwrap.fill(text, 72, break_on_hyphens=False, break_long_words=False))


def _paragraphs(text: str, *, first: bool = False) -> Iterator[str]:
    """Paragraphs are filled; indented lines keep their breaks. The ``first`` of a section needs no macro."""
    for paragraph in text.strip("\n").split("\n\n"):
        lines = paragraph.split("\n")
        if not first:
            yield ".PP"
        first = False
        if any(line.startswith(" ") for line in lines):
            yield "\n".join([".nf", *map(_text, lines), ".fi"])
        else:
            yield _filled(paragraph)


def _items(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """A list of terms, which are roff already, and their explanations."""
    for term, text in rows:
        yield f".TP\n{term}\n{_filled(text)}"


def _bold(text: str) -> str:
    return f"\\fB{_text(text)}\\fR"


def _term(argument: Argument) -> str:
    names = ", ".join(map(_bold, argument.flags))
    value = f"\\fI{_text(argument.metavar)}\\fR" if argument.metavar else ""
    return " ".join(filter(None, (names, value)))


def _arguments(arguments: Iterable[Argument]) -> Iterator[str]:
    yield from _items(
        (_term(one), _sentence(one.help))
        for one in arguments
        if "--help" not in one.flags and not (one.flags and one.flags[0].startswith("--no-"))
    )


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else f"{text}."


def _commands(exporter: Synopsis, commands: Iterable[Synopsis]) -> Iterator[str]:
    """The commands, each with its flags and those of the exporter that have another default."""
    helps = {argument.flags: argument.help for argument in exporter.arguments}
    epilogs: dict[str, str] = {}
    for command in commands:
        positional = "".join(f" \\fI{_text(one.metavar)}\\fR" for one in command.positional)
        yield f".SS {_bold(f'pf-exporter {command.name}')} [\\fIFLAG\\fR ...]{positional}"
        yield from _paragraphs(command.description, first=True)
        other = [one for one in command.inherited if one.help != helps[one.flags]]
        yield from _arguments((*command.positional, *other, *command.flags))
        same = epilogs.setdefault(command.epilog, command.name)
        if command.epilog:
            heading = command.epilog.partition(":")[0]
            yield from _paragraphs(
                command.epilog if same == command.name else f"For {heading} see pf-exporter {same}."
            )


def _lines() -> Iterator[str]:
    exporter, *commands = describe_command_line()
    yield f'.TH PF\\-EXPORTER 1 "" "pf_exporter {__version__}" "User Commands"'
    yield f".SH NAME\npf\\-exporter \\- {_text(exporter.description.partition(chr(10))[0].rstrip('.'))}"
    yield ".SH SYNOPSIS\n.B pf\\-exporter\n[\\fIFLAG\\fR ...]"
    yield ".br\n.B pf\\-exporter\n\\fICOMMAND\\fR [\\fIFLAG\\fR ...] [\\fIARGUMENT\\fR ...]"
    yield ".SH DESCRIPTION"
    yield from _paragraphs(exporter.description.partition("\n\n")[2], first=True)
    yield ".SH FLAGS"
    yield from _arguments(exporter.arguments)
    yield ".SH COMMANDS"
    yield from _commands(exporter, commands)
    yield ".SH ENVIRONMENT"
    yield _filled(
        "Every flag of a setting has an environment variable: PF_EXPORTER_ and the flag's name in capitals, "
        "with underscores. A flag overrides its variable, which overrides the configuration file."
    )
    variables = [(_bold(key.variable), key.help) for key in ACCOUNT_KEYS if key.variable]
    yield from _items([*variables, (_bold(FILE_VARIABLE), "Path of the configuration file.")])
    yield ".SH SIGNALS"
    yield from _items((_bold(name), text) for name, text in SIGNALS.items())
    yield ".SH EXIT STATUS"
    yield from _items((_bold(str(int(code))), _sentence(code.description)) for code in ExitCode)
    yield ".SH EXAMPLES"
    yield from _paragraphs(exporter.epilog.partition("\n\n")[0].removeprefix("examples:\n"), first=True)
    yield ".SH SEE ALSO\n.BR prometheus (1),\n.BR promtool (1),\n.BR systemd.socket (5)"


def page() -> str:
    """The page pf-exporter(1); a ``--no-`` form is not repeated."""
    return '.\\" Generated from the command line by `make docs`.\n' + "\n".join(_lines()) + "\n"
