// The dashboards as a mixin, with the tags and the data source of _config.
{
  _config+:: {
    dashboardTags: ['packetfabric'],
    datasourceName: 'default',
    datasourceFilterRegex: '',
  },

  local config = $._config,
  local configured(board) = board {
    tags: config.dashboardTags,
    links: [
      if std.objectHas(link, 'tags') then link { tags: config.dashboardTags } else link
      for link in super.links
    ],
    templating+: {
      list: [
        if variable.type == 'datasource'
        then variable {
          current: { text: config.datasourceName, value: config.datasourceName },
          regex: config.datasourceFilterRegex,
        }
        else variable
        for variable in super.list
      ],
    },
  },

  grafanaDashboards+:: {
    'packetfabric-billing.json': configured(import 'dashboards/billing.json'),
    'packetfabric-capacity.json': configured(import 'dashboards/capacity.json'),
    'packetfabric-cloud-router.json': configured(import 'dashboards/cloud-router.json'),
    'packetfabric-exporter.json': configured(import 'dashboards/exporter.json'),
    'packetfabric-fleet.json': configured(import 'dashboards/fleet.json'),
    'packetfabric-maintenance.json': configured(import 'dashboards/maintenance.json'),
    'packetfabric-optics.json': configured(import 'dashboards/optics.json'),
    'packetfabric-pops.json': configured(import 'dashboards/pops.json'),
    'packetfabric-port.json': configured(import 'dashboards/port.json'),
    'packetfabric-vc.json': configured(import 'dashboards/vc.json'),
  },
}
