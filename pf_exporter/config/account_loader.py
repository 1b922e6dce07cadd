"""Load the accounts, their credentials and their streams from the file or the environment."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any
from urllib.parse import urlsplit

from pf_exporter.config.account_keys import ACCOUNT_KEYS, CREDENTIALS, VARIABLES, KeySpec
from pf_exporter.config.accounts import SELECTORS, STREAM_KEYS, Account, StreamFilter
from pf_exporter.config.files import WORLD_READABLE, read_file, with_path
from pf_exporter.config.proxy import find_proxy
from pf_exporter.config.reader import ConfigReader, Location
from pf_exporter.config.secrets import Secret, SecretFile, SecretSource
from pf_exporter.errors import ConfigError
from pf_exporter.schema import SUBSCRIBABLE_EVENTS

CA_LIMIT = 16 * 1024 * 1024
"""Largest file of trusted certificates, in bytes."""


class AccountLoader:
    """Reads accounts; problems and warnings go to ``reader``."""

    def __init__(self, reader: ConfigReader) -> None:
        self._reader = reader

    def from_environment(self, environ: Mapping[str, str]) -> Account:
        """The account that the variables describe."""
        own = {key: environ[name] for key, name in VARIABLES.items() if name in environ}
        return self._account(own, Location(names=VARIABLES), "")

    def from_file(self, items: list[Any], root: Location, folder: str, mode: int) -> tuple[Account, ...]:
        """The accounts in a file; ``folder`` and ``mode`` are the file's folder and permission bits."""
        keys = [*(key.name for key in ACCOUNT_KEYS), "streams"]
        accounts: dict[str, Account] = {}
        for number, item in enumerate(items):
            location = root.item("accounts", number)
            own = self._reader.mapping(item, location, keys)
            if item and not own:
                continue  # Every entry was rejected, and reported.
            account = self._account(own, location, folder)
            if account.name in accounts:
                self._reader.reject(
                    location.key("name"), "duplicate account name; give each account its own name"
                )
            accounts[account.name] = account
            if mode & WORLD_READABLE and own.keys() & {"token", "password"}:
                self._reader.warn(
                    location, "the file contains a secret and is world-readable; run chmod o-r on it"
                )
        return tuple(accounts.values())

    def _account(self, raw: Mapping[str, Any], location: Location, folder: str) -> Account:
        """One account; relative paths start at ``folder``."""
        values = self._values(ACCOUNT_KEYS, raw, location)
        places: dict[str, str] = {}
        for key in ("ca_file", "proxy_url_file", *(f"{credential}_file" for credential in CREDENTIALS)):
            if key in values:
                places[key] = with_path(location.key(key), values[key])
                values[key] = os.path.join(folder, values[key])
        self._check_credentials(raw, location)
        for credential in CREDENTIALS:
            values[credential] = self._secret(credential, values, places, location)
        values["is_from_environment"] = not location.file
        values["proxy_url"] = self._secret("proxy_url", values, places, location)
        if "ca_file" in values:
            self._check_ca_file(values["ca_file"], places["ca_file"])
        if "streams" in raw:
            values["streams"] = self._streams(raw["streams"], location)
        account = Account(**{row.name: values[row.name] for row in fields(Account) if row.name in values})
        self._check_proxy(account, location)
        return account

    def _check_proxy(self, account: Account, location: Location) -> None:
        """Reject combinations that make no sense, and a proxy's URL that cannot be used."""
        is_set = account.proxy_url is not None
        key = "proxy_url" if is_set else "proxy_from_environment"
        if is_set and account.proxy_from_environment:
            name = location.name("proxy_url")
            self._reader.reject(
                location.key("proxy_from_environment"), f"{name} is set too; keep only one of them"
            )
        elif account.no_proxy and not is_set and not account.proxy_from_environment:
            name = location.name("proxy_url")
            self._reader.reject(location.key("no_proxy"), f"without effect unless {name} is set")
        if is_set and urlsplit(account.api_url).scheme == "http":
            self._reader.reject(
                location.key(key), "the proxy would see the credentials; use it with an https API only"
            )
        elif is_set or account.proxy_from_environment:
            try:
                find_proxy(account)
            except ConfigError as exc:
                known = set(self._reader.problems)
                self._reader.problems += [problem for problem in exc.problems if problem not in known]

    def _values(self, keys: Iterable[KeySpec], raw: Mapping[str, Any], location: Location) -> dict[str, Any]:
        """The values of a mapping by key; unusable ones are reported and left out."""
        values = {
            key.name: self._reader.value(key.type, raw[key.name], location.key(key.name))
            for key in keys
            if key.name in raw
        }
        return {name: value for name, value in values.items() if value is not None}

    def _check_credentials(self, raw: Mapping[str, Any], location: Location) -> None:
        given = [name for name in CREDENTIALS if name in raw or f"{name}_file" in raw]
        if given in (["token"], ["login", "password"]):
            return
        token, login, password = map(location.name, CREDENTIALS)
        token_file, login_file, password_file = (location.name(f"{name}_file") for name in CREDENTIALS)
        self._reader.reject(
            location,
            f"has {' and '.join(map(location.name, given)) or 'no credentials'};"
            f" set either {token} (or {token_file}),"
            f" or {login} and {password} (or {login_file} and {password_file})",
        )

    def _secret(
        self, name: str, values: Mapping[str, Any], places: Mapping[str, str], location: Location
    ) -> SecretSource | None:
        """The source of a secret; a file is read once, to report problems at start.

        ``places`` are the places of files for problems, by key.
        """
        literal: Secret | None = values.get(name)
        path = values.get(f"{name}_file")
        if literal is not None and literal.is_placeholder():
            self._reject_placeholder(name, location)
        if path is None:
            return literal
        where = places[f"{name}_file"]
        if literal is not None:
            self._reader.reject(
                location.key(f"{name}_file"), f"{location.name(name)} is set too; keep only one of them"
            )
        source = SecretFile(path, where)
        self._reader.check_secret(source)
        return source

    def _reject_placeholder(self, name: str, location: Location) -> None:
        """Add a problem with the ways to give a secret; a real one that looks like this can be in a file."""
        variable = VARIABLES[name]
        hint = f"remove accounts from the file and set {variable} in the environment"
        if location.name(name) == variable:
            hint = f"set {variable} to the secret itself"
        self._reader.reject(
            location.key(name),
            "is a placeholder, and nothing replaces it with the secret;"
            f" use {location.name(f'{name}_file')}, or {hint}",
        )

    def _check_ca_file(self, path: str, where: str) -> None:
        try:
            text, _ = read_file(path, CA_LIMIT)
        except ValueError as exc:
            self._reader.reject(where, exc)
            return
        if "-----BEGIN " not in text:
            self._reader.reject(where, "the file contains no certificate in PEM form")

    def _streams(self, raw: Any, location: Location) -> tuple[StreamFilter, ...]:
        """The streams that an account subscribes to."""
        if not isinstance(raw, list) or not raw:
            self._reader.reject(
                location.key("streams"), "expected a list; omit the key to subscribe to everything"
            )
            return ()
        return tuple(self._stream(item, location.item("streams", number)) for number, item in enumerate(raw))

    def _stream(self, raw: Any, location: Location) -> StreamFilter:
        """One entry of ``streams``."""
        own = self._reader.mapping(raw, location, [key.name for key in STREAM_KEYS])
        values = self._values(STREAM_KEYS, own, location)
        if "type" not in own and (own or not raw):
            self._reader.reject(
                location.key("type"), f"missing; set it to one of {', '.join(SUBSCRIBABLE_EVENTS)}"
            )
        if "type" not in values:
            return StreamFilter("")
        type_, events = values["type"], values.get("events", ())
        supported = SUBSCRIBABLE_EVENTS[type_]
        if not set(events) <= set(supported):
            self._reader.reject(location.key("events"), f"type {type_} supports only {', '.join(supported)}")
        for owner, selector in SELECTORS.items():
            if selector in values and owner != type_:
                self._reader.reject(location.key(selector), f"valid only with type {owner}; remove it")
        return StreamFilter(type_, events, values.get(SELECTORS.get(type_, ""), ()))
