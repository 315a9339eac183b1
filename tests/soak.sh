#!/usr/bin/env bash
# A soak: tests/soak.sh SECONDS [FOLDER]. Everything at once for so long (3600 is what is promised); memory, descriptors, threads and latency
# must stay flat, and every client be answered as it must. Leaves soak.csv and soak.svg in the folder (tests/soak by default), also while it runs.
# Stores about 2 MB/s below ${TMPDIR:-/tmp}.
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,4s/^# //p' "$0"; exit 2; }
export FASTLISTENER_SOAK_SECONDS=$1
cd "$(dirname "$0")/.."
export FASTLISTENER_SOAK_FOLDER="$(realpath -m "${2:-tests/soak}")"
dotnet build -c Release tests/FastListener.SystemTests
exec dotnet tests/FastListener.SystemTests/bin/Release/net10.0/FastListener.SystemTests.dll \
    -class FastListener.SystemTests.Abuse.SoakTests -showliveoutput
