"""The files in prometheus/, proven against the real Prometheus and Alertmanager."""
