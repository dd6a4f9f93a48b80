#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A Slurm cluster of several nodes on this machine: each node has a host name, /dev/shm and IPC of its own; they share the
# file system and the network. Needs root and the packages slurm-wlm and munge; nothing outside of STRATA_SLURM (default
# /tmp/strata-slurm) is changed, and no service of the system is used. Times are short, so that tests see in seconds what
# takes minutes elsewhere: a node that does not answer is given up after 10 s (Slurm's default: 300), a requeued job may
# start after 5 s (120), what outlives SIGTERM is killed after KillWait = 10 s (30).
set -euo pipefail

state=${STRATA_SLURM:-/tmp/strata-slurm}
# shellcheck source=cluster/lab/namespaces.sh
source "$(dirname "${BASH_SOURCE[0]}")/namespaces.sh"
namespaces=(--mount --uts --ipc)

usage() {
  cat <<'TEXT'
Usage: cluster/lab/slurm.sh COMMAND

  up N [CPUS [GPUS]]  makes node1 to nodeN with so many CPUs (default 2) and GPUs that exist by name only (default 0)
  run COMMAND...      runs a command of Slurm's on the cluster: run sbatch job.sbatch
  crash I             kills every process on node I, its slurmd too; start I brings it back
  down                ends the cluster and all that runs on it
  check               says why there can be no cluster here (exit status 1), or nothing
TEXT
}

# What programs of Slurm's and its jobs need to have in their environment.
cluster_environment() {
  export SLURM_CONF=$state/etc/slurm.conf OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  # More ranks than cores may poll: they give way.
  export OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_mpi_yield_when_idle=1
}

# configuration N CPUS GPUS: no cgroups, no system services. Nodes may claim more CPUs than there are.
configuration() {
  cat <<CONF
ClusterName=lab
SlurmctldHost=$(hostname)(127.0.0.1)
SlurmctldPort=16817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$state/munge.socket,cred_expire=5
StateSaveLocation=$state/controller
SlurmdSpoolDir=$state/%n
SlurmctldPidFile=$state/slurmctld.pid
SlurmdPidFile=$state/%n/pid
SlurmctldLogFile=$state/log.slurmctld
SlurmdLogFile=$state/log.slurmd.%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$state/jobs
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
MpiDefault=pmix
SwitchType=switch/none
JobRequeue=1
ReturnToService=2
SlurmdTimeout=10
InactiveLimit=0
KillWait=10
MessageTimeout=5
TCPTimeout=2
SlurmdParameters=config_overrides
GresTypes=gpu
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
CONF
  local i gres=
  (($3 == 0)) || gres="Gres=gpu:$3"
  for ((i = 1; i <= $1; ++i)); do
    printf 'NodeName=node%d NodeAddr=127.0.1.%d Port=%d CPUs=%d CoresPerSocket=%d RealMemory=2000 %s\n' \
      $i $i $((17000 + i)) "$2" "$2" "$gres"
  done
  # A job in the partition "urgent" takes the nodes of others, after their GraceTime.
  printf 'PartitionName=lab Nodes=node[1-%d] Default=YES MaxTime=INFINITE PriorityTier=1 GraceTime=10\n' "$1"
  printf 'PartitionName=urgent Nodes=node[1-%d] MaxTime=INFINITE PriorityTier=2 PreemptMode=OFF\n' "$1"
}

# configure N CPUS GPUS
configure() {
  local i
  mkdir -p "$state"/{etc,controller,pmix}
  printf '127.0.0.1 localhost %s\n' "$(hostname)" >"$state/hosts"
  for ((i = 1; i <= $1; ++i)); do
    mkdir "$state/node$i"
    printf '127.0.1.%d node%d\n' $i $i >>"$state/hosts"
  done
  configuration "$@" >"$state/etc/slurm.conf"
  # A node keeps what its ranks meet through in a directory that has the same name on all nodes.
  printf 'PMIxCliTmpDirBase=%s\n' "$state/pmix" >"$state/etc/mpi.conf"
  printf 'CgroupPlugin=autodetect\n' >"$state/etc/cgroup.conf"
  : >"$state/etc/gres.conf"
  (($3 == 0)) || printf 'Name=gpu File=/dev/tty[1-%d]\n' "$3" >"$state/etc/gres.conf"
  head -c 128 /dev/urandom >"$state/munge.key"
  chmod 400 "$state/munge.key"
}

# start I: slurmd of a node.
start() {
  nsenter --target "$(pid_of "node$1")" --mount --uts --ipc setsid slurmd -D -N "node$1" -f "$SLURM_CONF" \
    </dev/null >>"$state/log.node$1" 2>&1 &
}

up() {
  local n=$1 cpus=${2:-2} gpus=${3:-0} i
  check
  [[ ! -e $state/n ]] || down
  mkdir -p "$state"
  chmod 755 "$state"
  printf '%d\n' "$n" >"$state/n"
  configure "$n" "$cpus" "$gpus"
  cluster_environment
  munged --force --key-file="$state/munge.key" --socket="$state/munge.socket" --pid-file="$state/munged.pid" \
    --log-file="$state/log.munged" --seed-file="$state/munge.seed" >/dev/null 2>&1
  slurmctld -c -f "$SLURM_CONF"
  for ((i = 1; i <= n; ++i)); do
    # shellcheck disable=SC2016  # for the shell on the node
    keep "node$i" "${namespaces[@]}" -- 'hostname "node$1"; mount --bind "$2/hosts" /etc/hosts
      mount -t tmpfs none /dev/shm; mount -t tmpfs none "$2/pmix"' $i "$state"
    start $i
  done
  for ((i = 0; i < 200; ++i)); do
    if [[ $(sinfo --noheader --states=idle --format=%D 2>/dev/null) == "$n" ]]; then return; fi
    sleep 0.1
  done
  sinfo --Node --long >&2 || true
  die "the nodes did not come up: see $state/log.*"
}

# end DAEMON: by the number in its file, if it is still that program.
end() {
  local pid i
  pid=$(cat "$state/$1.pid" 2>/dev/null) || return 0
  [[ $(cat "/proc/$pid/comm" 2>/dev/null) == "$1" ]] || return 0
  kill "$pid"
  for ((i = 0; i < 20; ++i)); do
    if [[ ! -e /proc/$pid ]]; then return; fi
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
}

down() {
  [[ -s $state/n ]] || return 0
  local i nodes=()
  end slurmctld  # first: it would wait for the nodes
  for ((i = 1; i <= $(cat "$state/n"); ++i)); do nodes+=("node$i"); done
  end_all "${nodes[@]}"
  end munged
  rm -rf "$state"
}

check() {
  require_namespaces "${namespaces[@]}"
  local program
  for program in munged slurmctld slurmd sbatch srun; do
    command -v $program >/dev/null || die "$program is not installed (Debian: slurm-wlm, munge)"
  done
}

command=${1:-help}
shift || true
case $command in
  up | down | check) "$command" "$@" ;;
  run)
    cluster_environment
    "$@"
    ;;
  start | crash)
    cluster_environment
    pid_of "node$1" >/dev/null
    if [[ $command == start ]]; then start "$1"; else crash "node$1"; fi
    ;;
  help | -h | --help) usage ;;
  *) usage >&2 && die "unknown command '$command'" ;;
esac
