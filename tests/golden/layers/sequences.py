# SPDX-License-Identifier: Apache-2.0
"""Bidirectional, TimeDistributed, Embedding, Masking."""
import numpy as np
from cases import Case
from keras import layers, regularizers

ENDS = [[True, True, True, False], [True, False, True, True], [False, True, True, False]]  # (3, 4), with gaps
IDS = np.array([[1, 0, 4, 2], [0, 3, 3, 1], [2, 2, 0, 0]])
STEPS = np.array([[[0.5, -1], [0, 0], [0, 2], [0, 0]], [[0, 0], [1, 1], [0.25, 0], [3, -2]]], "float32")
STATES = lambda layer, inputs, training: layer(inputs[0], initial_state=list(inputs[1:]), training=training)

CASES = [
    Case("bidirectional_lstm", lambda: layers.Bidirectional(layers.LSTM(3)), [(2, 4, 5)]),
    Case("bidirectional_sequences_sum", lambda: layers.Bidirectional(
        layers.GRU(3, return_sequences=True), merge_mode="sum"), [(2, 4, 5)]),
    Case("bidirectional_mul", lambda: layers.Bidirectional(layers.SimpleRNN(3), merge_mode="mul"), [(2, 4, 5)]),
    Case("bidirectional_ave_states", lambda: layers.Bidirectional(
        layers.LSTM(3, return_sequences=True, return_state=True), merge_mode="ave"), [(2, 4, 5)]),
    Case("bidirectional_none", lambda: layers.Bidirectional(
        layers.GRU(3, return_sequences=True), merge_mode=None), [(2, 4, 5)]),
    Case("bidirectional_none_states", lambda: layers.Bidirectional(
        layers.GRU(3, return_state=True), merge_mode=None), [(2, 4, 5)]),
    Case("bidirectional_initial_state", lambda: layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
         [(2, 4, 5), (2, 3), (2, 3), (2, 3), (2, 3)], call=STATES),
    Case("bidirectional_backward_layer", lambda: layers.Bidirectional(
        layers.LSTM(3, return_sequences=True),
        backward_layer=layers.GRU(5, return_sequences=True, go_backwards=True, reset_after=False)), [(2, 4, 5)]),
    Case("bidirectional_mask", lambda: layers.Bidirectional(layers.LSTM(3, return_sequences=True)), [(3, 4, 2)],
         masks=[ENDS]),
    Case("bidirectional_mask_last", lambda: layers.Bidirectional(layers.GRU(3), merge_mode="sum"), [(3, 4, 2)],
         masks=[ENDS]),
    Case("bidirectional_rnn", lambda: layers.Bidirectional(layers.RNN(
        [layers.LSTMCell(3), layers.SimpleRNNCell(2)], return_sequences=True)), [(3, 4, 2)]),
    Case("bidirectional_penalties", lambda: layers.Bidirectional(layers.LSTM(
        3, kernel_regularizer="l2", activity_regularizer="l1")), [(3, 4, 2)]),

    Case("time_distributed_dense", lambda: layers.TimeDistributed(layers.Dense(3, activation="tanh")), [(2, 4, 5)]),
    Case("time_distributed_mask", lambda: layers.TimeDistributed(layers.Dense(3)), [(3, 4, 2)], masks=[ENDS]),
    Case("time_distributed_lstm", lambda: layers.TimeDistributed(layers.LSTM(3)), [(2, 3, 4, 2)]),
    Case("time_distributed_flatten", lambda: layers.TimeDistributed(layers.Flatten()), [(2, 3, 2, 2)]),
    Case("time_distributed_activity", lambda: layers.TimeDistributed(
        layers.Dense(3, kernel_regularizer="l2", bias_constraint="non_neg")), [(2, 4, 5)]),

    Case("embedding", lambda: layers.Embedding(5, 3), [IDS]),
    Case("embedding_mask", lambda: layers.Embedding(5, 3, mask_zero=True), [IDS.astype("int32")]),
    Case("embedding_float_ids", lambda: layers.Embedding(5, 2), [IDS.astype("float32")]),
    Case("embedding_vector", lambda: layers.Embedding(5, 2, embeddings_initializer="glorot_normal"), [IDS[0]]),
    Case("embedding_three_axes", lambda: layers.Embedding(5, 2, mask_zero=True), [IDS.reshape(2, 2, 3)]),
    Case("embedding_penalties", lambda: layers.Embedding(
        5, 3, embeddings_regularizer=regularizers.L1L2(0.02, 0.03), activity_regularizer="l2",
        embeddings_constraint="unit_norm"), [IDS]),

    Case("masking", lambda: layers.Masking(), [STEPS]),
    Case("masking_value", lambda: layers.Masking(mask_value=3.0), [np.where(STEPS == 0, 3, STEPS)]),
    Case("masking_four_axes", lambda: layers.Masking(), [STEPS.reshape(2, 2, 2, 2)]),
]
