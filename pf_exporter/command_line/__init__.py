"""The command line as data: the parser and its types, suggestions, and completion scripts.

The commands are in ``pf_exporter.commands``; the parser imports the module of a command when it is chosen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pf_exporter.command_line.argument_types import (
    listen_address,
    one_of,
    period,
    positive_integer,
    seconds,
    speed,
    uuid,
)
from pf_exporter.command_line.parser import (
    COMMANDS,
    DEFAULT_COMMAND,
    PROGRAM,
    add_settings,
    create_command_parser,
    create_parser,
    load_command,
)
from pf_exporter.command_line.usage_errors import closest, unknown_command
from pf_exporter.lazy import lazy_names

if TYPE_CHECKING:
    from pf_exporter.command_line.backfill_flags import add_backfill_flags
    from pf_exporter.command_line.completion_scripts import SCRIPTS
    from pf_exporter.command_line.configuration import (
        log_warnings,
        start_log,
        warn_of_former_flags,
        web_config_problems,
    )
    from pf_exporter.command_line.network_flags import SIMULATOR_HELP, add_network_flags, simulator_options
    from pf_exporter.command_line.scrape_flags import add_scrape_flags, scrape_target
else:  # Need the log, the simulator or the schema, or are those of single commands.
    __getattr__ = lazy_names(
        __name__,
        {
            "configuration": ("log_warnings", "start_log", "warn_of_former_flags", "web_config_problems"),
            "completion_scripts": ("SCRIPTS",),
            "network_flags": ("SIMULATOR_HELP", "add_network_flags", "simulator_options"),
            "backfill_flags": ("add_backfill_flags",),
            "scrape_flags": ("add_scrape_flags", "scrape_target"),
        },
    )

__all__ = [
    "COMMANDS",
    "DEFAULT_COMMAND",
    "PROGRAM",
    "SCRIPTS",
    "SIMULATOR_HELP",
    "add_backfill_flags",
    "add_network_flags",
    "add_scrape_flags",
    "add_settings",
    "closest",
    "create_command_parser",
    "create_parser",
    "listen_address",
    "load_command",
    "log_warnings",
    "one_of",
    "period",
    "positive_integer",
    "scrape_target",
    "seconds",
    "simulator_options",
    "speed",
    "start_log",
    "unknown_command",
    "uuid",
    "warn_of_former_flags",
    "web_config_problems",
]
