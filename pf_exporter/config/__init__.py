"""Settings, accounts and secrets, from a file, the environment and flags to frozen values.

Flags override the environment, which overrides the file. Never connects to anything.
"""

from __future__ import annotations

from pf_exporter.config.accounts import ACCOUNT_KEYS, Account, StreamFilter
from pf_exporter.config.addresses import reachable_address
from pf_exporter.config.files import fingerprint, read_file, with_path
from pf_exporter.config.flags import add_flags, add_former_flag, is_former_flag
from pf_exporter.config.loader import FILE_VARIABLE, former_flag_warnings, load, log_format
from pf_exporter.config.log_settings import LogSettings
from pf_exporter.config.proxy import Proxy, find_endpoint_proxy, find_proxy
from pf_exporter.config.quantities import duration, format_duration, format_size
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
    "duration",
    "find_endpoint_proxy",
    "find_proxy",
    "fingerprint",
    "format_duration",
    "format_size",
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
