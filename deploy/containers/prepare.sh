#!/usr/bin/env bash
# Make what the images are built from: an engine, the base image, wheels and Kafka's jars.
# Everything is put in build/containers. Needs the hub in .venv: make .venv/.hub.
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly BASE=debian:bookworm-slim
readonly BIN=.venv/bin
readonly OUT=build/containers
mkdir -p "$OUT"

make_base() {
  local root mirror
  command -v debootstrap >/dev/null || {
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends debootstrap >/dev/null
  }
  root=$(mktemp -d)
  # The machine's own mirror if it names one; else debootstrap knows where Debian is.
  mirror=$(awk '/^URIs: *http/ {print $2; exit}' /etc/apt/sources.list.d/debian.sources || true)
  debootstrap --variant=minbase --include=ca-certificates bookworm "$root" \
    ${mirror:+"$mirror"} >/dev/null
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
  tar -C "$root" -c . | docker import --change 'CMD ["bash"]' - "$BASE" >/dev/null
  rm -rf "$root"
}

bash deploy/containers/engine.sh start
if ! docker image inspect "$BASE" >/dev/null 2>&1; then
  # Where no registry answers, Debian's own packages make the same image.
  timeout 120 docker pull --quiet "$BASE" >/dev/null 2>&1 || make_base
fi

# The image has Debian's Python 3.11, whichever Python the host has.
rm -rf "$OUT/wheels" "$OUT/jars"
"$BIN/pip" download --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
  --python-version 3.11 --dest "$OUT/wheels" -r requirements/hub.txt
"$BIN/pip" wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation \
  --wheel-dir "$OUT/wheels" .
cp requirements/hub.txt "$OUT/hub.txt"

# The jars' folder keeps its shape: inside, the lock finds them as it does on the host.
"$BIN/python" - "$OUT/jars" <<'PYTHON'
import os, shutil, sys
from pathlib import Path

from gateway.embedded.jars import JgoFetch, ensure_jars
from gateway.embedded.resources import cache_folder, kafka_folder

cache = cache_folder(os.environ)
lock = kafka_folder() / "jgo.lock.toml"
jars = ensure_jars(lock, cache, fetch=JgoFetch(), report=print)
shutil.copytree(jars[0].parent, Path(sys.argv[1]) / jars[0].parent.relative_to(cache))
PYTHON
cp deploy/Containerfile deploy/containers/{healthy.sh,issue-certificates.py} \
  deploy/containers/{start-kafka.py,start-postgres.sh} "$OUT"
