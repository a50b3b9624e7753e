{{/*
A secret is referred to, never given: a Secret that exists, one that external-secrets makes, or one that a CSI driver mounts.
Takes (dict "root" "source" "name" "at"). Empty where the source names none.
*/}}
{{- define "lineledger.secretVolume" -}}
{{- $source := .source -}}
{{- if gt (len (compact (list $source.existingSecret $source.secretProviderClass (ternary "external" "" (gt (len ($source.external | default dict)) 0))))) 1 -}}
{{- fail (printf "%s: existingSecret, secretProviderClass or external, one of them" .at) -}}
{{- end -}}
{{- if $source.secretProviderClass }}
csi:
  driver: secrets-store.csi.k8s.io
  readOnly: true
  volumeAttributes: {secretProviderClass: {{ $source.secretProviderClass | quote }}}
{{- else if $source.existingSecret }}
secret: {secretName: {{ $source.existingSecret | quote }}, defaultMode: 0440}
{{- else if $source.external }}
secret: {secretName: {{ printf "%s-%s" (include "lineledger.fullname" .root) .name | quote }}, defaultMode: 0440}
{{- end -}}
{{- end }}

{{/* The volume with the registry's `user:password`, which installation.yaml names; empty: it names none. */}}
{{- define "lineledger.registryVolume" -}}
{{- $user := .Values.kafka.registryUser -}}
{{- $volume := include "lineledger.secretVolume" (dict "root" . "source" $user "name" "registry" "at" "kafka.registryUser") -}}
{{- $secret := (include "lineledger.known" . | fromJson).secret -}}
{{- if and $secret (not $volume) -}}
{{- fail (printf "kafka.registryUser: where the secret %s of installation.yaml (registry.secret) is; existingSecret, secretProviderClass or external" $secret) -}}
{{- else if and $volume (not $secret) -}}
{{- fail "kafka.registryUser: installation.yaml names no registry.secret; in an existingConfigMap say which one: kafka.registryUser.secret" -}}
{{- end -}}
{{- $volume -}}
{{- end }}

{{/* Takes (dict "root" "worker"). Where the Kafka credentials of a worker, or of the setup, come from: its own, else those of all. As JSON. */}}
{{- define "lineledger.client" -}}
{{- $own := .worker.client | default dict -}}
{{- $shared := .root.Values.kafka.client -}}
{{- if or $own.existingSecret $own.secretProviderClass -}}
{{- dict "existingSecret" $own.existingSecret "secretProviderClass" $own.secretProviderClass "key" ($own.key | default $shared.key) | toJson -}}
{{- else -}}
{{- $shared | toJson -}}
{{- end -}}
{{- end }}
