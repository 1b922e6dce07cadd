// The alerts, rules and dashboards of this project as a mixin.
local yaml(text) = std.parseYaml(text);

{
  _config+:: {
    // Prefix of runbook_url, which is relative to the project.
    runbookBase: '',
  },

  local with_runbook_base(rule) =
    if std.objectHas(rule, 'annotations')
    then rule { annotations+: { runbook_url: $._config.runbookBase + super.runbook_url } }
    else rule,

  prometheusAlerts+:: {
    groups+: [
      group { rules: std.map(with_runbook_base, group.rules) }
      for group in yaml(importstr 'alerts.yml').groups
    ],
  },

  prometheusRules+:: yaml(importstr 'rules.yml'),

  grafanaDashboards+:: {
    'packetfabric-exporter.json': import '../grafana/dashboards/exporter.json',
    'packetfabric-fleet.json': import '../grafana/dashboards/fleet.json',
    'packetfabric-optics.json': import '../grafana/dashboards/optics.json',
    'packetfabric-port.json': import '../grafana/dashboards/port.json',
    'packetfabric-vc.json': import '../grafana/dashboards/vc.json',
  },
}
