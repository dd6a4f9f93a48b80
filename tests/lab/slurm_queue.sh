#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the recipes of cluster/slurm do in a queue (cluster/lab/slurm.sh): the tasks of an array that are told to stop begin
# once more each and end with the bits of undisturbed runs; so does a job whose nodes Slurm gives to a more urgent one; a job
# begins at most MOST_STARTS times; and each rank of gpu.sbatch sees one GPU of its node, which no other rank there sees.
set -euo pipefail
: "${STRATA_BIN:?}" "${STRATA_DATA:?}"
project=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
slurm=$project/cluster/lab/slurm.sh

reason=$("$slurm" check 2>&1) || { printf '%s\n' "$reason"; exit 77; }
work=$(mktemp -d)
trap '"$slurm" down; rm -rf "$work"' EXIT
# shellcheck source=tests/lab/support/slurm_job.sh
source "$project/tests/lab/support/slurm_job.sh"

export OMP_NUM_THREADS=1
# What is the same for all recipes.
export STRATA=$project PROGRAM=$STRATA_BIN/mnist_mlp DATA=$STRATA_DATA RANKS_PER_NODE=1 BLOCKS=4 EVERY=500 SAVE_BEFORE=2
arguments=(--epochs 1000 --max-steps 20000 --seed 3 --verbose 2)

# submit RECIPE OPTION... -- OPTION of the program...: sets $job.
submit() {
  local recipe=$project/cluster/slurm/$1.sbatch options=()
  shift
  while [[ $1 != -- ]]; do
    options+=("$1")
    shift
  done
  shift
  job=$("$slurm" run sbatch --parsable --output="$work/output-%j" "${options[@]}" "$recipe" "$@")
}

# Two tasks at a time, each with a node; the trials 0 and 2.
array() {
  local tasks=(0 2) task whole expected=()
  what_runs=array
  expected[0]=$(undisturbed 0 --optimizer sgd --batch-size 64 "${arguments[@]}")
  expected[2]=$(undisturbed 2 --optimizer rmsprop --batch-size 64 "${arguments[@]}")
  RESULTS=$work/trials submit array --array=0,2%2 --time=10 -- "${arguments[@]}"
  whole=$job
  for task in "${tasks[@]}"; do
    wait_for 60 "checkpoints of task $task" saved_after "$work/trials/checkpoints-$task" 0
  done
  "$slurm" run scancel --batch --signal=USR1 "$whole"
  for task in "${tasks[@]}"; do
    job=${whole}_$task
    wait_for 60 "the requeue of task $task" began_again 1
    ends_as "${expected[$task]}" "$work/trials/trial-$task.json"
    [[ $(value Restarts) == 1 ]] || fail "task $task began $(($(value Restarts) + 1)) times after one signal"
  done
  figures+="tasks of an array went on; "
}

# The urgent job gets the nodes after the GraceTime at the latest.
preempted() {
  local expected urgent checkpoints=$work/preempted
  what_runs=preemption
  expected=$(undisturbed preempted --batch-size 64 "${arguments[@]}")
  CHECKPOINTS=$checkpoints submit train --nodes=2 --time=10 -- --batch-size 64 "${arguments[@]}" --json "$work/preempted.json"
  wait_for 60 "a checkpoint" saved_after "$checkpoints" 0
  urgent=$("$slurm" run sbatch --parsable --output=/dev/null --partition=urgent --nodes=2 --exclusive --time=1 --wrap "sleep 2")
  wait_for 60 "the requeue after the urgent job" began_again 1
  [[ $("$slurm" run scontrol --oneliner show job "$urgent") == *JobState=COMPLETED* ]] || fail "the urgent job did not get the nodes"
  grep -q 'Told to stop, training has saved' "$work/output-$job" || fail "it did not save when it was preempted"
  ends_as "$expected" "$work/preempted.json"
  figures+="a preempted job went on; "
}

limited() {
  local checkpoints=$work/limited
  what_runs=MOST_STARTS
  CHECKPOINTS=$checkpoints MOST_STARTS=1 submit train --nodes=1 --time=10 -- --epochs 100000 --verbose 2
  wait_for 60 "a checkpoint" saved_after "$checkpoints" 0
  "$slurm" run scancel --batch --signal=USR1 "$job"
  wait_for 60 "the end" ended
  [[ $(value ExitCode) == 85:0 && $(value Restarts) == 0 ]] ||
    fail "a job that may begin once ended with $(value ExitCode) after $(value Restarts) restarts"
  grep -q 'after start 1 of at most 1' "$work/output-$job" || fail "the job did not say that it may not begin again"
  figures+="MOST_STARTS=1 ended with 85; "
}

# The GPUs exist by name only: each rank says which it sees, and trains on the CPU.
gpus() {
  local program=$work/on_gpu seen
  what_runs=gpu
  # shellcheck disable=SC2016  # for the shell of the rank
  printf '#!/bin/sh\necho "$(hostname) sees GPU $CUDA_VISIBLE_DEVICES"\nexec "%s" "$@"\n' "$PROGRAM" >"$program"
  chmod +x "$program"
  "$slurm" down
  "$slurm" up 2 4 4
  PROGRAM=$program CHECKPOINTS=$work/gpus NETWORK=lo RANKS_PER_NODE=4 BLOCKS=8 submit gpu --nodes=2 --gpus-per-node=4 --time=10 -- \
    --epochs 1 --max-steps 600 --verbose 0
  wait_for 120 "the end" ended
  [[ $(value JobState) == COMPLETED ]] || fail "the job ended as $(value JobState)"
  seen=$(grep -E '^node[12] sees GPU [0-3]$' "$work/output-$job" | sort -u | wc -l)
  ((seen == 8)) || fail "8 ranks on two nodes see $seen different GPUs"
  figures+="eight ranks had a GPU each"
}

figures=''
"$slurm" up 2 1
array
preempted
limited
gpus
printf '%s\n' "$figures"
