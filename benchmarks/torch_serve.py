# SPDX-License-Identifier: Apache-2.0
"""How a program in PyTorch is told what to time, one line each on stdin: "run N" makes N steps and prints the seconds they
took, "info" prints one line of JSON, "quit" or end of input ends it."""
import json
import sys


def serve(run, info):
    for line in sys.stdin:
        words = line.split()
        if words == ["quit"]:
            return 0
        if words == ["info"]:
            print(json.dumps(info()), flush=True)
        elif len(words) == 2 and words[0] == "run" and words[1].isdigit() and int(words[1]) > 0:
            print(repr(run(int(words[1]))), flush=True)
        else:
            print(f'expected "run N", "info" or "quit", received "{line.strip()}"', file=sys.stderr)
            return 2
    return 0
