# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by scripts that end training with checkpoints by SIGKILL and start it again. The programs print a hash first in
# the line that is their last, and otherwise what fit prints with verbose = 2.
export OMP_NUM_THREADS=1
work=$(mktemp -d)
kills=0
job=
clean_kills() {
  if [[ -n $job ]]; then kill -KILL -- "-$job" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap clean_kills EXIT

fail() {
  cat "$work/output" "$work/errors" 2>/dev/null || true
  printf '%s\n' "$*"
  exit 1
}

# launch RANKS PROGRAM ARGUMENT...: in a session of its own; output in $work/output.
launch() {
  local ranks=$1
  shift
  local command=("$@")
  ((ranks == 1)) || command=(mpirun -np "$ranks" --oversubscribe --bind-to none "${command[@]}")
  killed_from_outside=false
  setsid "${command[@]}" </dev/null >"$work/output" 2>"$work/errors" &
  job=$!
}

# kill_job: every process of the job at once.
kill_job() {
  killed_from_outside=true
  pkill -KILL -s "$job" 2>/dev/null || true
}

# finish: waits for the job and sets job_status; whatever is left of it goes.
finish() {
  job_status=0
  wait "$job" 2>/dev/null || job_status=$?
  pkill -KILL -s "$job" 2>/dev/null || true
  job=
}

# pause SECONDS: a random part of them.
pause() { sleep "$(awk -v s="$1" -v part=$RANDOM 'BEGIN { printf "%.4f", s * part / 32768 }')"; }

# newest DIRECTORY: the step of its newest complete checkpoint, 0 when there is none.
newest() {
  local manifest step=0
  for manifest in "$1"/step-*/manifest.json; do
    if [[ $manifest =~ /step-0*([0-9]+)/manifest.json$ ]] && ((BASH_REMATCH[1] > step)); then step=${BASH_REMATCH[1]}; fi
  done
  printf '%s' "$step"
}

# check_start STEP: the last run went on from that step, if it came so far. Training anew ends in equal bits too, so that
# these do not tell whether a checkpoint was used.
check_start() {
  local from
  grep -q '^Train on ' "$work/output" || return 0
  from=$(sed -nE 's/.*(Continue|Nothing is left to do) after ([0-9]+) steps.*/\2/p' "$work/output")
  ((${from:-0} == $1)) || fail "a run went on from step ${from:-0}, the newest complete checkpoint was of step $1"
}

# count_kill DIRECTORY: of a run that did not come to its end. Nothing else may have ended it.
count_kill() {
  ((++kills))
  if grep -q "^$1" "$work/errors"; then fail "the checkpoints could not be continued after $kills kills"; fi
  if $killed_from_outside; then return; fi
  ((job_status == 137)) || grep -q 'signal 9' "$work/errors" || fail "a run ended with $job_status, and was not killed"
}
