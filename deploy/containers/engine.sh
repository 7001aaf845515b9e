#!/usr/bin/env bash
# engine.sh start|stop: a Docker engine where none answers, and a compose; on Debian as root.
# `start` leaves the process id of what it started in build/containers/dockerd.pid; `stop` ends that
# one only. An engine that somebody else started is used, and left alone.
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly OUT=build/containers
readonly PID_FILE=$OUT/dockerd.pid
export DEBIAN_FRONTEND=noninteractive

answers() { docker info >/dev/null 2>&1; }

has_compose() { docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null; }

install() {
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

install_engine() {
  install docker.io iptables
  # Newer Debians keep the client in a package of its own.
  command -v docker >/dev/null || install docker-cli
  # Where systemd runs, the package has started an engine: only one of our own do we know how to end.
  if [ -d /run/systemd/system ]; then systemctl stop docker.socket docker.service; fi
}

run_engine() {
  mkdir -p "$OUT"
  setsid dockerd >"$OUT/dockerd.log" 2>&1 </dev/null &
  echo $! >"$PID_FILE"
  for _ in $(seq 60); do
    if answers; then return; fi
    sleep 0.5
  done
  tail -n 20 "$OUT/dockerd.log" >&2
  stop
  exit 1
}

start() {
  if ! answers; then
    command -v dockerd >/dev/null || install_engine
    run_engine
  fi
  has_compose || install docker-compose
}

is_ours() { [ "$(cat "/proc/$1/comm" 2>/dev/null)" = dockerd ]; }

stop() {
  local pid
  if [ ! -f "$PID_FILE" ]; then return; fi
  pid=$(<"$PID_FILE")
  # An id from before a restart of the machine may be another program's by now.
  if is_ours "$pid"; then kill "$pid"; fi
  for _ in $(seq 60); do
    if ! is_ours "$pid"; then
      rm "$PID_FILE"
      return
    fi
    sleep 0.5
  done
  echo "The engine $pid does not end" >&2
  exit 1
}

case "${1:-}" in
  start | stop) "$1" ;;
  *)
    echo "usage: engine.sh start|stop" >&2
    exit 2
    ;;
esac
