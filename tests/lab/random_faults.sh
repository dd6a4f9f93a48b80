#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Training on 4 ranks, threads and processes, is disturbed at random times: ranks are late, throw, are stopped for a while or
# for good, or killed. Every run has to end with the right weights or with an error on every rank that is left, in time.
# STRATA_FAULTS says how many faults there are at least (default 400: some minutes; LAB_TIMEOUT=3600
# leaves time for thousands), STRATA_FAULTS_SEED which ones.
set -euo pipefail
: "${STRATA_BIN:?}"

program=$STRATA_BIN/tests/random_faults
[[ -x $program ]] || { printf '%s is not built\n' "$program"; exit 77; }
command -v mpirun >/dev/null || { printf 'mpirun is not installed\n'; exit 77; }

arguments=("${STRATA_FAULTS:-400}")
if [[ -n ${STRATA_FAULTS_SEED:-} ]]; then arguments+=("$STRATA_FAULTS_SEED"); fi
"$program" "${arguments[@]}"
printf '%d faults, and every run ended as it has to\n' "${arguments[0]}"
