#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Usage: checkpoint_files.py BIN: reads checkpoints of 1 and 4 ranks by the code in io/checkpoint.md.

Compares them, bit for bit, with each other, with the file that `checkpoint export` makes, and with the weights of the
model file of `checkpoint export --keras`, which Keras' own layout has by name.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import h5py

PAGE = pathlib.Path(__file__).resolve().parents[2] / "io/checkpoint.md"
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def read_checkpoint(path):
    """As the page says."""
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.S)[1]
    names = {}
    exec(compile(code, str(PAGE), "exec"), names)  # noqa: S102: that the page's code runs is what is tested
    return names["read_checkpoint"](path)


def equal(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def check(holds, what):
    if not holds:
        sys.exit(f"FAILED: {what}")


def train(binaries, directory, ranks):
    command = [str(binaries / "tests/checkpoint_run"), str(directory), "10"]
    if ranks > 1:
        command = ["mpirun", "-np", str(ranks), "--oversubscribe", "--bind-to", "none", *command]
    subprocess.run(command, check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    return max(directory.glob("step-????????"))


def export(binaries, checkpoint, file, *options):
    subprocess.run([str(binaries / "checkpoint"), "export", str(checkpoint), str(file), *options], check=True,
                   stdout=subprocess.DEVNULL)
    return file


def check_export(tensors, description, file):
    with h5py.File(file) as exported:
        check(json.loads(exported.attrs["description"]) == description, "the exported description is another")
        for name, values in tensors.items():
            group, rest = name.split("/", 1)
            check(equal(exported[f"{group}/{rest.replace('/', '.')}"][()], values), f"the exported {name} is another")


def check_model(tensors, file):
    """All weights of the model file are among those of the checkpoint."""
    weights = {name.split("/", 1)[1]: values for name, values in tensors.items() if name.startswith("weights/")}
    found = 0
    with h5py.File(file) as model:
        def visit(name, item):
            nonlocal found
            if isinstance(item, h5py.Dataset):
                match = [values for path, values in weights.items() if name.endswith(path)]
                check(len(match) == 1 and equal(match[0], item[()]), f"{name} of the model file is another")
                found += 1
        model["model_weights"].visititems(visit)
    check(found == len(weights) > 0, f"the model file has {found} of {len(weights)} weights")


def main():
    binaries = pathlib.Path(sys.argv[1])
    work = pathlib.Path(tempfile.mkdtemp())
    try:
        many = [1] + ([4] if shutil.which("mpirun") else [])
        results = []
        for ranks in many:
            checkpoint = train(binaries, work / f"of{ranks}", ranks)
            check(len(list(checkpoint.glob("shard-*.h5"))) == ranks, f"expected {ranks} shards")
            results.append(read_checkpoint(checkpoint))
            check_export(*results[-1], export(binaries, checkpoint, work / f"all{ranks}.h5"))
            check_model(results[-1][0], export(binaries, checkpoint, work / f"model{ranks}.h5", "--keras"))
        first = results[0][0]
        check("optimizer/adam/iteration" in first and first["optimizer/adam/iteration"] == 60, "60 iterations")
        for tensors, _ in results:
            check(tensors.keys() == first.keys(), "other ranks save other tensors")
            check(all(equal(tensors[name], first[name]) for name in first), "other ranks save other bits")
        print(f"{len(first)} tensors of checkpoints of {many} ranks are what was exported, bit for bit")
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
