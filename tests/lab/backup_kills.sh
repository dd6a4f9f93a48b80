#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Training with BackupAndRestore is ended by SIGKILL again and again until it comes to its end, many times over: alone
# and under mpirun, one rank or the whole job, with backups after every step or every epoch. Each time it has to go on from
# the newest backup, none of which may be lost, and has to end with the weights of a run that nobody disturbed. STRATA_KILLS
# says how many kills there are at least (default 300).
set -euo pipefail
: "${STRATA_BIN:?}"

program=$STRATA_BIN/tests/backup_run
wanted=${STRATA_KILLS:-300}
[[ -x $program ]] || { printf '%s is not built\n' "$program"; exit 77; }
# shellcheck source=tests/lab/support/kills.sh
source "$(dirname "${BASH_SOURCE[0]}")/support/kills.sh"
backup=$work/backup

# start RANKS SAVE_FREQ [RANK MICROSECONDS]
start() { launch "$1" "$program" "$backup" "${@:2}"; }

# The hash of the weights, once a run has ended by itself; nothing otherwise.
hash_of_output() { grep -oE '^[0-9a-f]{16} ' "$work/output" || true; }

# start_and_kill RANKS SAVE_FREQ WHO SECONDS: WHO is rank (by itself, soon after training began) or job (from outside, at any
# time since it started).
start_and_kill() {
  if [[ $3 == rank ]]; then
    start "$1" "$2" $((RANDOM % $1)) $((1 + RANDOM * 10 % 200000))
  else
    start "$1" "$2"
    pause "$4"
    kill_job
  fi
}

# check_backups STEP: the newest backup is at least of that step, or all were removed, as they are once training is over.
check_backups() {
  (($(newest "$backup") >= $1)) || [[ -e $backup.over ]] || fail "the backup of step $1 is lost after $kills kills"
}

runs=0 resumed=0
# disturb RANKS SAVE_FREQ WHO: kills until a run comes to its end.
disturb() {
  local expected seconds hash='' begin before
  rm -f "$backup.over"
  begin=$(date +%s%N)
  start "$1" "$2"
  finish
  seconds=$(awk -v b="$begin" -v e="$(date +%s%N)" 'BEGIN { printf "%.3f", (e - b) / 1e9 * 1.1 }')
  expected=$(hash_of_output)
  [[ -n $expected ]] || fail "an undisturbed run on $1 ranks failed"
  while [[ -z $hash ]]; do
    rm -f "$backup.over"
    before=$(newest "$backup")
    start_and_kill "$@" "$seconds"
    finish
    check_start "$before"
    if ((before > 0)); then ((++resumed)); fi
    check_backups "$before"
    hash=$(hash_of_output)
    if [[ -z $hash ]]; then count_kill "$backup"; fi
  done
  ((++runs))
  [[ $hash == "$expected" ]] || fail "$1 ranks, $3: $hash instead of $expected"
  [[ ! -e $backup ]] || fail 'a backup is left after the end'
}

kinds=("1 1 rank" "1 1 job" "1 0 rank" "1 7 rank")
if command -v mpirun >/dev/null; then kinds+=("2 1 rank" "2 1 job" "3 5 rank"); fi
while ((kills < wanted)); do
  for kind in "${kinds[@]}"; do
    # shellcheck disable=SC2086  # three words
    disturb $kind
  done
done
printf '%d kills in %d runs; %d starts went on from a backup, the newest one: all ended with the weights of an undisturbed run\n' \
  "$kills" $runs $resumed
