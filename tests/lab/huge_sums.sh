#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sums and broadcasts of 2.5 GB, more than an int counts, through shared memory and in messages.
set -euo pipefail
: "${STRATA_BIN:?}"

program=$STRATA_BIN/tests/mpi_cases
[[ -x $program ]] || { echo 'mpi_cases is not built: there is no MPI'; exit 77; }
free=$(awk '$1 == "MemAvailable:" { print int($2 / 1024 / 1024) }' /proc/meminfo)
((free >= 8)) || { echo "8 GB of memory are needed, $free are free"; exit 77; }

export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1
for shared in 1 0; do
  STRATA_SHARED_MEMORY=$shared mpirun --oversubscribe --bind-to none -np 2 "$program" huge
done
echo 'sums and broadcasts of 2.5 GB on two ranks, through shared memory and in messages, are right'
