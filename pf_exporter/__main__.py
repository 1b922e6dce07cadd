"""Lets ``python -m pf_exporter`` be the ``pf-exporter`` command."""

import sys

from pf_exporter.cli import main

if __name__ == "__main__":
    sys.exit(main())
