"""Prometheus exporter for PacketFabric's Streaming Events API."""

__version__ = "0.1.0"
