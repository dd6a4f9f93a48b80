#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Training with BackupAndRestore is ended by SIGKILL again and again until it comes to its end, many times over: alone
# and under mpirun, one rank or the whole job, with backups after every step or every epoch. Each time it has to end with
# the weights of a run that nobody disturbed. STRATA_KILLS says how many kills there are at least (default 300).
set -euo pipefail
: "${STRATA_BIN:?}"

program=$STRATA_BIN/tests/backup_run
wanted=${STRATA_KILLS:-300}
[[ -x $program ]] || { printf '%s is not built\n' "$program"; exit 77; }
export OMP_NUM_THREADS=1

work=$(mktemp -d)
job=
clean() {
  if [[ -n $job ]]; then kill -KILL -- "-$job" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap clean EXIT

# launch RANKS SAVE_FREQ [RANK MICROSECONDS]: in a group of its own; output in $work/output.
launch() {
  local ranks=$1
  shift
  local command=("$program" "$work/backup" "$@")
  ((ranks == 1)) || command=(mpirun -np "$ranks" --oversubscribe --bind-to none "${command[@]}")
  setsid "${command[@]}" </dev/null >"$work/output" 2>"$work/errors" &
  job=$!
}

# The hash of the weights, once a run has ended by itself; nothing otherwise.
hash_of_output() { grep -oE '^[0-9a-f]{16} ' "$work/output" || true; }

# finish: waits for the job; whatever is left of it goes.
finish() {
  wait "$job" 2>/dev/null || true
  kill -KILL -- "-$job" 2>/dev/null || true
  job=
}

kills=0 runs=0
# disturb RANKS SAVE_FREQ WHO: kills until a run comes to its end. WHO is rank (by itself, soon after training began) or
# job (from outside, at any time since it started).
disturb() {
  local ranks=$1 save_freq=$2 who=$3 expected seconds hash='' begin
  begin=$(date +%s%N)
  launch "$ranks" "$save_freq"
  finish
  seconds=$(($(date +%s%N) - begin))
  expected=$(hash_of_output)
  [[ -n $expected ]] || { cat "$work/errors"; printf 'an undisturbed run on %d ranks failed\n' "$ranks"; exit 1; }
  while [[ -z $hash ]]; do
    if [[ $who == rank ]]; then
      launch "$ranks" "$save_freq" $((RANDOM % ranks)) $((1 + RANDOM * 10 % 200000))
    else
      launch "$ranks" "$save_freq"
      sleep "$(awk -v ns="$seconds" -v part=$RANDOM 'BEGIN { printf "%.4f", ns / 1e9 * part / 32768 * 1.1 }')"
      kill -KILL -- "-$job" 2>/dev/null || true
      pkill -KILL -s "$job" 2>/dev/null || true
    fi
    finish
    hash=$(hash_of_output)
    if [[ -z $hash ]]; then
      ((++kills))
      if grep -q "^$work/backup" "$work/errors"; then
        cat "$work/errors"
        printf 'a backup could not be continued after %d kills\n' "$kills"
        exit 1
      fi
    fi
  done
  ((++runs))
  [[ $hash == "$expected" ]] || { printf '%d ranks, %s: %s instead of %s\n' "$ranks" "$who" "$hash" "$expected"; exit 1; }
  [[ ! -e $work/backup ]] || { printf 'a backup is left after the end\n'; exit 1; }
}

kinds=("1 1 rank" "1 1 job" "1 0 rank" "1 7 rank")
if command -v mpirun >/dev/null; then kinds+=("2 1 rank" "2 1 job" "3 5 rank"); fi
while ((kills < wanted)); do
  for kind in "${kinds[@]}"; do
    # shellcheck disable=SC2086  # three words
    disturb $kind
  done
done
printf '%d kills in %d runs, each of which ended with the weights of an undisturbed one\n' $kills $runs
