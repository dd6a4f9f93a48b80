#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Trains one epoch on 20 GB of pictures (a virtual data set over a small file), alone and on two ranks: equal bits, less
# than 500 MB of memory a rank, and each rank reads its part.
set -euo pipefail
: "${STRATA_BIN:?}"

for program in loader_run hdf5_pictures; do
  [[ -x $STRATA_BIN/tests/$program ]] || { echo "$program is not built: there is no HDF5"; exit 77; }
done
command -v mpirun >/dev/null || { echo 'there is no mpirun'; exit 77; }
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
gigabytes=${LARGE_DATA_GB:-20}
"$STRATA_BIN/tests/hdf5_pictures" "$directory" 128 "$gigabytes"

run() { "$@" "$STRATA_BIN/tests/loader_run" "$directory/large.h5" 2 1 256 1; }
run env >"$directory/alone"
run mpirun --oversubscribe --bind-to none -np 2 >"$directory/two"
cat "$directory/alone" "$directory/two"
awk -v total="$gigabytes" '
  { hash[$2] = 1; lines += 1; part = FNR == NR ? 1 : 0.5
    if ($10 >= 500000) { print "a rank took " $10 " kB of memory"; bad = 1 }
    for (i = 8; i <= 12; i += 4) if ($i > (part * 1.05 + 0.01) * total * 1e9) { print "a rank read " $i " bytes"; bad = 1 } }
  END { if (lines != 3) { print lines " ranks ended"; bad = 1 }
        if (length(hash) != 1) { print "the bits differ"; bad = 1 }
        if (bad) exit 1 }' "$directory/alone" "$directory/two"
echo "$gigabytes GB on one rank and on two: equal bits, below 500 MB a rank, each reads its part"
