#!/usr/bin/env bash
# How start-up and the reading verbs grow with what is stored: fills one data directory with 20 KiB crashes of 12 attributes to 10,000, 100,000 and a million
# objects and measures at each step. A start must not read the packs: the bytes it read stand in the table.
#
#   load/growth.sh [MOST]      MOST objects at the end, default 1,000,000 (24 GB of disk, three to five minutes)
#
# Objects are rounded down to a multiple of 64, and each kill adds some. Each time is the median of five, in milliseconds, process start included. "after kill -9": the server was killed under load before.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
most=${1:-1000000}
work="$root/artifacts/growth"
build="$work/build"
data="$work/data"
token=10ad10ad10ad10ad10ad10ad10ad10ad10ad10ad10ad10ad10ad10ad10ad10ad
port=6197
rm -rf "$work"
mkdir -p "$data"
dotnet publish "$root/src/FastListener/FastListener.csproj" -c Release -o "$build/listener" --nologo -v quiet
dotnet publish "$root/load/FastListener.Load/FastListener.Load.csproj" -c Release -o "$build/load" --nologo -v quiet
fastlistener() { dotnet "$build/listener/fastlistener.dll" "$@" --data "$data"; }
fastlistener token add --project growth --token "$token" --capability error:post > "$work/token.out"

server= filling=
trap 'kill -9 $server $filling 2> /dev/null || true' EXIT
now() { date +%s%N; }
# Starts the server, leaves its process id in $server and the milliseconds to the first connection in $took.
start() {
    local began
    began=$(now)
    dotnet "$build/listener/fastlistener.dll" serve --data "$data" --http "127.0.0.1:$port" --https off > "$work/serve.out" 2>&1 &
    server=$!
    until (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; do
        kill -0 "$server" || { cat "$work/serve.out" >&2; exit 1; }
    done
    took=$((($(now) - began) / 1000000))
}
stop() { kill "-$1" "$server"; wait "$server" 2> /dev/null || true; server=; }
median() { sort -n | sed -n "$((($1 + 1) / 2))p"; }
load=("$build/load/fastlistener-load.dll" run keep-alive --url "http://127.0.0.1:$port" --token "$token" --seconds 900 --reports "$work/reports")
timed() {
    for _ in 1 2 3 4 5; do
        local began
        began=$(now)
        fastlistener "$@" > "$work/verb.out"
        echo $((($(now) - began) / 1000000))
    done | median 5
}

echo "| objects | catalog, MiB | packs, MiB | start | read by a start, MiB | start after kill -9 | \`list --limit 20\` | \`list --limit 20 --attribute K=V\` | \`list --attribute K=V\`, nothing found | \`show\` the first | \`--help\`, for comparison |"
echo "|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
stored=0
for target in 10000 100000 1000000; do
    [ "$target" -le "$most" ] || break
    start
    dotnet "${load[@]}" --requests $((target - stored)) > "$work/load.out" 2>&1
    stop TERM
    stored=$target
    start && stop TERM # what the fill left to the first start is not the next one's
    times=()
    read=0
    for _ in 1 2 3 4 5; do
        start
        times+=("$took")
        read=$(awk '/^rchar/ { printf "%.0f", $2 / 1048576 }' "/proc/$server/io")
        stop TERM
    done
    killed=()
    for _ in 1 2 3 4 5; do
        start
        dotnet "${load[@]}" --requests 10000000 > "$work/load.out" 2>&1 &
        filling=$!
        disown "$filling" # its end is no news
        before=$(du -sk "$data/packs" | cut -f1)
        until [ "$(du -sk "$data/packs" | cut -f1)" -gt "$((before + 2048))" ]; do kill -0 "$filling"; done # the kill shall hit it at work
        stop KILL
        kill -9 "$filling" 2> /dev/null || true
        filling=
        start
        killed+=("$took")
        stop TERM
    done
    printf '| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n' "$target" \
        "$(du -cm "$data"/catalog.db* | tail -1 | cut -f1)" "$(du -sm "$data/packs" | cut -f1)" \
        "$(printf '%s\n' "${times[@]}" | median 5)" "$read" "$(printf '%s\n' "${killed[@]}" | median 5)" \
        "$(timed list --limit 20)" "$(timed list --limit 20 --attribute prod=Electron)" "$(timed list --attribute prod=Nobody)" "$(timed show 1)" "$(timed list --help)"
done
fastlistener verify > "$work/verify.out" && tail -1 "$work/verify.out"
rm -rf "$work"
