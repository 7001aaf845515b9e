#!/usr/bin/env bash
# healthy.sh gateway|kafka|relay|route|deliver|kafka-door: whether that container does its work. Cheap: it runs often.
set -euo pipefail

accepts() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# /proc/net/tcp has one line for each connection: own address, the other's, and 01 for established.
is_connected_to() { grep -qi "$(printf ':%04X 01 ' "$1")" /proc/net/tcp; }

is_ready() {
  exec 3<>/dev/tcp/127.0.0.1/8081
  printf 'GET /readyz HTTP/1.0\r\n\r\n' >&3
  head -n 1 <&3 | grep -q ' 200 '
}

readonly INTERNAL=9094 CLIENT=9092 POSTGRES=5432
case "${1:-}" in
  gateway) is_ready ;;
  kafka) accepts $CLIENT && accepts $INTERNAL ;;
  route|kafka-door) is_connected_to $INTERNAL && is_connected_to $POSTGRES ;;
  # It connects to Kafka once there is something to publish.
  relay) is_connected_to $POSTGRES ;;
  deliver) is_connected_to $POSTGRES ;;
  *) exit 2 ;;
esac
