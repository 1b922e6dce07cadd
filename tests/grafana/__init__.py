"""The dashboards in grafana/."""
