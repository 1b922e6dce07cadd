"""Problems and warnings of a configuration, as commands report them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from pf_exporter.config import Config, former_flag_warnings
from pf_exporter.errors import ConfigError
from pf_exporter.log import Logger, LogHandler, configure_logging

log = Logger(__name__)


def web_config_problems(path: str) -> Sequence[str]:
    """The problems of a web configuration file and of the files that it names."""
    from pf_exporter.server import WebConfigReloader

    try:
        WebConfigReloader(path)
    except ConfigError as exc:
        return exc.problems
    return ()


def log_warnings(config: Config) -> None:
    """Log the warnings of a configuration."""
    for warning in config.warnings:
        log.warning("configuration", warning=warning)


def start_log(config: Config, *, quiet: bool = False) -> LogHandler:
    """Log as configured, starting with the warnings of the configuration.

    A ``quiet`` command does not log on level ``info``, which is the default.
    """
    level = "warn" if quiet and config.log.level == "info" else config.log.level
    handler = configure_logging(level, config.log.format)
    log_warnings(config)
    return handler


def warn_of_former_flags(arguments: argparse.Namespace) -> None:
    """Log a warning for each flag of an earlier version, in a command that loads no configuration."""
    for warning in former_flag_warnings(arguments):
        log.warning("configuration", warning=warning)
