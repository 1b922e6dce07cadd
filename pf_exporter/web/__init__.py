"""The exporter's HTTP side."""
