#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checkpoints on a file system that is full, and on one that can only be read (both are real ones, in memory, mounted for
# this script alone). Training ends with an error that names the file and the cause, the last complete checkpoint stays
# whole, and as soon as there is room the run goes on from it and ends with the bits of one that nothing disturbed.
set -euo pipefail
: "${STRATA_BIN:?}" "${STRATA_DATA:?}"

if [[ ${1:-} != mounted ]]; then
  if ! reason=$(unshare --mount true 2>&1); then
    printf 'a file system cannot be mounted here: %s\n' "$reason"
    exit 77
  fi
  exec unshare --mount --propagation private "$0" mounted
fi
work=$(mktemp -d)
disk=$work/disk
clean() {
  umount "$disk" 2>/dev/null || true
  rm -rf "$work"
}
trap clean EXIT
mkdir "$disk"
mount -t tmpfs -o size=64m tmpfs "$disk" || { printf 'no tmpfs can be mounted\n'; exit 77; }

fail() {
  cat "$work/output" 2>/dev/null || true
  printf '%s\n' "$*"
  exit 1
}

export OMP_NUM_THREADS=1
# train STEPS ARGUMENT...: a checkpoint every 10 steps; the output goes to $work/output.
train() {
  "$STRATA_BIN/mnist_mlp" --data "$STRATA_DATA" --max-steps "$1" --seed 3 --verbose 0 --json "$work/report.json" "${@:2}" \
    </dev/null >"$work/output" 2>&1
}
hash() { sed -nE 's/.*"weights_xxh64": *"([0-9a-f]+)".*/\1/p' "$work/report.json"; }
saving=(--checkpoint-dir "$disk/run" --checkpoint-every 10 --keep 3)
saved() { find "$disk/run" -name manifest.json -printf '%h\n' | sort | xargs -rn 1 basename; }

# fails_with CAUSE: training to step 100 does, with an error that names a file of the checkpoints.
fails_with() {
  local status=0
  train 100 "${saving[@]}" || status=$?
  ((status == 1)) || fail "training ended with $status; expected 1, an error: $1"
  grep -q "$disk/run.*$1" "$work/output" || fail "the error does not name a file in $disk/run and the cause: $1"
  newest=$(saved | tail -n 1)
  [[ -n $newest ]] || fail 'no checkpoint is left'
  "$STRATA_BIN/checkpoint" verify "$disk/run/$newest" >"$work/output" || fail "$newest is not whole"
}

train 100
expected=$(hash)
train 10 "${saving[@]}" || fail 'the first run failed'
kilobytes=$(du -sk "$disk/run" | cut -f 1)
mount -o "remount,size=$((kilobytes * 5 / 2))k" "$disk"
fails_with 'No space left on device'
full=$newest
mount -o remount,ro "$disk"
fails_with 'Read-only file system'
[[ $newest == "$full" ]] || fail "the newest checkpoint was $full, on a file system that can only be read it is $newest"
mount -o remount,rw,size=64m "$disk"
train 100 "${saving[@]}" || fail 'with room again, the run does not go on'
grep -q '"resumed_steps": *[1-9]' "$work/report.json" || fail 'with room again, the run began anew'
[[ $(hash) == "$expected" ]] || fail "with room again, the run ended with other bits: $(hash), expected $expected"
printf 'full after %s, then read-only, then with room again: the bits of an undisturbed run (%s)\n' "$full" "$expected"
