# SPDX-License-Identifier: Apache-2.0
"""What Keras says to wrong use, in the words of Keras 3 and of tf.keras 2 (package tf-keras): messages.json. A text is null
where that Keras accepts the use.
"""
import json
import re

from common import keras, np

import tf_keras

CASES = {"calls": {}, "models": {}, "arguments": {}}


def case(kind):
    def add(function):
        CASES[kind][function.__name__] = function
        return function

    return add


@case("calls")
def rank(k):
    k.layers.Conv2D(2, 3, name="l")(k.Input((784,)))


@case("calls")
def min_rank(k):
    k.layers.Dense(2, name="l")(k.Input(()))


@case("calls")
def axis(k):
    layer = k.layers.Dense(2, name="l")
    layer(k.Input((784,)))
    layer(k.Input((100,)))


@case("calls")
def shape(k):
    inputs = k.Input((2,))
    k.Model(inputs, k.layers.Dense(1)(inputs), name="l")(k.Input((3,)))


@case("calls")
def dtype(k):
    layer = k.layers.Lambda(lambda x: x, name="l")
    layer.input_spec = k.layers.InputSpec(dtype="float32")
    layer(k.Input((2,), dtype="int32"))


@case("calls")
def count(k):
    a, b = k.Input((2,), name="a"), k.Input((3,), name="b")
    k.Model([a, b], k.layers.Concatenate()([a, b]), name="l")([a])


@case("calls")
def merge_not_list(k):
    k.layers.Add()(k.Input((2,)))


@case("calls")
def merge_nothing(k):
    k.layers.Add()([])


@case("calls")
def merge_one(k):
    k.layers.Add()([k.Input((2,))])


@case("calls")
def merge_shapes(k):
    k.layers.Add()([k.Input((9, 9, 64)), k.Input((7, 7, 64))])


@case("calls")
def merge_batches(k):
    k.layers.Add()([k.Input(batch_shape=(16, 2)), k.Input(batch_shape=(8, 2))])


@case("calls")
def concatenate(k):
    k.layers.Concatenate()([k.Input((4, 2)), k.Input((5, 3))])


@case("calls")
def subtract(k):
    k.layers.Subtract()([k.Input((2,))] * 3)


@case("models")
def disconnected(k):
    a, b = k.Input((2,), name="a"), k.Input((2,), name="b")
    k.Model(a, k.layers.Add(name="sum")([k.layers.Dense(2, name="x")(a), b]))


@case("models")
def names_twice(k):
    a = k.Input((2,))
    k.Model(a, k.layers.Dense(2, name="same")(k.layers.Dense(2, name="same")(a)))


@case("models")
def duplicate_input(k):
    a = k.Input((2,), name="a")
    k.Model([a, a], k.layers.Dense(2)(a))


@case("models")
def input_not_from_keras(k):
    a = k.Input((2,))
    k.Model(np.zeros((1, 2), "float32"), k.layers.Dense(2)(a))


@case("models")
def output_not_from_layer(k):
    k.Model(k.Input((2,)), np.zeros((1, 2), "float32"))


@case("models")
def batch_sizes(k):
    inputs = [k.Input(batch_shape=(size, 2)) for size in (16, 8)]
    k.Model(inputs, [k.layers.Dense(1)(i) for i in inputs])


@case("arguments")
def dense_int_dtype(k):
    k.layers.Dense(2, dtype="int32")(k.Input((2,)))


@case("calls")
def dense_last_dimension(k):
    k.layers.Dense(2)(k.Input((None,)))


@case("calls")
def conv_channels(k):
    k.layers.Conv2D(2, 3, name="l")(k.Input((8, 8, None)))


@case("calls")
def conv_transpose_rank(k):
    k.layers.Conv2DTranspose(2, 3, name="l")(k.Input((784,)))


@case("arguments")
def conv_padding(k):
    k.layers.Conv2D(2, 3, padding="sam")


@case("arguments")
def conv_kernel_size(k):
    k.layers.Conv2D(2, (3, 3, 3))


@case("arguments")
def conv_strides(k):
    k.layers.Conv2D(2, 3, strides=0)


@case("calls")
def negative_size(k):
    k.layers.Conv2D(2, 3, name="l")(k.Input((2, 2, 1)))


@case("calls")
def pool_negative_size(k):
    k.layers.MaxPooling2D(3, name="l")(k.Input((2, 2, 1)))


@case("models")
def unknown_layer(k):
    k.Sequential.from_config({"name": "chain", "layers": [{"class_name": "CustomDense", "config": {"units": 10}}]})


@case("arguments")
def unknown_loss(k):
    k.losses.get("mze")


@case("arguments")
def unknown_metric(k):
    k.metrics.get("mze")


@case("arguments")
def unknown_initializer(k):
    k.layers.Dense(2, kernel_initializer="mze")


@case("arguments")
def unknown_optimizer(k):
    k.optimizers.get("mze")


@case("arguments")
def unknown_activation(k):
    k.layers.Dense(2, activation="mze")


@case("arguments")
def unknown_regularizer(k):
    k.layers.Dense(2, kernel_regularizer="mze")


@case("arguments")
def unknown_constraint(k):
    k.layers.Dense(2, kernel_constraint="mze")


@case("arguments")
def unknown_argument(k):
    k.layers.Dense.from_config({"units": 2, "foo": 1})


def custom(k, **members):
    return type("Custom", (k.layers.Layer,), members)


@case("calls")
def call_returns_none(k):
    custom(k, call=lambda self, x: None)(name="l")(k.Input((2,)))


@case("models")
def no_config(k):
    def init(self, units, **kwargs):
        super(layer, self).__init__(**kwargs)

    layer = custom(k, __init__=init)
    layer(np.zeros(2)).get_config()


def fit(k, units, loss, targets):
    inputs = k.Input((2,))
    model = k.Model(inputs, k.layers.Dense(units, name="out")(inputs))
    model.compile("sgd", loss)
    model.fit(np.zeros((4, 2), "float32"), targets, verbose=0)


@case("models")
def categorical_targets(k):
    fit(k, 3, "categorical_crossentropy", np.zeros((4, 1), "int32"))


@case("models")
def target_shape(k):
    fit(k, 3, "mse", np.zeros((4, 2), "float32"))


def said(text):
    """The sentence that says what is wrong, without the traces and headings around it."""
    text = re.sub("\x1b\\[[0-9]+m", "", text)
    traced = re.findall(r"\n    \w+Error: (.*)", text)
    if traced:
        return traced[-1]
    text = re.sub(r"^Exception encountered when calling .*\n\n", "", text)
    text = re.sub(r"^Error when deserializing (?:.|\n)*Exception encountered: ", "", text)
    text = text.strip().split("\n\n")[0].replace("\n", " ")
    return re.sub("{'[^}]*'}", lambda words: "{" + ", ".join(sorted(words.group()[1:-1].split(", "))) + "}", text)


def text_of(use, k):
    k.backend.clear_session()
    try:
        use(k)
    except Exception as error:  # whatever it is, its text is wanted
        return said(str(error))
    return None


def write_messages(folder):
    texts = {}
    for kind, cases in CASES.items():
        texts[kind] = {name: {"keras3": text_of(use, keras), "tf_keras": text_of(use, tf_keras)} for name, use in cases.items()}
    (folder / "messages.json").write_text(json.dumps(texts, indent=1, ensure_ascii=False) + "\n")
