#!/usr/bin/env bash
# FastListener and its peers, side by side, from nothing: installs what is missing (Debian packages, busboy from npm), builds everything from
# this repository, runs all measurements in shuffled, interleaved rounds and writes one Markdown file: the README's performance section.
#
#   load/peers/run.sh                       the full comparison, five counted rounds (three of connections-*): hours, 60 GB of free disk
#   load/peers/run.sh --minutes 60          the same, but no measurement is begun after an hour
#   load/peers/run.sh --quick               proves the machinery in some minutes; its figures mean little
#   load/peers/run.sh --only large --rounds 9
#   load/peers/run.sh --only small-keep-alive --peers fastlistener aspnet-tuned aspnet-tuned-sdk
#
# Options: --quick, --rounds N, --seconds S, --warm-up S, --minutes N, --only MEASUREMENT..., --peers PEER..., --output FILE, --work DIR (data of
# all servers: put it on the disk to be measured), --no-install (fail instead of installing).
# Tuned ASP.NET Core peers run with FastListener's runtime settings; PEER-sdk is one with those of the Web SDK, and runs only when it is named.
# Servers listen on 127.0.0.1 only. Ctrl+C, SIGTERM, --minutes and a full disk leave a report of what was measured.
# Exit 0 when every step and read-back was right and every floor held, 1 when not, 2 for a wrong option, 130 when it was interrupted.
set -euo pipefail

shown="load/peers/run.sh${*:+ $*}"
root=$(cd "$(dirname "$0")/../.." && pwd)
build="$root/artifacts/peers/build"
work="$root/artifacts/peers/work"
output="$root/artifacts/peers/comparison.md"
install=yes
pass=()
while [ $# -gt 0 ]; do
    case "$1" in
        --no-install) install=no ;;
        --output) output=$(realpath -m "$2"); shift ;;
        --work) work=$(realpath -m "$2"); shift ;;
        --quick) pass+=(--quick --rounds 2 --seconds 2 --warm-up 1) ;;
        --rounds | --seconds | --warm-up)
            # The last one said wins: drop what --quick chose.
            kept=()
            for ((i = 0; i < ${#pass[@]}; i++)); do
                if [ "${pass[$i]}" = "$1" ]; then i=$((i + 1)); else kept+=("${pass[$i]}"); fi
            done
            pass=("${kept[@]+"${kept[@]}"}" "$1" "$2"); shift ;;
        *) pass+=("$1") ;;
    esac
    shift
done

missing=()
command -v gcc > /dev/null || missing+=(gcc libc6-dev)
command -v node > /dev/null || missing+=(nodejs)
command -v npm > /dev/null || missing+=(npm)
[ -x /usr/sbin/nginx ] || command -v nginx > /dev/null || missing+=(nginx-light)
if [ ${#missing[@]} -gt 0 ]; then
    if [ "$install" = no ]; then
        echo "Missing: ${missing[*]}" >&2
        exit 2
    fi
    sudo=$([ "$(id -u)" = 0 ] || echo sudo)
    $sudo apt-get update -qq
    (
        # A policy that starts nothing: Debian would start its own nginx on port 80. It goes with this subshell; left behind it would keep later packages' services down.
        if [ ! -e /usr/sbin/policy-rc.d ]; then
            trap '$sudo rm -f /usr/sbin/policy-rc.d' EXIT
            printf '#!/bin/sh\nexit 101\n' | $sudo install -m 755 /dev/stdin /usr/sbin/policy-rc.d
        fi
        DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq "${missing[@]}" > /dev/null
    )
fi

mkdir -p "$build/node" "$work"
"$root/load/peers/c/build.sh" "$build"
cp "$root/load/peers/node/package.json" "$root/load/peers/node/server.js" "$build/node/"
[ -d "$build/node/node_modules/busboy" ] || (cd "$build/node" && npm install --no-package-lock --no-audit --no-fund --silent)
dotnet publish "$root/load/peers/aspnet/FastListener.Peers.AspNet.csproj" -c Release -o "$build/aspnet" --nologo -v quiet
dotnet publish "$root/load/peers/allocations/FastListener.Peers.Allocations.csproj" -c Release -o "$build/allocations" --nologo -v quiet
dotnet publish "$root/load/peers/parse/FastListener.Peers.Parse.csproj" -c Release -o "$build/parse" --nologo -v quiet
dotnet publish "$root/src/FastListener/FastListener.csproj" -c Release -o "$build/fastlistener" --nologo -v quiet
dotnet publish "$root/load/FastListener.Load/FastListener.Load.csproj" -c Release -o "$build/load" --nologo -v quiet

ulimit -n "$(ulimit -Hn)"
cd "$root"
exec dotnet "$build/load/fastlistener-load.dll" compare --root "$root" --build "$build" --work "$work" --listener "$build/fastlistener/fastlistener.dll" \
    --output "$output" --command "$shown" "${pass[@]+"${pass[@]}"}"
