#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by hosts.sh and slurm.sh, which set $state: machines in namespaces of this one. Each is kept alive by a process that
# sleeps, whose number is in $state/pid.NAME, and has at least a host name of its own, by which its processes are known.
: "${state:?the directory that says what is up}"

die() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2; exit 1; }

# require_namespaces UNSHARE_OPTION...: ends the script with the reason why machines cannot be made here.
require_namespaces() {
  ((EUID == 0)) || die "namespaces need root"
  local program
  for program in unshare nsenter; do
    command -v $program >/dev/null || die "$program is not installed"
  done
  unshare "$@" true 2>/dev/null || die "namespaces cannot be made here"
}

pid_of() {
  [[ -s $state/pid.$1 ]] || die "there is no $1: see up"
  cat "$state/pid.$1"
}

# keep NAME UNSHARE_OPTION... -- SHELL_TEXT ARG...: a process that keeps namespaces alive; returns when they are ready.
keep() {
  local name=$1 options=() i
  shift
  while [[ $1 != -- ]]; do options+=("$1") && shift; done
  shift
  local text=$1
  shift
  # shellcheck disable=SC2016  # for the shell in the namespaces
  text="set -e; $text; "'echo $$ >"$0"; exec sleep infinity'
  setsid unshare "${options[@]}" bash -c "$text" "$state/pid.$name" "$@" </dev/null >"$state/log.$name" 2>&1 &
  for ((i = 0; i < 100; ++i)); do
    if [[ -s $state/pid.$name ]]; then return; fi
    sleep 0.05
  done
  die "$name did not start: $(cat "$state/log.$name")"
}

# Processes of a machine, its keeper left out.
processes_of() {
  local keeper own process
  keeper=$(pid_of "$1")
  own=$(readlink "/proc/$keeper/ns/uts")
  for process in /proc/[0-9]*; do
    [[ ${process#/proc/} != "$keeper" ]] || continue
    if [[ $(readlink "$process/ns/uts" 2>/dev/null) == "$own" ]]; then printf '%s\n' "${process#/proc/}"; fi
  done
}

# crash NAME: kills every process of a machine; twice, since the first pass may have met one that was just being made.
crash() {
  local pass process
  for pass in 1 2; do
    for process in $(processes_of "$1"); do kill -KILL "$process" 2>/dev/null || true; done
    ((pass == 2)) || sleep 0.1
  done
}

# is_keeper NAME: numbers of processes are used again.
is_keeper() { [[ $(tr '\0' ' ' <"/proc/$(pid_of "$1")/cmdline" 2>/dev/null) == 'sleep infinity ' ]]; }

# end_all NAME...: ends machines with all that runs on them, or what keeps no more than a network.
end_all() {
  local name own
  own=$(readlink /proc/self/ns/uts)
  for name in "$@"; do
    if [[ ! -s $state/pid.$name ]] || ! is_keeper "$name"; then continue; fi
    if [[ $(readlink "/proc/$(pid_of "$name")/ns/uts") != "$own" ]]; then crash "$name"; fi
    kill "$(pid_of "$name")"
  done
}
