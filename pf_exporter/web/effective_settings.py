"""The configuration in force as keys and printable values, without secrets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from pf_exporter.config import SETTINGS, Account, Config, Secret, SecretFile
from pf_exporter.formatting import NO_VALUE
from pf_exporter.web.status_context import SettingEntry


def effective_settings(config: Config) -> list[SettingEntry]:
    """Every setting and every key of every account."""
    settings = [SettingEntry(row.key, config.text(row.key) or NO_VALUE) for row in SETTINGS]
    for account in config.accounts:
        settings.extend(
            SettingEntry(f"accounts.{account.name}.{key}", value) for key, value in _account(account)
        )
    return settings


def _account(account: Account) -> Iterator[tuple[str, str]]:
    for row in fields(account):
        value = getattr(account, row.name)
        if row.name == "streams":
            for stream in account.streams:
                events = f"{stream.type}: {_text(stream.events) or 'all'}"
                yield "streams", f"{events}; of {_text(stream.selectors)}" if stream.selectors else events
        elif value is not None:
            yield row.name, _text(value)


def _text(value: Any) -> str:
    if isinstance(value, Secret):
        return "<secret>"
    if isinstance(value, SecretFile):
        return "<secret> from a file"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(map(_text, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
