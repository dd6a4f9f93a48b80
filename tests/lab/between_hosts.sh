#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Training between hosts with slow links (cluster/lab/hosts.sh): the sum of gradients takes little longer than its bytes need on
# the wire, training ends in the bits of one rank, communication hides behind computation, and a host that is cut off ends
# the others in time. Leaves its figures in build/lab/between_hosts.
set -euo pipefail
: "${STRATA_BIN:?}" "${STRATA_DATA:?}"

hosts=$(dirname "${BASH_SOURCE[0]}")/../../cluster/lab/hosts.sh
reason=$("$hosts" check 2>&1) || { printf '%s\n' "$reason"; exit 77; }
for program in mpi_allreduce overlap_step mnist_mlp; do
  [[ -x $STRATA_BIN/$program ]] || { printf '%s is not built\n' "$program"; exit 77; }
done

mbit=250 bytes=$((25 << 20)) least_of_bound=0.90 most_over_longer=1.15 deadline=3 slack=4
long_operations=(--layers 2 --width 2048 --batch 256)
export OMP_NUM_THREADS=1
work=$PWD/build/lab/between_hosts
mkdir -p "$work"
trap '"$hosts" down' EXIT

fail() {
  printf '%s\n' "$*"
  exit 1
}

# member FILE NAME: a number in a line of JSON.
member() { grep -oE "\"$2\": ?[-+0-9.e]+" "$1" | head -n 1 | sed -E 's/.*: ?//'; }
rounded() { printf '%.2f' "$(member "$@")"; }
holds() { awk "BEGIN { exit !($1) }"; }

# bandwidth HOSTS: the sum of 25 MB, one block a host, against what the links allow.
bandwidth() {
  local json=$work/bandwidth_$1.json
  "$hosts" up "$1" ${mbit}mbit
  "$hosts" run -np "$1" "$STRATA_BIN/mpi_allreduce" --bytes $bytes --mbit $mbit --rounds 5 --json "$json"
  figures+=" $1 hosts $(rounded "$json" of_bound) (MPI $(rounded "$json" mpi_of_bound)) of the bound;"
  holds "$(member "$json" of_bound) >= $least_of_bound" || failures+=" the sum on $1 hosts is below $least_of_bound;"
}

# The weights that training ends with, with the launcher that is given.
weights() {
  local json=$work/weights.json
  rm -f "$json"
  "$@" "$STRATA_BIN/mnist_mlp" --data "$STRATA_DATA" --max-steps 50 --epochs 1 --blocks 8 --batch-size 37 --verbose 0 \
    --json "$json" >&2
  sed -nE 's/.*"weights_xxh64": *"([0-9a-f]+)".*/\1/p' "$json"
}

# Limits the two hosts' link so that the sums of a step, measured alone, take as long as the backward pass, two thirds of the
# computation: what they take beyond their bytes on the wire (TCP, headers) is measured at a first guess.
calibrate() {
  local json=$work/calibration.json rate
  "$hosts" run -np 2 "$STRATA_BIN/overlap_step" --rounds 3 --json "$json"
  rate=$(awk -v bytes="$(member "$json" bytes)" -v seconds="$(member "$json" compute_seconds)" \
    'BEGIN { printf "%d", bytes * 8 / (seconds * 2 / 3) / 1e3 }')
  "$hosts" rate "${rate}kbit"
  "$hosts" run -np 2 "$STRATA_BIN/overlap_step" --rounds 3 --json "$json"
  rate=$(awk -v rate="$rate" -v sums="$(member "$json" communication_seconds)" -v compute="$(member "$json" compute_seconds)" \
    'BEGIN { printf "%d", rate * sums / (compute * 2 / 3) }')
  "$hosts" rate "${rate}kbit"
  printf 'links of %d kbit/s: ' "$rate"
}

overlap() {
  local json=$work/overlap.json
  "$hosts" up 2 0
  calibrate
  "$hosts" run -np 2 "$STRATA_BIN/overlap_step" --json "$json"
  figures+=" a step takes $(rounded "$json" step_over_longer) times the longer of computation and communication,"
  figures+=" without overlap $(rounded "$json" late_step_over_sum) times their sum;"
  holds "$(member "$json" step_over_longer) <= $most_over_longer" || failures+=" overlap is above $most_over_longer;"
  figures+=" with a communication thread $(with_thread);"
  "$hosts" run -np 2 "$STRATA_BIN/overlap_step" "${long_operations[@]}" --json "$json"
  figures+=" with few long operations $(rounded "$json" step_over_longer), and a thread $(with_thread "${long_operations[@]}");"
}

# with_thread [OPTION of overlap_step...]: the step over the longer, where a thread drives the messages.
with_thread() {
  local json=$work/overlap_thread.json
  "$hosts" run -x STRATA_COMMUNICATION_THREAD=1 -np 2 "$STRATA_BIN/overlap_step" "$@" --json "$json" >&2
  rounded "$json" step_over_longer
}

# A host vanishes in the middle of training: the others end by themselves, with an error that says so.
cut() {
  local job begin seconds output=$work/cut
  "$hosts" up 3 ${mbit}mbit
  STRATA_DEADLINE=$deadline setsid "$hosts" run --enable-recovery -np 3 "$STRATA_BIN/mnist_mlp" --data "$STRATA_DATA" \
    --epochs 100000 --verbose 2 </dev/null >"$output" 2>&1 &
  job=$!
  for ((i = 0; i < 600; ++i)); do
    if grep -qs ' - loss: ' "$output"; then break; fi
    kill -0 $job 2>/dev/null || { cat "$output"; fail "the job ended before its first epoch"; }
    sleep 0.1
  done
  "$hosts" cut 3
  begin=$(date +%s%N)
  until (($(grep -cE '^rank [01] ' "$output") >= 2)); do
    (($(date +%s%N) - begin < (deadline + slack) * 1000000000)) || { cat "$output"; fail "survivors of a cut hang"; }
    sleep 0.1
  done
  seconds=$(awk -v ns=$(($(date +%s%N) - begin)) 'BEGIN { printf "%.1f", ns / 1e9 }')
  grep -E '^rank [01] ' "$output"
  figures+=" survivors of a cut ended after $seconds s (deadline $deadline s)"
  for host in 1 2 3; do "$hosts" crash $host; done
  wait $job 2>/dev/null || true
}

figures='' failures=''
bandwidth 2
bandwidth 4
one=$(weights env)
four=$(weights "$hosts" run -np 4)
[[ -n $one && $one == "$four" ]] || fail "4 hosts ended with weights ${four:-none}, one rank with ${one:-none}"
overlap
cut
printf '%s\n' "4 hosts ended in the bits of one rank;$figures"
[[ -z $failures ]] || fail "$failures$figures"
