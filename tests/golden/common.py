# SPDX-License-Identifier: Apache-2.0
"""What the generators of this folder share: Keras as they use it, and how arrays are drawn and written.

An array is {"shape": [..], "dtype": "float32", "values": [flat, row-major]}. A float32 is written as the decimal of the
double that equals it, so parsing it as a double and rounding to float gives the same bits.
"""
import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # plain Eigen kernels: the same sums on every machine of one instruction set

import keras
import numpy as np
import tensorflow as tf


def grid(rng, *shape, scale=1.0):
    """Normal float32 values rounded to 1/64, so that inputs are short decimals and exact in binary."""
    return (np.round(rng.standard_normal(shape) * 64 * scale) / 64).astype(np.float32)


def plain(value):
    """Turns arrays, tensors and NumPy scalars, in any nesting of lists and dicts, into what json can write."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (np.ndarray, tf.Tensor, tf.Variable, keras.Variable)):
        array = np.asarray(value)
        if array.dtype == bool:
            return {"shape": list(array.shape), "dtype": "bool", "values": array.reshape(-1).astype(int).tolist()}
        return {"shape": list(array.shape), "dtype": str(array.dtype), "values": array.reshape(-1).tolist()}
    return value.item() if isinstance(value, np.generic) else value


def number(value):
    return float(np.asarray(value))


def write(folder, name, content):
    """One line per entry of the top level and per case of a list, so that a difference is readable."""
    versions = {"keras": keras.__version__, "tensorflow": tf.__version__, "numpy": np.__version__}
    lines = []
    for key, item in {"versions": versions, **plain(content)}.items():
        cases = isinstance(item, list) and item and isinstance(item[0], dict)
        text = "[\n" + ",\n".join(json.dumps(case) for case in item) + "\n]" if cases else json.dumps(item)
        lines.append(f"{json.dumps(key)}: {text}")
    (folder / name).write_text("{\n" + ",\n".join(lines) + "\n}\n")


def softmaxed(logits, axis=-1):
    exponentials = np.exp(logits)
    return (exponentials / exponentials.sum(axis=axis, keepdims=True)).astype(np.float32)


def as_list(value):
    if isinstance(value, dict):
        return [value[key] for key in sorted(value)]  # the order in which Keras goes through it
    return list(value) if isinstance(value, (list, tuple)) else [value]


def train(model, x, y, steps):
    """The loss of each step; `model` is one of Keras 3 or of tf.keras 2."""
    losses = []
    for _ in range(steps):
        model.reset_metrics()
        losses.append(float(np.ravel(model.train_on_batch(x, y))[0]))
    return losses


def write_model_file(folder, name, model, x, y, weights=False):
    """The model as it saves itself after two steps (with `weights` its weights alone, too), what it predicts, and its
    losses in three more steps."""
    train(model, x, y, 2)
    model.save(folder / f"{name}.h5")
    if weights:
        model.save_weights(folder / f"{name}.weights.h5")
    named = [value if isinstance(value, dict) else {"": value} for value in (x, y)]
    predictions = as_list(model.predict(x, verbose=0))
    expected = {"x": named[0], "y": named[1], "predictions": predictions, "losses": train(model, x, y, 3)}
    (folder / f"{name}.json").write_text(json.dumps(plain(expected)) + "\n")
