#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Usage: tools/lab.sh [SCRIPT...]: runs the fault tests of tests/lab (all when none is named) with STRATA_BIN and STRATA_DATA
# set. A script exits with 0 when it passed, 77 when it cannot run here, anything else when it failed; its last line says why.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
: "${STRATA_BIN:?the directory of the programs}" "${STRATA_DATA:?the directory of the Fashion-MNIST files}"
export STRATA_BIN STRATA_DATA

scripts=("$@")
if ((${#scripts[@]} == 0)); then scripts=(tests/lab/*.sh); fi
logs=build/lab
mkdir -p "$logs"
failures=0
for script in "${scripts[@]}"; do
  name=$(basename "$script" .sh)
  status=0
  timeout --kill-after=10 "${LAB_TIMEOUT:-900}" "tests/lab/$name.sh" >"$logs/$name.log" 2>&1 </dev/null || status=$?
  case $status in
    0) result=PASSED ;;
    77) result=SKIPPED ;;
    *) result=FAILED failures=$((failures + 1)) ;;
  esac
  printf '%-7s %s: %s\n' "$result" "$name" "$(tail -n 1 "$logs/$name.log")"
  if [[ $result == FAILED ]]; then printf '        exit status %d; all of its output is in %s\n' "$status" "$logs/$name.log"; fi
done
exit $((failures > 0))
