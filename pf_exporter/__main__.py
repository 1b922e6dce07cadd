"""``python -m pf_exporter``: the same as ``pf-exporter``."""

from __future__ import annotations

import os
import signal
import sys

from pf_exporter.descriptor import open_standard_streams, write_all

ONE_SHOT = frozenset(("check", "health", "--config.check"))
"""Words of command lines whose exit code is an answer, so that a signal must not make it 0."""


def main() -> int:
    """Run the command line; until it handles signals itself, SIGTERM and SIGINT end the process with 0.

    The imports take most of the time of a start.
    """
    if sys.argv[1:] in (["--version"], ["-V"]):
        from pf_exporter.build_info import version_line

        # Without the imports below this takes a quarter of the time. They explain an error, if there is one.
        try:
            write_all(1, f"{version_line()}\n".encode())
            return 0
        except OSError:
            pass
    open_standard_streams()
    if ONE_SHOT.isdisjoint(sys.argv[1:]):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: os._exit(0))
    # A key log of TLS would make the token readable. OpenSSL's bindings look for this in every context.
    os.environ.pop("SSLKEYLOGFILE", None)
    from pf_exporter.cli import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
