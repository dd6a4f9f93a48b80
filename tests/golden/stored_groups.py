# SPDX-License-Identifier: Apache-2.0
"""stored_groups.json: where Keras' files of weights have the variables of each layer that has some. Run by generate.py.

A case is a model of one layer and its groups: path, and the names and shapes of the variables in their order.
"""
import tempfile
from pathlib import Path

from common import keras, np, write
from keras import layers


def attended(layer):
    start = keras.Input((4, 6))
    return keras.Model(start, layer(start, start))


def listed(layer, shape):
    start = keras.Input(shape)
    return keras.Model(start, layer([start, start]))


def called(layer, *shape, dtype=None):
    start = keras.Input(shape, dtype=dtype)
    return keras.Model(start, layer(start))


def models():
    sequence, image, video = (4, 6), (6, 5, 3), (3, 6, 5, 2)
    for layer in (layers.EinsumDense("abc,cd->abd", (None, 3), bias_axes="d"), layers.LayerNormalization(),
                  layers.RMSNormalization(), layers.GroupNormalization(2), layers.PReLU(shared_axes=[1]),
                  layers.BatchNormalization(), layers.Normalization(), layers.SimpleRNN(2), layers.LSTM(2), layers.GRU(2),
                  layers.RNN([layers.LSTMCell(2), layers.SimpleRNNCell(3), layers.LSTMCell(2)]),
                  layers.Bidirectional(layers.LSTM(2)),
                  layers.TimeDistributed(keras.Sequential([keras.Input((6,)), layers.Dense(2), layers.Dense(2)]))):
        yield called(layer, *sequence)
    yield called(layers.Embedding(7, 3), 4, dtype="int32")
    for layer in (layers.Conv2DTranspose(2, 2, use_bias=False), layers.DepthwiseConv2D(2), layers.SeparableConv2D(2, 2)):
        yield called(layer, *image)
    for layer in (layers.Conv3D(2, 2), layers.Bidirectional(layers.ConvLSTM2D(2, 2))):
        yield called(layer, *video)
    for layer in (layers.MultiHeadAttention(2, 3), layers.MultiHeadAttention(2, 3, use_gate=True, use_bias=False),
                  layers.GroupQueryAttention(2, 4, 2), layers.GroupQueryAttention(2, 4, 2, use_gate=True)):
        yield attended(layer)
    for layer in (layers.Attention(use_scale=True, score_mode="concat"), layers.AdditiveAttention()):
        yield listed(layer, sequence)


def groups_of(model):
    """Reads them from the file that the model writes: each variable has a value of its own by which it is found."""
    known = {}
    for number, variable in enumerate(model.weights, 1):
        variable.assign(np.full(variable.shape, number).astype(variable.dtype))
        known[number] = variable
    groups = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.weights.h5"
        model.save_weights(path)
        from h5py import Dataset, File
        with File(path) as file:
            def visit(place, item):
                if isinstance(item, Dataset):
                    variable = known[int(np.ravel(item[()])[0])]
                    group, index = place.rsplit("/vars/", 1)
                    groups.setdefault(group, {})[int(index)] = [variable.name, list(variable.shape)]
            file.visititems(visit)
    return [{"path": path, "variables": [v for _, v in sorted(found.items())]} for path, found in sorted(groups.items())]


def write_stored_groups(folder):
    cases = []
    for model in models():
        keras.utils.clear_session()
        cases.append({"name": model.layers[-1].name, "model": model.to_json(), "groups": groups_of(model)})
    write(folder, "stored_groups.json", {"cases": cases})
