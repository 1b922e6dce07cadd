"""The code that builds the Grafana dashboards; the JSON it writes is in ``dashboards/``."""
