"""Runs the exporter from a checkout: ``python exporter.py``."""

import sys

from pf_exporter.cli import main

if __name__ == "__main__":
    sys.exit(main())
