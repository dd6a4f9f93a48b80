#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Training with checkpoints (60 steps of 20 to 50 ms of a small residual network, one every 7 steps) is ended by SIGKILL
# again and again: one rank, all of them, or mpirun; at a random time, or before or after a file operation of a rank's
# writer. Each time it is started again on 1 to 4 ranks, and has to end with the weights and the history of a run that
# nobody disturbed. STRATA_KILLS says how many kills there are at least (default 300).
set -euo pipefail
: "${STRATA_BIN:?}"

program=$STRATA_BIN/tests/checkpoint_run
wanted=${STRATA_KILLS:-300}
pixels=${STRATA_PIXELS:-48}
[[ -x $program ]] || { printf '%s is not built\n' "$program"; exit 77; }
export OMP_NUM_THREADS=1
most=1
if command -v mpirun >/dev/null; then most=4; fi

work=$(mktemp -d)
job=
clean() {
  if [[ -n $job ]]; then kill -KILL -- "-$job" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap clean EXIT

# launch RANKS [RANK WHEN NUMBER]: in a session of its own; output in $work/output.
launch() {
  local ranks=$1
  shift
  local command=("$program" "$work/checkpoints" "$pixels" "$@")
  ((ranks == 1)) || command=(mpirun -np "$ranks" --oversubscribe --bind-to none "${command[@]}")
  setsid "${command[@]}" </dev/null >"$work/output" 2>"$work/errors" &
  job=$!
}

# What an undisturbed run prints but for its time; nothing otherwise.
hashes_of_output() { grep -oE '^[0-9a-f]{16} [0-9a-f]{16} ' "$work/output" || true; }

# finish: waits for the job; whatever is left of it goes.
finish() {
  wait "$job" 2>/dev/null || true
  pkill -KILL -s "$job" 2>/dev/null || true
  job=
}

# pause SECONDS PART: that part (of 32768) of the seconds.
pause() { sleep "$(awk -v s="$1" -v part="$2" 'BEGIN { printf "%.4f", s * part / 32768 }')"; }

begin=$(date +%s%N)
launch 1
finish
seconds=$(awk -v b="$begin" -v e="$(date +%s%N)" 'BEGIN { printf "%.3f", (e - b) / 1e9 }')
expected=$(hashes_of_output)
[[ -n $expected ]] || { cat "$work/errors"; printf 'an undisturbed run failed\n'; exit 1; }
step=$(awk '{ printf "%.1f", $3 / 59 * 1000 }' "$work/output")

kills=0 runs=0 resumed=0
while ((kills < wanted)); do
  rm -rf "$work/checkpoints"
  found=
  while [[ -z $found ]]; do
    ranks=$((1 + RANDOM % most))
    rank=$((RANDOM % 3 == 0 ? -1 : RANDOM % ranks))
    case $((RANDOM % 5)) in
      0) launch "$ranks" "$rank" time "$(((RANDOM * 32768 + RANDOM) % ((${seconds%.*} + 1) * 1000000)))" ;;
      1 | 2) launch "$ranks" "$rank" before $((RANDOM % 60)) ;;
      3) launch "$ranks" "$rank" after $((RANDOM % 60)) ;;
      4) # from outside: mpirun alone, or everything at once
        launch "$ranks"
        pause "$seconds" $RANDOM
        if ((RANDOM % 2 == 0)); then kill -KILL "$job" 2>/dev/null || true; fi
        pkill -KILL -s "$job" 2>/dev/null || true
        ;;
    esac
    finish
    found=$(hashes_of_output)
    if [[ -z $found ]]; then
      ((++kills))
      if [[ -n $(compgen -G "$work/checkpoints/step-*/manifest.json") ]]; then ((++resumed)); fi
      if grep -q "^$work/checkpoints" "$work/errors"; then
        cat "$work/errors"
        printf 'checkpoints could not be continued after %d kills\n' "$kills"
        exit 1
      fi
    fi
  done
  ((++runs))
  if [[ $found != "$expected" ]]; then
    printf '%s instead of %s after %d kills\n' "$found" "$expected" "$kills"
    exit 1
  fi
  [[ -z $(compgen -G "$work/checkpoints/*.damaged") ]] || { printf 'a checkpoint was damaged\n'; exit 1; }
done
printf '%d kills in %d runs of steps of %s ms, %d of them with a checkpoint to go on from: all ended as an undisturbed one\n' \
  $kills $runs "$step" $resumed
