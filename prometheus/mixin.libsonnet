// The plain files of this project as a mixin: alerts, rules and dashboards.
local yaml(text) = std.parseYaml(text);

{
  _config+:: {
    // Put before runbook_url, which is relative to the project.
    runbookBase: '',
  },

  local linked(rule) =
    if std.objectHas(rule, 'annotations')
    then rule { annotations+: { runbook_url: $._config.runbookBase + super.runbook_url } }
    else rule,

  prometheusAlerts+:: {
    groups+: [
      group { rules: std.map(linked, group.rules) }
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
