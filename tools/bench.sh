#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Usage: tools/bench.sh [--setup]: times a training step, against PyTorch where its environment is present. --setup makes that
# environment in STRATA_TORCH (default: a directory in the user's cache), which downloads several gigabytes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

environment=${STRATA_TORCH:-${XDG_CACHE_HOME:-$HOME/.cache}/strata/torch}
if [[ ${1:-} == --setup ]]; then
  python3 -m venv "$environment"
  "$environment/bin/pip" install --quiet torch numpy
fi

torch=()
if "$environment/bin/python" -c 'import torch' 2>/dev/null; then
  torch=(--torch "$environment/bin/python" benchmarks/torch_mlp.py)
else
  printf 'bench: no PyTorch in %s: ./dev bench --setup makes it\n' "$environment"
fi
OMP_NUM_THREADS=1 build/release/bin/mlp_step "${torch[@]}" --json build/release/mlp_step.json
