#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checkpoints read with h5py by the code in io/checkpoint.md: tests/lab/checkpoint_files.py. Needs a Python that has h5py,
# named by STRATA_KERAS.
set -euo pipefail
: "${STRATA_BIN:?}"

python=${STRATA_KERAS:-python3}
"$python" -c 'import h5py' 2>/dev/null ||
  { printf 'no h5py in %s: set STRATA_KERAS to a Python that has tests/golden/requirements.txt\n' "$python"; exit 77; }
exec "$python" "$(dirname "${BASH_SOURCE[0]}")/checkpoint_files.py" "$STRATA_BIN"
