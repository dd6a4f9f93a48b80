# SPDX-License-Identifier: Apache-2.0
"""Times PyTorch's DataLoader on an .npy file of uint8 pictures, or a directory of JPEG files, for loader_step.cpp to
interleave with its own reading.

Batches of 64 in a new random order every epoch, as float32 from 0 to 1, from a memory map or as Pillow decodes them. The
fastest of several ways is chosen at the start: samples one by one, as most programs do, or, from an array, whole batches
at once (a BatchSampler and no collation), each in this process and in one or two worker processes. Protocol: see
torch_serve.py; "ready" comes first, and info has the mean of all numbers of an epoch. --make DIRECTORY writes pictures
and says "made".
"""
import pathlib
import sys
import time

import numpy as np
import torch
from PIL import Image
from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler

from torch_serve import serve

BATCH = 64


SIDE = 224


class Pictures(Dataset):
    """One sample, or those of a list of indices."""

    def __init__(self, path):
        self.pictures = np.load(path, mmap_mode="r")

    def __len__(self):
        return len(self.pictures)

    def __getitem__(self, index):
        return torch.from_numpy(np.array(self.pictures[index])).float().div_(255)


class PictureFiles(Dataset):
    """The files of a directory, all of one size."""

    def __init__(self, path):
        self.paths = sorted(pathlib.Path(path).iterdir())

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        with Image.open(self.paths[index]) as picture:
            return torch.from_numpy(np.array(picture.convert("RGB"))).float().div_(255)


def make_pictures(path):
    """Smooth shapes with some noise: about as large as photographs are when packed."""
    path = pathlib.Path(path)
    path.mkdir()
    rng = np.random.default_rng(1)
    for i in range(640):
        small = Image.fromarray(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8))
        pixels = np.asarray(small.resize((SIDE, SIDE), Image.Resampling.BICUBIC)).astype(np.int16)
        pixels = np.clip(pixels + rng.integers(-8, 9, pixels.shape), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(path / f"{i:04}.jpg")
    print("made", flush=True)


def one_by_one(data, workers):
    return DataLoader(data, BATCH, shuffle=True, num_workers=workers, drop_last=True, persistent_workers=workers > 0)


def batches_at_once(data, workers):
    sampler = BatchSampler(RandomSampler(data), BATCH, drop_last=True)
    return DataLoader(data, sampler=sampler, batch_size=None, num_workers=workers, persistent_workers=workers > 0)


class Reader:
    """Goes through epoch after epoch."""

    def __init__(self, loader):
        self.loader = loader
        self.batches = iter(loader)

    def next(self):
        try:
            return next(self.batches)
        except StopIteration:
            self.batches = iter(self.loader)
            return next(self.batches)

    def run(self, count):
        """Reads so many batches and returns the seconds that took."""
        begin = time.perf_counter()
        for _ in range(count):
            self.next()
        return time.perf_counter() - begin


def main():
    if sys.argv[1] == "--make":
        make_pictures(sys.argv[2])
        return 0
    torch.set_num_threads(1)
    is_array = pathlib.Path(sys.argv[1]).is_file()
    data = (Pictures if is_array else PictureFiles)(sys.argv[1])
    ways = {f"{make.__name__}, {workers} workers": (make, workers)
            for make in (one_by_one, *([batches_at_once] if is_array else [])) for workers in (0, 1, 2)}
    count = max(4, len(data) // BATCH // 4)
    seconds = {}
    for name, (make, workers) in ways.items():
        reader = Reader(make(data, workers))
        reader.run(2)
        seconds[name] = reader.run(count)
    way = min(seconds, key=seconds.get)
    total = batches = 0
    for batch in one_by_one(data, 0):
        total += batch.mean(dtype=torch.float64).item()
        batches += 1
    reader = Reader(ways[way][0](data, ways[way][1]))
    reader.run(2)
    print("ready", flush=True)
    return serve(reader.run, lambda: {"torch": torch.__version__, "way": way, "mean": total / batches})


if __name__ == "__main__":
    sys.exit(main())
