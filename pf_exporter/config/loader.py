"""Settings out of a file, the environment and flags: default < file < environment < flag.

Every value is text until its row in the table makes something of it, wherever it came from. A problem is one
line: where, what, what to do. It never repeats a value: what stands in the wrong place may be a secret.
"""

from __future__ import annotations

import argparse
import difflib
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from pf_exporter.config.accounts import (
    ACCOUNT_KEYS,
    CREDENTIALS,
    SELECTORS,
    STREAM_KEYS,
    SUBSCRIBABLE_EVENTS,
    Account,
    Key,
    StreamFilter,
)
from pf_exporter.config.files import read_file
from pf_exporter.config.key_names import safe_key
from pf_exporter.config.secrets import SecretFile, SecretSource
from pf_exporter.config.setting import Setting
from pf_exporter.config.settings import SECTIONS, SETTINGS, Config
from pf_exporter.config.types import SettingType
from pf_exporter.errors import ConfigError

FILE_LIMIT = 1024 * 1024
"""Largest configuration file, in bytes."""

CA_LIMIT = 16 * 1024 * 1024
"""Largest file of trusted certificates, in bytes."""

VARIABLES = {key.name: key.variable for key in ACCOUNT_KEYS if key.variable}
"""The account's keys that have a name in the environment."""

FILE_VARIABLE = "PF_EXPORTER_CONFIG_FILE"
"""The variable that does what ``--config.file`` does."""


def load(arguments: argparse.Namespace, environ: Mapping[str, str], *, need_account: bool = True) -> Config:
    """The configuration that file, environment and flags make together.

    ``arguments`` come from a parser that :func:`add_flags` prepared. Secret files are read once, to know that
    they can be. Without ``need_account`` accounts are not looked at, and there are none. Raises
    :class:`ConfigError` with every problem found.
    """
    reading = _Loader(arguments, environ)
    config = reading.config(need_account=need_account)
    del environ  # A traceback that shows local variables would show the secrets in it.
    if config is None:
        raise ConfigError(reading.problems)
    return config


@dataclass(frozen=True)
class _Path:
    """Where a mapping stands, and what its keys are called there."""

    prefix: str
    names: Mapping[str, str] = field(default_factory=dict)

    def name(self, key: str) -> str:
        return self.names.get(key, key)

    def __call__(self, key: str) -> str:
        return self.prefix + self.name(key)

    def __str__(self) -> str:
        return self.prefix.rstrip(".: ") or "environment"


class _Loader:
    """One reading of everything, with the problems and warnings met on the way."""

    def __init__(self, arguments: argparse.Namespace, environ: Mapping[str, str]) -> None:
        self.flags: dict[str, Any] = vars(arguments)
        self.environ = {name: text for name, text in environ.items() if text}
        self.path: str = self.flags["config_file"] or self.environ.get(FILE_VARIABLE, "")
        self.mode = 0
        self.readable = True
        self.origins: dict[str, str] = {}
        self.problems: list[str] = []
        self.warnings: list[str] = []

    def config(self, *, need_account: bool) -> Config | None:
        """Everything put together, or None if there were problems."""
        root = _Path(f"{self.path}: ")
        document = self.mapping(self.file(), root, ["accounts", *SECTIONS])
        self.readable = not self.problems
        values: dict[str, Any] = {}
        for section, cls in SECTIONS.items():
            names = [row.name for row in fields(cls)]
            found = self.mapping(document.get(section), _Path(root(f"{section}.")), names)
            values |= {f"{section}.{name}": found.get(name) for name in names}
        values = {row.key: self.setting(row, values[row.key], root(row.key)) for row in SETTINGS}
        low, high = "stream.backoff_min", "stream.backoff_max"
        if values[low] and values[high] and values[low] > values[high]:
            where = self.origins.get(low) or self.origins[high]
            self.problems.append(f"{where}: {low} is longer than {high}; lower the one or raise the other")
        self.misspelt_variables()
        accounts = self.accounts(document.get("accounts"), root) if need_account else ()
        if self.problems:
            return None
        built = {
            section: cls(**{row.name: values[f"{section}.{row.name}"] for row in fields(cls)})
            for section, cls in SECTIONS.items()
        }
        return Config(accounts=accounts, warnings=tuple(self.warnings), **built)

    def file(self) -> Any:
        """What the file holds: mappings, lists, text and None."""
        if not self.path:
            return None
        from pf_exporter.config.yaml_document import StrictYaml  # PyYAML, which only a file needs

        try:
            text, self.mode = read_file(self.path, FILE_LIMIT)
        except ValueError as exc:
            self.problems.append(f"{self.path}: {exc}; check --config.file")
            return None
        return StrictYaml(text, self.path, self.problems).read()

    def mapping(self, raw: Any, place: _Path, known: Collection[str]) -> dict[str, Any]:
        """The known keys of a mapping that are not null."""
        if raw is None:
            return {}
        if not isinstance(raw, dict):
            self.problems.append(f"{place}: expected a mapping with any of {', '.join(known)}")
            return {}
        for key in raw:
            if key not in known:
                close = difflib.get_close_matches(key, known, 1)
                hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
                self.problems.append(f"{place(safe_key(key))}: unknown key; {hint}")
        return {key: raw[key] for key in known if raw.get(key) is not None}

    def value(self, kind: SettingType[Any], raw: Any, where: str) -> Any:
        """What the kind makes of a value; None, and a problem, if nothing."""
        if kind.repeatable and isinstance(raw, list) and all(isinstance(item, str) for item in raw):
            raw = ",".join(raw)
        try:
            if not isinstance(raw, str):
                raise ValueError(f"expected text{' or a list of texts' * kind.repeatable}")
            return kind.parse(raw)
        except ValueError as exc:
            self.problems.append(f"{where}: {exc}")
            return None

    def values(self, keys: Iterable[Key], raw: Mapping[str, Any], place: _Path) -> dict[str, Any]:
        """What a mapping gives of a table of keys, read; what was bad is left out."""
        found = {key: self.value(key.kind, raw[key.name], place(key.name)) for key in keys if key.name in raw}
        return {key.name: value for key, value in found.items() if value is not None}

    def setting(self, row: Setting, in_file: Any, where: str) -> Any:
        """The strongest value of a setting; the weaker ones are checked too. None if any is bad."""
        given = {where: in_file, row.variable: self.environ.get(row.variable), row.flag: self.flags[row.key]}
        values = [row.kind.parse(row.default)]
        for origin, raw in given.items():
            if raw is not None:
                self.origins[row.key] = origin
                values.append(self.value(row.kind, raw, origin))
        return None if None in values else values[-1]

    def misspelt_variables(self) -> None:
        """Warn of variables that look like ours; no more than that, as Kubernetes makes some up itself."""
        known = [FILE_VARIABLE, *(row.variable for row in SETTINGS)]
        for name in sorted(self.environ.keys() - set(known)):
            if name.startswith("PF_EXPORTER_") and (close := difflib.get_close_matches(name, known, 1, 0.9)):
                self.warnings.append(f"{safe_key(name)}: unknown variable; did you mean {close[0]}?")

    def accounts(self, raw: Any, root: _Path) -> tuple[Account, ...]:
        """The accounts of the file or else the one of the environment."""
        environ = {key: self.environ[name] for key, name in VARIABLES.items() if name in self.environ}
        if raw is not None and not isinstance(raw, list):
            self.problems.append(f"{root('accounts')}: expected a list of accounts")
            return ()
        if not raw:
            if environ:
                return (self.account(environ, _Path("", VARIABLES), ""),)
            if self.readable:  # Otherwise it may well be there.
                self.problems.append(
                    "no account: list one under accounts in --config.file,"
                    " or set PF_TOKEN, or PF_USER and PF_PASSWORD, in the environment"
                )
            return ()
        if environ:
            unused = ", ".join(VARIABLES[key] for key in environ)
            self.warnings.append(f"{unused}: not used, because {self.path} lists accounts")
        known = [*(key.name for key in ACCOUNT_KEYS), "streams"]
        accounts: dict[str, Account] = {}
        for number, item in enumerate(raw):
            place = _Path(root(f"accounts[{number}]."))
            own = self.mapping(item, place, known)
            if item and not own:
                continue  # Nothing in it that could be used; said already.
            account = self.account(own, place, os.path.dirname(self.path))
            if account.name in accounts:
                self.problems.append(f"{place('name')}: another account has this name; give each its own")
            accounts[account.name] = account
            if self.mode & 0o004 and own.keys() & {"token", "password"}:
                self.warnings.append(
                    f"{place}: a secret in a file that everyone may read; chmod o-r the file"
                )
        return tuple(accounts.values())

    def account(self, raw: Mapping[str, Any], place: _Path, folder: str) -> Account:
        """One account; ``folder`` is where relative paths start."""
        values = self.values(ACCOUNT_KEYS, raw, place)
        for name in values.keys() & {"ca_file", *(f"{noun}_file" for noun in CREDENTIALS)}:
            values[name] = os.path.join(folder, values[name])
        given = [noun for noun in CREDENTIALS if raw.keys() & {noun, f"{noun}_file"}]
        if given not in (["token"], ["login", "password"]):
            ways = [f"{place.name(noun)} or {place.name(noun + '_file')}" for noun in CREDENTIALS]
            self.problems.append(
                f"{place}: has {' and '.join(map(place.name, given)) or 'no credentials'};"
                f" give either {ways[0]}, or {ways[1]} together with {ways[2]}"
            )
        token, login, password = (self.secret(noun, values, place) for noun in CREDENTIALS)
        if "ca_file" in values:
            try:
                if "-----BEGIN " not in read_file(values["ca_file"], CA_LIMIT)[0]:
                    raise ValueError("the file holds no certificate in PEM form")
            except ValueError as exc:
                self.problems.append(f"{place('ca_file')}: {exc}")
        if "streams" in raw:
            values["streams"] = self.streams(raw["streams"], place)
        own = {
            row.name: values[row.name]
            for row in fields(Account)
            if row.name in values.keys() - {*CREDENTIALS}
        }
        return Account(token=token, login=login, password=password, **own)

    def secret(self, noun: str, values: Mapping[str, Any], place: _Path) -> SecretSource | None:
        """Where a secret comes from; one that comes from a file is read, to know that it can be."""
        literal: SecretSource | None = values.get(noun)
        where = place(f"{noun}_file")
        if f"{noun}_file" not in values:
            return literal
        if literal is not None:
            self.problems.append(f"{where}: {place.name(noun)} is there as well; keep one of them")
        source = SecretFile(values[f"{noun}_file"], where)
        try:
            # The group may: so Kubernetes hands a Secret to a pod that is not root.
            if source.examine()[1] & 0o004:
                self.warnings.append(f"{where}: everyone may read the file; chmod o-r it")
        except ConfigError as exc:
            self.problems += exc.problems
        return source

    def streams(self, raw: Any, place: _Path) -> tuple[StreamFilter, ...]:
        """What an account subscribes to."""
        if not isinstance(raw, list) or not raw:
            self.problems.append(f"{place('streams')}: expected a list; leave it out for everything")
            return ()
        return tuple(self.stream(item, _Path(place(f"streams[{n}]."))) for n, item in enumerate(raw))

    def stream(self, raw: Any, place: _Path) -> StreamFilter:
        """One entry of ``streams``."""
        own = self.mapping(raw, place, [key.name for key in STREAM_KEYS])
        values = self.values(STREAM_KEYS, own, place)
        if "type" not in own and (own or not raw):
            self.problems.append(f"{place('type')}: missing; give one of {', '.join(SUBSCRIBABLE_EVENTS)}")
        if "type" not in values:
            return StreamFilter("")
        type_, events = values["type"], values.get("events", ())
        if not set(events) <= set(SUBSCRIBABLE_EVENTS[type_]):
            self.problems.append(
                f"{place('events')}: type {type_} has only {', '.join(SUBSCRIBABLE_EVENTS[type_])}"
            )
        for owner, selector in SELECTORS.items():
            if selector in values and owner != type_:
                self.problems.append(f"{place(selector)}: goes only with type {owner}; remove it")
        return StreamFilter(type_, events, values.get(SELECTORS.get(type_, ""), ()))
