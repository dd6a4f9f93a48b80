# SPDX-License-Identifier: Apache-2.0
"""The models of the functional API guide at full size, as Keras describes them, what they
predict, and the losses of ten training steps. Weights and data are a function of the element's number (see noise()), so
that neither is in the file.
"""
import json

from common import as_list, keras, np, train
from keras import layers
from model_files import decoder_graph, encoder_graph

STEPS = 10


def noise(shape, height):
    """Between -height and height: the number of the element, mixed as by a 32-bit hash."""
    x = (np.arange(np.prod(shape), dtype="uint64") * 2654435761 + 12345) % 2**32
    x = ((x ^ (x >> 16)) * 0x45D9F3B) % 2**32
    x ^= x >> 16
    return (height * (x / 2.0**31 - 1.0)).reshape(shape).astype("float32")


def whole(shape, limit):
    """7919 i modulo limit: no number twice in the first `limit` of them, if limit is not a multiple of 7919."""
    return (np.arange(np.prod(shape)) * 7919 % limit).reshape(shape).astype("int32")


def weight(shape):
    """As high as Glorot's uniform values for matrices, 0.1 for vectors."""
    height = np.sqrt(6.0 / (np.prod(shape[:-1]) + shape[-1])) if len(shape) > 1 else 0.1
    return noise(shape, height)


def mnist_mlp():
    inputs = keras.Input((784,))
    x = layers.Dense(64, activation="relu")(inputs)
    x = layers.Dense(64, activation="relu")(x)
    model = keras.Model(inputs, layers.Dense(10)(x), name="mnist_model")
    model.compile(keras.optimizers.RMSprop(), keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model, [((16, 784), None)], [((16,), 10)]


def encoder():
    img, code = encoder_graph()
    return keras.Model(img, code, name="encoder"), [((3, 28, 28, 1), None)], None


def autoencoder():
    img, code = encoder_graph()
    model = keras.Model(img, decoder_graph(code), name="autoencoder")
    model.compile("adam", "mse")
    return model, [((3, 28, 28, 1), None)], [((3, 28, 28, 1), None)]


def nested_autoencoder():
    img, code = encoder_graph()
    inner = keras.Model(img, code, name="encoder")
    start = keras.Input((16,), name="encoded_img")
    outer = keras.Input((28, 28, 1), name="img")
    model = keras.Model(outer, keras.Model(start, decoder_graph(start), name="decoder")(inner(outer)), name="autoencoder")
    model.compile("adam", "mse")
    return model, [((3, 28, 28, 1), None)], [((3, 28, 28, 1), None)]


def ensemble():
    def get_model():
        inputs = keras.Input((128,))
        return keras.Model(inputs, layers.Dense(1)(inputs))

    inputs = keras.Input((128,))
    return keras.Model(inputs, layers.average([get_model()(inputs) for _ in range(3)])), [((5, 128), None)], None


def ticket_router():
    title = keras.Input((None,), name="title")
    body = keras.Input((None,), name="body")
    tags = keras.Input((12,), name="tags")
    title_features = layers.LSTM(128)(layers.Embedding(10000, 64)(title))
    body_features = layers.LSTM(32)(layers.Embedding(10000, 64)(body))
    x = layers.concatenate([title_features, body_features, tags])
    outputs = [layers.Dense(1, name="priority")(x), layers.Dense(4, name="department")(x)]
    model = keras.Model([title, body, tags], outputs)
    losses = [keras.losses.BinaryCrossentropy(from_logits=True), keras.losses.CategoricalCrossentropy(from_logits=True)]
    model.compile(keras.optimizers.RMSprop(1e-3), losses, loss_weights=[1.0, 0.2])
    return model, [((4, 10), 10000), ((4, 100), 10000), ((4, 12), 2)], [((4, 1), 2), ((4, 4), "one hot")]


def toy_resnet():
    x = inputs = keras.Input((32, 32, 3), name="img")
    x = layers.Conv2D(32, 3, activation="relu")(x)
    x = layers.Conv2D(64, 3, activation="relu")(x)
    block = layers.MaxPooling2D(3)(x)
    for _ in range(2):
        x = layers.Conv2D(64, 3, activation="relu", padding="same")(block)
        x = layers.Conv2D(64, 3, activation="relu", padding="same")(x)
        block = layers.add([x, block])
    x = layers.Conv2D(64, 3, activation="relu")(block)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(256, activation="relu")(x)
    x = layers.Dropout(0.0)(x)  # Keras' own random numbers are not ours
    model = keras.Model(inputs, layers.Dense(10)(x), name="toy_resnet")
    model.compile(keras.optimizers.RMSprop(1e-3), keras.losses.CategoricalCrossentropy(from_logits=True), metrics=["acc"])
    return model, [((4, 32, 32, 3), None)], [((4, 10), "one hot")]


def shared_embedding():
    shared = layers.Embedding(1000, 128)
    a, b = keras.Input((None,), dtype="int32", name="a"), keras.Input((None,), dtype="int32", name="b")
    return keras.Model([a, b], [shared(a), shared(b)]), [((2, 3), 1000), ((2, 5), 1000)], None


def array(shape, kind):
    if kind is None:
        return noise(shape, 1.0)
    if kind == "one hot":
        return np.eye(shape[1], dtype="float32")[np.arange(shape[0]) % shape[1]]
    return whole(shape, kind)


def arrays(specs):
    made = [array(*spec) for spec in specs]
    return made[0] if len(made) == 1 else made


def listed(specs):
    return [{"shape": list(shape), "kind": kind} for shape, kind in specs]


def golden(build):
    keras.utils.clear_session()
    model, x, y = build()
    for variable in model.weights:
        variable.assign(weight(variable.shape))
    case = {"name": build.__name__, "x": listed(x), "y": None if y is None else listed(y)}
    case["model"] = json.loads(model.to_json())
    case["params"] = model.count_params()
    outputs = as_list(model.predict(arrays(x), verbose=0))
    case["predictions"] = [{"shape": list(o.shape), "values": np.ravel(o)[:200].astype(float).tolist()} for o in outputs]
    if y is not None:
        config = model.get_compile_config()
        case["compile"] = {key: config[key] for key in ("loss", "loss_weights", "metrics", "optimizer")}
        case["losses"] = train(model, arrays(x), arrays(y), STEPS)
    return case


def write_guide_models(folder):
    builds = (mnist_mlp, encoder, autoencoder, nested_autoencoder, ensemble, ticket_router, toy_resnet, shared_embedding)
    text = "[\n" + ",\n".join(json.dumps(golden(build)) for build in builds) + "\n]\n"
    (folder / "guide_models.json").write_text(text)
