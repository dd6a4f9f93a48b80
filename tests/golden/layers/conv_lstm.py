# SPDX-License-Identifier: Apache-2.0
"""ConvLSTM1D, ConvLSTM2D, ConvLSTM3D."""
import numpy as np
import tensorflow as tf
from cases import Case
from keras import layers, regularizers

ENDS = [[True, True, False], [False, True, True]]  # (2, 3)
LINE, IMAGE, BODY = (2, 3, 5, 2), (2, 3, 4, 3, 2), (1, 2, 3, 2, 3, 2)
# Keras drops the mask that sequences come with when there are initial states as well, unless it is said again.
MASKED = lambda layer, inputs, training: layer(
    inputs[0], initial_state=list(inputs[1:]), mask=np.array(ENDS), training=training)



def compiled(layer, inputs, training):
    """Through XLA: TensorFlow's own CPU kernels have no gradient for channels_first. The layer must be unrolled, as
    gradients of a loop cannot leave XLA."""
    if not layer.built:
        layer.build(inputs.shape)
    return tf.function(layer, jit_compile=True)(inputs, training=training)


def compiled_masked(layer, inputs, training):
    if not layer.built:
        layer.build(inputs[0].shape)
    return tf.function(layer, jit_compile=True)(
        inputs[0], initial_state=inputs[1:], mask=tf.constant(ENDS), training=training)


FIRST = {"data_format": "channels_first", "unroll": True}
SEQUENCES = {"return_sequences": True}
STATES = {"return_state": True}

CASES = [
    Case("line", lambda: layers.ConvLSTM1D(2, 3), [LINE]),
    Case("line_same_sequences", lambda: layers.ConvLSTM1D(3, 2, padding="same", **SEQUENCES), [LINE]),
    Case("line_strides_states", lambda: layers.ConvLSTM1D(2, 3, strides=2, padding="same", **STATES), [LINE]),
    Case("line_dilation_backwards", lambda: layers.ConvLSTM1D(
        2, 2, dilation_rate=2, go_backwards=True, **SEQUENCES, **STATES), [LINE]),
    Case("line_channels_first_no_bias", lambda: layers.ConvLSTM1D(
        2, 3, **FIRST, use_bias=False, padding="SAME"), [(2, 3, 2, 5)],
         call=compiled),
    Case("line_mask", lambda: layers.ConvLSTM1D(2, 2, **SEQUENCES), [LINE], masks=[ENDS]),
    Case("line_mask_zero_output", lambda: layers.ConvLSTM1D(
        2, 2, go_backwards=True, zero_output_for_mask=True, **SEQUENCES), [LINE], masks=[ENDS]),
    Case("line_mask_initial_state", lambda: layers.ConvLSTM1D(2, 2, **STATES), [LINE, (2, 4, 2), (2, 4, 2)],
         masks=[ENDS], call=MASKED),
    Case("line_initial_state", lambda: layers.ConvLSTM1D(2, 2, strides=2, **SEQUENCES), [LINE],
         initial_state=[(2, 2, 2), (2, 2, 2)]),
    Case("line_activations", lambda: layers.ConvLSTM1D(
        2, 2, activation="softsign", recurrent_activation="hard_sigmoid", unit_forget_bias=False,
        kernel_initializer="he_normal", recurrent_initializer="zeros", bias_initializer="ones"), [LINE]),
    Case("line_softmax", lambda: layers.ConvLSTM1D(
        3, 2, activation="softmax", **FIRST), [(2, 3, 2, 4)], call=compiled),
    Case("line_penalties", lambda: layers.ConvLSTM1D(
        2, 2, kernel_regularizer="l1", recurrent_regularizer="l2", bias_regularizer=regularizers.L1L2(0.01, 0.02),
        activity_regularizer="l2", kernel_constraint="max_norm", recurrent_constraint="unit_norm",
        bias_constraint="non_neg"), [LINE]),
    Case("line_dropout", lambda: layers.ConvLSTM1D(2, 2, dropout=0.3, recurrent_dropout=0.4, seed=3), [LINE],
         training=[False]),
    Case("image", lambda: layers.ConvLSTM2D(2, 2), [IMAGE]),
    Case("image_sizes_strides", lambda: layers.ConvLSTM2D(
        2, (3, 2), strides=(2, 1), padding="same", **SEQUENCES, **STATES), [IMAGE]),
    Case("image_dilation_same", lambda: layers.ConvLSTM2D(
        2, (2, 1), dilation_rate=(3, 2), padding="same", go_backwards=True), [IMAGE]),
    Case("image_channels_first", lambda: layers.ConvLSTM2D(
        3, 2, **FIRST, strides=(1, 2), **SEQUENCES, **STATES), [(2, 3, 2, 4, 3)],
         call=compiled),
    Case("image_mask_states", lambda: layers.ConvLSTM2D(1, (1, 2), **STATES), [IMAGE], masks=[ENDS]),
    Case("image_channels_first_initial_state_mask", lambda: layers.ConvLSTM2D(
        2, 2, **FIRST, **STATES), [(2, 3, 1, 3, 2), (2, 2, 2, 1), (2, 2, 2, 1)], masks=[ENDS],
        call=compiled_masked),
    Case("body", lambda: layers.ConvLSTM3D(2, 2), [BODY]),
    Case("body_strides_sequences", lambda: layers.ConvLSTM3D(
        1, (2, 1, 2), strides=(1, 2, 1), padding="same", **SEQUENCES, **STATES), [BODY]),
    Case("body_channels_first", lambda: layers.ConvLSTM3D(
        2, (1, 2, 2), dilation_rate=(1, 1, 2), **FIRST, use_bias=False), [(1, 2, 2, 3, 2, 3)],
         call=compiled),
    Case("bidirectional", lambda: layers.Bidirectional(
        layers.ConvLSTM1D(2, 2, padding="same", **SEQUENCES), merge_mode="sum"), [LINE]),
]
