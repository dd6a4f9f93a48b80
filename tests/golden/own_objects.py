# SPDX-License-Identifier: Apache-2.0
"""A model whose loss, metric, activation, initializer, regularizer, constraint and optimizer are the user's own, some as
classes and some as plain functions: tests/golden/own_objects.
"""
from common import keras, np, write_model_file
from keras import layers

RNG = np.random.default_rng(7)


def pinball(y_true, y_pred):
    error = y_true - y_pred
    return keras.ops.mean(keras.ops.maximum(0.7 * error, -0.3 * error), axis=-1)


def largest_error(y_true, y_pred):
    return keras.ops.max(keras.ops.abs(y_true - y_pred), axis=-1)


def squared_relu(x):
    return keras.ops.square(keras.ops.relu(x))


def column_sums(weight):
    return 0.01 * keras.ops.sum(keras.ops.square(keras.ops.sum(weight, axis=0)))


@keras.saving.register_keras_serializable("golden")
class PowerLoss(keras.losses.Loss):
    def __init__(self, power, reduction="sum_over_batch_size", name="power_loss"):
        super().__init__(reduction=reduction, name=name)
        self.power = power

    def call(self, y_true, y_pred):
        return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** self.power, axis=-1)

    def get_config(self):
        return {"power": self.power, **super().get_config()}


class Steps(keras.initializers.Initializer):
    def __init__(self, size):
        self.size = size

    def __call__(self, shape, dtype=None):
        return keras.ops.reshape(keras.ops.arange(int(np.prod(shape)), dtype=dtype), shape) * self.size

    def get_config(self):
        return {"size": self.size}


class Bounded(keras.constraints.Constraint):
    def __init__(self, bound):
        self.bound = bound

    def __call__(self, weight):
        return keras.ops.clip(weight, -self.bound, self.bound)

    def get_config(self):
        return {"bound": self.bound}


@keras.saving.register_keras_serializable("golden")
class SignDescent(keras.optimizers.Optimizer):
    def update_step(self, gradient, variable, learning_rate):
        self.assign_sub(variable, keras.ops.sign(gradient) * keras.ops.cast(learning_rate, variable.dtype))


def own_objects():
    start = keras.Input((6,))
    x = layers.Dense(5, activation=squared_relu, kernel_initializer=Steps(0.02), kernel_regularizer=column_sums,
                     kernel_constraint=Bounded(0.4))(start)
    model = keras.Model(start, [layers.Dense(2, name="first")(x), layers.Dense(3, name="second")(x)])
    model.compile(SignDescent(0.01), [pinball, PowerLoss(3.0)], metrics=[[largest_error], [PowerLoss(1.5)]])
    return model, numbers(8, 6), {"first": numbers(8, 2), "second": numbers(8, 3)}


def numbers(*shape):
    return RNG.standard_normal(shape).astype("float32")


def write_own_objects(folder):
    folder = folder / "own_objects"
    folder.mkdir(exist_ok=True)
    keras.utils.set_random_seed(3)
    write_model_file(folder, "own_objects", *own_objects())
