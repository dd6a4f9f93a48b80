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

# shellcheck source=tests/lab/support/slurm_job.sh
source "$project/tests/lab/support/slurm_job.sh"

export OMP_NUM_THREADS=1
arguments=(--epochs 1000 --max-steps "${STRATA_SLURM_STEPS:-80000}" --batch-size 64 --seed 3 --verbose 2)
# preempted LAUNCHER: adds to the figures.
preempted() {
  local checkpoints=$work/checkpoints_$1 step nodes
  what_runs=$1
  "$slurm" up 3 1
  job=$(STRATA=$project PROGRAM=$STRATA_BIN/mnist_mlp DATA=$STRATA_DATA CHECKPOINTS=$checkpoints LAUNCHER=$1 \
    RANKS_PER_NODE=1 BLOCKS=4 EVERY=500 SAVE_BEFORE=2 "$slurm" run sbatch --parsable --nodes=2-3 --time=1 \
    --signal=B:USR1@30 --output="$work/output" "$project/cluster/slurm/train.sbatch" "${arguments[@]}" \
    --json "$work/$1.json")
  wait_for 120 "the requeue after the warning" began_again 1
  grep -q 'the ranks ended with 85' "$work/output" || fail "after the warning the ranks did not end with 85"
  step=$(saved "$checkpoints")
  ((step > 0)) || fail "the ranks ended with 85 without a checkpoint"
  # No second warning.
  "$slurm" run scontrol update jobid="$job" timelimit=30
  wait_for 60 "a checkpoint of the second start" saved_after "$checkpoints" "$step"
  nodes=$(value NumNodes)
  [[ $nodes == 3 ]] || fail "the second start is on $nodes nodes; expected 3"
  "$slurm" crash 3
  step=$(saved "$checkpoints")
  wait_for 120 "the requeue after the crash" began_again 2
  nodes=$(value NumNodes)
  [[ $nodes == 2 ]] || fail "after the crash it runs on $nodes nodes; expected the 2 that are left"
  ends_as "$expected" "$work/$1.json"
  figures+="$1: crashed after step $step, ended on 2 nodes; "
  "$slurm" down
}

expected=$(undisturbed undisturbed "${arguments[@]}") figures=''
preempted srun
preempted mpirun
printf '%sthe bits of an undisturbed run (%s) both times\n' "$figures" "$expected"
