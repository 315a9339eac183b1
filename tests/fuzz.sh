#!/usr/bin/env bash
# Coverage-guided fuzzing of one target: tests/fuzz.sh TARGET SECONDS [FOLDER]
# The folder (artifacts/fuzz by default) keeps the instrumented program and what was found: a second run goes on where the first ended.
# Inputs that crashed or hung are copied into the target's seeds, so that dotnet test is red until they are understood.
# Wants Debian's afl++. The targets: dotnet run --project tests/FastListener.Fuzz -- targets
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,5s/^# //p' "$0"; exit 2; }
target=$1 seconds=$2
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mkdir -p "${3:-$root/artifacts/fuzz}" && cd "${3:-$root/artifacts/fuzz}" && pwd)
seeds=$root/tests/FastListener.Fuzz/seeds/$target
program=$folder/program
out=$folder/$target
[ -d "$seeds" ] || { echo "There is no target $target." >&2; exit 2; }
command -v afl-fuzz >/dev/null || { echo "afl-fuzz is missing: install afl++." >&2; exit 2; }

if [ ! -e "$program/instrumented" ]; then
    dotnet publish "$root/tests/FastListener.Fuzz" -c Release -o "$program" -v q --nologo
    dotnet run --project "$root/tests/FastListener.Fuzz" -c Release --no-build -- instrument "$program"
    touch "$program/instrumented"
fi

# afl-fuzz instruments no .NET: SharpFuzz has done it, so the check of the binary would only mislead. The rest keeps afl-fuzz from
# asking the machine for a terminal, for cores of its own and for settings of the whole system.
export AFL_SKIP_BIN_CHECK=1 AFL_NO_UI=1 AFL_NO_AFFINITY=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_FAST_CAL=1
export DOTNET_TieredPGO=0 DOTNET_gcConcurrent=0
input=$seeds
[ -e "$out/default/fuzzer_stats" ] && input=-
afl-fuzz -i "$input" -o "$out" -x "$root/tests/FastListener.Fuzz/dictionaries/$target.dict" -t 5000 -m none -G 16384 -V "$seconds" \
    -- dotnet "$program/FastListener.Fuzz.dll" run "$target" > "$out.log" 2>&1 || { tail -20 "$out.log"; exit 1; }

stat() { sed -n "s/^$1 *: *//p" "$out/default/fuzzer_stats"; }
echo "$target: $(stat execs_done) executions, $(stat corpus_count) inputs in the corpus, $(stat saved_crashes) crashes, $(stat saved_hangs) hangs"
for finding in "$out"/default/crashes/id* "$out"/default/hangs/id*; do
    [ -e "$finding" ] || continue
    name=found-$(sha256sum "$finding" | cut -c1-12)
    [ -e "$seeds/$name" ] || { cp "$finding" "$seeds/$name"; echo "new: $seeds/$name"; }
done
