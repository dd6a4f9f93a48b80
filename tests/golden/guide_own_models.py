# SPDX-License-Identifier: Apache-2.0
"""What the guide's models with layers of one's own compute. Weights and data are a function of the element's number, as
in guide_models.py, so that only outputs are in the file."""
from common import keras, write
from guide_models import noise, weight
from keras import layers, ops


class CustomDense(layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="random_normal", name="w")
        self.b = self.add_weight(shape=(self.units,), initializer="random_normal", name="b")

    def call(self, inputs):
        return ops.matmul(inputs, self.w) + self.b


class MLP(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense_1 = layers.Dense(64, activation="relu")
        self.dense_2 = layers.Dense(10)

    def call(self, inputs):
        return self.dense_2(self.dense_1(inputs))


class CustomRNN(layers.Layer):
    def __init__(self, units, classifier):
        super().__init__()
        self.units = units
        self.projection_1 = layers.Dense(units, activation="tanh")
        self.projection_2 = layers.Dense(units, activation="tanh")
        self.classifier = classifier

    def call(self, inputs):
        outputs, state = [], ops.zeros((inputs.shape[0], self.units))
        for t in range(inputs.shape[1]):
            state = self.projection_1(inputs[:, t, :]) + self.projection_2(state)
            outputs.append(state)
        return self.classifier(ops.stack(outputs, axis=1))


def custom_dense():
    inputs = keras.Input((4,))
    return keras.Model(inputs, CustomDense(10)(inputs)), (3, 4)


def mlp():
    return MLP(), (3, 32)


def custom_rnn():
    features = keras.Input((None, 32))
    classifier = keras.Model(features, layers.Dense(1)(layers.GlobalAveragePooling1D()(features)))
    return CustomRNN(32, classifier), (1, 10, 5)


def custom_rnn_inside():
    inputs = keras.Input(batch_shape=(16, 10, 5))
    return keras.Model(inputs, CustomRNN(32, layers.Dense(1))(layers.Conv1D(32, 3)(inputs))), (16, 10, 5)


def write_guide_own_models(folder):
    cases = []
    for make in (custom_dense, mlp, custom_rnn, custom_rnn_inside):
        model, shape = make()
        model(noise(shape, 1.0))
        for variable in model.weights:
            variable.assign(weight(variable.shape))
        y = model(noise(shape, 1.0))
        cases.append({"name": make.__name__, "x": list(shape), "params": model.count_params(), "y": y})
    write(folder, "guide_own_models.json", {"cases": cases})
