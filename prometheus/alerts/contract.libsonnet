// Alerts about what ends on a date: terms of circuits, and API keys.
function(config, lib)
  local threshold = config.thresholds;
  local day = 86400;
  local left(name) = 'max without (%s) (%s) - time()' % [lib.replicas, lib.metric(name)];
  local termLeft = left('packetfabric_circuit_term_end_timestamp_seconds');
  local keyLeft = left('packetfabric_api_key_expiry_timestamp_seconds');
  // Some days at each number of days before the end.
  local notes(left, days) = std.join('\nor\n', [
    '%s <= %d > %d' % [left, number * day, (number - threshold.noteDays) * day]
    for number in days
  ]) + '\n';
  local soon(left, days) = '%s <= %d > 0\n' % [left, days * day];
  // A circuit ID is that of a port, a virtual circuit or a cloud router connection.
  local circuit = '{{ $labels.circuit_id }}' + std.join('', [
    '{{ with printf `packetfabric_%s_info{account=%%q,%s=%%q}` $labels.account $labels.circuit_id | query }}' % kind
    + '{{ with . | first | label `description` }} ({{ . }}){{ end }}{{ end }}'
    for kind in [['port', 'port_circuit_id'], ['vc', 'vc_circuit_id']]
  ]);
  local days = '{{ $value | humanizeDuration }}';
  local key =
    'The API key {{ $labels.api_key }} of account {{ $labels.account }}{{ if eq $labels.own `true` }}, which the '
    + 'exporter uses,{{ end }} expires in ' + days + '.';
  local ownKey = '{{ if eq $labels.own `true` }} After that, there is no data about the account.{{ end }}';
  [
    lib.alert(
      'TermEnding',
      'info',
      notes(termLeft, [threshold.termFirstNote, threshold.termSecondNote]),
      'The contract term of a circuit ends in a few weeks.',
      'The contract term of circuit %s of account {{ $labels.account }} ends in %s.' % [circuit, days],
      // A date is certain, so there is nothing to wait for; a restart of the exporter must not repeat the note.
      keep='1h',
    ),
    lib.alert(
      'TermEndsSoon',
      'warning',
      soon(termLeft, threshold.termEnd),
      'The contract term of a circuit ends in a few days.',
      'The contract term of circuit %s of account {{ $labels.account }} ends in %s.' % [circuit, days],
      // As for PacketFabricTermEnding.
      keep='1h',
    ),
    lib.alert(
      'ApiKeyExpiring',
      'info',
      notes(keyLeft, [threshold.apiKeyNote]),
      'An API key expires in a few weeks.',
      key + ownKey,
      // As for PacketFabricTermEnding.
      keep='1h',
    ),
    lib.alert(
      'ApiKeyExpiresSoon',
      'warning',
      soon(keyLeft, threshold.apiKeyEnd),
      'An API key expires in a few days.',
      key + ownKey,
      // As for PacketFabricTermEnding.
      keep='1h',
    ),
  ]
