// The recording rules, named level:metric:operation. They fold replicas, so that nothing else has to.
{
  local config = $._config,
  local lib = (import 'lib.libsonnet')(config),
  local metric = lib.metric,

  local rule(record, expr, labels={}) = { record: record, [if labels != {} then 'labels']: labels, expr: expr },
  // The largest or smallest value of all replicas.
  local max(expression) = 'max without (%s) (%s)' % [lib.replicas, expression],
  local min(expression) = 'min without (%s) (%s)' % [lib.replicas, expression],
  local directions = ['receive', 'transmit'],
  // 0 in the states of a circuit that is ordered or has ended, 1 in all others; absent if the API gives no state.
  local provisioned(level, states) = rule(
    '%s:packetfabric_%s_provisioned:max' % [level, level],
    '1 - max without (state) (\n%s\n)\n'
    % lib.indented(lib.inventory('packetfabric_%s_state' % level, 'state=~"%s"' % states)),
  ),

  local accounts = [
    rule('account:packetfabric_up:max', max(metric('packetfabric_up'))),
    rule(
      'account:packetfabric_inventory_last_success_timestamp_seconds:max',
      max(metric('packetfabric_inventory_last_success_timestamp_seconds')),
    ),
    // Only measurements, because the activity log can have no entries for days.
    rule('event:packetfabric_stream_last_event_timestamp_seconds:max', lib.keptEvent(
      'event:packetfabric_stream_last_event_timestamp_seconds:max',
      max(metric('packetfabric_stream_last_event_timestamp_seconds', 'event=~"(port|vc)[|].+"')),
      lib.account,
      'account:packetfabric_up:max',
    )),
    // Circuits that have events, so without cloud router connections.
    rule(
      'account:packetfabric_inventory_circuits:sum',
      'sum without (type) (%s)' % max(metric('packetfabric_inventory_circuits', 'type=~"port|vc"')),
    ),
    // Without duplicates, which are expected while one stream replaces another.
    rule('account:packetfabric_stream_events_rejected:ratio_rate15m', |||
      max without (%(replicas)s) (
        sum without (reason) (rate(%(rejected)s[15m]))
          /
        (sum without (event) (rate(%(events)s[15m])) > 0)
      )
    ||| % {
      replicas: lib.replicas,
      rejected: metric('packetfabric_stream_events_rejected_total', 'reason!="duplicate"'),
      events: metric('packetfabric_stream_events_total'),
    }),
  ],

  local seenUp = lib.indented(lib.seenUp('port', 'port:packetfabric_port_last_up_timestamp_seconds:max'), '    '),
  local ports = [
    rule('port:packetfabric_port_operational_up:max', lib.inventory('packetfabric_port_operational_up')),
    rule('port:packetfabric_port_admin_up:max', lib.inventory('packetfabric_port_admin_up')),
    rule('port:packetfabric_port_lag:max', lib.lagOfPort),
    rule('port:packetfabric_port_last_up_timestamp_seconds:max', lib.kept(
      'port:packetfabric_port_last_up_timestamp_seconds:max',
      'time() * (port:packetfabric_port_operational_up:max == 1)',
      lib.port,
      'port:packetfabric_port_operational_up:max',
    )),
    provisioned('port', 'requested|provisioning|disabled|deleted'),
    // Down, although not administratively down and not merely ordered, and up before.
    rule('port:packetfabric_port_outage:max', |||
      port:packetfabric_port_operational_up:max == 0
        and on (%(port)s) (
      %(seen)s
        )
      unless on (%(port)s) port:packetfabric_port_admin_up:max == 0
      unless on (%(port)s) port:packetfabric_port_provisioned:max == 0
    ||| % { port: lib.port, seen: seenUp }),
    // Ports for which no other alert is useful.
    rule('port:packetfabric_port_out_of_service:max', |||
      port:packetfabric_port_operational_up:max == 0
        or port:packetfabric_port_admin_up:max == 0
        or port:packetfabric_port_provisioned:max == 0
    |||),
    // The API does not document the speed of a LAG, so it is the sum of the speeds of its members.
    rule('port:packetfabric_port_speed_bytes_per_second:sum', |||
      max by (%(port)s) (
        label_replace(
          sum by (%(account)s, lag) (
            max by (%(port)s) (%(speed)s)
              * on (%(port)s) group_left (lag)
            port:packetfabric_port_lag:max
          ),
          "port_circuit_id", "$1", "lag", "(.+)"
        )
      )
      or on (%(port)s)
      max by (%(port)s) (%(speed)s)
    ||| % {
      port: lib.port,
      account: lib.account,
      speed: metric('packetfabric_port_speed_bytes_per_second'),
    }),
    rule('port:packetfabric_port_last_event_timestamp_seconds:max', lib.keptEvent(
      'port:packetfabric_port_last_event_timestamp_seconds:max',
      max(metric('packetfabric_port_last_event_timestamp_seconds')),
      lib.port,
      metric('packetfabric_port_info'),
    )),
    // increase() extrapolates to the whole window, so that 2 reads 2.07.
    rule(
      'port:packetfabric_port_carrier_transitions:increase1h',
      'floor(%s)' % max('increase(%s[1h])' % metric('packetfabric_port_carrier_transitions_total')),
    ),
  ] + [
    // The rates in the events, because they are correct at any interval of the source.
    rule('port:packetfabric_port_utilization:avg10m', |||
      %(used)s
        / on (%(port)s) group_left ()
      port:packetfabric_port_speed_bytes_per_second:sum
    ||| % {
      used: max('avg_over_time(%s[10m])' % metric('packetfabric_port_%s_bytes_per_second' % direction)),
      port: lib.port,
    }, { direction: direction })
    for direction in directions
  ],

  // Overlapping views of the same frames: never sum them.
  local kinds = {
    errors: {
      framing: ['receive', 'packetfabric_port_receive_framing_errors_total'],
      received: ['receive', 'packetfabric_port_receive_unspecified_errors_total'],
      transmitted: ['transmit', 'packetfabric_port_transmit_unspecified_errors_total'],
      checksum: ['receive', 'packetfabric_port_etherstats_receive_crc_errors_total'],
      fragment: ['receive', 'packetfabric_port_etherstats_receive_fragment_frames_total'],
    },
    drops: {
      policer: ['receive', 'packetfabric_port_receive_discards_total'],
      input: ['receive', 'packetfabric_port_receive_drops_total'],
      input_resources: ['receive', 'packetfabric_port_receive_resource_errors_total'],
      output: ['transmit', 'packetfabric_port_transmit_drops_total'],
      output_resources: ['transmit', 'packetfabric_port_transmit_resource_errors_total'],
      aged: ['transmit', 'packetfabric_port_transmit_aged_packets_total'],
    },
  },
  local ratio(group) = rule(
    'port:packetfabric_port_%s:ratio_increase1h' % group,
    // Damaged and dropped frames are not in the packets, so that all of a million can be lost.
    |||
      port:packetfabric_port_%(group)s:increase1h
        /
      (
        port:packetfabric_port_%(group)s:increase1h
          + ignoring (kind) group_left ()
        port:packetfabric_port_packets:increase1h
          > 0
      )
    ||| % { group: group },
  ),
  local errors = [
    rule(
      'port:packetfabric_port_packets:increase1h',
      max('increase(%s[1h])' % metric('packetfabric_port_%s_packets_total' % direction)),
      { direction: direction },
    )
    for direction in directions
  ] + [
    rule(
      'port:packetfabric_port_%s:increase1h' % group,
      max('increase(%s[1h])' % metric(kinds[group][kind][1])),
      { kind: kind, direction: kinds[group][kind][0] },
    )
    for group in ['errors', 'drops']
    for kind in std.objectFields(kinds[group])
  ] + [ratio('errors'), ratio('drops')],

  // The port at one end of each virtual circuit.
  local end(side) = 'label_replace(%s, "port_circuit_id", "$1", "port_%s", "(.+)")\n' % [
    metric('packetfabric_vc_info', 'port_%s!=""' % side),
    side,
  ],
  local endUp(end) = |||
    label_replace(%(info)s, "port_circuit_id", "$1", "port_%(end)s", "(.+)")
      * on (%(port)s) group_left ()
    max by (%(port)s) (port:packetfabric_port_operational_up:max)
  ||| % {
    info: 'max by (%s, port_%s) (%s)' % [lib.vc, end, metric('packetfabric_vc_info')],
    end: end,
    port: lib.port,
  },
  local circuits = [
    rule('vc:packetfabric_vc_connected:max', lib.inventory('packetfabric_vc_connected')),
    rule('vc:packetfabric_vc_last_connected_timestamp_seconds:max', lib.kept(
      'vc:packetfabric_vc_last_connected_timestamp_seconds:max',
      'time() * (vc:packetfabric_vc_connected:max == 1)',
      lib.vc,
      'vc:packetfabric_vc_connected:max',
    )),
    provisioned('vc', 'pending|requested|requestsent|requestaccepted|inactive'),
    // Whether the ports at both ends are up, as far as they belong to this account.
    rule(
      'vc:packetfabric_port_operational_up:min',
      'min by (%s) (\n%s  or\n%s)\n' % [lib.vc, endUp('a'), endUp('z')],
    ),
    rule('vc:packetfabric_vc_last_event_timestamp_seconds:max', lib.keptEvent(
      'vc:packetfabric_vc_last_event_timestamp_seconds:max',
      max(metric('packetfabric_vc_last_event_timestamp_seconds')),
      lib.vc + ', port_circuit_id',
      // Without ends that a circuit no longer has.
      '(\n%s\n)' % lib.indented(end('a') + '  or\n' + end('z')),
    )),
  ] + [
    rule('vc:packetfabric_vc_utilization:avg10m', |||
      %(used)s
        / on (%(vc)s) group_left ()
      (max by (%(vc)s) (%(limit)s) > 0)
    ||| % {
      used: max('avg_over_time(%s[10m])' % metric('packetfabric_vc_%s_bytes_per_second' % direction)),
      vc: lib.vc,
      limit: metric('packetfabric_vc_%s_limit_bytes_per_second' % direction),
    }, { direction: direction })
    for direction in directions
  ] + [
    rule(
      'bgp:packetfabric_cloud_router_connection_bgp_up:max',
      lib.inventory('packetfabric_cloud_router_connection_bgp_up'),
    ),
    rule(
      'bgp:packetfabric_cloud_router_connection_bgp_enabled:max',
      lib.inventory('packetfabric_cloud_router_connection_bgp_enabled'),
    ),
    rule('bgp:packetfabric_cloud_router_connection_last_up_timestamp_seconds:max', lib.kept(
      'bgp:packetfabric_cloud_router_connection_last_up_timestamp_seconds:max',
      'time() * (bgp:packetfabric_cloud_router_connection_bgp_up:max == 1)',
      lib.session,
      'bgp:packetfabric_cloud_router_connection_bgp_up:max',
    )),
    rule('connection:packetfabric_port_operational_up:min', |||
      min by (%(connection)s) (
        max by (%(connection)s, port_circuit_id) (%(info)s)
          * on (%(port)s) group_left ()
        max by (%(port)s) (port:packetfabric_port_operational_up:max)
      )
    ||| % {
      connection: lib.connection,
      info: metric('packetfabric_cloud_router_connection_info', 'port_circuit_id!=""'),
      port: lib.port,
    }),
  ],

  // Billed are averages of five minutes that do not overlap, hence the interval of the group.
  local traffic = [
    rule(
      '%s:packetfabric_%s_%s_bytes_per_second:avg5m' % [level, level, direction],
      max('avg_over_time(%s[5m])' % metric('packetfabric_%s_%s_bytes_per_second' % [level, direction])),
    )
    for level in ['port', 'vc']
    for direction in directions
  ],

  local running = lib.maintenanceSince('maintenance'),
  local maintenances = [
    rule(
      'maintenance:packetfabric_maintenance_%s_timestamp_seconds:max' % time,
      lib.polledMaintenance('packetfabric_maintenance_%s_timestamp_seconds' % time),
    )
    for time in ['start', 'end']
  ] + [
    // The number of affected circuits.
    rule('maintenance:packetfabric_maintenance_circuits:count', |||
      count by (%s) (
        %s
          or
        %s
          or
        %s
      )
    ||| % ([lib.maintenance] + [
      max(metric('packetfabric_maintenance_affects_' + circuit))
      for circuit in ['port', 'vc', 'cloud_router_connection']
    ])),
    // When a maintenance in progress started.
    rule(running, |||
      maintenance:packetfabric_maintenance_start_timestamp_seconds:max <= time()
        and on (%s)
      maintenance:packetfabric_maintenance_end_timestamp_seconds:max > time()
    ||| % lib.maintenance),
  ] + [
    rule(lib.maintenanceSince(level.name), |||
      min by (%(labels)s) (
        %(affects)s
          * on (%(maintenance)s) group_left ()
        %(running)s
      )
    ||| % {
      labels: lib[level.name],
      affects: metric('packetfabric_maintenance_affects_' + level.circuit),
      maintenance: lib.maintenance,
      running: running,
    })
    for level in [
      { name: 'port', circuit: 'port' },
      { name: 'vc', circuit: 'vc' },
      { name: 'connection', circuit: 'cloud_router_connection' },
    ]
  ],

  local power = metric('packetfabric_port_optical_receive_power_dbm'),
  local limits = [
    rule(
      'media:packetfabric_receive_power_dbm:' + limit,
      'vector(%g)' % config.receivePower[media][limit],
      if media == '' then {} else { media: media },
    )
    for limit in ['minimum', 'maximum']
    for media in std.objectFields(config.receivePower)
  ],
  local moduleLimit(limit, level) = metric(
    'packetfabric_port_optical_receive_power_threshold_dbm',
    'threshold="%s_%s"' % [if limit == 'minimum' then 'low' else 'high', level],
  ),
  local optics = limits + [
    // Of the module itself, of its type, or of all optics.
    rule('port:packetfabric_receive_power_dbm:' + limit, |||
      max by (%(port)s) (%(warning)s)
      or on (%(port)s)
      max by (%(port)s) (%(alarm)s)
      or on (%(port)s)
      max by (%(port)s) (
        %(info)s * on (media) group_left () max by (media) (media:packetfabric_receive_power_dbm:%(limit)s)
      )
      or on (%(port)s)
      max by (%(port)s) (0 * %(power)s)
        + on () group_left ()
      max by () (media:packetfabric_receive_power_dbm:%(limit)s{media=""})
    ||| % {
      port: lib.port,
      info: metric('packetfabric_port_info'),
      power: power,
      limit: limit,
      warning: moduleLimit(limit, 'warning'),
      alarm: moduleLimit(limit, 'alarm'),
    })
    for limit in ['minimum', 'maximum']
  ] + [
    rule('lane:packetfabric_receive_power_dbm:margin', |||
      %(lowest)s
        - on (%(port)s) group_left ()
      port:packetfabric_receive_power_dbm:minimum
    ||| % { lowest: min(power), port: lib.port }),
    rule('lane:packetfabric_receive_power_dbm:headroom', |||
      -1 * (
        %(highest)s
          - on (%(port)s) group_left ()
        port:packetfabric_receive_power_dbm:maximum
      )
    ||| % { highest: max(power), port: lib.port }),
    rule('port:packetfabric_receive_power_dbm:spread', |||
      max without (%(replicas)s) (
        max without (lane) (%(power)s) - min without (lane) (%(power)s)
      )
    ||| % { replicas: lib.replicas, power: power }),
  ],

  prometheusRules+:: {
    groups+: [
      { name: 'packetfabric-accounts', rules: accounts },
      { name: 'packetfabric-maintenances', rules: maintenances },
      { name: 'packetfabric-ports', rules: ports },
      { name: 'packetfabric-errors', rules: errors },
      { name: 'packetfabric-circuits', rules: circuits },
      { name: 'packetfabric-optics', rules: optics },
      { name: 'packetfabric-traffic', interval: '5m', rules: traffic },
    ],
  },
}
