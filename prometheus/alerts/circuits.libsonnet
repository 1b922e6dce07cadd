// Alerts about virtual circuits and cloud router connections.
function(config, lib)
  local threshold = config.thresholds;
  local portUp = 'unless on (%s) vc:packetfabric_port_operational_up:min == 0' % lib.vc;
  local inService = 'unless on (%s) vc:packetfabric_vc_provisioned:max == 0' % lib.vc;
  local lastConnected = 'vc:packetfabric_vc_last_connected_timestamp_seconds:max';
  local lastUp = 'bgp:packetfabric_cloud_router_connection_last_up_timestamp_seconds:max';
  local established = lib.time(
    ' Last established at %s.',
    'max(' + lastUp + '{account=%q,cloud_circuit_id=%q} and bgp:packetfabric_cloud_router_connection_bgp_up:max == 0)',
    ['account', 'cloud_circuit_id'],
  );
  local busiestEnd =
    '{{ with printf `topk(1, vc:packetfabric_vc_utilization:avg10m{account=%q,vc_circuit_id=%q})` '
    + '$labels.account $labels.vc_circuit_id | query }}{{ with . | first }} in the direction '
    + '{{ .Labels.direction }} on port {{ .Labels.port_circuit_id }}{{ end }}{{ end }}';
  local inventory = { depends_on: 'inventory' };
  local stream = { depends_on: 'stream' };
  [
    lib.alert(
      'VcDown',
      'critical',
      |||
        vc:packetfabric_vc_connected:max == 0
          and on (%(vc)s) (
        %(seen)s
          )
        %(inService)s
        %(portUp)s
        %(unlessMaintenance)s
      ||| % {
        vc: lib.vc,
        seen: lib.indented(lib.seenUp('vc', lastConnected), '    '),
        inService: inService,
        portUp: portUp,
        unlessMaintenance:
          lib.unlessDownByMaintenance('vc', lastConnected),
      },
      'A virtual circuit is down although its ports are up.',
      |||
        Virtual circuit %s of account {{ $labels.account }} is not connected, although none of its ports in this
        account is down.%s
      ||| % [lib.vcName, lib.lastUp(lastConnected, 'vc_circuit_id', 'connected')],
      // As for PacketFabricPortDown.
      duration='6m',
      keep='10m',
      labels=inventory,
    ),
    lib.alert(
      'VcSilent',
      'warning',
      |||
        count without (port_circuit_id) (
          time() - vc:packetfabric_vc_last_event_timestamp_seconds:max > %(silence)d
          unless on (%(port)s)
            time() - port:packetfabric_port_last_event_timestamp_seconds:max{category="metrics"} > %(silence)d
          unless on (%(account)s)
            time() - event:packetfabric_stream_last_event_timestamp_seconds:max{event="vc|metrics"} > %(silence)d
        )
        and on (%(account)s) account:packetfabric_up:max == 1
        unless on (%(vc)s) vc:packetfabric_vc_connected:max == 0
        %(inService)s
        %(portUp)s
        %(unlessMaintenance)s
      ||| % {
        inService: inService,
        unlessMaintenance: lib.unlessMaintenance('vc'),
        silence: threshold.silence,
        account: lib.account,
        port: lib.port,
        vc: lib.vc,
        portUp: portUp,
      },
      'A virtual circuit no longer sends measurements, although others do.',
      |||
        {{ $value | printf `%%.0f` }} VC end{{ if gt $value 1.0 }}s{{ end }} of virtual circuit %s of account
        {{ $labels.account }} {{ if gt $value 1.0 }}have{{ else }}has{{ end }} sent no events for %d minutes. Graphs of
        the circuit end, and its alerts cannot fire.
      ||| % [lib.vcName, threshold.silence / 60],
      // As for PacketFabricPortSilent.
      duration='5m',
      keep='15m',
      labels=stream,
    ),
    lib.alert(
      'VcAtRateLimit',
      'warning',
      // One alert, because what one end receives, the other transmits.
      |||
        max without (port_circuit_id, vlan, direction) (
          vc:packetfabric_vc_utilization:avg10m > %(limit)g
          unless on (%(port)s) port:packetfabric_port_out_of_service:max
        )
        %(inService)s
        %(unlessMaintenance)s
      ||| % {
        limit: threshold.vcUtilization,
        inService: inService,
        port: lib.port,
        unlessMaintenance: lib.unlessMaintenance('vc'),
      },
      'A virtual circuit is at its rate limit.',
      |||
        Virtual circuit %s of account {{ $labels.account }} uses {{ $value | humanizePercentage }} of its rate
        limit%s. Traffic above the limit is dropped.
      ||| % [lib.vcName, busiestEnd],
      // As for PacketFabricPortSaturated.
      duration='10m',
      keep='15m',
      labels=stream,
    ),
    lib.alert(
      'BgpDown',
      'critical',
      |||
        count without (bgp_settings_uuid) (
          bgp:packetfabric_cloud_router_connection_bgp_up:max == 0
            and on (%(session)s)
          time() - %(rule)s < %(lastUp)d
          unless on (%(session)s)
            bgp:packetfabric_cloud_router_connection_bgp_enabled:max == 0
          unless on (%(session)s)
            %(rule)s
              > on (%(connection)s) group_left ()
            %(since)s - %(margin)d
        )
        unless on (%(connection)s) connection:packetfabric_port_operational_up:min == 0
      ||| % {
        session: lib.session,
        connection: lib.connection,
        rule: lastUp,
        lastUp: threshold.lastUp,
        since: lib.maintenanceSince('connection'),
        margin: threshold.maintenanceMargin,
      },
      'A BGP session of a cloud router connection is down.',
      |||
        {{ $value | printf `%%.0f` }} BGP session{{ if gt $value 1.0 }}s{{ end }} of cloud router connection %s of
        account {{ $labels.account }} {{ if gt $value 1.0 }}are{{ else }}is{{ end }} not established.%s
      ||| % [lib.connectionName, established],
      // As for PacketFabricPortDown.
      duration='6m',
      keep='10m',
      labels=inventory,
    ),
  ]
