"""The dashboards, proven against a real Prometheus."""
