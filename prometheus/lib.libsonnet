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
  jobMetric(name, more=[]): name + matchers(['job="%s"' % config.job] + more),

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

  // A metric without replicas whose poll is old while that of another is current, because they may still have what has
  // ended or changed. `success` is the time of the last complete poll.
  local current(selector, success) = |||
    %(selector)s
      unless on (%(replica)s) (
      time() - %(success)s >= %(age)d
        and on (%(account)s)
      time() - %(success)s < %(age)d
    )
  ||| % {
    selector: selector,
    success: success,
    replica: $.replica,
    account: $.account,
    age: config.thresholds.inventoryAge,
  },
  // The value of a metric about maintenances.
  polledMaintenance(name):: 'max without (%s) (\n%s\n)\n' % [
    $.replicas,
    $.indented(current(
      $.metric(name),
      $.metric('packetfabric_poll_last_success_timestamp_seconds', 'resource="maintenance"'),
    )),
  ],
  // The LAG of each member; one, even while replicas disagree.
  lagOfPort:: 'topk by (%s) (1, max by (%s, lag) (\n%s\n))\n' % [
    $.port,
    $.port,
    $.indented(current(
      $.metric('packetfabric_port_info', 'lag!=""'),
      $.metric('packetfabric_inventory_last_success_timestamp_seconds'),
    )),
  ],

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

  // The value of a recorded expression, kept if the metric has ended while `present` has a series for the labels, and
  // for a day while neither exists, as after a restart. `limit` compares it with a bound.
  kept(record, expression, labels, present, limit=''):: |||
    (
      %(expression)s
        or
      last_over_time(%(record)s[1d])
    )%(limit)s
    and on (%(labels)s) %(present)s
  ||| % { record: record, expression: expression, labels: labels, present: present, limit: limit },
  // The same for the time of the last event of something, without those of long ago.
  keptEvent(record, expression, labels, present):: self.kept(
    record,
    expression,
    labels,
    present,
    ' > time() - %d' % config.thresholds.lastEvent,
  ),

  // Matches a port or vc that was up, given the rule with the time when it was last up: at any time if its state is
  // provisioned, not long ago if its state is not exported.
  seenUp(level, lastUp):: |||
    time() - %(lastUp)s < %(age)d
      or
    %(lastUp)s
      and on (%(labels)s) %(level)s:packetfabric_%(level)s_provisioned:max == 1
  ||| % { lastUp: lastUp, labels: $[level], level: level, age: config.thresholds.lastUp },

  // An info metric of what an alert is about, as the argument of `with`.
  local info(kind, id) =
    'printf `packetfabric_%s_info{account=%%q,%s=%%q}` $labels.account $labels.%s | query' % [kind, id, id],
  // The ID, and what else tells people which one it is in parentheses; any of these labels can be empty.
  local name(kind, id, labels) =
    '{{ $labels.%s }}{{ with %s }}{{ with . | first }}' % [id, info(kind, id)]
    + '{{ with printf `%s` %s' % [
      std.join(', ', std.map(function(label) '%s', labels)),
      std.join(' ', std.map(function(label) '.Labels.' + label, labels)),
    ]
    + ' | reReplaceAll `(, )+` `, ` | reReplaceAll `^, |, $` `` }} ({{ . }}){{ end }}{{ end }}{{ end }}',
  portName: name('port', 'port_circuit_id', ['description', 'pop', 'site']),
  vcName: name('vc', 'vc_circuit_id', ['description', 'port_a', 'port_z', 'speed']),
  connectionName: name(
    'cloud_router_connection',
    'cloud_circuit_id',
    ['description', 'cloud_router_name', 'service_provider', 'pop', 'speed'],
  ),
  // A time to the minute, in `text`, where it is %s. Each %q in the expression is the value of one of the labels.
  time(text, expression, labels):
    '{{ with printf `%s` %s | query }}' % [
      expression,
      std.join(' ', std.map(function(label) '$labels.' + label, labels)),
    ]
    + text % '{{ . | first | value | humanizeTimestamp | reReplaceAll `:[0-9]{2}([.][0-9]+)? [+]0000` `` }}'
    + '{{ end }}',
  // Given the rule with the time when something was last up, and the label with its ID.
  lastUp(rule, id, state='up'):
    self.time(' It was last %s at %%s.' % state, 'max(%s{account=%%q,%s=%%q})' % [rule, id], ['account', id]),
  lastEvent: self.time(
    ' The last one arrived at %s.',
    'max(event:packetfabric_stream_last_event_timestamp_seconds:max{account=%q})',
    ['account'],
  ),
  lastPoll: self.time(
    ' The last one ended at %s.',
    'max(account:packetfabric_inventory_last_success_timestamp_seconds:max{account=%q})',
    ['account'],
  ),
  // A sentence with the number of virtual circuits on a port.
  circuitsOfPort:
    '{{ with printf `count(group by (vc_circuit_id) (packetfabric_vc_info{account=%q,port_a=%q} '
    + 'or packetfabric_vc_info{account=%q,port_z=%q}))` $labels.account $labels.port_circuit_id $labels.account '
    + '$labels.port_circuit_id | query }} It carries {{ with . | first | value }}{{ . }} virtual '
    + 'circuit{{ if gt . 1.0 }}s{{ end }}{{ end }}.{{ end }}',
  // A sentence with the reasons for which counters of an account increased; %q is the account.
  reasons(counters):
    '{{ with printf `group by (reason) (%s)` %s | query | sortByLabel `reason` }}' % [
      std.join(' or ', std.map(function(counter) 'increase(%s[30m]) > 0' % counter, counters)),
      std.join(' ', std.map(function(counter) '$labels.account', counters)),
    ]
    + ' Reasons in the last 30 minutes: '
    + '{{ range $index, $reason := . }}{{ if $index }}, {{ end }}{{ $reason.Labels.reason }}{{ end }}.{{ end }}',
  // A sentence with the kind and the direction of most damaged or dropped frames of a port.
  mostOf(group):
    '{{ with printf `topk(1, port:packetfabric_port_%s:ratio_increase1h{account=%%q,port_circuit_id=%%q})` ' % group
    + '$labels.account $labels.port_circuit_id | query }}{{ with . | first }} Most frequent: '
    + '{{ .Labels.kind }} ({{ .Labels.direction }}).{{ end }}{{ end }}',
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
