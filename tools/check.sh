#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Usage: tools/check.sh [STEP...]: rules format tidy shell asan tsan (all of them when none is named), or fuzz[=SECONDS], so
# many for each target (60). Runs every step, then says which failed. ./dev check installs what is needed first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

jobs=${STRATA_JOBS:-$(nproc)}

rules() { tools/check_rules.py; }

format() { tools/sources.sh cpp | xargs clang-format-16 --dry-run --Werror; }

shell() { tools/sources.sh shell | xargs shellcheck; }

# The .cpp files outside tests that differ from TIDY_BASE (default: the parent of the last commit), or all of them with
# TIDY_BASE=all.
tidy_files() {
  local base=${TIDY_BASE:-HEAD~1} files
  if [[ $base == all ]] || ! git rev-parse --verify --quiet "$base^{commit}" >/dev/null; then
    files=$(tools/sources.sh cpp)
  else
    files=$(git diff --name-only --diff-filter=d "$base" && git ls-files --others --exclude-standard)
  fi
  grep -E '\.cpp$' <<<"$files" | grep -vE '^tests/' | sort -u || true
}

tidy() {
  local files
  if [[ ! -f build/release/compile_commands.json ]]; then ./dev build; fi
  # Files that this configuration does not compile (the stubs of libraries that are present) have no command line.
  files=$(tidy_files | while IFS= read -r file; do
    if grep -qF "/$file\"" build/release/compile_commands.json; then printf '%s\n' "$file"; fi
  done)
  if [[ -z $files ]]; then
    printf 'no changed files\n'
    return
  fi
  xargs -P "$jobs" -n 1 clang-tidy-16 -p build/release --quiet <<<"$files" 2>/dev/null
}

# sanitized DIRECTORY SANITIZERS TARGET...: builds tests without MPI, whose libraries are not instrumented.
sanitized() {
  local directory=$1 sanitizers=$2
  shift 2
  mkdir -p "$directory"
  cmake -S . -B "$directory" -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_FLAGS=-O1 -DSTRATA_SANITIZE="$sanitizers" \
    -DSTRATA_MPI=OFF -DSTRATA_EXAMPLES=OFF -DSTRATA_BENCHMARKS=OFF >"$directory.log" || {
    cat "$directory.log"
    return 1
  }
  flock "$directory" ninja -C "$directory" -j "$jobs" "$@"
}

# gtest PROGRAM: all cases of a program in one process.
gtest() {
  [[ -x $1 ]] || return 0
  printf -- '-- %s\n' "$1"
  "$@" --gtest_brief=1 </dev/null
}

# Memory that nobody has is what some tests ask for: that is std::bad_alloc there, too.
asan() {
  local failed=0 program
  local -x ASAN_OPTIONS=allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1
  sanitized build/asan address,undefined
  for program in core layers distributed io; do
    gtest "build/asan/bin/${program}_test" || failed=1
  done
  return "$failed"
}

# OpenMP's run-time is not instrumented either: one thread a team, so that its own synchronisation is not reported; nor that
# of the one case which asks for a team itself. Of core and io those cases that have threads: what reads ahead, what
# writes behind, ranks.
tsan() {
  local failed=0
  local -x OMP_NUM_THREADS=1 TSAN_OPTIONS=halt_on_error=0:second_deadlock_stack=1:allocator_may_return_null=1
  sanitized build/tsan thread distributed_test core_test io_test
  gtest build/tsan/bin/distributed_test || failed=1
  gtest build/tsan/bin/core_test \
    --gtest_filter='BatchLoader*:BatchesTest*:SourceTraining*:ThreadMeeting*:Timeline*:ShareGather*:-Timeline.OfOneRankAndItsThreads' || failed=1
  gtest build/tsan/bin/io_test --gtest_filter='ManyFiles*:Loader*:Checkpoint*:Backup*:ShardedFiles*' || failed=1
  return "$failed"
}

# fuzz_target TARGET SECONDS: its output goes to build/fuzz/TARGET.log, of which one line is shown, or all when it fails.
fuzz_target() {
  local target=$1 log=build/fuzz/$1.log
  mkdir -p "build/fuzz/corpus/$target" "build/fuzz/found/$target"
  if "build/fuzz/bin/fuzz/$target" -max_total_time="$2" -max_len=8192 -timeout=10 -rss_limit_mb=2048 \
    -print_final_stats=1 -verbosity=0 -artifact_prefix="build/fuzz/found/$target/" \
    "build/fuzz/corpus/$target" "tests/fuzz/seeds/$target" </dev/null >"$log" 2>&1; then
    printf '%s: nothing found in %s inputs\n' "$target" "$(sed -nE 's/^stat::number_of_executed_units: +//p' "$log")"
  else
    cat "$log"
    return 1
  fi
}

# Malformed data files, against AddressSanitizer and UndefinedBehaviorSanitizer, as many formats at once as there are
# processors. What was found stays in build/fuzz/found.
fuzz() {
  local seconds=$1 targets
  mkdir -p build/fuzz
  cmake -S . -B build/fuzz -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_FLAGS="-O1" -DCMAKE_CXX_COMPILER=clang++-16 \
    -DCMAKE_C_COMPILER=clang-16 -DSTRATA_SANITIZE=fuzzer-no-link,address,undefined -DSTRATA_MPI=OFF -DSTRATA_FUZZ=ON \
    -DSTRATA_TESTS=OFF -DSTRATA_EXAMPLES=OFF -DSTRATA_LAUNCHER=OFF -DSTRATA_BENCHMARKS=OFF >build/fuzz.log || {
    cat build/fuzz.log
    return 1
  }
  targets=(tests/fuzz/fuzz_*.cpp)
  targets=("${targets[@]##*/}")
  flock build/fuzz ninja -C build/fuzz -j "$jobs" "${targets[@]%.cpp}"
  printf -- '-- %d formats, %d s each\n' "${#targets[@]}" "$seconds"
  export -f fuzz_target
  printf '%s\n' "${targets[@]%.cpp}" | xargs -P "$jobs" -I '{}' bash -c "fuzz_target '{}' $seconds"
}

steps=("$@")
if ((${#steps[@]} == 0)); then steps=(rules format shell tidy asan tsan); fi
failed=()
for step in "${steps[@]}"; do
  case $step in
    rules | format | shell | tidy | asan | tsan | fuzz) ;;
    fuzz=*) [[ ${step#fuzz=} =~ ^[1-9][0-9]*$ ]] || {
      printf 'check: expected fuzz=SECONDS, received "%s"\n' "$step" >&2
      exit 2
    } ;;
    *)
      printf 'check: unknown step "%s": expected rules, format, shell, tidy, asan, tsan or fuzz[=SECONDS]\n' "$step" >&2
      exit 2
      ;;
  esac
  printf '== check %s\n' "$step"
  # Not in a condition, where bash would pass over errors in the middle of a step.
  set +e
  (
    set -e
    case $step in
      fuzz) fuzz 60 ;;
      fuzz=*) fuzz "${step#fuzz=}" ;;
      *) "$step" ;;
    esac
  )
  status=$?
  set -e
  if ((status == 0)); then printf '== check %s: passed\n' "$step"; else failed+=("$step"); fi
done
if ((${#failed[@]} > 0)); then
  printf '== check: FAILED: %s\n' "${failed[*]}"
  exit 1
fi
printf '== check: all %d steps passed\n' "${#steps[@]}"
