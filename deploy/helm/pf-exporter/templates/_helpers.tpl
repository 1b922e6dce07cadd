{{/* The name of all objects: that of the release, if it contains the name of the chart. */}}
{{- define "pf-exporter.name" -}}
{{- $name := contains .Chart.Name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) }}
{{- .Values.fullnameOverride | default $name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* The name of one exporter; takes a list of the root and the replica. */}}
{{- define "pf-exporter.replica" -}}
{{- $root := index . 0 }}{{- $replica := index . 1 }}
{{- include "pf-exporter.name" $root }}{{ with $replica.suffix }}-{{ . }}{{ end }}
{{- end }}

{{/* The Secret of one exporter. */}}
{{- define "pf-exporter.secret" -}}
{{- $replica := index . 1 }}
{{- if $replica.secret }}{{ include "pf-exporter.replica" . }}{{ else }}{{ $replica.existingSecret }}{{ end }}
{{- end }}

{{- define "pf-exporter.selector" -}}
app.kubernetes.io/name: pf-exporter
app.kubernetes.io/part-of: {{ include "pf-exporter.name" . }}
{{- end }}

{{- define "pf-exporter.labels" -}}
{{ include "pf-exporter.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "pf-exporter.serviceAccount" -}}
{{- if .Values.serviceAccount.name }}{{ .Values.serviceAccount.name }}
{{- else if .Values.serviceAccount.create }}{{ include "pf-exporter.name" . }}{{ else }}default{{ end }}
{{- end }}

{{- define "pf-exporter.image" -}}
{{- with .Values.image }}{{ .repository }}
{{- if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}{{ end }}
{{- end }}

{{/* HTTPS if the web configuration has TLS. */}}
{{- define "pf-exporter.scheme" -}}
{{- if index .Values.web.configurationFile "tls_server_config" }}HTTPS{{ else }}HTTP{{ end }}
{{- end }}

{{/* The files that `make chart` puts into the chart. */}}
{{- define "pf-exporter.file" -}}
{{- $root := index . 0 }}{{- $name := index . 1 }}
{{- $content := $root.Files.Get $name }}
{{- if not $content }}
{{- fail (printf "this chart contains no %s: install the one that `make chart` writes to dist/, or disable rules and dashboards" $name) }}
{{- end }}
{{- $content }}
{{- end }}
