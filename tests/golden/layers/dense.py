# SPDX-License-Identifier: Apache-2.0
"""Dense."""
from cases import Case
from keras import layers, regularizers

CASES = [
    Case("dense", lambda: layers.Dense(5), [(3, 7)]),
    Case("dense_tanh_no_bias", lambda: layers.Dense(3, activation="tanh", use_bias=False), [(2, 5)]),
    Case("dense_three_axes", lambda: layers.Dense(3, activation="relu"), [(2, 3, 5)]),
    Case("dense_penalties", lambda: layers.Dense(
        3, kernel_regularizer="l2", bias_regularizer="l1", activity_regularizer=regularizers.L1L2(0.02, 0.03), kernel_constraint="max_norm"),
        [(2, 5)]),
    Case("dense_activity", lambda: layers.Dense(3, activation="sigmoid", activity_regularizer="l2"), [(4, 5)]),
    Case("dense_mask", lambda: layers.Dense(3), [(2, 3, 5)], masks=[[[True, False, True], [True, True, False]]]),
]
