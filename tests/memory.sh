#!/usr/bin/env bash
# Eight uploads of 1 GiB at once, raw and as forms: anonymous memory (RssAnon) must stay below 128 MiB.
# Needs about 9 GiB below ${TMPDIR:-/tmp}. The same test runs every day with 64 MiB.
#
#   tests/memory.sh [MiB per upload]
set -euo pipefail
cd "$(dirname "$0")/.."
export FASTLISTENER_MEMORY_MIB="${1:-1024}"
dotnet build -c Release tests/FastListener.SystemTests
exec dotnet tests/FastListener.SystemTests/bin/Release/net10.0/FastListener.SystemTests.dll \
    -class FastListener.SystemTests.Operations.MemoryTests -showliveoutput
