#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Trains on the machines of a hostfile, over ssh; start it on the first of them. Ctrl-C, SIGTERM or SIGUSR1 make it save and
# end with 85; started again, on as many machines as you like, it trains on. Options of the program may follow:
#   cluster/mpirun/train.sh [OPTION...]
set -euo pipefail

# Values of the site; each may be given in the environment instead. All machines see the directories.
strata=${STRATA:-$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")} # the project, built
program=${PROGRAM:-$strata/build/release/bin/mnist_mlp}
data=${DATA:-$PWD/data}
checkpoints=${CHECKPOINTS:-$PWD/checkpoints}
hostfile=${HOSTFILE:-$strata/cluster/mpirun/hostfile}
ssh=${SSH:-ssh -o BatchMode=yes -o ConnectTimeout=5} # without a password, to machines whose keys are known
network=${NETWORK:-eth0}       # the interface, or its network as in 10.0.0.0/16, between the machines
ranks=${RANKS_PER_HOST:-2}     # one for each socket
threads=${THREADS:-8}          # cores of a rank; 0 = ranks are not bound to cores
blocks=${BLOCKS:-64}           # as many as there may ever be ranks, or more: equal bits on any number of machines
every=${EVERY:-500}            # steps from one checkpoint to the next
save_before=${SAVE_BEFORE:-30} # seconds to save in
deadline=${DEADLINE:-10}       # seconds that a rank waits for another, also in its first step

# A machine that says nothing is given up after 5 + 3 x 2 seconds (Open MPI's own values: 300 + 9 x 20), and a rank that waits
# for another after `deadline`. mpirun has a second before it kills: it takes four times that to end when a rank
# has failed, and has no need to kill ranks that save, since launch tells it to stop by SIGUSR1 only.
settings=(plm_rsh_agent="$ssh" btl_tcp_if_include="$network" oob_tcp_if_include="$network"
  oob_tcp_keepalive_time=5 oob_tcp_keepalive_intvl=2 oob_tcp_keepalive_probes=3 odls_base_sigkill_timeout=1)
place=(--map-by "ppr:$ranks:node:PE=$threads" --bind-to core)
if ((threads == 0)); then place=(--map-by "ppr:$ranks:node" --bind-to none); fi

# shellcheck source=cluster/launch.sh
source "$strata/cluster/launch.sh"
options=()
for setting in "${settings[@]}"; do options+=(--mca "${setting%%=*}" "${setting#*=}"); done
if ((threads > 0)); then export OMP_NUM_THREADS=$threads && options+=(-x OMP_NUM_THREADS); fi
# mpirun itself passes on only its own.
for name in LD_LIBRARY_PATH "${!STRATA_@}"; do
  if [[ -n ${!name:-} ]]; then options+=(-x "$name"); fi
done
status=0
launch mpirun --hostfile "$hostfile" "${place[@]}" "${options[@]}" "$program" --data "$data" --blocks "$blocks" \
  --deadline "$deadline" --checkpoint-dir "$checkpoints" --checkpoint-every "$every" --save-before "$save_before" \
  --resume auto "$@" || status=$?
if ((status == 85)); then printf 'told to stop, and saved in %s: start it again to train on\n' "$checkpoints"; fi
exit "$status"
