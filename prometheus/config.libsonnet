// The settings of the mixin. Override them with `+ { _config+:: { … } }`; docs/alerts.md describes how.
{
  _config+:: {
    // The scrape job of the exporter.
    job: 'packetfabric',
    // Further matchers for all metrics, for example 'cluster="prod"'.
    selector: '',
    // Labels that tell exporters apart. Joins match on them, and alerts keep them.
    targetLabels: ['cluster', 'namespace', 'job'],
    // Labels that tell replicas of one exporter apart. Recording rules fold them.
    replicaLabels: ['instance', 'pod', 'node'],

    // The URL of an entry in the runbook; %s is the name of the alert in lower case.
    runbookURLPattern: 'docs/runbook.md#%s',

    // Used by grafana/mixin.libsonnet.
    dashboardTags: ['packetfabric'],
    datasourceName: 'default',
    datasourceFilterRegex: '',

    thresholds: {
      // Share of failed scrapes in 15 minutes.
      scrapeFailures: 0.2,
      // Restarts of the process in 30 minutes.
      restarts: 2,
      // Streams opened in one hour; one every two hours is planned.
      streamConnects: 6,
      // Share of 30 minutes without a stream, if it was opened again at least three times.
      streamGap: 0.1,
      // Seconds without an event.
      silence: 900,
      // Seconds between the timestamp of an event and its arrival, on average over 15 minutes.
      eventLag: 900,
      // Seconds since the last event of something that no longer counts as missing, because it was unsubscribed.
      lastEvent: 604800,
      // Seconds before a session ends: if logins succeed, and if they fail.
      sessionEnd: 600,
      sessionEndFailing: 86400,
      // Share of events that are rejected.
      eventsRejected: 0.01,
      // Seconds since the last complete inventory; six times the default of inventory.interval.
      inventoryAge: 1800,
      // Seconds between the newest sample that a remote write receiver took and now.
      remoteWriteDelay: 300,
      // Seconds since a port was up, a virtual circuit connected or a BGP session established; where the state of a
      // port or virtual circuit is exported, this has no effect.
      lastUp: 604800,
      // Seconds that an outage may begin before the maintenance that causes it. Shorter than the time that an outage has
      // to last before it alerts, so that no alert ends when a maintenance starts.
      maintenanceMargin: 300,
      // Seconds before a maintenance that it is announced.
      maintenanceAhead: 259200,
      // Days before a term ends: two notes and a warning.
      termFirstNote: 90,
      termSecondNote: 30,
      termEnd: 7,
      // Days before an API key expires: a note and a warning.
      apiKeyNote: 30,
      apiKeyEnd: 7,
      // Days that such a note lasts; shorter than its repeat_interval, so that it is sent once.
      noteDays: 3,
      // Transitions of the link to up in one hour.
      portTransitions: 3,
      // Damaged frames per million, and their minimum number in one hour.
      portErrorsPerMillion: 10,
      portErrorsMinimum: 10,
      // Dropped packets per million, and their minimum number in one hour.
      portDropsPerMillion: 1000,
      portDropsMinimum: 100,
      // Share of a port's speed, and of a virtual circuit's rate limit.
      portUtilization: 0.9,
      vcUtilization: 0.95,
      // dB: above the minimum of the receiver, below its maximum, between the lanes of a port.
      receiveMargin: 1,
      receiveHeadroom: 0,
      laneSpread: 3,
    },

    // Receive power range in dBm per lane, by `media` of /v2/ports, from IEEE 802.3 and the usual multi-source
    // agreements. LR4 is used for 40G and 100G: the narrower range of the two. The data sheet of your optics takes
    // precedence. The empty name is for all other media.
    receivePower: {
      '': { minimum: -14, maximum: 0.5 },
      LX: { minimum: -19, maximum: -3 },
      EX: { minimum: -22, maximum: -1 },
      ZX: { minimum: -23, maximum: -3 },
      LR: { minimum: -14.4, maximum: 0.5 },
      ER: { minimum: -15.8, maximum: -1 },
      'ER DWDM': { minimum: -15.8, maximum: -1 },
      ZR: { minimum: -24, maximum: -7 },
      'ZR DWDM': { minimum: -23, maximum: -7 },
      LR4: { minimum: -10.6, maximum: 2.3 },
      ER4: { minimum: -20.9, maximum: 4.5 },
      'ER4 Lite': { minimum: -16.9, maximum: -4.9 },
      CWDM4: { minimum: -11.5, maximum: 2.5 },
    },
  },
}
