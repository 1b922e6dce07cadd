"""The files in prometheus/, tested with the real Prometheus and Alertmanager."""
