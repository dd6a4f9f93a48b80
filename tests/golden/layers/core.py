# SPDX-License-Identifier: Apache-2.0
"""Flatten, Reshape, Permute, RepeatVector, Lambda."""
import keras
from cases import Case
from keras import layers, ops

STEPS = [[True, False, True, True], [False, True, True, False]]  # (2, 4)


# The functions are named in tests/layers/golden_layers_test.cpp.
@keras.saving.register_keras_serializable(package="golden")
def affine(x, factor=1.0, offset=0.0):
    return x * factor + offset


@keras.saving.register_keras_serializable(package="golden")
def difference(inputs):
    return inputs[0] - inputs[1]


@keras.saving.register_keras_serializable(package="golden")
def masked_sum(x, mask=None):
    return ops.sum(x * ops.expand_dims(ops.cast(mask, x.dtype), -1), axis=1)


@keras.saving.register_keras_serializable(package="golden")
def flipped(x, training=False):
    return -x if training else x


@keras.saving.register_keras_serializable(package="golden")
def reversed_mask(inputs, mask):
    return ops.logical_not(mask)


CASES = [
    Case("flatten_images", lambda: layers.Flatten(), [(2, 3, 5, 2)]),
    Case("flatten_channels_first", lambda: layers.Flatten(data_format="channels_first"), [(2, 3, 5, 2)]),
    Case("flatten_channels_first_sequence", lambda: layers.Flatten(data_format="channels_first"), [(2, 3, 5)]),
    Case("flatten_channels_first_vectors", lambda: layers.Flatten(data_format="channels_first"), [(2, 3)]),
    Case("flatten_numbers", lambda: layers.Flatten(), [(3,)]),
    Case("flatten_mask", lambda: layers.Flatten(), [(2, 4, 3)], masks=[STEPS]),
    Case("reshape", lambda: layers.Reshape((3, 4)), [(2, 12)]),
    Case("reshape_computed", lambda: layers.Reshape((2, -1, 3)), [(2, 5, 6)]),
    Case("reshape_flat", lambda: layers.Reshape((-1,)), [(2, 5, 3)]),
    Case("reshape_numbers", lambda: layers.Reshape((1, 1)), [(3,)]),
    Case("reshape_mask", lambda: layers.Reshape((3, 4)), [(2, 4, 3)], masks=[STEPS]),
    Case("permute", lambda: layers.Permute((2, 1)), [(2, 3, 5)]),
    Case("permute_three", lambda: layers.Permute((3, 1, 2)), [(2, 3, 5, 4)]),
    Case("permute_four", lambda: layers.Permute((2, 4, 3, 1)), [(2, 3, 1, 5, 2)]),
    Case("permute_mask", lambda: layers.Permute((2, 1)), [(2, 4, 3)], masks=[STEPS]),
    Case("repeat_vector", lambda: layers.RepeatVector(3), [(2, 5)]),
    Case("repeat_vector_once", lambda: layers.RepeatVector(1), [(3, 2)]),
    Case("lambda", lambda: layers.Lambda(affine), [(2, 5)]),
    Case("lambda_arguments", lambda: layers.Lambda(affine, arguments={"factor": -2.0, "offset": 0.5}), [(2, 3, 2)]),
    Case("lambda_inputs", lambda: layers.Lambda(difference), [(2, 5), (2, 1)]),
    Case("lambda_output_shape", lambda: layers.Lambda(affine, output_shape=(5,)), [(2, 5)]),
    Case("lambda_training", lambda: layers.Lambda(flipped), [(2, 5)]),
    Case("lambda_drops_mask", lambda: layers.Lambda(affine), [(2, 4, 3)], masks=[STEPS]),
    Case("lambda_reads_mask", lambda: layers.Lambda(masked_sum), [(2, 4, 3)], masks=[STEPS]),
    Case("lambda_makes_mask", lambda: layers.Lambda(affine, mask=reversed_mask), [(2, 4, 3)], masks=[STEPS]),
]
