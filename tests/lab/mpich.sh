#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Another MPI library: Strata is built against MPICH, whose binary interface is that of Intel, Cray and MVAPICH, into
# build/mpich. Its tests of communication pass under MPICH's mpiexec, and a training run on three ranks ends with the
# bits of the same run over the MPI that STRATA_BIN was built with. The first run compiles for many minutes (LAB_TIMEOUT
# says how many seconds it may take); what it has compiled is kept.
set -euo pipefail
: "${STRATA_BIN:?}" "${STRATA_DATA:?}"
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

compiler=$(command -v mpicxx.mpich) || { printf 'mpicxx.mpich is not installed (Debian: libmpich-dev)\n'; exit 77; }
launcher=$(command -v mpiexec.mpich) || { printf 'mpiexec.mpich is not installed (Debian: mpich)\n'; exit 77; }
command -v mpirun >/dev/null || { printf 'mpirun is not installed\n'; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

build=build/mpich
if [[ ! -f $build/build.ninja ]]; then
  cmake -S . -B $build -G Ninja -DMPI_CXX_COMPILER="$compiler" -DMPIEXEC_EXECUTABLE="$launcher" -DSTRATA_BENCHMARKS=OFF
fi
flock $build ninja -C $build -j "${STRATA_JOBS:-$(nproc)}" distributed_test mpi_cases mpi_embedded mnist_mlp
if ! ldd $build/bin/tests/mpi_cases | grep -q libmpich; then
  printf '%s/bin/tests/mpi_cases is not linked with MPICH\n' $build
  exit 1
fi

OMP_NUM_THREADS=1 $build/bin/distributed_test --gtest_brief=1 | tee "$work/tests"
passed=$(sed -nE 's/^\[  PASSED  \] ([0-9]+) tests?\.$/\1/p' "$work/tests")
if [[ -z $passed ]] || grep -q SKIPPED "$work/tests"; then
  printf 'distributed_test did not pass every test\n'
  exit 1
fi

# train LAUNCHER... DIRECTORY_OF_PROGRAMS: prints the hash of the weights after some steps on three ranks.
train() {
  local bin=${*: -1}
  OMP_NUM_THREADS=1 "${@:1:$#-1}" "$bin/mnist_mlp" --data "$STRATA_DATA" --max-steps 50 --blocks 5 --seed 3 --verbose 0 \
    --json "$work/report.json" </dev/null >&2
  sed -nE 's/.*"weights_xxh64": *"([0-9a-f]+)".*/\1/p' "$work/report.json"
}
other=$(train mpirun -np 3 --oversubscribe --bind-to none "$STRATA_BIN")
mpich=$(train "$launcher" -np 3 "$PWD/$build/bin")
if [[ -z $mpich || $mpich != "$other" ]]; then
  printf 'weights_xxh64: %s over MPICH, %s over the other MPI\n' "$mpich" "$other"
  exit 1
fi
printf '%s tests passed over MPICH; 50 steps on 3 ranks end with weights_xxh64 %s, as over the other MPI\n' "$passed" "$mpich"
