{{/* Names and labels. */}}
{{- define "lineledger.fullname" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{- define "lineledger.labels" -}}
app.kubernetes.io/name: lineledger
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* Takes (dict "root" $ "name" worker). What selects the pods of one worker. */}}
{{- define "lineledger.selector" -}}
app.kubernetes.io/name: lineledger
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "lineledger.image" -}}
{{- $image := .Values.image -}}
{{- $repository := required "image.repository: where you keep the image that you built (deploy/image)" $image.repository -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository ($image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end }}

{{/* Takes (dict "root" $ "plant" id). The ConfigMap with the plant's files. */}}
{{- define "lineledger.configMap" -}}
{{- $plant := index .root.Values.plants .plant -}}
{{- $plant.existingConfigMap | default (printf "%s-plant-%s" (include "lineledger.fullname" .root) .plant) -}}
{{- end }}

{{/* The ConfigMap with installation.yaml; empty: there is none. */}}
{{- define "lineledger.installation" -}}
{{- $installation := .Values.installation -}}
{{- if and $installation.file $installation.existingConfigMap -}}{{- fail "installation: file or existingConfigMap, one of them" -}}{{- end -}}
{{- $installation.existingConfigMap | default (ternary (printf "%s-installation" (include "lineledger.fullname" .)) "" (ne $installation.file "")) -}}
{{- end }}

{{/*
What the program will go by, as JSON: prefix, bootstrap, registry, secret (name of the registry's), clientConfig (its file). Values hold before installation.yaml.
Of one that something else keeps (existingConfigMap) the chart knows no more than what the values say.
*/}}
{{- define "lineledger.known" -}}
{{- $kafka := .Values.kafka -}}
{{- $document := .Values.installation.file | default "" | fromYaml -}}
{{- if hasKey $document "Error" -}}{{- fail (printf "installation.file is no document: %s" $document.Error) -}}{{- end -}}
{{- $stated := $document.kafka | default dict -}}
{{- $brokers := $stated.bootstrap | default list -}}
{{- $registry := $document.registry | default dict -}}
{{- dict
  "prefix" ($kafka.prefix | default $document.prefix | default "")
  "bootstrap" ($kafka.bootstrap | default (kindIs "string" $brokers | ternary $brokers (join "," (kindIs "string" $brokers | ternary list $brokers))))
  "registry" ($kafka.registry | default $registry.url | default "")
  "secret" ($registry.secret | default $kafka.registryUser.secret)
  "clientConfig" ($stated.client_config | default "")
  | toJson -}}
{{- end }}

{{/* Takes (dict "root" $ "plant" id). What changes when the plant's configuration does. */}}
{{- define "lineledger.revision" -}}
{{- $plant := index .root.Values.plants .plant -}}
{{- if $plant.existingConfigMap -}}{{ $plant.revision | default "not given" }}{{- else -}}{{ $plant.files | toJson | sha256sum }}{{- end -}}
{{- end }}
