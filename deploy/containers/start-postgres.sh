#!/usr/bin/env bash
# PostgreSQL on /data, made at the first start with the user and database `schakel`.
set -euo pipefail
readonly BIN=/usr/lib/postgresql/15/bin
readonly DATA=/data/15
if [ ! -f "$DATA/PG_VERSION" ]; then
  # Made aside and renamed when complete: a start that was killed leaves nothing half made.
  rm -rf "$DATA.new"
  "$BIN/initdb" -D "$DATA.new" -U schakel -E UTF8 --locale=C.UTF-8 \
    --auth=scram-sha-256 --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD")
  echo 'host all all all scram-sha-256' >>"$DATA.new/pg_hba.conf"
  echo 'create database schakel' | "$BIN/postgres" --single -D "$DATA.new" postgres
  mv "$DATA.new" "$DATA"
fi
exec "$BIN/postgres" -D "$DATA" -c listen_addresses='*' -c unix_socket_directories=/tmp
