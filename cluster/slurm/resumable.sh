#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by the batch scripts beside it, after their values of the site: a job that is told to stop, or loses a node, goes
# back into the queue and trains on from its last checkpoint.
: "${strata:?the project}" "${launcher:?srun or mpirun}" "${ranks:?ranks on each node}"
: "${checkpoints:?a directory that all nodes see}" "${every:?steps from one checkpoint to the next}" "${save_before:?seconds to save in}"
: "${most_starts:?how often the job may begin}"
# shellcheck source=cluster/launch.sh
source "$strata/cluster/launch.sh"
launch_passes_on=(USR1) launch_remembers=(TERM)

# The checkpoints that are whole: each has a manifest, which is written last.
whole_checkpoints() { find "$checkpoints" -mindepth 2 -maxdepth 2 -name manifest.json -printf '%T@ %P\n' | sort; }

# Puts this job back into the queue, unless it has begun often enough; Slurm ends what is left of it.
requeue() {
  local starts=$((${SLURM_RESTART_COUNT:-0} + 1))
  if ((starts >= most_starts)); then
    printf 'job %s: %s, after start %d of at most %d; another job with its checkpoints, %s, trains on\n' \
      "$SLURM_JOB_ID" "$1" $starts "$most_starts" "$checkpoints"
    return
  fi
  printf 'job %s: %s; back into the queue for start %d\n' "$SLURM_JOB_ID" "$1" $((starts + 1))
  scontrol requeue "$SLURM_JOB_ID"
}

# Returns at once when all nodes of the job answer. Otherwise Slurm gives the dead one up after SlurmdTimeout, and puts the job
# back into the queue by itself, which ends this script. A job that is requeued earlier would hang there: Slurm 22.05 holds it
# with the reason BadConstraints as soon as it sees that one of the nodes that the job is leaving is down.
let_slurm_see_dead_nodes() {
  local timeout
  if timeout 30 srun --overlap --mpi=none --nodes="$SLURM_JOB_NUM_NODES" --ntasks="$SLURM_JOB_NUM_NODES" true; then return; fi
  timeout=$(scontrol show config | sed -nE 's/^SlurmdTimeout *= ([0-9]+).*/\1/p')
  printf 'job %s: a node does not answer; waiting for Slurm to give it up\n' "$SLURM_JOB_ID"
  sleep $((${timeout:-300} + 60))
}

# on_all_nodes COMMAND...: what launch returns. The job has its nodes to itself, and Slurm's number of tasks is that of the
# fewest nodes it might have got. After scancel, mpirun leaves the ranks alone for save_before seconds, as Slurm itself does
# for KillWait. THREADS: of each rank, to be set to its cores where Slurm counts hardware threads. SRUN_MPI: one of
# srun --mpi=list; pmix is Open MPI's, MPICH and Intel MPI mostly take pmi2.
on_all_nodes() {
  local threads=${THREADS:-$((SLURM_CPUS_ON_NODE / ranks))}
  ((threads > 0)) || threads=1
  export OMP_NUM_THREADS=$threads
  case $launcher in
    srun)
      launch srun --mpi="${SRUN_MPI:-pmix}" --nodes="$SLURM_JOB_NUM_NODES" --ntasks=$((SLURM_JOB_NUM_NODES * ranks)) \
        --ntasks-per-node="$ranks" --cpus-per-task="$threads" --kill-on-bad-exit=1 "$@"
      ;;
    mpirun) launch mpirun --map-by "ppr:$ranks:node:PE=$threads" --mca odls_base_sigkill_timeout "$save_before" "$@" ;;
    *)
      printf 'launcher: expected srun or mpirun, received "%s"\n' "$launcher" >&2
      exit 2
      ;;
  esac
}

# train_resumably PROGRAM OPTION...: runs it with the options of checkpoints, and ends the script.
# - Told to stop by SIGUSR1 (the warning before the time limit), or the ranks ended with 85: requeued.
# - SIGTERM is Slurm's: scancel, preemption, scontrol requeue. Slurm has told the ranks itself, and requeues where it should.
# - A node is dead: requeued by Slurm.
# - Another error: requeued if there are checkpoints that were not there before; one that comes again at once ends the job.
train_resumably() {
  local status=0 before
  mkdir -p "$checkpoints"
  before=$(whole_checkpoints)
  on_all_nodes "$@" --checkpoint-dir "$checkpoints" --checkpoint-every "$every" --save-before "$save_before" --resume auto ||
    status=$?
  printf 'job %s: the ranks ended with %d\n' "$SLURM_JOB_ID" "$status"
  if launch_remembers_one || ((status == 0)); then
    exit "$status"
  elif launch_was_told || ((status == 85)); then
    requeue "told to stop"
    exit "$status"
  fi
  let_slurm_see_dead_nodes
  if [[ $(whole_checkpoints) != "$before" ]]; then
    requeue "an error, after new checkpoints"
  else
    printf 'job %s: an error, and no checkpoint since its start: not tried again\n' "$SLURM_JOB_ID"
  fi
  exit "$status"
}
