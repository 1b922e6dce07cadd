// Notes about maintenances that PacketFabric has announced.
function(config, lib)
  local threshold = config.thresholds;
  local circuits = 'maintenance:packetfabric_maintenance_circuits:count';
  // The maintenance with its ticket and type.
  local name =
    '{{ $labels.maintenance }}'
    + '{{ with printf `packetfabric_maintenance_info{account=%q,maintenance=%q}` $labels.account $labels.maintenance | query }}'
    + '{{ with . | first }} ({{ .Labels.ticket }}, {{ .Labels.type }}){{ end }}{{ end }}';
  local time(name) = lib.time(
    '%s',
    'maintenance:packetfabric_maintenance_' + name + '_timestamp_seconds:max{account=%q,maintenance=%q}',
    ['account', 'maintenance'],
  );
  // The number of circuits, as the subject of a sentence.
  local affected =
    'affects{{ range printf `%s{account=%%q,maintenance=%%q}` $labels.account $labels.maintenance | query }}' % circuits
    + ' {{ .Value | printf `%.0f` }} circuit{{ if gt .Value 1.0 }}s{{ end }}{{ end }}';
  [
    lib.alert(
      'MaintenanceAnnounced',
      'info',
      |||
        maintenance:packetfabric_maintenance_start_timestamp_seconds:max - time() > 0
          and on (%(maintenance)s)
        maintenance:packetfabric_maintenance_start_timestamp_seconds:max - time() < %(ahead)d
          and on (%(maintenance)s)
        %(circuits)s
      ||| % { maintenance: lib.maintenance, ahead: threshold.maintenanceAhead, circuits: circuits },
      'An upcoming maintenance affects circuits.',
      |||
        PacketFabric maintenance %s from %s to %s %s of account {{ $labels.account }}.
      ||| % [name, time('start'), time('end'), affected],
      // A note about a fact, so it does not wait; a restart of the exporter must not repeat it.
      keep='30m',
    ),
    lib.alert(
      'MaintenanceStarted',
      'info',
      |||
        maintenance:packetfabric_maintenance_end_timestamp_seconds:max - time()
          and on (%(maintenance)s)
        %(running)s
          and on (%(maintenance)s)
        %(circuits)s
      ||| % { maintenance: lib.maintenance, running: lib.maintenanceSince('maintenance'), circuits: circuits },
      'A maintenance is in progress; alerts about the affected circuits are suppressed.',
      |||
        PacketFabric maintenance %s is in progress and %s of account {{ $labels.account }}. Until it ends at %s, no new
        alert about them fires.
      ||| % [name, affected, time('end')],
      // As for PacketFabricMaintenanceAnnounced.
      keep='30m',
    ),
  ]
