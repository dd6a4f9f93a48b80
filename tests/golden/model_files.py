# SPDX-License-Identifier: Apache-2.0
"""Models of every kind that files must carry between Keras and Strata, small, with data to train them on.

Each function returns (compiled model, x, y). Some of them become the files of tests/golden/model_files.
"""
from common import keras, np, write_model_file
from keras import layers

RNG = np.random.default_rng(7)


def dense_chain(units=(8, 8, 4), inputs=6):
    x = start = keras.Input((inputs,))
    for count in units[:-1]:
        x = layers.Dense(count, activation="relu")(x)
    return start, layers.Dense(units[-1])(x)


def mnist_mlp():
    model = keras.Model(*dense_chain((64, 64, 10), 784), name="mnist_model")
    model.compile("rmsprop", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model, numbers(8, 784), labels(8, 10)


def encoder_graph():
    img = keras.Input((28, 28, 1), name="img")
    x = layers.Conv2D(16, 3, activation="relu")(img)
    x = layers.Conv2D(32, 3, activation="relu")(x)
    x = layers.MaxPooling2D(3)(x)
    x = layers.Conv2D(32, 3, activation="relu")(x)
    x = layers.Conv2D(16, 3, activation="relu")(x)
    return img, layers.GlobalMaxPooling2D()(x)


def decoder_graph(x):
    x = layers.Reshape((4, 4, 1))(x)
    x = layers.Conv2DTranspose(16, 3, activation="relu")(x)
    x = layers.Conv2DTranspose(32, 3, activation="relu")(x)
    x = layers.UpSampling2D(3)(x)
    x = layers.Conv2DTranspose(16, 3, activation="relu")(x)
    return layers.Conv2DTranspose(1, 3, activation="relu")(x)


def autoencoder():
    img, code = encoder_graph()
    model = keras.Model(img, decoder_graph(code), name="autoencoder")
    model.compile("adam", "mse")
    return model, numbers(3, 28, 28, 1), numbers(3, 28, 28, 1)


def nested_autoencoder():
    img, code = encoder_graph()
    encoder = keras.Model(img, code, name="encoder")
    start = keras.Input((16,), name="encoded_img")
    decoder = keras.Model(start, decoder_graph(start), name="decoder")
    outer = keras.Input((28, 28, 1), name="img")
    model = keras.Model(outer, decoder(encoder(outer)), name="autoencoder")
    model.compile("adam", "mse")
    return model, numbers(3, 28, 28, 1), numbers(3, 28, 28, 1)


def ensemble():
    def member():
        x = keras.Input((128,))
        return keras.Model(x, layers.Dense(1)(x))

    start = keras.Input((128,))
    model = keras.Model(start, layers.average([member()(start) for _ in range(3)]))
    model.compile("sgd", "mae")
    return model, numbers(5, 128), numbers(5, 1)


def ticket_router():
    title = keras.Input((None,), name="title")
    body = keras.Input((None,), name="body")
    tags = keras.Input((12,), name="tags")
    features = [layers.LSTM(8)(layers.Embedding(100, 6)(title)), layers.LSTM(4)(layers.Embedding(100, 6)(body)), tags]
    x = layers.concatenate(features)
    model = keras.Model([title, body, tags], [layers.Dense(1, name="priority")(x), layers.Dense(4, name="department")(x)])
    model.compile(
        keras.optimizers.RMSprop(1e-3),
        [keras.losses.BinaryCrossentropy(from_logits=True), keras.losses.CategoricalCrossentropy(from_logits=True)],
        loss_weights=[1.0, 0.2],
        metrics=[["accuracy"], ["accuracy", keras.metrics.CategoricalCrossentropy(from_logits=True)]],
    )
    x = {"title": words(6, 100, 10), "body": words(6, 100, 15), "tags": labels(6, 2, 12).astype("float32")}
    return model, x, {"priority": labels(6, 2, 1).astype("float32"), "department": one_hot(6, 4)}


def toy_resnet():
    x = start = keras.Input((32, 32, 3), name="img")
    x = layers.Conv2D(32, 3, activation="relu")(x)
    x = layers.Conv2D(64, 3, activation="relu")(x)
    x = block = layers.MaxPooling2D(3)(x)
    for _ in range(2):
        x = layers.Conv2D(64, 3, activation="relu", padding="same")(x)
        x = layers.Conv2D(64, 3, activation="relu", padding="same")(x)
        x = block = layers.add([x, block])
    x = layers.Conv2D(64, 3, activation="relu")(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(256, activation="relu")(x)
    x = layers.Dropout(0.0)(x)
    model = keras.Model(start, layers.Dense(10)(x), name="toy_resnet")
    model.compile("rmsprop", keras.losses.CategoricalCrossentropy(from_logits=True), metrics=["acc"])
    return model, numbers(3, 32, 32, 3), one_hot(3, 10)


def shared_embedding():
    shared = layers.Embedding(100, 8)
    a = keras.Input((None,), dtype="int32", name="a")
    b = keras.Input((None,), dtype="int32", name="b")
    pooled = [layers.GlobalAveragePooling1D()(shared(x)) for x in (a, b)]
    model = keras.Model([a, b], layers.Dense(1)(layers.concatenate(pooled)))
    model.compile("adagrad", "mse")
    return model, dict(zip("ab", np.split(words(4, 100, 12), [7], axis=1))), numbers(4, 1)


def sequential():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(5, activation="tanh"), layers.BatchNormalization(), layers.Dense(2)])
    model.compile("nadam", "mse", metrics=["mae"])
    return model, numbers(8, 6), numbers(8, 2)


def nested_sequential():
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(5, activation="tanh")], name="inner")
    a, b = keras.Input((6,), name="a"), keras.Input((6,), name="b")
    first, second = inner(a), inner(b)
    model = keras.Model([a, b], [layers.Dense(3, name="head")(layers.concatenate([first, second])), second])
    model.compile("adam", "mse")
    return model, {"a": numbers(8, 6), "b": numbers(8, 6)}, {"head": numbers(8, 3), "inner": numbers(8, 5)}


def frozen_nested():
    start = keras.Input((6,))
    x = layers.Dense(5)(start)
    x = layers.BatchNormalization()(x)
    inner = keras.Model(start, layers.Dense(4)(x), name="inner")
    inner.trainable = False
    outer = keras.Input((6,), name="x")
    model = keras.Model(outer, layers.Dense(2, name="head")(inner(outer)))
    model.compile("adam", "mse")
    return model, numbers(8, 6), numbers(8, 2)


def partly_frozen_nested():
    start = keras.Input((6,))
    x = layers.Dense(5)(start)
    x = layers.BatchNormalization()(x)
    inner = keras.Model(start, layers.Dense(4)(x), name="inner")
    inner.layers[1].trainable = False
    outer = keras.Input((6,), name="x")
    model = keras.Model(outer, layers.Dense(2, name="head")(inner(outer)))
    model.compile("adam", "mse")
    return model, numbers(8, 6), numbers(8, 2)


def attention():
    query, value = keras.Input((5, 8), name="query"), keras.Input((7, 8), name="value")
    x = layers.MultiHeadAttention(2, 4)(query, value, key=value)
    x = layers.LayerNormalization()(layers.add([x, query]))
    x = layers.AdditiveAttention()([x, value])
    model = keras.Model([query, value], layers.Dense(2, name="head")(layers.Flatten()(x)))
    model.compile("adam", "mse")
    return model, {"query": numbers(4, 5, 8), "value": numbers(4, 7, 8)}, numbers(4, 2)


def encoder_decoder():
    source, target = keras.Input((6, 3), name="source"), keras.Input((4, 3), name="target")
    _, h, c = layers.LSTM(5, return_state=True)(source)
    x = layers.LSTM(5, return_sequences=True)(target, initial_state=[h, c])
    x = layers.Bidirectional(layers.GRU(3, return_sequences=True))(x)
    model = keras.Model([source, target], layers.TimeDistributed(layers.Dense(2), name="head")(x))
    model.compile("adam", "mse")
    return model, {"source": numbers(4, 6, 3), "target": numbers(4, 4, 3)}, numbers(4, 4, 2)


def wrapped():
    """Layers within layers, each kind of which files of weights have at another place."""
    x = start = keras.Input((4, 6), name="x")
    x = layers.RNN([layers.LSTMCell(3), layers.GRUCell(4), layers.LSTMCell(6)], return_sequences=True)(x)
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(5), layers.LayerNormalization(), layers.PReLU()])
    x = layers.TimeDistributed(inner)(x)
    x = layers.Bidirectional(layers.SimpleRNN(2))(x)
    model = keras.Model(start, layers.Dense(2, name="head")(x))
    model.compile("sgd", "mse")
    return model, numbers(4, 4, 6), numbers(4, 2)


def wrapped_model():
    start = keras.Input((6,))
    inner = keras.Model(start, layers.Dense(3, activation="tanh")(start))
    outer = keras.Input((4, 6), name="x")
    model = keras.Model(outer, layers.Dense(2, name="head")(layers.TimeDistributed(inner)(outer)))
    model.compile("adam", "mse")
    return model, numbers(4, 4, 6), numbers(4, 4, 2)


def heads():
    """Attention with projections of every name."""
    start = keras.Input((4, 6), name="x")
    x = layers.GroupQueryAttention(2, 4, 2, use_gate=True)(start, start)
    x = layers.MultiHeadAttention(2, 3, use_bias=False, use_gate=True)(x, x)
    model = keras.Model(start, layers.Dense(2, name="head")(x))
    model.compile("sgd", "mse")
    return model, numbers(4, 4, 6), numbers(4, 4, 2)


def masked_text():
    start = keras.Input((9,), dtype="int32", name="words")
    x = layers.Embedding(60, 6, mask_zero=True)(start)
    x = layers.LSTM(5, return_sequences=True)(x)
    x = layers.GRU(4)(x)
    model = keras.Model(start, layers.Dense(1, activation="sigmoid", name="score")(x))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy", keras.metrics.AUC()])
    x = words(6, 60, 9)
    for row in range(6):
        x[row, 9 - row :] = 0
    return model, x, labels(6, 2, 1).astype("float32")


def regularized():
    start = keras.Input((6,))
    x = layers.Dense(5, kernel_regularizer="l2", bias_regularizer=keras.regularizers.L1(0.02), kernel_constraint="max_norm",
                     activity_regularizer=keras.regularizers.L1L2(0.01, 0.02), kernel_initializer="he_normal")(start)
    x = layers.PReLU()(x)
    model = keras.Model(start, layers.Dense(2)(x))
    schedule = keras.optimizers.schedules.ExponentialDecay(0.01, 2, 0.5)
    model.compile(keras.optimizers.Adam(schedule, clipnorm=1.0, weight_decay=0.01), keras.losses.Huber())
    return model, numbers(8, 6), numbers(8, 2)


def named_ends(keras=keras, layers=layers):
    """Inputs and outputs in dictionaries, also those of a model inside; `keras` may be tf.keras 2."""
    wide, narrow = keras.Input((4,), name="wide"), keras.Input((3,), name="narrow")
    x = layers.Dense(5, activation="tanh")(layers.concatenate([wide, narrow]))
    outputs = {"second": layers.Dense(2, name="d1")(x), "first": layers.Dense(2, name="d2")(x)}
    inner = keras.Model({"wide": wide, "narrow": narrow}, outputs, name="inner")
    v, u = keras.Input((4,), name="v"), keras.Input((3,), name="u")
    made = inner({"wide": v, "narrow": u})
    model = keras.Model({"v": v, "u": u}, {"total": layers.add([made["first"], made["second"]]), "made": made["second"]})
    model.compile("adam", {"total": "mse", "made": "mae"})
    return model, {"v": numbers(8, 4), "u": numbers(8, 3)}, {"total": numbers(8, 2), "made": numbers(8, 2)}


def with_optimizer(make):
    def build():
        model = keras.Model(*dense_chain())
        model.compile(make(), "mse")
        return model, numbers(8, 6), numbers(8, 4)

    return build


OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.01),
    "sgd_momentum": lambda: keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True),
    "rmsprop_centered": lambda: keras.optimizers.RMSprop(0.001, momentum=0.5, centered=True),
    "adam_amsgrad": lambda: keras.optimizers.Adam(0.001, amsgrad=True),
    "adamw": lambda: keras.optimizers.AdamW(0.001),
    "adagrad": lambda: keras.optimizers.Adagrad(0.01),
    "adadelta": lambda: keras.optimizers.Adadelta(0.1),
    "adamax": lambda: keras.optimizers.Adamax(0.001),
    "nadam": lambda: keras.optimizers.Nadam(0.001),
    "ftrl": lambda: keras.optimizers.Ftrl(0.01),
    "lion": lambda: keras.optimizers.Lion(0.001),
    "lamb": lambda: keras.optimizers.Lamb(0.001),
    "muon": lambda: keras.optimizers.Muon(0.001),
    "ema": lambda: keras.optimizers.Adam(0.001, use_ema=True, ema_overwrite_frequency=2),
    "accumulation": lambda: keras.optimizers.Adam(0.001, gradient_accumulation_steps=2),
    "loss_scale": lambda: keras.mixed_precision.LossScaleOptimizer(keras.optimizers.Adam(0.001)),
    "global_clipnorm": lambda: keras.optimizers.SGD(0.1, global_clipnorm=0.1),
}

MODELS = {
    f.__name__: f
    for f in (mnist_mlp, autoencoder, nested_autoencoder, ensemble, ticket_router, toy_resnet, shared_embedding,
              sequential, nested_sequential, frozen_nested, partly_frozen_nested, attention, encoder_decoder,
              masked_text, regularized, named_ends, wrapped, wrapped_model, heads)
} | {f"optimizer_{name}": with_optimizer(make) for name, make in OPTIMIZERS.items()}


def numbers(*shape):
    return RNG.standard_normal(shape).astype("float32")


def words(rows, vocabulary, columns):
    """No word twice: Keras on TensorFlow squares the gradient of each occurrence, elsewhere that of their sum."""
    return RNG.permutation(vocabulary)[: rows * columns].reshape(rows, columns).astype("int32")


def labels(rows, classes, columns=None):
    return RNG.integers(0, classes, (rows,) if columns is None else (rows, columns)).astype("int32")


def one_hot(rows, classes):
    return np.eye(classes, dtype="float32")[labels(rows, classes)]


def build(name):
    keras.backend.clear_session()
    keras.utils.set_random_seed(3)
    return MODELS[name]()


FIXTURES = ["ticket_router", "sequential", "nested_sequential", "partly_frozen_nested", "encoder_decoder", "masked_text",
            "attention", "optimizer_loss_scale", "named_ends", "wrapped", "heads"]
WEIGHTS = ["nested_sequential", "partly_frozen_nested", "optimizer_loss_scale", "wrapped", "heads"]


def write_model_files(folder):
    folder = folder / "model_files"
    folder.mkdir(exist_ok=True)
    for name in FIXTURES:
        write_model_file(folder, name, *build(name), weights=name in WEIGHTS)
