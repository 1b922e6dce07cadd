"""Settings, accounts and secrets, from a file, the environment and flags to frozen values.

Flags override the environment, which overrides the file. Never connects to anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pf_exporter.lazy import lazy_names

if TYPE_CHECKING:
    from pf_exporter.config.account_keys import ACCOUNT_KEYS
    from pf_exporter.config.accounts import Account, StreamFilter
    from pf_exporter.config.addresses import reachable_address
    from pf_exporter.config.files import fingerprint, read_file, with_path
    from pf_exporter.config.flags import add_flags, add_former_flag, is_former_flag
    from pf_exporter.config.key_names import closest_name
    from pf_exporter.config.loader import FILE_VARIABLE, former_flag_warnings, load, log_format
    from pf_exporter.config.log_settings import LogSettings
    from pf_exporter.config.proxy import Proxy, find_endpoint_proxy, find_proxy
    from pf_exporter.config.quantities import duration, format_duration
    from pf_exporter.config.reader import ConfigReader, Location, in_file_order
    from pf_exporter.config.remote_write import RemoteWriteSettings
    from pf_exporter.config.secrets import Secret, SecretFile
    from pf_exporter.config.settings import (
        SETTINGS,
        ActivitySettings,
        Config,
        CounterSettings,
        InventorySettings,
        StreamSettings,
        WebSettings,
    )
    from pf_exporter.config.time_zones import time_zone
    from pf_exporter.config.types import ADDRESS, BOOLEAN, PATH, UUID, SettingType
else:
    __getattr__ = lazy_names(
        __name__,
        {
            "account_keys": ("ACCOUNT_KEYS",),
            "accounts": ("Account", "StreamFilter"),
            "addresses": ("reachable_address",),
            "files": ("fingerprint", "read_file", "with_path"),
            "flags": ("add_flags", "add_former_flag", "is_former_flag"),
            "key_names": ("closest_name",),
            "loader": ("FILE_VARIABLE", "former_flag_warnings", "load", "log_format"),
            "log_settings": ("LogSettings",),
            "proxy": ("Proxy", "find_endpoint_proxy", "find_proxy"),
            "quantities": ("duration", "format_duration"),
            "reader": ("ConfigReader", "Location", "in_file_order"),
            "remote_write": ("RemoteWriteSettings",),
            "secrets": ("Secret", "SecretFile"),
            "settings": (
                "SETTINGS",
                "ActivitySettings",
                "Config",
                "CounterSettings",
                "InventorySettings",
                "StreamSettings",
                "WebSettings",
            ),
            "time_zones": ("time_zone",),
            "types": ("ADDRESS", "BOOLEAN", "PATH", "UUID", "SettingType"),
        },
    )

__all__ = [
    "ACCOUNT_KEYS",
    "ADDRESS",
    "BOOLEAN",
    "FILE_VARIABLE",
    "PATH",
    "SETTINGS",
    "UUID",
    "Account",
    "ActivitySettings",
    "Config",
    "ConfigReader",
    "CounterSettings",
    "InventorySettings",
    "Location",
    "LogSettings",
    "Proxy",
    "RemoteWriteSettings",
    "Secret",
    "SecretFile",
    "SettingType",
    "StreamFilter",
    "StreamSettings",
    "WebSettings",
    "add_flags",
    "add_former_flag",
    "closest_name",
    "duration",
    "find_endpoint_proxy",
    "find_proxy",
    "fingerprint",
    "format_duration",
    "former_flag_warnings",
    "in_file_order",
    "is_former_flag",
    "load",
    "log_format",
    "reachable_address",
    "read_file",
    "time_zone",
    "with_path",
]
