#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A job on three Slurm nodes (cluster/lab/slurm.sh) trains by cluster/slurm/train.sbatch and is preempted twice: by the warning
# before its time limit, then by a node that crashes. Each time it goes back into the queue by itself, goes on with the nodes
# that are left, and ends with the bits of an undisturbed run: started by srun, then by mpirun.
set -euo pipefail
: "${STRATA_BIN:?}" "${STRATA_DATA:?}"
project=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
slurm=$project/cluster/lab/slurm.sh

reason=$("$slurm" check 2>&1) || { printf '%s\n' "$reason"; exit 77; }
command -v mpirun >/dev/null || { printf 'mpirun is not installed\n'; exit 77; }
work=$(mktemp -d)
trap '"$slurm" down; rm -rf "$work"' EXIT

fail() {
  tail -n 60 "$work/output" 2>/dev/null || true
  "$slurm" run scontrol show job "$job" 2>/dev/null || true
  printf '%s\n' "$*"
  exit 1
}
weights() { sed -nE 's/.*"weights_xxh64": *"([0-9a-f]+)".*/\1/p' "$1"; }
# value NAME: of the job, as Slurm shows it.
value() { "$slurm" run scontrol --oneliner show job "$job" | sed -nE "s/.* $1=([^ ]*).*/\1/p"; }
# The number of times that the job was put back into the queue.
restarts() { value Restarts; }
# The step of the newest whole checkpoint.
saved() {
  find "$checkpoints" -name manifest.json 2>/dev/null | sed -E 's/.*step-0*([0-9]+).*/\1/' | sort -n | tail -n 1
}
# wait_for SECONDS WHAT COMMAND...: until the command says yes.
wait_for() {
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@"; do
    ((SECONDS < end)) || fail "$launcher: not within time: $what"
    sleep 0.2
  done
}
runs_again() { [[ $(restarts) -ge $1 && $(value JobState) == RUNNING ]]; }
saved_after() {
  local found
  found=$(saved)
  ((${found:-0} > $1))
}
ended() { [[ $(value JobState) =~ ^(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL)$ ]]; }

export OMP_NUM_THREADS=1
arguments=(--epochs 1000 --max-steps "${STRATA_SLURM_STEPS:-80000}" --batch-size 64 --seed 3 --verbose 2)
# preempted LAUNCHER: adds to the figures.
preempted() {
  launcher=$1 checkpoints=$work/checkpoints_$1
  local step=0 nodes
  "$slurm" up 3 1
  job=$(STRATA=$project PROGRAM=$STRATA_BIN/mnist_mlp DATA=$STRATA_DATA CHECKPOINTS=$checkpoints LAUNCHER=$1 \
    RANKS_PER_NODE=1 BLOCKS=4 EVERY=500 SAVE_BEFORE=2 "$slurm" run sbatch --parsable --nodes=2-3 --time=1 \
    --signal=B:USR1@30 --output="$work/output" "$project/cluster/slurm/train.sbatch" "${arguments[@]}" \
    --json "$work/$1.json")
  wait_for 120 "the requeue after the warning" runs_again 1
  grep -q 'the ranks ended with 85' "$work/output" || fail "$1: after the warning the ranks did not end with 85"
  step=$(saved)
  [[ -n $step ]] || fail "$1: the ranks ended with 85 without a checkpoint"
  # No second warning.
  "$slurm" run scontrol update jobid="$job" timelimit=30
  wait_for 60 "a checkpoint of the second start" saved_after "$step"
  nodes=$(value NumNodes)
  [[ $nodes == 3 ]] || fail "$1: the second start is on $nodes nodes; expected 3"
  "$slurm" crash 3
  step=$(saved)
  wait_for 120 "the requeue after the crash" runs_again 2
  nodes=$(value NumNodes)
  [[ $nodes == 2 ]] || fail "$1: after the crash it runs on $nodes nodes; expected the 2 that are left"
  wait_for 240 "the end" ended
  [[ $(value JobState) == COMPLETED ]] || fail "$1: the job ended as $(value JobState)"
  [[ $(weights "$work/$1.json") == "$expected" ]] || fail "$1: weights $(weights "$work/$1.json"); undisturbed: $expected"
  figures+="$1: crashed after step $step, ended on 2 nodes; "
  "$slurm" down
}

"$STRATA_BIN/mnist_mlp" --data "$STRATA_DATA" --blocks 4 "${arguments[@]}" --json "$work/undisturbed.json" >/dev/null
expected=$(weights "$work/undisturbed.json") figures='' job=
[[ -n $expected ]] || fail "the undisturbed run has no weights_xxh64"
preempted srun
preempted mpirun
printf '%sthe bits of an undisturbed run (%s) both times\n' "$figures" "$expected"
