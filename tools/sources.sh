#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Usage: tools/sources.sh cpp|shell|all: prints the project's files of a kind, one a line, ignored files left out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

all() {
  if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git ls-files --cached --others --exclude-standard | while IFS= read -r file; do
      if [[ -f $file ]]; then printf '%s\n' "$file"; fi
    done
  else
    find . -path ./build -prune -o -type f -printf '%P\n'
  fi | LC_ALL=C sort
}

case ${1:-} in
  cpp) all | grep -E '\.(cpp|h)$' ;;
  shell)
    all | while IFS= read -r file; do
      if [[ $file == *.sh ]] || head -c 40 "$file" | tr -d '\0' | grep -qE '^#!.*\b(ba)?sh\b'; then printf '%s\n' "$file"; fi
    done
    ;;
  all) all ;;
  *)
    printf 'sources.sh: expected cpp, shell or all, received "%s"\n' "${1:-}" >&2
    exit 2
    ;;
esac
