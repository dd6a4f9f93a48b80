# SPDX-License-Identifier: Apache-2.0
"""SimpleRNN, LSTM, GRU, their cells, RNN over cells, StackedRNNCells."""
import numpy as np
from cases import Case
from keras import layers, regularizers

ENDS = [[True, True, True, False], [True, False, True, True], [False, True, True, False]]  # (3, 4), with gaps
# Keras drops the mask that sequences come with when there are initial states as well, unless it is said again.
MASKED = lambda layer, inputs, training: layer(
    inputs[0], initial_state=list(inputs[1:]), mask=np.array(ENDS), training=training)
ON_CELL = lambda layer, inputs, training: layer(inputs[0], inputs[1:], training=training)


def small(name, shape, rng):
    """Weights of long sequences: states that neither explode nor forget at once."""
    return (np.round(rng.standard_normal(shape) * 16) / 64).astype(np.float32)


CASES = [
    Case("simple_rnn", lambda: layers.SimpleRNN(5), [(3, 4, 7)]),
    Case("simple_rnn_sequences_no_bias", lambda: layers.SimpleRNN(
        3, activation="sigmoid", use_bias=False, return_sequences=True), [(2, 5, 3)]),
    Case("simple_rnn_backwards_states", lambda: layers.SimpleRNN(
        3, return_sequences=True, return_state=True, go_backwards=True), [(2, 5, 3)]),
    Case("simple_rnn_initial_state", lambda: layers.SimpleRNN(
        5, activation="relu", return_state=True), [(3, 4, 2)], initial_state=[(3, 5)]),
    Case("simple_rnn_mask", lambda: layers.SimpleRNN(5, return_sequences=True), [(3, 4, 2)], masks=[ENDS]),
    Case("simple_rnn_mask_last", lambda: layers.SimpleRNN(
        5, return_state=True, unroll=True), [(3, 4, 2), (3, 5)], masks=[ENDS], call=MASKED),
    Case("simple_rnn_penalties", lambda: layers.SimpleRNN(
        3, kernel_regularizer="l1", recurrent_regularizer="l2", bias_regularizer=regularizers.L1L2(0.01, 0.02),
        activity_regularizer=regularizers.L1L2(0.02, 0.03), kernel_constraint="max_norm",
        recurrent_constraint="unit_norm", bias_constraint="non_neg"), [(2, 4, 3)]),
    Case("simple_rnn_cell", lambda: layers.SimpleRNNCell(3, activation="softsign"), [(2, 5), (2, 3)], call=ON_CELL),

    Case("lstm", lambda: layers.LSTM(5), [(3, 4, 7)]),
    Case("lstm_sequences", lambda: layers.LSTM(3, return_sequences=True), [(2, 5, 3)]),
    Case("lstm_states", lambda: layers.LSTM(3, return_state=True), [(2, 5, 3)]),
    Case("lstm_sequences_states_backwards", lambda: layers.LSTM(
        5, return_sequences=True, return_state=True, go_backwards=True), [(2, 3, 4)]),
    Case("lstm_initial_state", lambda: layers.LSTM(3, return_sequences=True), [(2, 5, 3)],
         initial_state=[(2, 3), (2, 3)]),
    Case("lstm_activations_no_bias", lambda: layers.LSTM(
        3, activation="softsign", recurrent_activation="hard_sigmoid", use_bias=False, return_state=True),
        [(2, 4, 5)]),
    Case("lstm_linear_gates", lambda: layers.LSTM(
        3, activation=None, recurrent_activation=None, unit_forget_bias=False), [(2, 3, 2)], scale=0.5),
    Case("lstm_mask", lambda: layers.LSTM(5, return_sequences=True), [(3, 4, 2)], masks=[ENDS]),
    Case("lstm_mask_last_states", lambda: layers.LSTM(
        5, return_state=True), [(3, 4, 2), (3, 5), (3, 5)], masks=[ENDS], call=MASKED),
    Case("lstm_mask_backwards", lambda: layers.LSTM(
        5, return_sequences=True, return_state=True, go_backwards=True), [(3, 4, 2)], masks=[ENDS]),
    Case("lstm_mask_zero_output", lambda: layers.LSTM(
        5, return_sequences=True, zero_output_for_mask=True), [(3, 4, 2)], masks=[ENDS]),
    Case("lstm_mask_zero_last_output", lambda: layers.LSTM(
        5, zero_output_for_mask=True, return_state=True), [(3, 4, 2)], masks=[ENDS]),
    Case("lstm_penalties", lambda: layers.LSTM(
        3, kernel_regularizer="l1", recurrent_regularizer="l2", bias_regularizer=regularizers.L1L2(0.01, 0.02), activity_regularizer="l2",
        kernel_constraint="max_norm", recurrent_constraint="unit_norm", bias_constraint="non_neg",
        return_sequences=True), [(2, 4, 3)]),
    Case("lstm_initializers", lambda: layers.LSTM(
        3, kernel_initializer="he_normal", recurrent_initializer="glorot_uniform", bias_initializer="ones"),
        [(2, 4, 3)]),
    Case("lstm_unroll", lambda: layers.LSTM(3, unroll=True, return_sequences=True), [(2, 3, 2)]),
    Case("lstm_dropout", lambda: layers.LSTM(3, dropout=0.3, recurrent_dropout=0.4, seed=3), [(2, 3, 2)],
         training=[False]),
    Case("lstm_100_steps", lambda: layers.LSTM(3, return_state=True), [(2, 100, 2)], weights=small,
         tolerance=1e-4, reason="100 recurrent steps"),
    Case("lstm_cell", lambda: layers.LSTMCell(3), [(2, 5), (2, 3), (2, 3)], call=ON_CELL),
    Case("lstm_cell_no_bias", lambda: layers.LSTMCell(3, use_bias=False, recurrent_activation="tanh"),
         [(2, 5), (2, 3), (2, 3)], call=ON_CELL),

    Case("gru", lambda: layers.GRU(5), [(3, 4, 7)]),
    Case("gru_sequences", lambda: layers.GRU(3, return_sequences=True), [(2, 5, 3)]),
    Case("gru_no_bias_states", lambda: layers.GRU(3, use_bias=False, return_state=True), [(2, 5, 3)]),
    Case("gru_reset_before", lambda: layers.GRU(5, reset_after=False, return_sequences=True), [(3, 4, 2)]),
    Case("gru_reset_before_no_bias_backwards", lambda: layers.GRU(
        3, reset_after=False, use_bias=False, go_backwards=True, return_sequences=True), [(3, 4, 2)]),
    Case("gru_activations", lambda: layers.GRU(
        3, activation="elu", recurrent_activation="hard_sigmoid", return_state=True), [(2, 4, 5)]),
    Case("gru_activations_reset_before", lambda: layers.GRU(
        3, activation="sigmoid", recurrent_activation="tanh", reset_after=False), [(2, 4, 5)]),
    Case("gru_initial_state", lambda: layers.GRU(3, return_sequences=True, return_state=True), [(2, 5, 3)],
         initial_state=[(2, 3)]),
    Case("gru_mask", lambda: layers.GRU(5, return_sequences=True), [(3, 4, 2)], masks=[ENDS]),
    Case("gru_mask_last", lambda: layers.GRU(5, return_state=True), [(3, 4, 2), (3, 5)], masks=[ENDS], call=MASKED),
    Case("gru_mask_reset_before_zero_output", lambda: layers.GRU(
        5, reset_after=False, return_sequences=True, zero_output_for_mask=True, go_backwards=True), [(3, 4, 2)],
        masks=[ENDS]),
    Case("gru_penalties", lambda: layers.GRU(
        3, kernel_regularizer="l2", recurrent_regularizer="l1", bias_regularizer="l2", activity_regularizer="l1",
        kernel_constraint="max_norm", recurrent_constraint="unit_norm", bias_constraint="non_neg"), [(2, 4, 3)]),
    Case("gru_dropout", lambda: layers.GRU(3, dropout=0.3, recurrent_dropout=0.4, unroll=True), [(2, 3, 2)],
         training=[False]),
    Case("gru_100_steps", lambda: layers.GRU(3, return_state=True), [(2, 100, 2)], weights=small,
         tolerance=1e-4, reason="100 recurrent steps"),
    Case("gru_cell", lambda: layers.GRUCell(3), [(2, 5), (2, 3)], call=ON_CELL),
    Case("gru_cell_reset_before", lambda: layers.GRUCell(3, reset_after=False), [(2, 5), (2, 3)], call=ON_CELL),

    Case("rnn_lstm_cell", lambda: layers.RNN(layers.LSTMCell(3), return_state=True), [(2, 4, 3)]),
    Case("rnn_gru_cell_mask", lambda: layers.RNN(
        layers.GRUCell(3), return_sequences=True, zero_output_for_mask=True), [(3, 4, 2)], masks=[ENDS]),
    Case("rnn_activity", lambda: layers.RNN(
        layers.SimpleRNNCell(3), return_sequences=True, activity_regularizer="l2"), [(3, 4, 2)]),
    Case("rnn_two_cells", lambda: layers.RNN(
        [layers.LSTMCell(3), layers.GRUCell(2)], return_sequences=True, return_state=True), [(3, 4, 2)]),
    Case("rnn_two_cells_mask_backwards", lambda: layers.RNN(
        [layers.SimpleRNNCell(3), layers.LSTMCell(5)], return_sequences=True, go_backwards=True), [(3, 4, 2)],
        masks=[ENDS]),
    Case("rnn_stacked_same", lambda: layers.RNN(layers.StackedRNNCells(
        [layers.GRUCell(3), layers.GRUCell(3, reset_after=False)])), [(3, 4, 2)]),
]
