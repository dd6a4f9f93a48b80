# SPDX-License-Identifier: Apache-2.0
"""Dense."""
import numpy as np
from cases import Case
from keras import constraints, initializers, layers, regularizers

CASES = [
    Case("dense", lambda: layers.Dense(5), [(3, 7)]),
    Case("dense_tanh_no_bias", lambda: layers.Dense(3, activation="tanh", use_bias=False), [(2, 5)]),
    Case("dense_three_axes", lambda: layers.Dense(3, activation="relu"), [(2, 3, 5)]),
    Case("dense_four_axes_no_bias", lambda: layers.Dense(3, use_bias=False), [(2, 3, 1, 5)]),
    Case("dense_one_unit", lambda: layers.Dense(1, activation="sigmoid"), [(3, 5)]),
    Case("dense_one_input", lambda: layers.Dense(3, activation="softmax"), [(3, 1)]),
    Case("dense_integers", lambda: layers.Dense(3), [np.array([[1, -2, 3, 0], [0, 5, -1, 2]], "int32")]),
    Case("dense_activation_layer", lambda: layers.Dense(3, activation=layers.LeakyReLU(negative_slope=0.25)), [(2, 5)]),
    Case("dense_rules", lambda: layers.Dense(
        3, kernel_initializer=initializers.VarianceScaling(2.0, "fan_out", "uniform", seed=3),
        bias_initializer=initializers.Constant(0.5), kernel_regularizer=regularizers.OrthogonalRegularizer(0.03),
        bias_regularizer=regularizers.L1L2(0.1, 0.2), kernel_constraint=constraints.MinMaxNorm(0.5, 2.0, 0.9, axis=[0, 1]),
        bias_constraint=constraints.UnitNorm()), [(2, 5)]),
    Case("dense_penalties", lambda: layers.Dense(
        3, kernel_regularizer="l2", bias_regularizer="l1", activity_regularizer=regularizers.L1L2(0.02, 0.03), kernel_constraint="max_norm"),
        [(2, 5)]),
    Case("dense_activity", lambda: layers.Dense(3, activation="sigmoid", activity_regularizer="l2"), [(4, 5)]),
    Case("dense_mask", lambda: layers.Dense(3), [(2, 3, 5)], masks=[[[True, False, True], [True, True, False]]]),
]
