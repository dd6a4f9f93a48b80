# SPDX-License-Identifier: Apache-2.0
"""Writes FAMILY.json beside each FAMILY.py of this folder: what real Keras layers computed. generate.py [FAMILY...]

Run it with the environment that ../requirements.txt describes. tests/layers/golden_layers_test.cpp reads every JSON.
"""
import importlib
import json
import os
import sys
import zlib
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # plain Eigen kernels: the same sums on every machine of one instruction set

folder = Path(__file__).resolve().parent
sys.path.insert(0, str(folder))
import cases  # noqa: E402 (the environment comes first)


def main(names):
    families = names or sorted(p.stem for p in folder.glob("*.py") if p.stem not in ("cases", "generate"))
    for family in families:
        found = importlib.import_module(family).CASES
        labels = [case.label for case in found]
        if len(set(labels)) != len(labels):
            raise SystemExit(f"{family}: labels must differ: {sorted(l for l in labels if labels.count(l) > 1)}")
        lines = [json.dumps(cases.record(case, zlib.crc32(case.label.encode()))) for case in found]
        (folder / f"{family}.json").write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
        print(f"{family}: {len(lines)} cases")


if __name__ == "__main__":
    main(sys.argv[1:])
