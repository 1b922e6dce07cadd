"""Ways to run the exporter for good: containers, Kubernetes, systemd."""
