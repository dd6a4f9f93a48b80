#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Model files between real tf.keras 2 and Strata, both ways: tests/lab/tf_keras_files.py for all its models. Needs a Python
# that has tests/golden/requirements.txt, named by STRATA_KERAS.
set -euo pipefail
: "${STRATA_BIN:?}"

python=${STRATA_KERAS:-python3}
"$python" -c 'import h5py, tf_keras' 2>/dev/null ||
  { printf 'no tf_keras in %s: set STRATA_KERAS to a Python that has tests/golden/requirements.txt\n' "$python"; exit 77; }
exec "$python" "$(dirname "${BASH_SOURCE[0]}")/tf_keras_files.py" "$STRATA_BIN/keras_file" 2>/dev/null
