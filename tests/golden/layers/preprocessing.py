# SPDX-License-Identifier: Apache-2.0
"""Rescaling and Normalization."""
import numpy as np
from cases import Case, random_weight
from keras import layers

STEPS = [[True, False, True, True], [False, True, True, False], [True, True, True, True]]  # (3, 4)
BYTES = (np.arange(2 * 3 * 5).reshape(2, 3, 5) * 37 % 256).astype(np.uint8)


def statistics(name, shape, rng):
    return np.array(17) if name == "count" else random_weight(name, shape, rng)


def with_new_statistics(layer, inputs, training):
    """Keras takes mean and variance out of the weights when told that they have changed."""
    layer.finalize_state()
    return layer(inputs)


def adapted(label, make, shape, **more):
    return Case(label, make, [shape], weights=statistics, call=with_new_statistics, **more)


CASES = [
    Case("rescaling", lambda: layers.Rescaling(1.0 / 255), [(3, 5)]),
    Case("rescaling_offset", lambda: layers.Rescaling(1.0 / 127.5, offset=-1), [BYTES]),
    Case("rescaling_whole_numbers", lambda: layers.Rescaling(2, offset=3), [np.arange(15, dtype=np.int32).reshape(3, 5)]),
    Case("rescaling_arrays", lambda: layers.Rescaling([0.5, 2.0, -1.5], offset=[1.0, 0.0, 0.25]), [(2, 4, 3)]),
    Case("rescaling_array_and_number", lambda: layers.Rescaling([0.5, 2.0, -1.5], offset=0.5), [(2, 2, 3, 3)]),
    Case("rescaling_matrix", lambda: layers.Rescaling(0.5, offset=[[1.0, 2.0], [3.0, 4.0]]), [(3, 2, 2)]),
    Case("rescaling_numpy", lambda: layers.Rescaling(np.array([0.5, 2.0], np.float32)), [(3, 2)]),
    Case("rescaling_mask", lambda: layers.Rescaling(0.5), [(3, 4, 2)], masks=[STEPS]),

    adapted("normalization", lambda: layers.Normalization(), (3, 5)),
    adapted("normalization_steps", lambda: layers.Normalization(axis=-1), (3, 4, 5), masks=[STEPS]),
    adapted("normalization_axis_1", lambda: layers.Normalization(axis=1), (2, 5, 3)),
    adapted("normalization_axes", lambda: layers.Normalization(axis=[-1, 1]), (2, 3, 4, 5)),
    adapted("normalization_no_axis", lambda: layers.Normalization(axis=None), (3, 5)),
    adapted("normalization_inverted", lambda: layers.Normalization(invert=True), (3, 5)),
    adapted("normalization_voxels", lambda: layers.Normalization(axis=(1, 4), invert=True), (2, 3, 2, 2, 3)),
    Case("normalization_given", lambda: layers.Normalization(mean=1.5, variance=2.25), [(3, 5)]),
    Case("normalization_given_no_axis", lambda: layers.Normalization(axis=None, mean=3, variance=4), [BYTES]),
    Case("normalization_given_array", lambda: layers.Normalization(mean=[1.0, -2.0, 0.5], variance=[4.0, 0.25, 0.0]),
         [(2, 4, 3)], scale=0.01),
    Case("normalization_given_axes", lambda: layers.Normalization(
        axis=[1, 2], mean=[[1.0, 2.0, 3.0]], variance=[[1.0, 4.0, 9.0]], invert=True), [(2, 4, 3)]),
    Case("normalization_given_last_of_axes", lambda: layers.Normalization(
        axis=[1, 3], mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 9.0]), [(2, 4, 2, 3)]),
]
