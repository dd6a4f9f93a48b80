# SPDX-License-Identifier: Apache-2.0
"""Data files as h5py and NumPy write them, and what is in them: the folder loaders/."""
import io
import json

import h5py
from PIL import Image

from common import keras, np, tf

ROWS = 37


def images(rows, first=0):
    """uint8 (rows, 3, 2): every element tells where it stands."""
    at = np.arange(first, first + rows)[:, None, None] * 6 + np.arange(6).reshape(3, 2)
    return (at * 7 % 251).astype(np.uint8)


def labels(rows, first=0):
    return (np.arange(first, first + rows) % 5).astype(np.int32)


def weights(rows, first=0):
    return (np.arange(first, first + rows) % 4 / 4 + 0.25).astype(np.float32)


def write_hdf5(folder):
    """Stored in chunks with filters, in plain chunks, contiguous, in two files, as a virtual data set over both."""
    options = {"packed": {"chunks": (8, 3, 2), "compression": "gzip", "shuffle": True}, "chunked": {"chunks": (8, 3, 2)},
               "contiguous": {}}
    for name, storage in options.items():
        with h5py.File(folder / f"{name}.h5", "w") as file:
            file.create_dataset("train/images", data=images(ROWS), **storage)
            file.create_dataset("train/labels", data=labels(ROWS))
            file.create_dataset("train/weights", data=weights(ROWS))
    layout = h5py.VirtualLayout((ROWS, 3, 2), np.uint8)
    for name, first, last in [("part_1", 0, 21), ("part_2", 21, ROWS)]:
        with h5py.File(folder / f"{name}.h5", "w") as file:
            file.create_dataset("train/images", data=images(last - first, first), chunks=(8, 3, 2), compression="gzip")
            file.create_dataset("train/labels", data=labels(last - first, first))
            file.create_dataset("train/weights", data=weights(last - first, first))
        layout[first:last] = h5py.VirtualSource(f"{name}.h5", "train/images", (last - first, 3, 2))
    with h5py.File(folder / "virtual.h5", "w") as file:
        file.create_virtual_dataset("train/images", layout)
        file.create_dataset("train/labels", data=labels(ROWS))
        file.create_dataset("train/weights", data=weights(ROWS))


def write_numpy(folder):
    np.save(folder / "images.npy", images(ROWS))
    np.save(folder / "labels.npy", labels(ROWS))
    np.save(folder / "numbers.npy", np.arange(12, dtype=np.float64).reshape(4, 3) / 8)
    np.save(folder / "columns_first.npy", np.asfortranarray(np.ones((4, 3), np.float32)))
    np.save(folder / "big_endian.npy", np.ones((4, 3), ">f4"))
    np.save(folder / "scalar.npy", np.float32(1))
    with open(folder / "version_2.npy", "wb") as file:
        np.lib.format.write_array(file, labels(5), version=(2, 0))
    np.savez(folder / "plain.npz", images=images(ROWS), labels=labels(ROWS))
    np.savez_compressed(folder / "packed.npz", images=images(ROWS), labels=labels(ROWS))


def picture(seed, height, width):
    """Smooth, so that JPEG keeps it, with an edge."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x / (3 + seed) + c) * 60 + np.cos(y / (2 + c)) * 50 + 128 for c in range(3)]
    waves[seed % 3][height // 2:, : width // 3] = 255
    return np.clip(np.stack(waves, axis=-1), 0, 255).astype(np.uint8)


def write_pictures(folder):
    """Class folders with a nested one, names whose order is not that of letters alone, and what is no picture."""
    files = {"cats/b.png": (1, 13, 17), "cats/B.jpg": (2, 16, 24), "cats/a10.jpeg": (3, 9, 30), "cats/a9.png": (4, 20, 8),
             "dogs/sub/c.jpg": (5, 17, 17), "dogs/z.PNG": (6, 5, 7), "dogs-2/x.png": (7, 11, 11)}
    for name, (seed, height, width) in files.items():
        path = folder / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = picture(seed, height, width)
        lossless = name.lower().endswith("png")
        encoded = tf.io.encode_png(pixels) if lossless else tf.io.encode_jpeg(pixels, quality=90)
        path.write_bytes(encoded.numpy())
    (folder / "pictures/cats/notes.txt").write_text("no picture\n")
    variants = {"plain": {}, "grayscale": {"color_mode": "grayscale"}, "nearest": {"interpolation": "nearest"},
                "cropped": {"crop_to_aspect_ratio": True}, "categorical": {"label_mode": "categorical"},
                "chosen": {"class_names": ["dogs", "cats"], "label_mode": "binary"},
                "unlabelled": {"labels": None, "label_mode": None}}
    expected = {}
    for name, options in variants.items():
        data = keras.utils.image_dataset_from_directory(folder / "pictures", image_size=(6, 9), batch_size=1,
                                                        shuffle=False, **options)
        samples = [item if isinstance(item, tuple) else (item, None) for item in data]
        expected[name] = {"x": np.concatenate([x for x, _ in samples]).astype(np.float64).reshape(-1).tolist(),
                          "shape": [len(samples), *samples[0][0].shape[1:]]}
        if samples[0][1] is not None:
            labels_of = np.concatenate([y for _, y in samples])
            expected[name] |= {"y": labels_of.reshape(-1).tolist(), "y_shape": list(labels_of.shape)}
    (folder / "pictures.json").write_text(json.dumps(expected) + "\n")


def write_cmyk(folder):
    """As Adobe's programs store it (255 - ink), and the same without their marker, and what TensorFlow reads."""
    colours = picture(8, 10, 14)
    inks = np.concatenate([255 - colours, colours[..., :1] // 3], axis=-1)
    file = io.BytesIO()
    Image.fromarray(inks, "CMYK").save(file, "JPEG", quality=95, subsampling=0)
    adobe = file.getvalue()
    start = adobe.index(b"\xff\xee")
    size = 2 + int.from_bytes(adobe[start + 2:start + 4], "big")
    files = {"cmyk_adobe": adobe, "cmyk_plain": adobe[:start] + adobe[start + size:]}
    expected = {}
    for name, content in files.items():
        (folder / f"{name}.jpg").write_bytes(content)
        pixels = tf.io.decode_jpeg(content, channels=3).numpy()
        expected[name] = {"shape": list(pixels.shape), "pixels": pixels.reshape(-1).tolist()}
    (folder / "cmyk.json").write_text(json.dumps(expected) + "\n")


def write_loaders(out):
    folder = out / "loaders"
    folder.mkdir(exist_ok=True)
    write_hdf5(folder)
    write_numpy(folder)
    write_pictures(folder)
    write_cmyk(folder)
    expected = {"images": images(ROWS).reshape(-1).tolist(), "labels": labels(ROWS).tolist(),
                "weights": weights(ROWS).tolist()}
    (folder / "expected.json").write_text(json.dumps(expected) + "\n")
