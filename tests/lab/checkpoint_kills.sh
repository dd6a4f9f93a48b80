#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Training with checkpoints (60 steps of 20 to 50 ms of a small residual network, one every 7 steps) is ended by SIGKILL
# again and again: one rank, all of them, or mpirun; at a random time, or before or after a file operation of a rank's
# writer. Each time it is started again on 1 to 4 ranks, has to go on from the newest complete checkpoint, none of which may
# be lost, and has to end with the weights and the history of a run that nobody disturbed. STRATA_KILLS says how many kills
# there are at least (default 300), STRATA_PIXELS how large the pictures are (default 48).
set -euo pipefail
: "${STRATA_BIN:?}"

program=$STRATA_BIN/tests/checkpoint_run
wanted=${STRATA_KILLS:-300}
pixels=${STRATA_PIXELS:-48}
[[ -x $program ]] || { printf '%s is not built\n' "$program"; exit 77; }
most=1
if command -v mpirun >/dev/null; then most=4; fi
# shellcheck source=tests/lab/support/kills.sh
source "$(dirname "${BASH_SOURCE[0]}")/support/kills.sh"
checkpoints=$work/checkpoints

# start RANKS [RANK WHEN NUMBER]
start() { launch "$1" "$program" "$checkpoints" "$pixels" "${@:2}"; }

# What an undisturbed run prints but for its time; nothing otherwise.
hashes_of_output() { grep -oE '^[0-9a-f]{16} [0-9a-f]{16} ' "$work/output" || true; }

# start_and_kill SECONDS: on some ranks, in some way; SECONDS is how long an undisturbed run takes.
start_and_kill() {
  local ranks=$((1 + RANDOM % most)) rank microseconds
  rank=$((RANDOM % 3 == 0 ? -1 : RANDOM % ranks))
  microseconds=$(awk -v s="$1" -v part=$RANDOM 'BEGIN { printf "%d", s * part / 32768 * 1e6 }')
  case $((RANDOM % 5)) in
    0) start "$ranks" "$rank" time "$microseconds" ;;
    1 | 2) start "$ranks" "$rank" before $((RANDOM % 120)) ;;
    3) start "$ranks" "$rank" after $((RANDOM % 120)) ;;
    4) # from outside: mpirun, or the one rank, before the rest; or everything at once
      start "$ranks"
      pause "$1"
      if ((RANDOM % 2 == 0)); then kill -KILL "$job" 2>/dev/null || true; fi
      kill_job
      ;;
  esac
}

begin=$(date +%s%N)
start 1
finish
seconds=$(awk -v b="$begin" -v e="$(date +%s%N)" 'BEGIN { printf "%.3f", (e - b) / 1e9 }')
expected=$(hashes_of_output)
[[ -n $expected ]] || fail 'an undisturbed run failed'
step=$(sed -nE 's/^[0-9a-f]{16} [0-9a-f]{16} //p' "$work/output" | awk '{ printf "%.1f", $1 / 59 * 1000 }')

runs=0 resumed=0
while ((kills < wanted)); do
  rm -rf "$checkpoints"
  found=
  while [[ -z $found ]]; do
    before=$(newest "$checkpoints")
    start_and_kill "$seconds"
    finish
    check_start "$before"
    if ((before > 0)); then ((++resumed)); fi
    (($(newest "$checkpoints") >= before)) || fail "the complete checkpoint of step $before is lost after $kills kills"
    found=$(hashes_of_output)
    if [[ -z $found ]]; then count_kill "$checkpoints"; fi
  done
  ((++runs))
  [[ $found == "$expected" ]] || fail "$found instead of $expected after $kills kills"
  [[ -z $(compgen -G "$checkpoints/*.damaged") ]] || fail 'a checkpoint was damaged'
done
printf '%d kills in %d runs of steps of %s ms; %d starts went on from a checkpoint, the newest one: all ended as an undisturbed run\n' \
  "$kills" $runs "$step" $resumed
