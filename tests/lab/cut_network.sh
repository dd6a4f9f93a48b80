#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The network between two hosts is cut while the recipe of cluster/mpirun trains on them over ssh: it ends in under 20 s, a
# rank says in a typed error whom it lost, and the run goes on from its checkpoint, on the one host that is left, to the bits
# of a run that nothing happened to.
set -euo pipefail
: "${STRATA_BIN:?}" "${STRATA_DATA:?}"
project=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
hosts=$project/cluster/lab/hosts.sh limit=20

reason=$("$hosts" check 2>&1) || { printf '%s\n' "$reason"; exit 77; }
for program in mpirun ssh sshd ssh-keygen; do
  command -v $program >/dev/null || { printf '%s is not installed\n' $program; exit 77; }
done
work=$(mktemp -d)
trap '"$hosts" down; rm -rf "$work"' EXIT

fail() {
  cat "$work/output" 2>/dev/null || true
  printf '%s\n' "$*"
  exit 1
}
weights() { sed -nE 's/.*"weights_xxh64": *"([0-9a-f]+)".*/\1/p' "$1"; }
# The last whole checkpoints, one a line.
manifests() { find "$work/checkpoints" -name manifest.json -printf '%P\n' 2>/dev/null | sort; }

arguments=(--epochs 100 --max-steps "${STRATA_CUT_STEPS:-6000}" --batch-size 64 --seed 3 --verbose 2)
export OMP_NUM_THREADS=1
"$STRATA_BIN/mnist_mlp" --data "$STRATA_DATA" --blocks 4 "${arguments[@]}" --json "$work/undisturbed.json" >/dev/null

"$hosts" up 2 1gbit
SSH="ssh -F $("$hosts" ssh)"
export STRATA=$project PROGRAM=$STRATA_BIN/mnist_mlp DATA=$STRATA_DATA CHECKPOINTS=$work/checkpoints SSH
export RANKS_PER_HOST=1 THREADS=0 BLOCKS=4 EVERY=100 OMPI_MCA_mpi_yield_when_idle=1
# train HOSTS: the recipe on host1, over so many hosts.
train() {
  for ((i = 1; i <= $1; ++i)); do printf 'host%d slots=1\n' $i; done >"$work/hostfile"
  HOSTFILE=$work/hostfile exec "$hosts" on 1 "$project/cluster/mpirun/train.sh" "${arguments[@]}" --json "$work/run.json"
}

train 2 </dev/null >"$work/output" 2>&1 &
job=$!
for ((i = 0; i < 600; ++i)); do
  if (($(manifests | wc -l) >= 2)); then break; fi
  kill -0 $job 2>/dev/null || fail "the job ended before its second checkpoint"
  sleep 0.1
done
"$hosts" cut 2
begin=$(date +%s%N) status=0
wait $job || status=$?
seconds=$(awk -v ns=$(($(date +%s%N) - begin)) 'BEGIN { printf "%.1f", ns / 1e9 }')
((status != 0 && status != 85)) || fail "the recipe ended with $status although the network was cut"
awk "BEGIN { exit !($seconds < $limit) }" || fail "it took $seconds s to end after the cut; expected less than $limit"
error=$(grep -m1 -E '^rank 0 .*rank 1\b' "$work/output") || fail "rank 0 did not name rank 1 in an error"
found=$(manifests | tail -n 1)
[[ -n $found ]] || fail "no whole checkpoint was left"

(train 1) </dev/null >"$work/output" 2>&1 || fail "the run did not go on from $found"
ended=$(weights "$work/run.json") expected=$(weights "$work/undisturbed.json")
(($(sed -nE 's/.*"resumed_steps": *([0-9]+).*/\1/p' "$work/run.json") > 0)) || fail "the run began anew, although there is $found"
[[ -n $ended && $ended == "$expected" ]] || fail "ended with weights ${ended:-none}; undisturbed ${expected:-none}"
printf '%s\n' "$error"
printf 'ended %s s after the cut with %d, went on from %s on one host, and has the bits of an undisturbed run (%s)\n' \
  "$seconds" "$status" "$(dirname "$found")" "$ended"
