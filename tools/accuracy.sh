#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Usage: tools/accuracy.sh DIRECTORY [RANKS...]: trains mnist_mlp for five epochs with each of five seeds, on each
# number of ranks (default: 1 2 3), and prints the test accuracies. DIRECTORY holds MNIST, with which the exit status
# is 1 when a median is below 0.965 or a run below 0.955; the Keras guide prints 0.969.
# STRATA_BIN: the directory of mnist_mlp.
set -euo pipefail

if (($# == 0)); then
  sed -nE '3,6s/^# ?//p' "$0" >&2
  exit 2
fi
data=$1
shift
ranks=("$@")
if ((${#ranks[@]} == 0)); then ranks=(1 2 3); fi
for count in "${ranks[@]}"; do
  if [[ ! $count =~ ^[1-9][0-9]*$ ]]; then
    printf 'accuracy.sh: expected a number of ranks, received "%s"\n' "$count" >&2
    exit 2
  fi
done
program=${STRATA_BIN:-$(dirname "${BASH_SOURCE[0]}")/../build/release/bin}/mnist_mlp
seeds=(0 1 2 3 4)
lowest_median=0.965 lowest_run=0.955

export OMP_NUM_THREADS=1
if ((EUID == 0)); then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
export OMPI_MCA_btl_vader_single_copy_mechanism=${OMPI_MCA_btl_vader_single_copy_mechanism:-none}
json=$(mktemp)
trap 'rm -f "$json"' EXIT

# accuracy RANKS SEED: the test accuracy of one run.
accuracy() {
  local launcher=() value
  if (($1 > 1)); then launcher=(mpirun -np "$1" --oversubscribe --bind-to none); fi
  timeout --kill-after=10 300 "${launcher[@]}" "$program" --data "$data" --epochs 5 --batch-size 64 --seed "$2" \
    --verbose 0 --json "$json" </dev/null || return
  value=$(sed -nE 's/^ *"test_accuracy": *([0-9.]+),?$/\1/p' "$json")
  [[ -n $value ]] || { printf 'accuracy.sh: no test_accuracy in the report\n' >&2; return 1; }
  printf '%s\n' "$value"
}

printf 'ranks'
printf '  seed %d' "${seeds[@]}"
printf '  median  lowest\n'
status=0
for count in "${ranks[@]}"; do
  values=()
  for seed in "${seeds[@]}"; do
    if ! value=$(accuracy "$count" "$seed"); then
      printf 'accuracy.sh: %d ranks, seed %d: the run failed\n' "$count" "$seed" >&2
      exit 1
    fi
    values+=("$value")
  done
  mapfile -t sorted < <(printf '%s\n' "${values[@]}" | LC_ALL=C sort -g)
  median=${sorted[${#sorted[@]} / 2]} lowest=${sorted[0]}
  printf '%5d' "$count"
  LC_ALL=C printf '  %6.4f' "${values[@]}" "$median" "$lowest"
  if awk -v m="$median" -v l="$lowest" "BEGIN { exit !(m >= $lowest_median && l >= $lowest_run) }"; then
    printf '\n'
  else
    printf '  too low: expected at least %s and %s\n' $lowest_median $lowest_run
    status=1
  fi
done
exit $status
