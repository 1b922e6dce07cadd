// Alerts about the stream, the session and the inventory of an account.
function(config, lib)
  local threshold = config.thresholds;
  local metric = lib.metric;
  local lastEvent = 'event:packetfabric_stream_last_event_timestamp_seconds:max';
  // Without those for planned ends.
  local streamReasons = lib.reasons([
    'packetfabric_stream_disconnects_total{account=%q,reason!~"ended|rotated|stopped"}',
    'packetfabric_login_failures_total{account=%q}',
  ]);
  local replicas(expression) = 'max without (%s) (%s)' % [lib.replicas, expression];
  [
    lib.alert(
      'StreamDown',
      'critical',
      // The second part is for an exporter that is down while others in its job work for other accounts.
      |||
        account:packetfabric_up:max == 0
        or
        last_over_time(account:packetfabric_up:max[1d]) * 0
          unless on (%(account)s) account:packetfabric_up:max
          and on (%(target)s) min by (%(target)s) (%(scrapes)s) == 0
          and on (%(target)s) max by (%(target)s) (%(scrapes)s) == 1
      ||| % { account: lib.account, target: lib.target, scrapes: lib.jobMetric('up') },
      'An account has no event stream.',
      |||
        Account {{ $labels.account }} has had no working event stream for five minutes.%s
      ||| % streamReasons,
      // A reconnect takes seconds. If a stream opens for a moment, or the exporter restarts, it remains one alert.
      duration='5m',
      keep='10m',
    ),
    lib.alert(
      'AccountMissing',
      'warning',
      |||
        last_over_time(account:packetfabric_up:max[1d]) * 0
          unless on (%(account)s) account:packetfabric_up:max
          unless on (%(target)s) min by (%(target)s) (%(scrapes)s) == 0
          and on (%(target)s) %(scrapes)s
      ||| % { account: lib.account, target: lib.target, scrapes: lib.jobMetric('up') },
      'No exporter exports an account that was exported before.',
      |||
        Account {{ $labels.account }} is no longer exported by any target of the job {{ $labels.job }}, although all
        targets respond. There is no data about the account.
      |||,
      // Longer than an update that replaces the exporter.
      duration='10m',
    ),
    lib.alert(
      'ReplicaDegraded',
      'warning',
      |||
        %(up)s == 0
          and on (%(account)s) account:packetfabric_up:max == 1
        or
        (
          time() - %(success)s > %(age)d
            and on (%(account)s)
          time() - account:packetfabric_inventory_last_success_timestamp_seconds:max < %(age)d
        ) * 0
      ||| % {
        up: metric('packetfabric_up'),
        success: metric('packetfabric_inventory_last_success_timestamp_seconds'),
        account: lib.account,
        age: threshold.inventoryAge,
      },
      'A replica of the exporter has no stream or an outdated inventory; another replica works.',
      |||
        The replica {{ $labels.instance }} has no event stream for account {{ $labels.account }}, or could not poll
        its inventory. Another replica works.
      |||,
      // No data is missing.
      duration='15m',
      keep='15m',
    ),
    lib.alert(
      'StreamFlapping',
      'warning',
      |||
        floor(%(connects1h)s) > %(connects)d
        or
        floor(%(connects30m)s) > 2
          and
        %(gap)s > %(share)g
      ||| % {
        connects1h: replicas('increase(%s[1h])' % metric('packetfabric_stream_connects_total')),
        connects30m: replicas('increase(%s[30m])' % metric('packetfabric_stream_connects_total')),
        connects: threshold.streamConnects,
        gap: replicas('rate(%s[30m])' % metric('packetfabric_stream_gap_seconds_total')),
        share: threshold.streamGap,
      },
      'An event stream reconnects repeatedly.',
      |||
        Account {{ $labels.account }} opened {{ $value | printf `%%.0f` }} streams in the last hour or less, although one
        every two hours is planned. Events between two streams are lost.%s
      ||| % streamReasons,
      // A new version of the exporter or of the API can reconnect a few times; the windows outlast a pause.
      duration='10m',
      keep='30m',
    ),
    lib.alert(
      'StreamSilent',
      'warning',
      |||
        (
          account:packetfabric_up:max == 1
            and on (%(account)s)
          time() - max by (%(account)s) (%(last)s) > %(silence)d
          or
          account:packetfabric_up:max == 1
            unless on (%(account)s) %(last)s
        )
        unless on (%(account)s) account:packetfabric_inventory_circuits:sum == 0
        unless on (%(account)s) max by (%(account)s) (%(subscribed)s) == 0
      ||| % {
        account: lib.account,
        last: lastEvent,
        silence: threshold.silence,
        subscribed: metric('packetfabric_stream_subscribed'),
      },
      'An event stream is open but delivers no measurements.',
      |||
        Account {{ $labels.account }} receives heartbeats, but no events of ports or virtual circuits.%s Graphs stay
        constant or end.
      ||| % lib.lastEvent,
      // After a start, the first events arrive within the interval of the source.
      duration='10m',
      keep='15m',
    ),
    lib.alert(
      'EventsMissing',
      'warning',
      |||
        count without (event) (
          time() - %(last)s > %(silence)d
          unless on (%(account)s, event) (
            %(last)s{event="vc|metrics"}
              and on (%(account)s)
            max without (%(replicas)s) (%(vcs)s) == 0
          )
        )
        and on (%(account)s)
          time() - max by (%(account)s) (%(last)s) < %(silence)d
        and on (%(account)s)
          account:packetfabric_up:max == 1
      ||| % {
        account: lib.account,
        replicas: lib.without(['type']),
        last: lastEvent,
        silence: threshold.silence,
        vcs: metric('packetfabric_inventory_circuits', 'type="vc"'),
      },
      'An event stream no longer delivers some kinds of measurements.',
      |||
        Account {{ $labels.account }} no longer receives these events, although others arrive:{{ range $index, $event := printf
        `time() - event:packetfabric_stream_last_event_timestamp_seconds:max{account=%%q} > %d` $labels.account | query |
        sortByLabel `event` }}{{ if $index }},{{ end }} {{ $event.Labels.event }}{{ end }}. Their graphs end, and their
        alerts cannot fire.
      ||| % threshold.silence,
      // The silence is long already; this is for a restart of the exporter.
      duration='5m',
      keep='15m',
    ),
    lib.alert(
      'EventsLate',
      'warning',
      // The replica with the least lag: if the clock of one machine is wrong, the events are not late.
      |||
        min without (%(replicas)s) (
          rate(%(sum)s[15m])
            /
          rate(%(count)s[15m])
        )
        > %(lag)d
      ||| % {
        replicas: lib.replicas,
        sum: metric('packetfabric_stream_event_lag_seconds_sum'),
        count: metric('packetfabric_stream_event_lag_seconds_count'),
        lag: threshold.eventLag,
      },
      'Events arrive long after their timestamps.',
      |||
        The events of account {{ $labels.account }} arrive {{ $value | humanizeDuration }} after their timestamps on
        average. Without --web.event-timestamps, graphs show them that much later. Check that the clock of the exporter
        is synchronized (NTP); if it is, report the delay to PacketFabric.
      |||,
      // The window, and five minutes for a backlog to arrive.
      duration='20m',
      keep='15m',
    ),
    lib.alert(
      'SessionExpiresSoon',
      'warning',
      |||
        min without (%(replicas)s) (%(expiry)s) - time() < %(end)d
        or
        min without (%(replicas)s) (%(expiry)s) - time() < %(failing)d
          and
        max without (%(replicas)s) (sum without (reason) (increase(%(failures)s[1h]))) > 0
      ||| % {
        replicas: lib.replicas,
        expiry: metric('packetfabric_session_expiry_timestamp_seconds'),
        failures: metric('packetfabric_login_failures_total'),
        end: threshold.sessionEnd,
        failing: threshold.sessionEndFailing,
      },
      'A session expires soon and has not been renewed.',
      |||
        The session of account {{ $labels.account }}{{ if gt $value 0.0 }} expires in {{ $value | humanizeDuration }}, and
        its stream ends with it{{ else }} has expired{{ end }}.
      |||,
      // A renewal that succeeds takes seconds.
      duration='5m',
      keep='10m',
    ),
    lib.alert(
      'SchemaDrift',
      'info',
      |||
        max without (%(replicas)s) (increase(%(unknown)s[1h]) + increase(%(rejected)s[1h])) > 0
        or
        max without (%(replicas)s) (increase(%(events)s[1h])) > 0
      ||| % {
        replicas: lib.replicas,
        unknown: metric('packetfabric_stream_unknown_fields_total'),
        rejected: metric('packetfabric_stream_fields_rejected_total'),
        events: metric('packetfabric_stream_events_total', 'event="other"'),
      },
      'The API sends events or fields that this exporter does not support.',
      |||
        In one hour, account {{ $labels.account }} received {{ $value | printf `%.0f` }} unknown or invalid fields or
        events of the type {{ $labels.event }}. All other data is still exported.
      |||,
      // One value can be an accident. A day, because it is of interest once.
      duration='15m',
      keep='1d',
    ),
    lib.alert(
      'EventsRejected',
      'warning',
      'account:packetfabric_stream_events_rejected:ratio_rate15m > %g\n' % threshold.eventsRejected,
      'The exporter drops events that it cannot use.',
      |||
        {{ $value | humanizePercentage }} of the events of account {{ $labels.account }} are rejected.%s
      ||| % lib.reasons(['packetfabric_stream_events_rejected_total{account=%q,reason!="duplicate"}']),
      // The rate covers 15 minutes: one bad minute does not suffice.
      duration='15m',
      keep='15m',
    ),
    lib.alert(
      'CounterResets',
      'info',
      'max without (%s) (increase(%s[30m])) > 0\n' % [lib.replicas, metric('packetfabric_resets_total')],
      'Counters of the network have been reset.',
      |||
        Account {{ $labels.account }}: counters in {{ $labels.event }} events were reset {{ $value | printf `%.0f` }}
        time{{ if ge $value 1.5 }}s{{ end }} in 30 minutes, as after the reboot of a router. If this continues, the
        values may not be cumulative.
      |||,
      // A note about something that has happened, so it does not wait; resets of one reboot are one note.
      keep='30m',
    ),
    lib.alert(
      'RateUnitContradicted',
      'warning',
      'min without (%s) (%s) == 0\n' % [lib.replicas, metric('packetfabric_rate_unit_confirmed')],
      'Rates do not have the unit that the exporter assumes.',
      |||
        Account {{ $labels.account }}: the rates in {{ $labels.event }} events do not match the increase of the counters,
        so bytes or packets per second are wrong by a constant factor. The status page shows the comparison.
      |||,
      // The exporter compares for minutes before it decides.
      duration='10m',
    ),
    lib.alert(
      'InventoryStale',
      'warning',
      |||
        time() - account:packetfabric_inventory_last_success_timestamp_seconds:max > %(age)d
        or
        max without (%(replicas)s) (sum without (reason) (%(failures)s)) > 0
          unless on (%(account)s) account:packetfabric_inventory_last_success_timestamp_seconds:max
      ||| % {
        account: lib.account,
        replicas: lib.replicas,
        failures: metric('packetfabric_inventory_refresh_failures_total'),
        age: threshold.inventoryAge,
      },
      'Names and states of ports and circuits are out of date.',
      |||
        There was no complete poll of the inventory of account {{ $labels.account }} for more than %d minutes.%s%s Names,
        speeds and states are out of date, and alerts about states cannot fire.
      ||| % [
        threshold.inventoryAge / 60,
        lib.lastPoll,
        lib.reasons(['packetfabric_inventory_refresh_failures_total{account=%q}']),
      ],
      // The age is long already; after a start, two polls may fail.
      duration='10m',
      keep='10m',
    ),
    lib.alert(
      'InventoryCircuitsMissing',
      'info',
      'max without (%s) (%s) > 0\n' % [lib.replicas, metric('packetfabric_inventory_circuits_missing')],
      'Circuits that are still exported are missing from the lists of the API.',
      |||
        Account {{ $labels.account }}: {{ $value | printf `%.0f` }} circuit{{ if gt $value 1.0 }}s{{ end }} of the type
        {{ $labels.type }} {{ if gt $value 1.0 }}are{{ else }}is{{ end }} missing from the list of the API, and still
        exported with the last names and states.
      |||,
      // A circuit that was removed is gone after two polls, and many of them after three.
      duration='1h',
      keep='1h',
    ),
    lib.alert(
      'SeriesDropped',
      'warning',
      |||
        max without (%(replicas)s) (increase(%(dropped)s[15m])) > 0
        or
        max without (%(replicas)s) (%(left)s) > 0
      ||| % {
        replicas: lib.replicas,
        dropped: metric('packetfabric_series_dropped_total'),
        left: metric('packetfabric_inventory_circuits_left_out'),
      },
      'Circuits are not exported because the series limit is reached.',
      |||
        Account {{ $labels.account }} has more circuits than series.limit allows, so some are not exported.
      |||,
      // The limit is exact, so there is nothing to wait for; new circuits come in bursts.
      keep='1h',
    ),
  ]
