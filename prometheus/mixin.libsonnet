// The alerts and recording rules as a mixin. grafana/mixin.libsonnet adds the dashboards, ../mixin.libsonnet has both.
(import 'config.libsonnet') + (import 'rules.libsonnet') + {
  local config = $._config,
  local lib = (import 'lib.libsonnet')(config),

  prometheusAlerts+:: {
    groups+: [
      { name: 'packetfabric-exporter', rules: (import 'alerts/exporter.libsonnet')(config, lib) },
      { name: 'packetfabric-accounts', rules: (import 'alerts/accounts.libsonnet')(config, lib) },
      { name: 'packetfabric-maintenances', rules: (import 'alerts/maintenances.libsonnet')(config, lib) },
      { name: 'packetfabric-contract', rules: (import 'alerts/contract.libsonnet')(config, lib) },
      { name: 'packetfabric-ports', rules: (import 'alerts/ports.libsonnet')(config, lib) },
      { name: 'packetfabric-circuits', rules: (import 'alerts/circuits.libsonnet')(config, lib) },
    ],
  },
}
