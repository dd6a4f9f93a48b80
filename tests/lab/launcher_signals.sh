#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What mpirun, srun and scancel make of signals and of ranks that end with 85: the rows of the table in cluster/README.md on
# which the recipes rely. Ranks need 3 s to save.
set -euo pipefail
: "${STRATA_BIN:?}"
project=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
slurm=$project/cluster/lab/slurm.sh program=$STRATA_BIN/tests/mpi_signals

[[ -x $program ]] || { printf '%s is not built\n' "$program"; exit 77; }
command -v mpirun >/dev/null || { printf 'mpirun is not installed\n'; exit 77; }
reason=$("$slurm" check 2>&1) || { printf '%s\n' "$reason"; exit 77; }
work=$(mktemp -d)
trap '"$slurm" down; rm -rf "$work"' EXIT
failures='' cases=0

# begin: no rank has started yet.
begin() {
  rm -rf "$work/ranks" "$work/batch"
  mkdir "$work/ranks"
}
# all_started: returns when three ranks have, and catch signals.
all_started() {
  local i
  for ((i = 0; i < 300; ++i)); do
    if (($(grep -ls start "$work"/ranks/rank.* | wc -l) == 3)); then sleep 0.5 && return; fi
    sleep 0.1
  done
  printf 'three ranks did not start\n'
  exit 1
}
# expect WHAT STATUS yes|no RECEIVED_STATUS: and whether all ranks have saved.
expect() {
  local saved=no
  if (($(grep -l ' saved$' "$work"/ranks/rank.* | wc -l) == 3)); then saved=yes; fi
  printf '%s: status %s, saved: %s\n' "$1" "$4" "$saved"
  cases=$((cases + 1))
  [[ $2 == "$4" && $3 == "$saved" ]] || failures+=" $1: expected status $2, saved: $3; received $4, $saved;"
}

# direct SIGNAL STATUS SAVED OPTION...: a signal to mpirun on this machine.
direct() {
  local signal=$1 wanted=$2 saved=$3 job status=0
  shift 3
  begin
  setsid mpirun -np 3 --oversubscribe --bind-to none "$@" "$program" "$work/ranks" 3 </dev/null >"$work/output" 2>&1 &
  job=$!
  all_started
  kill "-$signal" "$job"
  wait "$job" || status=$?
  expect "$signal to mpirun $*" "$wanted" "$saved" $status
}

# in_job HOW STATUS SAVED COMMAND...: a batch job on three nodes; HOW is a signal to the launcher or the word scancel.
in_job() {
  local how=$1 wanted=$2 saved=$3 job over=
  shift 3
  begin
  printf '%s\n' '#!/usr/bin/env bash' "trap : TERM USR1; $* '$program' '$work/ranks' 3 & echo \$! >'$work/launcher'" \
    "status=0; wait \$! || status=\$?; while kill -0 \$! 2>/dev/null; do status=0; wait \$! || status=\$?; done" \
    "echo \$status >'$work/batch'; exit \$status" >"$work/job"
  job=$("$slurm" run sbatch --parsable --nodes=3 --exclusive --output="$work/output" "$work/job")
  all_started
  if [[ $how == scancel* ]]; then
    # shellcheck disable=SC2086  # words
    "$slurm" run $how "$job"
  else
    kill "-$how" "$(<"$work/launcher")"
  fi
  for ((i = 0; i < 300; ++i)); do
    if [[ -s $work/batch || $("$slurm" run squeue --noheader --jobs="$job" 2>/dev/null) == '' ]]; then over=yes && break; fi
    sleep 0.1
  done
  [[ -n $over ]] || { printf '%s, %s: the job does not end\n' "$how" "$*" && exit 1; }
  expect "$how, $*" "$wanted" "$saved" "$(cat "$work/batch" 2>/dev/null || printf killed)"
}

direct USR1 85 yes
direct TERM 1 no
direct INT 1 no
direct TERM 1 yes --mca odls_base_sigkill_timeout 5
"$slurm" up 3 1
in_job USR1 85 yes srun --mpi=pmix --ntasks=3
in_job TERM 137 no srun --mpi=pmix --ntasks=3
in_job 'scancel --signal=USR1' 85 yes srun --mpi=pmix --ntasks=3
in_job scancel 85 yes srun --mpi=pmix --ntasks=3 --kill-on-bad-exit=1
in_job USR1 85 yes mpirun --map-by ppr:1:node --bind-to none
in_job scancel 1 no mpirun --map-by ppr:1:node --bind-to none
in_job scancel killed yes mpirun --map-by ppr:1:node --bind-to none --mca odls_base_sigkill_timeout 8
printf '%d cases;%s\n' $cases "${failures:- all as cluster/README.md says}"
[[ -z $failures ]]
