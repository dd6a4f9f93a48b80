# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/model_files/tf_*: files that tf.keras 2 (package tf-keras) saved after two steps, with what it
predicts and its losses in three more steps. The optimizers are those since TensorFlow 2.11 and those before.
"""
import json
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np  # noqa: E402
import tf_keras as keras  # noqa: E402
from tf_keras import layers  # noqa: E402

RNG = np.random.default_rng(7)


def numbers(*shape):
    return RNG.standard_normal(shape).astype("float32")


def functional(optimizer):
    inputs = keras.Input((6,))
    x = layers.BatchNormalization()(layers.Dense(5, activation="relu")(inputs))
    model = keras.Model(inputs, layers.Dense(3)(x))
    model.compile(optimizer, keras.losses.MeanSquaredError(), metrics=["mae", "accuracy"])
    return model, numbers(8, 6), numbers(8, 3)


def recurrent():
    model = keras.Sequential([layers.LSTM(4, input_shape=(5, 3), return_sequences=True), layers.GRU(3), layers.Dense(2)])
    model.compile("adam", "mse")
    return model, numbers(4, 5, 3), numbers(4, 2)


def nested():
    start = keras.Input((3,))
    inner = keras.Model(start, layers.Dense(3)(start), name="inner")
    outer = keras.Input((3,), name="outer")
    model = keras.Model(outer, layers.Dense(2, name="head")(inner(inner(outer))))
    model.compile("rmsprop", "mse")
    return model, numbers(4, 3), numbers(4, 2)


MODELS = {
    "sgd": lambda: functional("sgd"),
    "adam": lambda: functional("adam"),
    "before_2_11_adam": lambda: functional(keras.optimizers.legacy.Adam(amsgrad=True)),
    "before_2_11_rmsprop": lambda: functional(keras.optimizers.legacy.RMSprop(momentum=0.5)),
    "recurrent": recurrent,
    "nested": nested,
}


def train(model, x, y, steps):
    losses = []
    for _ in range(steps):
        model.reset_metrics()
        losses.append(float(np.ravel(model.train_on_batch(x, y))[0]))
    return losses


def array(value):
    return {"shape": list(value.shape), "dtype": str(value.dtype), "values": value.ravel().tolist()}


def main():
    folder = pathlib.Path(__file__).parent / "model_files"
    for name, build in MODELS.items():
        keras.utils.set_random_seed(3)
        model, x, y = build()
        train(model, x, y, 2)
        model.save(folder / f"tf_{name}.h5")
        predictions = [array(model.predict(x, verbose=0))]
        expected = {"x": {"": array(x)}, "y": {"": array(y)}, "predictions": predictions, "losses": train(model, x, y, 3)}
        (folder / f"tf_{name}.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main()
