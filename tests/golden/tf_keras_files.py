# SPDX-License-Identifier: Apache-2.0
"""Models that tf.keras 2 (package tf-keras) saves: the files tf_* of tests/golden/model_files. The optimizers are those since
TensorFlow 2.11 and those before.
"""
from common import np, write_model_file

import tf_keras as keras
from tf_keras import layers

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


def attention():
    start = keras.Input((5, 4))
    x = layers.MultiHeadAttention(2, 3)(start, start)
    model = keras.Model(start, layers.TimeDistributed(layers.Dense(2), name="head")(x))
    model.compile("rmsprop", "mse")
    return model, numbers(4, 5, 4), numbers(4, 5, 2)


def nested():
    start = keras.Input((3,))
    inner = keras.Model(start, layers.Dense(3)(start), name="inner")
    outer = keras.Input((3,), name="outer")
    model = keras.Model(outer, layers.Dense(2, name="head")(inner(inner(outer))))
    model.compile("rmsprop", "mse")
    return model, numbers(4, 3), numbers(4, 2)


def encoder_decoder():
    source, target = keras.Input((6, 3), name="source"), keras.Input((4, 3), name="target")
    _, h, c = layers.LSTM(5, return_state=True, name="encoder")(source)
    x, *states = layers.LSTM(5, return_sequences=True, return_state=True)(target, initial_state=[h, c])
    x = layers.Bidirectional(layers.LSTM(5, return_sequences=True))(x, initial_state=[*states, h, c])
    x = layers.GRU(5)(x, initial_state=h)
    model = keras.Model([source, target], layers.Dense(2, name="head")(x))
    model.compile("adam", "mse")
    return model, {"source": numbers(4, 6, 3), "target": numbers(4, 4, 3)}, numbers(4, 2)


MODELS = {
    "sgd": lambda: functional("sgd"),
    "adam": lambda: functional("adam"),
    "before_2_11_adam": lambda: functional(keras.optimizers.legacy.Adam(amsgrad=True)),
    "before_2_11_rmsprop": lambda: functional(keras.optimizers.legacy.RMSprop(momentum=0.5)),
    "recurrent": recurrent,
    "nested": nested,
    "encoder_decoder": encoder_decoder,
    "attention": attention,
}


def write_tf_keras_files(folder):
    for name, build in MODELS.items():
        keras.utils.set_random_seed(3)
        write_model_file(folder / "model_files", f"tf_{name}", *build(), weights=name == "attention")
