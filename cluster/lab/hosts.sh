#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Several "hosts" on this machine: each has a network, host name, /dev/shm and IPC of its own, and a link of limited rate to
# a common switch, so that Open MPI takes them for different machines. Needs root and the package iproute2; nothing outside
# the hosts is changed. STRATA_HOSTS names the directory that says what is up (default /tmp/strata-hosts).
set -euo pipefail

self=$(realpath "${BASH_SOURCE[0]}")
state=${STRATA_HOSTS:-/tmp/strata-hosts}
# shellcheck source=cluster/lab/namespaces.sh
source "$(dirname "$self")/namespaces.sh"
namespaces=(--net --mount --uts --ipc)

usage() {
  cat <<'TEXT'
Usage: cluster/lab/hosts.sh COMMAND

  up N RATE        makes host1 to hostN; RATE limits each link in both directions (250mbit, 1gbit; 0 = no limit)
  rate RATE        changes the limit of all links
  run ARG...       mpirun on host1 over all hosts, one rank a host: run -np 4 PROGRAM; settings of Open MPI that the
                   environment has (OMPI_MCA_...) come before its own
  on I COMMAND...  runs a command on host I
  ssh              starts an ssh server on each host; prints the file of settings (ssh -F FILE) that let its user in
  cut I            takes the link of host I down: packets vanish, as when a cable is pulled; heal I brings it back
  crash I          kills every process on host I
  down             ends all hosts
  check            says why hosts cannot be made here (exit status 1), or nothing
TEXT
}

# enter I COMMAND...: on host I, in the present directory.
enter() {
  local pid
  pid=$(pid_of "host$1")
  shift
  nsenter --target "$pid" "${namespaces[@]}" --wd="$PWD" "$@"
}

switch() { nsenter --target "$(pid_of switch)" --net "$@"; }

# limit HOW NETWORK_COMMAND... DEVICE: a bucket large enough for the largest packet that a kernel hands down (64 KB).
limit() {
  local rate=$1
  shift
  if [[ $rate == 0 ]]; then
    "${@:1:$#-1}" tc qdisc del dev "${@: -1}" root 2>/dev/null || true
  else
    "${@:1:$#-1}" tc qdisc replace dev "${@: -1}" root tbf rate "$rate" burst 128kb latency 50ms
  fi
}

set_rate() {
  local i
  for ((i = 1; i <= $(cat "$state/n"); ++i)); do
    limit "$1" switch "port$i"
    limit "$1" enter "$i" eth0
  done
}

up() {
  local n=$1 rate=$2 i
  check
  [[ ! -e $state/n ]] || down
  mkdir -p "$state"
  printf '%d\n' "$n" >"$state/n"
  printf '127.0.0.1 localhost\n' >"$state/hosts"
  for ((i = 1; i <= n; ++i)); do
    printf '10.77.0.%d host%d\n' $i $i >>"$state/hosts"
    printf 'host%d slots=1\n' $i >>"$state/hostfile"
  done
  keep switch --net -- 'ip link add bridge type bridge; ip link set bridge up'
  for ((i = 1; i <= n; ++i)); do
    # shellcheck disable=SC2016  # for the shell on the host
    keep "host$i" "${namespaces[@]}" -- \
      'hostname "host$1"; mount --bind "$2" /etc/hosts; mount -t tmpfs none /dev/shm; ip link set lo up' $i "$state/hosts"
    switch ip link add "port$i" type veth peer name eth0 netns "$(pid_of "host$i")"
    switch ip link set "port$i" master bridge up
    enter "$i" ip address add "10.77.0.$i/24" dev eth0
    enter "$i" ip link set eth0 up
    # A kernel may be set to bbr, which clusters are not, and may refuse cubic to a namespace.
    # shellcheck disable=SC2016  # for the shell on the host
    enter "$i" bash -c 'for c in cubic reno; do
      if echo $c >/proc/sys/net/ipv4/tcp_congestion_control; then break; fi; done 2>/dev/null'
  done
  set_rate "$rate"
}

down() {
  [[ -s $state/n ]] || return 0
  local i machines=(switch)
  for ((i = 1; i <= $(cat "$state/n"); ++i)); do machines+=("host$i"); done
  end_all "${machines[@]}"
  rm -rf "$state"
}

# More ranks than cores may poll: they give way. Over one connection Open MPI mostly uses one direction at a time, which halves
# the speed of a sum; over two it uses both. The launcher, too, is to notice soon when a host vanishes.
run() {
  local settings=(plm_rsh_agent="$self agent" btl_tcp_if_include=eth0 oob_tcp_if_include=eth0 btl_tcp_links=2
    mpi_yield_when_idle=1 oob_tcp_keepalive_time=5 oob_tcp_keepalive_intvl=2 oob_tcp_keepalive_probes=3)
  local setting
  for setting in "${settings[@]}"; do
    if [[ ! -v OMPI_MCA_${setting%%=*} ]]; then export "OMPI_MCA_$setting"; fi
  done
  enter 1 mpirun --hostfile "$state/hostfile" --map-by node --bind-to none "$@"
}

# agent HOST WORD...: what mpirun has instead of ssh, whose words are the text of a shell on that host.
agent() {
  local host=$1
  shift
  enter "${host#host}" bash -c "$*"
}

check() {
  require_namespaces "${namespaces[@]}"
  local program
  for program in ip tc; do
    command -v $program >/dev/null || die "$program is not installed"
  done
  unshare --net bash -c 'ip link add probe type veth && tc qdisc add dev probe root tbf rate 1mbit burst 64kb latency 1ms' \
    >/dev/null 2>&1 || die "the kernel has no virtual links or no limit of rates (veth, tbf)"
}

# An ssh server with a key of its own on each host, and one key that they all let in.
ssh_servers() {
  local directory=$state/ssh name i server
  server=$(command -v sshd) || die "sshd is not installed"
  mkdir -p "$directory"
  for ((i = 0; i <= $(cat "$state/n"); ++i)); do ssh-keygen -q -t ed25519 -N '' -f "$directory/key$i"; done
  printf '%s\n' 'Host *' "IdentityFile $directory/key0" "UserKnownHostsFile $directory/known_hosts" \
    'StrictHostKeyChecking yes' 'BatchMode yes' 'LogLevel ERROR' >"$directory/config"
  for ((i = 1; i <= $(cat "$state/n"); ++i)); do
    name=host$i
    printf '%s,10.77.0.%d %s\n' $name $i "$(<"$directory/key$i.pub")" >>"$directory/known_hosts"
    printf '%s\n' "HostKey $directory/key$i" "PidFile none" "AuthorizedKeysFile $directory/key0.pub" 'StrictModes no' \
      'UsePAM no' 'PasswordAuthentication no' 'UseDNS no' 'MaxStartups 200' >"$directory/$name"
    # What sshd wants to have in /run the host has for itself.
    # shellcheck disable=SC2016  # for the shell on the host
    enter $i bash -c 'mount -t tmpfs none /run && mkdir /run/sshd && exec "$@"' "$name" "$server" -f "$directory/$name"
  done
  printf '%s\n' "$directory/config"
}

command=${1:-help}
shift || true
case $command in
  up | rate | run | on | ssh | cut | heal | crash | down | check | agent) ;;
  help | -h | --help) usage && exit ;;
  *) usage >&2 && die "unknown command '$command'" ;;
esac
case $command in
  rate) set_rate "$@" ;;
  on)
    host=$(pid_of "host$1")
    shift
    # In the place of this script, so that a signal reaches the command.
    exec nsenter --target "$host" "${namespaces[@]}" --wd="$PWD" "$@"
    ;;
  ssh) ssh_servers ;;
  crash) crash "host$1" ;;
  cut) enter "$1" ip link set eth0 down ;;
  heal) enter "$1" ip link set eth0 up ;;
  *) "$command" "$@" ;;
esac
