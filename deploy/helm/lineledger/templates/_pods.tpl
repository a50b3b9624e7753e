{{/* What every pod of the chart has in common. */}}
{{- define "lineledger.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "lineledger.containerSecurity" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* Takes (dict "root" "client" "key"). How Kafka and registry are reached: the program reads these variables itself. */}}
{{- define "lineledger.connection" -}}
{{- $kafka := .root.Values.kafka -}}
{{- if include "lineledger.installation" .root }}
- {name: LINELEDGER_INSTALLATION, value: /etc/lineledger/installation.yaml}
{{- else if not $kafka.bootstrap }}
{{- fail "kafka.bootstrap: host:port[,host:port], here or in installation.yaml" }}
{{- end }}
{{- with $kafka.bootstrap }}
- {name: LINELEDGER_BOOTSTRAP, value: {{ . | quote }}}
{{- end }}
{{- with $kafka.prefix }}
- {name: LINELEDGER_PREFIX, value: {{ . | quote }}}
{{- end }}
{{- if $kafka.registry }}
- {name: LINELEDGER_REGISTRY, value: {{ $kafka.registry | quote }}}
{{- end }}
{{- if include "lineledger.registryVolume" .root }}
{{- $secret := (include "lineledger.known" .root | fromJson).secret }}
- {name: {{ $secret | upper | replace "-" "_" | replace "." "_" }}_FILE, value: {{ printf "/etc/lineledger/registry/%s" $kafka.registryUser.key | quote }}}
{{- end }}
{{- $file := (include "lineledger.known" .root | fromJson).clientConfig }}
{{- if and $file (not .client) }}
{{- fail (printf "kafka.client: where the file %s of installation.yaml (kafka.client_config) is, no pod has it; existingSecret, secretProviderClass or external" $file) }}
{{- end }}
{{- if .client }}
- {name: LINELEDGER_CLIENT_CONFIG, value: {{ printf "/etc/lineledger/client/%s" .key | quote }}}
{{- end }}
{{- end }}

{{/* Takes (dict "root" "name" "worker"). */}}
{{- define "lineledger.scheduling" -}}
{{- with .worker.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .worker.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .worker.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .worker.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: topology.kubernetes.io/zone
    whenUnsatisfiable: {{ .worker.spread.zones }}
    labelSelector:
      matchLabels: {{- include "lineledger.selector" . | nindent 8 }}
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: {{ .worker.spread.hosts }}
    labelSelector:
      matchLabels: {{- include "lineledger.selector" . | nindent 8 }}
{{- end }}
