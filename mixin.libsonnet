// Alerts, recording rules and dashboards as one mixin; docs/alerts.md describes how to use it.
(import 'grafana/mixin.libsonnet') + (import 'prometheus/mixin.libsonnet')
