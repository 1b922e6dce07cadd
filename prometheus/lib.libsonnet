// Building blocks of the expressions and texts: `(import 'lib.libsonnet')($._config)`.
function(config) {
  local joined(labels) = std.join(', ', labels),
  local matchers(list) =
    local all = std.filter(function(matcher) matcher != '', list + [config.selector]);
    if all == [] then '' else '{%s}' % joined(all),

  // Label lists for `by` and `on`.
  target: joined(config.targetLabels),
  account: joined(config.targetLabels + ['account']),
  port: self.account + ', port_circuit_id',
  vc: self.account + ', vc_circuit_id',
  connection: self.account + ', cloud_circuit_id',
  session: self.connection + ', bgp_settings_uuid',
  maintenance: self.account + ', maintenance',
  // Label lists for `without`.
  replicas: joined(config.replicaLabels),
  replica: joined(config.targetLabels + config.replicaLabels + ['account']),
  without(labels): joined(config.replicaLabels + labels),

  // The lines of an expression, indented.
  indented(expression, by='  '): by + std.strReplace(std.stripChars(expression, '\n'), '\n', '\n' + by),

  // A metric of the exporter, and one of the scrape job.
  metric(name, matcher=''): name + matchers([matcher]),
  jobMetric(name): name + matchers(['job="%s"' % config.job]),

  // The value of an inventory metric: the largest of the replicas with a current inventory, else of all.
  inventory(name, matcher=''):: |||
    max without (%(replicas)s) (
      %(metric)s
        and on (%(replica)s)
      time() - %(success)s < %(age)d
    )
    or
    max without (%(replicas)s) (%(metric)s)
  ||| % {
    replicas: $.replicas,
    replica: $.replica,
    metric: $.metric(name, matcher),
    success: $.metric('packetfabric_inventory_last_success_timestamp_seconds'),
    age: config.thresholds.inventoryAge,
  },

  // The value of a metric about maintenances, without replicas whose poll is old while that of another is current, because
  // they may still have a maintenance that was cancelled.
  polledMaintenance(name):: |||
    max without (%(replicas)s) (
      %(metric)s
      unless on (%(replica)s) (
        time() - %(success)s >= %(age)d
          and on (%(account)s)
        time() - %(success)s < %(age)d
      )
    )
  ||| % {
    replicas: $.replicas,
    replica: $.replica,
    account: $.account,
    metric: $.metric(name),
    success: $.metric('packetfabric_poll_last_success_timestamp_seconds', 'resource="maintenance"'),
    age: config.thresholds.inventoryAge,
  },

  // Since when a maintenance affects a port, vc or connection; absent if none does at present.
  maintenanceSince(level):: level + ':packetfabric_maintenance_start_timestamp_seconds:in_progress',
  // Quiet during a maintenance, and for `after` its end for an expression that looks back.
  unlessMaintenance(level, after=''):: 'unless on (%s) %s' % [
    $[level],
    if after == '' then $.maintenanceSince(level) else 'last_over_time(%s[%s])' % [$.maintenanceSince(level), after],
  ],
  // The same for an outage, given the rule with the time when it was last up: one that began before the maintenance is
  // not due to it.
  unlessDownByMaintenance(level, lastUp):: std.stripChars(|||
    unless on (%(labels)s)
      %(lastUp)s
        > on (%(labels)s)
      %(since)s - %(margin)d
  ||| % {
    labels: $[level],
    lastUp: lastUp,
    since: $.maintenanceSince(level),
    margin: config.thresholds.maintenanceMargin,
  }, '\n'),

  // The value of a recorded expression, kept for a day if the metric has ended, as after a restart, while `present`
  // has a series for the labels.
  kept(record, expression, labels, present):: |||
    (
      %(expression)s
        or
      last_over_time(%(record)s[1d])
    )
    and on (%(labels)s) %(present)s
  ||| % { record: record, expression: expression, labels: labels, present: present },

  // Matches a port or vc that was up, given the rule with the time when it was last up: at any time if its state is
  // provisioned, not long ago if its state is not exported.
  seenUp(level, lastUp):: |||
    time() - %(lastUp)s < %(age)d
      or
    %(lastUp)s
      and on (%(labels)s) %(level)s:packetfabric_%(level)s_provisioned:max == 1
  ||| % { lastUp: lastUp, labels: $[level], level: level, age: config.thresholds.lastUp },

  // The description of a circuit in parentheses, for a text.
  local description(kind, id) =
    '{{ with printf `packetfabric_%s_info{account=%%q,%s=%%q}` $labels.account $labels.%s | query }}' % [kind, id, id]
    + '{{ with . | first | label `description` }} ({{ . }}){{ end }}{{ end }}',
  portName: '{{ $labels.port_circuit_id }}' + description('port', 'port_circuit_id'),
  vcName: '{{ $labels.vc_circuit_id }}' + description('vc', 'vc_circuit_id'),
  connectionName:
    '{{ $labels.cloud_circuit_id }}' + description('cloud_router_connection', 'cloud_circuit_id'),
  // A value without its sign.
  magnitude: '{{ printf `%.1f` $value | reReplaceAll `^-` `` }}',

  alert(name, severity, expr, summary, description, duration=null, keep=null, labels={}): {
    alert: 'PacketFabric' + name,
    expr: expr,
    [if duration != null then 'for']: duration,
    [if keep != null then 'keep_firing_for']: keep,
    labels: { severity: severity } + labels,
    annotations: {
      summary: summary,
      // One line: line breaks and indentation are those of the source.
      description: std.join(' ', std.filter(function(word) word != '', std.split(std.strReplace(description, '\n', ' '), ' '))),
      runbook_url: config.runbookURLPattern % std.asciiLower('PacketFabric' + name),
    },
  },
}
