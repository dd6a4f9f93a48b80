# SPDX-License-Identifier: Apache-2.0
"""How long it takes from exec to the end of the first training step: first_step.py MNIST_MLP DATA_DIR [--runs N].

Runs mnist_mlp for one step, alone and as two ranks under mpirun, and prints medians. Reading the data is left out
(mnist_mlp measures it); the time to find the other ranks, which is MPI_Init, is also given by itself. The target is 50 ms
alone, and 50 ms plus MPI_Init under mpirun. The start of a process is known to 10 ms, rounded so that times are not too
short."""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

TARGET = 0.050


def measure(launcher, program, data, runs):
    """Medians over runs of (seconds to the first step, seconds to join)."""
    environment = dict(os.environ, OMP_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    results = []
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "report.json")
        command = [*launcher, program, "--data", data, "--max-steps", "1", "--verbose", "0", "--json", report]
        for _ in range(runs):
            subprocess.run(command, check=True, env=environment, timeout=60, stdout=subprocess.DEVNULL)
            with open(report, encoding="utf-8") as file:
                results.append(json.load(file))
    return tuple(statistics.median(r[key] for r in results) for key in ("seconds_to_first_step", "seconds_to_join"))


def main():
    parser = argparse.ArgumentParser(description="Times the first training step, counted from exec.")
    parser.add_argument("program")
    parser.add_argument("data")
    parser.add_argument("--runs", type=int, default=11)
    options = parser.parse_args()
    alone, _ = measure([], options.program, options.data, options.runs)
    ranks, joining = measure(["mpirun", "--oversubscribe", "-np", "2"], options.program, options.data, options.runs)
    print(f"alone:              {alone * 1e3:6.1f} ms to the first step (target: at most {TARGET * 1e3:.0f})")
    print(f"mpirun -np 2:       {ranks * 1e3:6.1f} ms, of which MPI_Init {joining * 1e3:.1f}; "
          f"the rest {(ranks - joining) * 1e3:.1f} (target: at most {TARGET * 1e3:.0f})")
    print(json.dumps({"benchmark": "first_step", "alone_s": alone, "mpirun_s": ranks, "mpi_init_s": joining}))
    return 0 if alone <= TARGET and ranks - joining <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
