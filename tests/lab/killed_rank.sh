#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A rank dies by SIGKILL in the middle of training. Under plain mpirun nothing is left of the job within 10 s. Where the
# launcher ends nobody (mpirun --enable-recovery), the survivors end by themselves with an error that names the dead rank.
set -euo pipefail
: "${STRATA_BIN:?}" "${STRATA_DATA:?}"

ranks=3 victim=1
# Survivors of --enable-recovery wait out the communicator's deadline first.
plain_limit=10 recovery_limit=${STRATA_RECOVERY_LIMIT:-60}
command -v mpirun >/dev/null || { printf 'mpirun is not installed\n'; exit 77; }

work=$(mktemp -d)
job=
clean() {
  if [[ -n $job ]]; then kill -KILL -- "-$job" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap clean EXIT

fail() {
  cat "$work/output" 2>/dev/null || true
  printf '%s\n' "$*"
  exit 1
}

now() { date +%s%N; }

# What each rank starts: leaves its process id in rank.N. The second kind also leaves the exit status in status.N.
# shellcheck disable=SC2016  # for the shells of the ranks
exec_rank='echo $$ >"$0/rank.$OMPI_COMM_WORLD_RANK"; exec "$@"'
# shellcheck disable=SC2016
watch_rank='"$@" & echo $! >"$0/rank.$OMPI_COMM_WORLD_RANK"; wait $!; echo $? >"$0/status.$OMPI_COMM_WORLD_RANK"'

# start SHELL_TEXT OPTION...: a job that is long enough to be killed; returns when it has trained for an epoch.
start() {
  local text=$1
  shift
  rm -f "$work"/output "$work"/rank.* "$work"/status.*
  OMP_NUM_THREADS=1 setsid mpirun -np $ranks --oversubscribe --bind-to none "$@" bash -c "$text" "$work" \
    "$STRATA_BIN/mnist_mlp" --data "$STRATA_DATA" --epochs 100000 --verbose 2 </dev/null >"$work/output" 2>&1 &
  job=$!
  for ((i = 0; i < 600; ++i)); do
    if grep -qs ' - loss: ' "$work/output"; then return; fi
    kill -0 "$job" 2>/dev/null || fail "the job ended before its first epoch"
    sleep 0.1
  done
  fail "no epoch within 60 s"
}

living_ranks() {
  local file pid living=()
  for file in "$work"/rank.*; do
    pid=$(<"$file")
    if [[ -r /proc/$pid/stat && $(awk '{print $3}' "/proc/$pid/stat" 2>/dev/null) != Z ]]; then living+=("${file##*.}"); fi
  done
  printf '%s' "${living[*]}"
}

# kill_victim LIMIT: sets seconds to the time until no rank lives.
kill_victim() {
  local begin
  begin=$(now)
  kill -KILL "$(<"$work/rank.$victim")"
  while [[ -n $(living_ranks) ]]; do
    if (($(now) - begin > $1 * 1000000000)); then fail "after $1 s these ranks still live: $(living_ranks)"; fi
    sleep 0.1
  done
  seconds=$(awk -v ns=$(($(now) - begin)) 'BEGIN { printf "%.1f", ns / 1e9 }')
  status=0
  wait "$job" || status=$?
  job=
}

start "$exec_rank"
kill_victim $plain_limit
((status != 0)) || fail "mpirun: exit status 0 although a rank was killed"
plain=$seconds

start "$watch_rank" --enable-recovery
kill_victim "$recovery_limit"
# mpirun's own status is 0 here, whatever the ranks returned.
for ((rank = 0; rank < ranks; ++rank)); do
  [[ -s $work/status.$rank && $(<"$work/status.$rank") != 0 ]] || fail "rank $rank did not end with a status other than 0"
done
# One line from each survivor; what mpirun itself says of the dead rank does not count.
survivors=$(grep -cE "^rank [0-9]+ .*rank $victim\b" "$work/output" || true)
((survivors == ranks - 1)) || fail "expected $((ranks - 1)) survivors to name rank $victim, received $survivors"
grep -E "^rank [0-9]+ .*rank $victim\b" "$work/output"
printf 'all gone %s s after the kill under mpirun, %s s under --enable-recovery, where survivors named rank %d\n' \
  "$plain" "$seconds" $victim
