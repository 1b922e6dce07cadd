// Alerts about ports and their optics.
function(config, lib)
  local threshold = config.thresholds;
  local quiet(after='') = 'unless on (%s) port:packetfabric_port_out_of_service:max\n%s' % [
    lib.port,
    lib.unlessMaintenance('port', after),
  ];
  local inService = quiet();
  // Neither now nor in the hour that the expression covers.
  local inService1h = quiet('1h');
  local lastUp = 'port:packetfabric_port_last_up_timestamp_seconds:max';
  local unlessMaintenance = lib.unlessDownByMaintenance('port', lastUp);
  local portLastUp = lib.lastUp(lastUp, 'port_circuit_id');
  local members = 'port:packetfabric_port_lag:max{account=%q,lag=%q}';
  local first = '$labels.account $labels.lag | query }}{{ . | first | value }}{{ end }}';
  // Such as "1 of 2".
  local membersUp =
    '{{ with printf `sum(port:packetfabric_port_operational_up:max and on (account, port_circuit_id) %s)` %s' % [members, first]
    + ' of {{ with printf `count(%s)` %s' % [members, first];
  local inventory = { depends_on: 'inventory' };
  local stream = { depends_on: 'stream' };
  local categorySilent = |||
    label_replace(
      time() - event:packetfabric_stream_last_event_timestamp_seconds:max > %d,
      "category", "$1", "event", "port[|](.+)"
    )
  ||| % threshold.silence;
  [
    lib.alert(
      'PortDown',
      'critical',
      // A LAG is marked with its ID, so that it inhibits the alerts about its members.
      |||
        label_replace(
          port:packetfabric_port_outage:max
            unless on (%(port)s) port:packetfabric_port_lag:max,
          "lag", "$1", "port_circuit_id", "(PF-AE-.+)"
        )
        %(unlessMaintenance)s
      ||| % { port: lib.port, unlessMaintenance: unlessMaintenance },
      'A port is down although it is not administratively down.',
      'Port %s of account {{ $labels.account }} is down.%s%s' % [lib.portName, portLastUp, lib.circuitsOfPort],
      // Longer than inventory.interval, so that it was down in two polls. Restarts of the exporter, and polls between
      // two short outages, do not end it.
      duration='6m',
      keep='10m',
      labels=inventory,
    ),
    lib.alert(
      'LagMemberDown',
      'warning',
      |||
        port:packetfabric_port_outage:max
          * on (%(port)s) group_left (lag)
        port:packetfabric_port_lag:max
        unless on (%(account)s, lag)
          label_replace(port:packetfabric_port_operational_up:max == 0, "lag", "$1", "port_circuit_id", "(.+)")
        %(unlessMaintenance)s
        unless on (%(account)s, lag)
          label_replace(%(since)s, "lag", "$1", "port_circuit_id", "(.+)")
      ||| % {
        port: lib.port,
        account: lib.account,
        unlessMaintenance: unlessMaintenance,
        since: lib.maintenanceSince('port'),
      },
      'A member of a LAG is down, and the LAG is up.',
      |||
        Port %s of account {{ $labels.account }}, a member of LAG {{ $labels.lag }}, is down.%s The LAG is up with
        %s members.
      ||| % [lib.portName, portLastUp, membersUp],
      // As for PacketFabricPortDown.
      duration='6m',
      keep='10m',
      labels=inventory,
    ),
    lib.alert(
      'PortFlapping',
      'warning',
      |||
        port:packetfabric_port_carrier_transitions:increase1h > %d
        unless on (%s) port:packetfabric_port_admin_up:max == 0
        %s
      ||| % [threshold.portTransitions, lib.port, lib.unlessMaintenance('port', '1h')],
      'A port is flapping.',
      |||
        The link of port %s of account {{ $labels.account }} came up {{ $value | printf `%%.0f` }} times in one hour.
      ||| % lib.portName,
      // The window already counts several transitions. It ends when the port has been stable for a while.
      keep='30m',
      labels=stream,
    ),
    lib.alert(
      'PortSilent',
      'warning',
      |||
        count without (category) (
          time() - port:packetfabric_port_last_event_timestamp_seconds:max > %(silence)d
          unless on (%(account)s, category)
        %(categorySilent)s
        )
        and on (%(account)s) account:packetfabric_up:max == 1
        %(inService)s
      ||| % {
        silence: threshold.silence,
        account: lib.account,
        categorySilent: lib.indented(categorySilent, '    '),
        inService: inService,
      },
      'A port no longer sends measurements, although other ports do.',
      |||
        Port %s of account {{ $labels.account }} no longer sends events of these categories:{{ range $index, $event := printf
        `time() - port:packetfabric_port_last_event_timestamp_seconds:max{account=%%q,port_circuit_id=%%q} > %d`
        $labels.account $labels.port_circuit_id | query | sortByLabel `category`
        }}{{ if $index }},{{ end }} {{ $event.Labels.category }}{{ end }}. Their graphs end, and their alerts cannot fire.
      ||| % [lib.portName, threshold.silence],
      // The silence is long already; this is for a restart of the exporter.
      duration='5m',
      keep='15m',
      labels=stream,
    ),
    lib.alert(
      'PortErrors',
      'warning',
      |||
        1e6 * max without (kind, direction) (
          port:packetfabric_port_errors:ratio_increase1h > %(perMillion)ge-6
            and
          port:packetfabric_port_errors:increase1h >= %(minimum)d
        )
        %(inService)s
      ||| % {
        perMillion: threshold.portErrorsPerMillion,
        minimum: threshold.portErrorsMinimum,
        inService: inService1h,
      },
      'A port has damaged frames.',
      |||
        {{ $value | printf `%%.0f` }} frames per million on port %s of account {{ $labels.account }} were damaged in
        the last hour.%s
      ||| % [lib.portName, lib.mostOf('errors')],
      // The window is an hour: it averages already, and keeps a burst visible.
      duration='5m',
      keep='30m',
      labels=stream,
    ),
    lib.alert(
      'PortDrops',
      'warning',
      |||
        1e6 * max without (kind, direction) (
          port:packetfabric_port_drops:ratio_increase1h > %(perMillion)ge-6
            and
          port:packetfabric_port_drops:increase1h >= %(minimum)d
        )
        %(inService)s
      ||| % {
        perMillion: threshold.portDropsPerMillion,
        minimum: threshold.portDropsMinimum,
        inService: inService1h,
      },
      'A port drops packets.',
      |||
        {{ $value | printf `%%.0f` }} packets per million on port %s of account {{ $labels.account }} were dropped in
        the last hour.%s
      ||| % [lib.portName, lib.mostOf('drops')],
      // Longer than for PacketFabricPortSaturated, which is the usual cause and inhibits this alert.
      duration='15m',
      keep='30m',
      labels=stream,
    ),
    lib.alert(
      'PortSaturated',
      'warning',
      'port:packetfabric_port_utilization:avg10m > %g\n%s\n' % [threshold.portUtilization, inService],
      'A port is close to its speed.',
      |||
        Port %s of account {{ $labels.account }} uses {{ $value | humanizePercentage }} of its speed in the
        direction {{ $labels.direction }}.
      ||| % lib.portName,
      // A transfer of some minutes is not worth an alert. Traffic around the threshold remains one alert.
      duration='10m',
      keep='15m',
      labels=stream,
    ),
    lib.alert(
      'OpticsReceiveLow',
      'warning',
      |||
        min without (lane) (lane:packetfabric_receive_power_dbm:margin) < %g
        %s
      ||| % [threshold.receiveMargin, inService],
      'A receiver has too little optical power.',
      |||
        The receive power of port %s of account {{ $labels.account }} is {{ if lt $value 0.0 }}%s dB below
        the minimum{{ else }}only {{ $value | printf `%%.1f` }} dB above the minimum{{ end }} of its optics.
      ||| % [lib.portName, lib.magnitude],
      // Readings vary by some tenths. If the readings end, this ends after PacketFabricPortSilent has fired.
      duration='10m',
      keep='30m',
      labels=stream,
    ),
    lib.alert(
      'OpticsReceiveHigh',
      'warning',
      |||
        min without (lane) (lane:packetfabric_receive_power_dbm:headroom) < %g
        %s
      ||| % [threshold.receiveHeadroom, inService],
      'A receiver has too much optical power.',
      |||
        The receive power of port %s of account {{ $labels.account }} is {{ if lt $value 0.0 }}%s dB above
        the maximum{{ else }}only {{ $value | printf `%%.1f` }} dB below the maximum{{ end }} of its optics.
      ||| % [lib.portName, lib.magnitude],
      // As for PacketFabricOpticsReceiveLow.
      duration='10m',
      keep='30m',
      labels=stream,
    ),
    lib.alert(
      'OpticsLaneDiverges',
      'warning',
      'port:packetfabric_receive_power_dbm:spread > %g\n%s\n' % [threshold.laneSpread, inService],
      'The lanes of a port receive different optical power.',
      |||
        The receive power of the lanes of port %s of account {{ $labels.account }} differs by up to
        {{ $value | printf `%%.1f` }} dB.
      ||| % lib.portName,
      // As for PacketFabricOpticsReceiveLow, which inhibits this alert.
      duration='10m',
      keep='30m',
      labels=stream,
    ),
  ]
