{{/*
What runs, as a map name -> worker: `pod`, then what the worker says itself. An intake is made for each plant whose intake no
worker has. Every template goes through this map, so that they agree.
*/}}
{{- define "lineledger.workers" -}}
{{- $root := . -}}
{{- $found := dict -}}
{{- $taken := dict -}}
{{- range $name, $given := .Values.workers -}}
  {{- $worker := mustMergeOverwrite (deepCopy $root.Values.pod) (deepCopy ($given | default dict)) -}}
  {{- if $worker.enabled -}}
    {{- $_ := set $found $name (merge (dict "plant" "") $worker) -}}
    {{- if has "intake" $worker.stages -}}
      {{- $plant := include "lineledger.plantOf" (dict "root" $root "name" $name "worker" $worker) -}}
      {{- $_ := set (index $found $name) "plant" $plant -}}
      {{- $_ := set $taken $plant true -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- range $id, $plant := .Values.plants -}}
  {{- $own := $plant.intake | default dict -}}
  {{- $worker := mustMergeOverwrite (deepCopy $root.Values.pod) (deepCopy $root.Values.intake) (deepCopy $own) -}}
  {{- if and $worker.enabled (not (hasKey $taken $id)) -}}
    {{- $_ := set $found (printf "intake-%s" $id) (merge (dict "stages" (list "intake") "plant" $id) $worker) -}}
  {{- end -}}
{{- end -}}
{{- $found | toYaml -}}
{{- end }}

{{/* Takes (dict "root" "name" "worker"). The plant of a worker with stage intake: it must exist. */}}
{{- define "lineledger.plantOf" -}}
{{- $plant := .worker.plant | default "" -}}
{{- if not (hasKey .root.Values.plants $plant) -}}
{{- fail (printf "workers.%s has the stage intake: plant: one of %s" .name (keys .root.Values.plants | sortAlpha | join ", ")) -}}
{{- end -}}
{{- $plant -}}
{{- end }}
