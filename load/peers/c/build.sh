#!/bin/sh
# Builds the C programs into the directory given.
set -eu
here=$(dirname "$0")
mkdir -p "$1"
cc -O2 -Wall -Wextra -pthread -o "$1/receiver" "$here/receiver.c"
cc -O2 -Wall -Wextra -pthread -o "$1/log" "$here/log.c"
cc -O2 -Wall -Wextra -pthread -o "$1/batches" "$here/batches.c"
