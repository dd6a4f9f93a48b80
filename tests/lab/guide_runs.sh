#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The guide's examples at full length, on two ranks: toy_resnet for an epoch of Fashion-MNIST in the files of CIFAR-10, with
# table, picture and history, and ticket_router on tickets that follow a rule.
set -euo pipefail
: "${STRATA_BIN:?}" "${STRATA_DATA:?}"

command -v mpirun >/dev/null || { printf 'mpirun is not installed\n'; exit 77; }
command -v dot >/dev/null || { printf 'Graphviz (dot) is not installed\n'; exit 77; }
export OMP_NUM_THREADS=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { printf '%s\n' "$*"; exit 1; }
# on_two_ranks PROGRAM OPTION...
on_two_ranks() {
  local program=$STRATA_BIN/$1
  shift
  mpirun -np 2 --oversubscribe --bind-to none "$program" "$@" --verbose 2 --json "$work/report.json"
}
# value NAME: of the report; the last one of a list.
value() { python3 -c 'import json, sys; v = json.load(open(sys.argv[1])); v = {**v["history"], **v}[sys.argv[2]]
print(v[-1] if isinstance(v, list) else v)' "$work/report.json" "$1"; }
# at_least LIMIT NAME
at_least() { awk -v v="$(value "$2")" -v l="$1" 'BEGIN { exit !(v >= l) }' || fail "$2 is $(value "$2"), below $1"; }

"$STRATA_BIN/tests/fashion_to_cifar10" "$STRATA_DATA" "$work/cifar"
on_two_ranks toy_resnet --data "$work/cifar" --epochs 1 --batch-size 64 --seed 0 --optimizer nadam --blocks 2 \
  --plot "$work/resnet.png"
[[ $(head -c 4 "$work/resnet.png" | tail -c 3) == PNG ]] || fail "resnet.png is no picture"
at_least 0.80 val_acc
found="val_acc of toy_resnet $(value val_acc)"

on_two_ranks ticket_router --rule --epochs 20
at_least 0.95 test_priority_accuracy
at_least 0.95 test_department_accuracy
printf '%s; accuracies of tickets %s and %s\n' "$found" "$(value test_priority_accuracy)" "$(value test_department_accuracy)"
