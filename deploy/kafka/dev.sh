#!/bin/bash
# A development broker and schema registry without Docker: Maven artifacts on Java 17.
# usage: dev.sh start|stop|status|clean     state: .cache/dev (pid files, logs, data; `clean` removes the data)
# `start` and `status` print what a shell exports: eval "$(deploy/kafka/dev.sh start)".
# Ports: LINELEDGER_DEV_PORT (broker, default 29092), +1 controller, +2 registry. The registry's content ends with it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=$(cd "$here/../.." && pwd)/.cache
state=$cache/dev
port=${LINELEDGER_DEV_PORT:-29092}
jvm=(-Xms64m -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1)
# shellcheck source=coordinates.env
source "$here/coordinates.env"
kafka_version=$(sed -n '/<artifactId>kafka_/{n;s/.*<version>\(.*\)<\/version>.*/\1/p}' "$here/pom.xml")
libs=$cache/kafka/libs-$kafka_version
registry=$cache/apicurio/$(cut -d: -f3 <<<"$REGISTRY_ARTIFACT")

alive() { [ -f "$state/$1.pid" ] && kill -0 "$(cat "$state/$1.pid")" 2>/dev/null; }

fetch() { # into a folder that appears only when it is complete; the same lock files as tests/platform/maven.py
  local made; mkdir -p "$(dirname "$1")"
  exec 9>"$1.lock"; flock 9
  if [ ! -d "$1" ]; then
    made=$(mktemp -d -p "$(dirname "$1")")
    "${@:2}" "$made" || { rm -rf "$made"; return 1; }
    mv "$made" "$1"
  fi
  exec 9>&-
}
fetch_libs() { mvn -q -B -f "$here/pom.xml" "$DEPENDENCY_PLUGIN:copy-dependencies" "-DoutputDirectory=$1" -DincludeScope=runtime; }
fetch_registry() {
  (cd "$here" && mvn -q -B "$DEPENDENCY_PLUGIN:copy" "-Dartifact=$REGISTRY_ARTIFACT" "-DoutputDirectory=$1") &&
    tar -xzf "$1"/*.tar.gz -C "$1" && rm "$1"/*.tar.gz
}

await() { # name, command: until it succeeds, the process is gone, or 60 s have passed
  local deadline=$((SECONDS + 60))
  while alive "$1" && [ $SECONDS -le $deadline ]; do
    if "${@:2}" 2>/dev/null; then return; fi
    sleep 0.2
  done
  echo "$1 did not become ready:" >&2; tail -5 "$state/$1.log" >&2; exit 2
}
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1"); }
refuse_taken() { # ports: somebody else's server must never be taken for this one
  for each in "$@"; do
    if listens "$each" 2>/dev/null; then
      echo "port $each is taken by another process: set LINELEDGER_DEV_PORT" >&2; exit 2
    fi
  done
}
registry_ready() { curl -fsS -o /dev/null "http://127.0.0.1:$((port + 2))/health/ready"; }

start() {
  mkdir -p "$state"
  fetch "$libs" fetch_libs
  fetch "$registry" fetch_registry
  if ! alive kafka; then
    refuse_taken "$port" $((port + 1))
    sed "s|@BROKER_PORT@|$port|g; s|@CONTROLLER_PORT@|$((port + 1))|g; s|@DATA@|$state/data|" "$here/server.properties" >"$state/server.properties"
    [ -d "$state/data" ] ||
      java -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$libs/*" kafka.tools.StorageTool format -t bGluZWxlZGdlci1kZXYtMQ -c "$state/server.properties" >"$state/kafka.log"
    setsid java "${jvm[@]}" -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$libs/*" kafka.Kafka "$state/server.properties" >>"$state/kafka.log" 2>&1 &
    echo $! >"$state/kafka.pid"
  fi
  if ! alive registry; then
    refuse_taken $((port + 2))
    (cd "$registry" && exec setsid java "${jvm[@]}" -Dquarkus.http.host=127.0.0.1 "-Dquarkus.http.port=$((port + 2))" -Dquarkus.log.level=WARN \
      -jar "$REGISTRY_JAR" >>"$state/registry.log" 2>&1) &
    echo $! >"$state/registry.pid"
  fi
  await kafka listens "$port"
  await registry registry_ready
  # Its own default is NONE.
  curl -fsS -o /dev/null -X PUT -H 'Content-Type: application/json' -d '{"compatibility":"BACKWARD"}' \
    "http://127.0.0.1:$((port + 2))/apis/ccompat/v7/config"
  status
}

status() { # an address is only shown while the own process is behind it
  for name in kafka registry; do
    if alive $name; then echo "# $name runs, pid $(cat "$state/$name.pid")"; else echo "# $name is stopped"; fi
  done
  if alive kafka; then exports BOOTSTRAP "127.0.0.1:$port"; fi
  if alive registry; then exports REGISTRY "http://127.0.0.1:$((port + 2))/apis/ccompat/v7"; fi
}

exports() { echo "export LINELEDGER_$1=$2 LINELEDGER_TEST_$1=$2"; } # for the commands, and for the tests

stop() {
  for name in registry kafka; do
    if alive $name; then
      local pid; pid=$(cat "$state/$name.pid")
      kill "$pid"
      for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.2; done
    fi
    rm -f "$state/$name.pid"
  done
}

case ${1:-} in
  start) start ;;
  stop) stop ;;
  status) status ;;
  clean) stop; rm -rf "$state" ;;
  *) sed -n 3,4p "$0" >&2; exit 2 ;;
esac
