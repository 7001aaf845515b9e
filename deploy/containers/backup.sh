#!/usr/bin/env bash
# backup.sh save FOLDER | load FOLDER: what the hub keeps, as one archive for each volume.
# Database and log belong together, so `save` stops the containers while it copies, and starts them
# again. `load` fills the volumes of a project that has none, and starts it.
# The files of COMPOSE_FILE are used, or deploy/compose.yaml where it is not set.
# keys.tar.gz holds the key-encryption key: without it the rest is unreadable, with it, it is not.
set -euo pipefail
target=$(realpath -m -- "${2:-.}")
readonly target
# What starts again has to be what ran, with the operator's own files.
if [ -z "${COMPOSE_FILE:-}" ]; then
  COMPOSE_FILE=$(realpath -- "$(dirname "$0")/../compose.yaml")
  export COMPOSE_FILE
fi
readonly PROJECT=${COMPOSE_PROJECT_NAME:?set COMPOSE_PROJECT_NAME}
# Kafka's certificates are made anew where there are none.
declare -rA SERVICE=([postgres]=postgres [kafka]=kafka [hub]=gateway [keys]=gateway)
declare -rA FOLDER=([postgres]=/data [kafka]=/kafka [hub]=/data [keys]=/keys)
umask 077

compose() {
  if docker compose version >/dev/null 2>&1; then
    docker compose "$@"
  else
    docker-compose "$@"
  fi
}

# As the volume's own service and user, so that owners are right on another machine too.
tar_in() {
  local volume=$1
  shift
  compose run --rm --no-deps -T --entrypoint tar "${SERVICE[$volume]}" -C "${FOLDER[$volume]}" "$@"
}

save() {
  local volume
  mkdir -p "$target"
  compose stop
  trap 'compose up -d' EXIT
  for volume in "${!SERVICE[@]}"; do
    tar_in "$volume" -cz . >"$target/$volume.tar.gz.partial" </dev/null
    gzip -t "$target/$volume.tar.gz.partial"
    mv "$target/$volume.tar.gz.partial" "$target/$volume.tar.gz"
  done
}

load() {
  local volume
  for volume in "${!SERVICE[@]}"; do
    if docker volume inspect "${PROJECT}_$volume" >/dev/null 2>&1; then
      echo "The volume ${PROJECT}_$volume exists; nothing was loaded" >&2
      exit 1
    fi
  done
  for volume in "${!SERVICE[@]}"; do
    tar_in "$volume" -xz <"$target/$volume.tar.gz"
  done
  compose up -d
}

case "${1:-} ${2:+folder}" in
  'save folder' | 'load folder') "$1" ;;
  *)
    echo "usage: backup.sh save|load FOLDER" >&2
    exit 2
    ;;
esac
