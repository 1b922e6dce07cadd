// Alerts about the exporter's processes.
function(config, lib)
  local threshold = config.thresholds;
  local up = lib.jobMetric('up');
  local labels = std.filter(function(label) label != 'job', config.targetLabels);
  // A sentence with the targets of an alert that do not respond.
  local targetsDown =
    '{{ with printf `%s == 0` %s | query | sortByLabel `instance` }} Targets that do not respond: ' % [
      lib.jobMetric('up', std.map(function(label) label + '=%q', labels)),
      std.join(' ', std.map(function(label) '$labels.' + label, labels)),
    ]
    + '{{ range $index, $target := . }}{{ if $index }}, {{ end }}{{ $target.Labels.instance }}{{ end }}.{{ end }}';
  [
    lib.alert(
      'ExporterDown',
      'critical',
      |||
        max without (%(replicas)s) (%(up)s) == 0
        or
        absent(%(up)s)
      ||| % { replicas: lib.replicas, up: up },
      'Prometheus cannot scrape the exporter.',
      |||
        No exporter in the job %s has responded to scrapes for five minutes. There is no data about the network.%s
      ||| % [config.job, targetsDown],
      // A restart or an update takes less. If scrapes succeed now and then, it remains one alert.
      duration='5m',
      keep='5m',
    ),
    lib.alert(
      'ExporterScrapesFailing',
      'warning',
      |||
        avg_over_time(%(up)s[15m]) < %(share)g
        unless on (%(target)s) max by (%(target)s) (%(up)s) == 0
      ||| % { up: up, share: 1 - threshold.scrapeFailures, target: lib.target },
      'A replica of the exporter is down, or its scrapes often fail.',
      |||
        Only {{ $value | humanizePercentage }} of the scrapes of {{ $labels.instance }} in the last 15 minutes
        succeeded.
      |||,
      // As long as the window, so that a single outage of five minutes has left it.
      duration='15m',
      keep='15m',
    ),
    lib.alert(
      'ExporterRestarting',
      'warning',
      'changes(%s[30m]) > %d\n' % [lib.jobMetric('process_start_time_seconds'), threshold.restarts],
      'The exporter restarts repeatedly.',
      |||
        The exporter on {{ $labels.instance }} restarted {{ $value | printf `%.0f` }} times in 30 minutes. Each
        restart loses events.
      |||,
      // The window already counts several restarts; the time after it is for a service manager that waits longer.
      keep='30m',
    ),
    lib.alert(
      'ConfigReloadFailed',
      'warning',
      '%s == 0\nor\n%s == 0\n' % [
        lib.metric('packetfabric_config_last_reload_successful'),
        lib.metric('packetfabric_web_config_last_reload_successful'),
      ],
      'The exporter could not reload its configuration.',
      |||
        The last reload of the configuration on {{ $labels.instance }} failed. The exporter continues with the previous
        configuration, but would not start with the new one.
      |||,
      // Time to correct a mistake while editing.
      duration='10m',
    ),
    lib.alert(
      'RemoteWriteBehind',
      'warning',
      |||
        %(pending)s > 0 unless %(newest)s > time() - %(age)d
        or
        sum without (reason) (increase(%(failed)s[15m])) > 0
        or
        sum without (reason) (increase(%(dropped)s[15m])) > 0
      ||| % {
        pending: lib.metric('packetfabric_remote_storage_samples_pending'),
        newest: lib.metric('packetfabric_remote_storage_highest_sent_timestamp_seconds'),
        failed: lib.metric('packetfabric_remote_storage_samples_failed_total'),
        dropped: lib.metric('packetfabric_remote_storage_samples_dropped_total', 'reason!="out_of_order"'),
        age: threshold.remoteWriteDelay,
      },
      'Remote write is behind or loses samples.',
      |||
        The remote write endpoint {{ $labels.endpoint }} of the exporter on {{ $labels.instance }} accepts samples too
        slowly or not at all, or samples are lost.
      |||,
      // A restart of the receiver takes less, and loses nothing.
      duration='10m',
    ),
    lib.alert(
      'RulesMissing',
      'warning',
      |||
        count without (%(series)s) (%(up)s)
        unless on (%(target)s) account:packetfabric_up:max
      ||| % {
        series: lib.without(['account']),
        up: lib.metric('packetfabric_up'),
        target: lib.target,
      },
      'The recording rules are not loaded, so most alerts cannot fire.',
      |||
        Prometheus scrapes the exporter, but has not loaded the recording rules in rules.yml. Alerts that use them cannot
        fire.
      |||,
      // Both files are loaded together, so several evaluations without the rules are a mistake.
      duration='10m',
    ),
  ]
