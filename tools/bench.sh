#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Usage: tools/bench.sh [--setup]: times training steps (benchmarks/README.md), one of them against PyTorch where its
# environment is present. --setup makes that environment in STRATA_TORCH (default: a directory in the user's cache), which
# downloads several gigabytes.
#        tools/bench.sh bits [--quick] [MODEL...]: no times, but whether training ends in equal bits on any ranks; an hour or
# more, some minutes with --quick.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ ${1:-} == bits ]]; then
  shift
  exec build/release/bin/tests/bits_matrix "$@"
fi

case ${1:-} in
  '' | --setup) ;;
  *)
    printf 'bench: expected nothing, --setup or bits, received "%s"\n' "$1" >&2
    exit 2
    ;;
esac
environment=${STRATA_TORCH:-${XDG_CACHE_HOME:-$HOME/.cache}/strata/torch}
if [[ ${1:-} == --setup ]]; then
  python3 -m venv "$environment"
  "$environment/bin/pip" install --quiet torch numpy pillow
fi

torch=()
ddp=()
loader=()
if "$environment/bin/python" -c 'import torch, PIL' 2>/dev/null; then
  torch=(--torch "$environment/bin/python" benchmarks/torch_mlp.py)
  ddp=(--torch "$environment/bin/python" benchmarks/ddp_step.py)
  loader=(--torch "$environment/bin/python" benchmarks/torch_loader.py)
else
  printf 'bench: no PyTorch and Pillow in %s: ./dev bench --setup makes it\n' "$environment"
fi
export OMP_NUM_THREADS=1
build/release/bin/mlp_step "${torch[@]}" --json build/release/mlp_step.json
printf '\n== loader_step\n'
build/release/bin/loader_step "${loader[@]}" --json build/release/loader_step.json
for driver in conv_step recurrent_step optimizer_step embedding_step blocks_step; do
  printf '\n== %s\n' "$driver"
  "build/release/bin/$driver" --json "build/release/$driver.json"
done
if command -v mpirun >/dev/null; then
  for driver in embedding_step blocks_step mpi_allreduce; do
    printf '\n== %s on two ranks\n' "$driver"
    mpirun -np 2 "build/release/bin/$driver" --json "build/release/${driver}_2.json"
  done
  printf '\n== mpi_step on two ranks\n'
  mpirun -np 2 build/release/bin/mpi_step "${ddp[@]}" --json build/release/mpi_step.json
  # The system's Python: it has the matplotlib of the distribution, whichever Python comes first in PATH.
  if /usr/bin/python3 tools/plot_bench.py build/release build/release/bench.png; then
    printf '\nDrawn: build/release/bench.png\n'
  fi
fi
