#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by the recipes: runs a launcher so that no signal but SIGUSR1 reaches it from here. mpirun and srun pass SIGUSR1 on
# to all ranks, wait for them, and exit with what the ranks exit with; SIGTERM makes mpirun kill the ranks after a second or
# two, and srun at once. README.md has what was measured.

# Signals to this shell that become SIGUSR1 to the launcher, and those that are only remembered.
launch_passes_on=(USR1 TERM INT)
launch_remembers=()

# launch COMMAND...: its exit status. Whether there was a signal is what launch_was_told and launch_remembers_one say after it.
launch() {
  local status=127 code interrupted=
  launch_process='' launch_told='' launch_remembered=''
  trap 'interrupted=yes launch_told=yes; tell_launched' "${launch_passes_on[@]}"
  if ((${#launch_remembers[@]})); then trap 'interrupted=yes launch_remembered=yes' "${launch_remembers[@]}"; fi
  # A session of its own, since Ctrl-C goes to all processes of the terminal's.
  setsid "$@" </dev/null &
  launch_process=$!
  if [[ -n $launch_told ]]; then tell_launched; fi
  # A signal ends wait, and not the command. Where it came just after its end, there is nothing more to wait for (127); in
  # the very moment of its end, bash 5.2 loses the status (255).
  while
    interrupted='' code=0
    wait "$launch_process" || code=$?
    if ((code != 127)); then status=$code; fi
    [[ -n $interrupted ]]
  do :; done
  trap - "${launch_passes_on[@]}" "${launch_remembers[@]}"
  return "$status"
}

tell_launched() {
  if [[ -n $launch_process ]]; then kill -USR1 "$launch_process" 2>/dev/null || true; fi
}

launch_was_told() { [[ -n $launch_told ]]; }
launch_remembers_one() { [[ -n $launch_remembered ]]; }
