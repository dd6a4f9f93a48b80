#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by tests of jobs on the Slurm lab: $slurm is cluster/lab/slurm.sh, $work a directory of the test, $job the job that
# is looked at, and what_runs is put before failures.
: "${slurm:?cluster/lab/slurm.sh}" "${work:?a directory}"
job='' what_runs=''

fail() {
  tail -n 60 "$work"/output* 2>/dev/null || true
  [[ -z $job ]] || "$slurm" run scontrol show job "$job" 2>/dev/null || true
  printf '%s%s\n' "${what_runs:+$what_runs: }" "$*"
  exit 1
}
# member NAME FILE: a number or text of the JSON that an example reports.
member() { sed -nE "s/.*\"$1\": *\"?([0-9a-f]+)\"?.*/\\1/p" "$2" 2>/dev/null | head -n 1; }
# value NAME: of the job, as Slurm shows it.
value() { "$slurm" run scontrol --oneliner show job "$job" | sed -nE "s/.* $1=([^ ]*).*/\1/p"; }
# saved DIRECTORY: the step of its newest whole checkpoint, 0 without one.
saved() {
  local step
  step=$(find "$1" -name manifest.json 2>/dev/null | sed -E 's/.*step-0*([0-9]+).*/\1/' | sort -n | tail -n 1)
  printf '%d\n' "${step:-0}"
}
saved_after() { (($(saved "$1") > $2)); }
# wait_for SECONDS WHAT COMMAND...: until the command says yes.
wait_for() {
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@"; do
    ((SECONDS < end)) || fail "not within time: $what"
    sleep 0.2
  done
}
# Has the job begun once more, so many times?
began_again() { [[ $(value Restarts) -ge $1 && $(value JobState) =~ ^(RUNNING|COMPLETED)$ ]]; }
ended() { [[ $(value JobState) =~ ^(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL|PREEMPTED)$ ]]; }
# ends_as WEIGHTS JSON: waits for the end of the job, whose last start has to have gone on from a checkpoint to these weights.
ends_as() {
  local expected=$1 json=$2
  wait_for 240 "the end" ended
  [[ $(value JobState) == COMPLETED ]] || fail "the job ended as $(value JobState)"
  [[ $(member weights_xxh64 "$json") == "$expected" ]] ||
    fail "weights $(member weights_xxh64 "$json"); undisturbed: $expected"
  (($(member resumed_steps "$json") > 0)) || fail "the last start began anew"
}
# undisturbed NAME OPTION...: the weights that mnist_mlp ends with, alone.
undisturbed() {
  local json=$work/$1.json weights
  shift
  "$STRATA_BIN/mnist_mlp" --data "$STRATA_DATA" --blocks 4 "$@" --json "$json" >/dev/null
  weights=$(member weights_xxh64 "$json")
  [[ -n $weights ]] || fail "the undisturbed run has no weights_xxh64"
  printf '%s\n' "$weights"
}
