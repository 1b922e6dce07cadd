"""Load the configuration from a file, the environment and flags; default < file < environment < flag.

Every value is a string until the type of its setting parses it, wherever the value comes from.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pf_exporter.config.account_keys import VARIABLES
from pf_exporter.config.endpoint_loader import EndpointLoader
from pf_exporter.config.files import read_file
from pf_exporter.config.key_names import closest_name, safe_key
from pf_exporter.config.log_settings import LogSettings
from pf_exporter.config.reader import ConfigReader, Location, in_file_order
from pf_exporter.config.setting import Setting
from pf_exporter.config.settings import SECTIONS, SETTINGS, Config
from pf_exporter.errors import ConfigError

if TYPE_CHECKING:
    from pf_exporter.config.accounts import Account

FILE_LIMIT = 1024 * 1024
"""Largest configuration file, in bytes."""

FILE_VARIABLE = "PF_EXPORTER_CONFIG_FILE"
"""The environment variable with the same meaning as ``--config.file``."""


FORMER_FLAGS = "former_flags"
"""The attribute of the namespace with the successors of the former flags that were given, by former flag."""


def former_flag_warnings(arguments: argparse.Namespace) -> list[str]:
    """A warning for each flag of an earlier version that was given."""
    used: Mapping[str, str] = vars(arguments).get(FORMER_FLAGS, {})
    return [f"{former}: deprecated; use {flag}" for former, flag in used.items()]


FileCheck = Callable[[str], Sequence[str]]
"""Returns the problems of the file at a path, each one line."""


def load(
    arguments: argparse.Namespace,
    environ: Mapping[str, str],
    *,
    need_account: bool = True,
    defaults: Mapping[str, str] = MappingProxyType({}),
    check_web_config: FileCheck | None = None,
    refuse_empty: bool = False,
) -> Config:
    """The configuration from the file, the environment and the flags together.

    ``arguments`` come from a parser that :func:`add_flags` prepared. Secret files are read once, to report
    problems with them. Without ``need_account`` accounts are neither checked nor returned. ``defaults``
    replace the defaults of settings, by key. ``check_web_config`` checks the web configuration file. With
    ``refuse_empty`` an empty file is a problem: it may be incomplete. Raises :class:`ConfigError` with every
    problem found in any file.
    """
    loader = _Loader(arguments, environ, defaults, refuse_empty=refuse_empty)
    config = loader.load(need_account=need_account, check_web_config=check_web_config)
    del environ  # Its secrets must not be among the local variables of a traceback.
    if config is None:
        raise ConfigError(in_file_order(loader.problems, loader.path))
    return config


def log_format(arguments: argparse.Namespace, environ: Mapping[str, str]) -> str:
    """The format of the log as far as the configuration can be read, to report its problems."""
    return _Loader(arguments, environ, {}).log_format()


class _Loader:
    """Loads one configuration; problems end in ``problems``."""

    def __init__(
        self,
        arguments: argparse.Namespace,
        environ: Mapping[str, str],
        defaults: Mapping[str, str],
        *,
        refuse_empty: bool = False,
    ) -> None:
        self._refuse_empty = refuse_empty
        self._flags: dict[str, Any] = vars(arguments)
        self._defaults = defaults
        self._environ = {name: text for name, text in environ.items() if text}
        self.path: str = self._flags["config_file"] or self._environ.get(FILE_VARIABLE, "")
        self._mode = 0
        self._reader = ConfigReader()
        self._reader.warnings += former_flag_warnings(arguments)
        self._endpoint_loader = EndpointLoader(self._reader, self.path)
        self.problems = self._reader.problems
        self._origins: dict[str, str] = {}
        """For each setting that is not at its default, the flag, variable or key that sets it."""

    def load(self, *, need_account: bool, check_web_config: FileCheck | None) -> Config | None:
        """The configuration, or None if there are problems."""
        raw, root = self._read_file()
        document = self._reader.mapping(raw, root, ["accounts", *SECTIONS])
        is_readable = not self.problems
        values = self._settings(document, root)
        self._check_backoff(values)
        endpoints = self._endpoint_loader.load(document.get("remote_write"), root, values, self._origins)
        misspelt = self._misspelt_variables()
        self._reader.warnings += misspelt
        accounts = self._accounts(document.get("accounts"), root, is_readable) if need_account else ()
        if check_web_config is not None and values["web.config_file"]:
            self._reader.problems += check_web_config(values["web.config_file"])
        self._check_series_limits(accounts, values["series.limit"], root)
        if self.problems:
            self.problems += misspelt  # One of them may be the cause.
            return None
        sections = {
            section: cls(**{row.name: values[f"{section}.{row.name}"] for row in fields(cls)})
            for section, cls in SECTIONS.items()
        }
        return Config(
            accounts=accounts, endpoints=endpoints, warnings=tuple(self._reader.warnings), **sections
        )

    def log_format(self) -> str:
        """The format of the log, or its default if the configuration has none that is valid."""
        raw, root = self._read_file()
        values = self._settings(self._reader.mapping(raw, root, ["accounts", *SECTIONS]), root)
        return values["log.format"] or LogSettings.format

    def _read_file(self) -> tuple[Any, Location]:
        """The document in the file, or None if there is none, and the location of its root."""
        if not self.path:
            return None, Location()
        try:
            text, self._mode = read_file(self.path, FILE_LIMIT)
        except ValueError as exc:
            self._reader.reject(self.path, f"{exc}; check --config.file")
            return None, Location(self.path)
        if self._refuse_empty and not text.strip():
            self._reader.reject(self.path, "the file is empty, perhaps because it is being written")
        return self._reader.yaml(text, self.path)

    def _settings(self, document: Mapping[str, Any], root: Location) -> dict[str, Any]:
        """The value of each setting by its key; None if it is unusable."""
        in_file: dict[str, Any] = {}
        for section, cls in SECTIONS.items():
            raw, location = document.get(section), root.section(section)
            if section == "remote_write":
                own = {} if isinstance(raw, list) else self._endpoint_loader.flatten(raw, location)
            else:
                own = self._reader.mapping(raw, location, [row.name for row in fields(cls)])
            in_file |= {f"{section}.{name}": own[name] for name in own}
        return {row.key: self._setting(row, in_file.get(row.key), root.key(row.key)) for row in SETTINGS}

    def _setting(self, setting: Setting, in_file: Any, where: str) -> Any:
        """The value with the highest precedence; the others are validated too. None if any is unusable."""
        sources = {
            where: in_file,
            setting.variable: self._environ.get(setting.variable),
            setting.flag: self._flags[setting.key],
        }
        values = [setting.type.parse(self._defaults.get(setting.key, setting.default))]
        for origin, raw in sources.items():
            if raw is not None:
                self._origins[setting.key] = origin
                values.append(self._reader.value(setting.type, raw, origin))
        return None if None in values else values[-1]

    def _check_backoff(self, values: Mapping[str, Any]) -> None:
        low, high = "stream.backoff_min", "stream.backoff_max"
        if values[low] and values[high] and values[low] > values[high]:
            where = self._origins.get(low) or self._origins[high]
            self._reader.reject(where, f"{low} is longer than {high}; lower {low} or raise {high}")

    def _check_series_limits(self, accounts: Iterable[Account], limit: int | None, root: Location) -> None:
        """Check that the accounts with a ``series_limit`` leave series for the accounts without one."""
        own = [account.series_limit for account in accounts]
        total = sum(filter(None, own))
        if limit is not None and total and total + own.count(None) > limit:
            self._reader.reject(
                root.key("accounts"),
                f"the values of series_limit add up to {total}, which series.limit ({limit}) does not allow;"
                " raise series.limit or lower them",
            )

    def _misspelt_variables(self) -> list[str]:
        """A warning for each variable that resembles a setting's or an account's, or is named after its key.

        It is not an error, because Kubernetes and other programs set variables with the same prefix.
        """
        found = []
        known = [FILE_VARIABLE, *(row.variable for row in SETTINGS), *VARIABLES.values()]
        by_key = {key.upper(): variable for key, variable in VARIABLES.items()}
        for name in sorted(self._environ.keys() - set(known)):
            if name.startswith("PF_"):
                own_key = by_key.get(name.removeprefix("PF_").removeprefix("EXPORTER_"))
                meant = own_key or closest_name(name, known, 0.9)
                if meant:
                    found.append(f"{safe_key(name)}: unknown variable; did you mean {meant}?")
        return found

    def _accounts(self, raw: Any, root: Location, is_readable: bool) -> tuple[Account, ...]:
        """The accounts in the file, or else the account in the environment."""
        if raw is not None and not isinstance(raw, list):
            self._reader.reject(root.key("accounts"), "expected a list of accounts")
            return ()
        from pf_exporter.config.account_loader import AccountLoader  # Imports the schema.

        loader = AccountLoader(self._reader)
        variables = [name for name in VARIABLES.values() if name in self._environ]
        if raw:
            if variables:
                self._reader.warn(", ".join(variables), f"ignored, because {self.path} lists accounts")
            return loader.from_file(raw, root, os.path.dirname(self.path), self._mode)
        if variables:
            return (loader.from_environment(self._environ),)
        if is_readable:  # An unreadable file may contain accounts.
            where = root.key("accounts") if "accounts" in root.positions else self.path
            place, problem = (where, "no account; list one") if where else ("no account", "list one")
            self._reader.reject(
                place,
                f"{problem} under accounts{'' if where else ' in --config.file'},"
                " or set PF_TOKEN, or PF_USER and PF_PASSWORD, in the environment",
            )
        return ()
