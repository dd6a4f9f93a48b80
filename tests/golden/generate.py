# SPDX-License-Identifier: Apache-2.0
"""Writes the JSON files of this folder: values that real Keras computed, which the C++ tests compare with.

Run with Python 3.11, outside the repository's tree:
    python3.11 -m venv /tmp/golden && /tmp/golden/bin/pip install -r tests/golden/requirements.txt
    /tmp/golden/bin/python tests/golden/generate.py [--out DIR] [FILE...]
The files here were made with Keras 3.15.1 on TensorFlow 2.21.0 (CPU), NumPy 2.4.6, on x86-64. Seeds are fixed. Layers
have a generator of their own, layers/generate.py.
"""
import argparse
import importlib
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def writers():
    """The functions write_<file>(folder) of the modules beside this one, by the name of the file."""
    found = {}
    for path in sorted(FOLDER.glob("*.py")):
        module = importlib.import_module(path.stem) if path != Path(__file__).resolve() else None
        own = {name: value for name, value in vars(module).items() if name.startswith("write_")} if module else {}
        found.update({name.removeprefix("write_"): value for name, value in own.items()})
    return found


def main():
    parser = argparse.ArgumentParser(description="Writes values that Keras computed, for the C++ tests.")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder of the JSON files")
    parser.add_argument("files", nargs="*", help="which files, without .json (default: all)")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    known = writers()
    for name in arguments.files or known:
        known[name](arguments.out)


if __name__ == "__main__":
    main()
