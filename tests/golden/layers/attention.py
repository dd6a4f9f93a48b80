# SPDX-License-Identifier: Apache-2.0
"""Attention, AdditiveAttention, MultiHeadAttention, GroupQueryAttention, EinsumDense."""
import numpy as np
from cases import Case
from keras import layers, regularizers

QUERY_MASK = [[True, True, False], [True, False, True]]
VALUE_MASK = [[True, False, True, True, False], [False, True, True, True, True]]
KEY_MASK = [[True, True, True, False, True], [True, True, True, True, False]]
# Query step 1 of sample 0 sees nothing.
SEES = np.array([[[1, 0, 1, 1, 0], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]], [[0, 1, 0, 0, 1], [1, 1, 0, 0, 0], [0, 0, 0, 1, 0]]], bool)
SEES_BY_HEAD = np.stack([SEES, np.roll(SEES, 1, axis=2)], axis=1)
Q, V, K = (2, 3, 5), (2, 5, 3), (2, 5, 5)
SCORES = {"return_attention_scores": True}
CAUSAL = {"use_causal_mask": True}

ONCE = [False]  # what computes the same in training is recorded once, but for the first case of each layer
# Heads of one element as many as there are steps: Keras adds the bias (heads, 1) to the steps on TensorFlow. None here.
MHA, GQA = layers.MultiHeadAttention, layers.GroupQueryAttention

CASES = [
    Case("attention", lambda: layers.Attention(), [Q, K]),
    Case("attention_key_scale", lambda: layers.Attention(use_scale=True), [Q, V, K], arguments=SCORES, training=ONCE),
    Case("attention_concat", lambda: layers.Attention(score_mode="concat"), [Q, V, K], masks=[QUERY_MASK, VALUE_MASK, None],
         training=ONCE),
    Case("attention_concat_scale", lambda: layers.Attention(use_scale=True, score_mode="concat"), [Q, K], arguments=CAUSAL,
         training=ONCE),
    Case("attention_masks", lambda: layers.Attention(), [Q, V, K], masks=[QUERY_MASK, VALUE_MASK, KEY_MASK], arguments=SCORES,
         training=ONCE),
    Case("attention_value_mask", lambda: layers.Attention(), [Q, V, K], masks=[None, VALUE_MASK, None], training=ONCE),
    Case("attention_query_mask", lambda: layers.Attention(), [Q, V, K], masks=[QUERY_MASK, None, None], training=ONCE),
    Case("attention_causal_masks", lambda: layers.Attention(), [Q, V, K], masks=[QUERY_MASK, VALUE_MASK, None],
         arguments={**CAUSAL, **SCORES}, training=ONCE),
    Case("attention_dropout", lambda: layers.Attention(dropout=0.5), [Q, V, K], training=ONCE, arguments=SCORES),
    Case("additive", lambda: layers.AdditiveAttention(), [Q, K]),
    Case("additive_no_scale", lambda: layers.AdditiveAttention(use_scale=False), [Q, V, K], arguments=SCORES,
         training=ONCE),
    Case("additive_masks", lambda: layers.AdditiveAttention(), [Q, V, K], masks=[QUERY_MASK, VALUE_MASK, None],
         arguments=CAUSAL, training=ONCE),
    Case("mha", lambda: MHA(3, 2), [Q, V]),
    Case("mha_key", lambda: MHA(2, 3, value_dim=4), [Q, V, (2, 5, 2)], training=ONCE),
    Case("mha_no_bias_scores", lambda: MHA(2, 1, use_bias=False), [Q, V], arguments=SCORES, training=ONCE),
    Case("mha_output_shape", lambda: MHA(2, 1, output_shape=(2, 5)), [Q, V], arguments=CAUSAL, training=ONCE),
    Case("mha_output_size", lambda: MHA(2, 1, output_shape=5, value_dim=1), [Q, V], arguments={**CAUSAL, **SCORES},
         training=ONCE),
    Case("mha_masks", lambda: MHA(2, 2), [Q, V, K], masks=[QUERY_MASK, VALUE_MASK, KEY_MASK], training=ONCE),
    Case("mha_query_mask", lambda: MHA(2, 1), [Q, V], masks=[QUERY_MASK, None], arguments=SCORES, training=ONCE),
    Case("mha_attention_mask", lambda: MHA(2, 1), [Q, V], arguments={"attention_mask": SEES}, training=ONCE),
    Case("mha_attention_mask_scores", lambda: MHA(2, 1), [Q, V], arguments={"attention_mask": SEES, **SCORES},
         training=ONCE),
    Case("mha_attention_mask_heads", lambda: MHA(2, 1), [Q, V], arguments={"attention_mask": SEES_BY_HEAD, **SCORES},
         training=ONCE),
    Case("mha_all_masks", lambda: MHA(2, 1, sliding_window=2), [Q, V], masks=[QUERY_MASK, VALUE_MASK],
         arguments={"attention_mask": SEES, **CAUSAL, **SCORES}, training=ONCE),
    Case("mha_sliding_window", lambda: MHA(2, 1, sliding_window=2), [Q, V], training=ONCE),
    Case("mha_gate", lambda: MHA(2, 3, use_gate=True, value_dim=5), [Q, V], training=ONCE),
    Case("mha_gate_no_bias", lambda: MHA(2, 2, use_gate=True, use_bias=False), [Q, V], arguments=CAUSAL, training=ONCE),
    Case("mha_dropout", lambda: MHA(2, 1, dropout=0.5), [Q, V], training=ONCE, arguments={"attention_mask": SEES}),
    Case("mha_penalties", lambda: MHA(
        2, 1, use_gate=True, kernel_regularizer="l2", bias_regularizer=regularizers.L1(0.01), activity_regularizer="l2",
        kernel_constraint="max_norm", bias_constraint="non_neg"), [Q, V], training=ONCE),
    Case("mha_all_axes", lambda: MHA(2, 2), [(2, 2, 3, 1), (2, 3, 2, 2)], training=ONCE),
    Case("mha_first_axis", lambda: MHA(2, 2, attention_axes=1), [(2, 2, 3, 1), (2, 4, 3, 2)], arguments=SCORES,
         training=ONCE),
    Case("mha_last_axis", lambda: MHA(2, 3, attention_axes=(-2,), value_dim=2), [(2, 2, 3, 3), (2, 2, 4, 1)],
         training=ONCE),
    Case("gqa", lambda: GQA(1, 4, 2), [Q, K]),
    Case("gqa_one_key_head", lambda: GQA(3, 2, 1, use_bias=False), [Q, K, (2, 5, 3)], arguments=SCORES, training=ONCE),
    Case("gqa_as_many_key_heads", lambda: GQA(2, 3, 3), [Q, K], arguments=CAUSAL, training=ONCE),
    Case("gqa_masks", lambda: GQA(1, 4, 2), [Q, K], masks=[QUERY_MASK, VALUE_MASK], arguments={"attention_mask": SEES},
         training=ONCE),
    Case("gqa_masks_scores", lambda: GQA(1, 4, 2, sliding_window=2), [Q, K], masks=[QUERY_MASK, None],
         arguments={"attention_mask": SEES, **SCORES}, training=ONCE),
    Case("gqa_gate", lambda: GQA(1, 4, 2, use_gate=True, sliding_window=2), [Q, K], arguments=CAUSAL, training=ONCE),
    Case("gqa_dropout", lambda: GQA(1, 4, 2, dropout=0.5), [Q, K], training=ONCE, arguments=SCORES),
    Case("gqa_penalties", lambda: GQA(
        1, 4, 2, kernel_regularizer="l2", bias_regularizer="l1", activity_regularizer="l2"), [Q, K], training=ONCE),
    Case("attention_scale_causal_key_mask", lambda: layers.Attention(use_scale=True), [Q, V, K], training=ONCE,
         masks=[None, VALUE_MASK, KEY_MASK], arguments={**CAUSAL, **SCORES}),
    Case("attention_concat_masks_scores", lambda: layers.Attention(score_mode="concat", use_scale=True), [Q, V, K],
         training=ONCE, masks=[QUERY_MASK, VALUE_MASK, None], arguments={**CAUSAL, **SCORES}),
    Case("additive_no_scale_masks", lambda: layers.AdditiveAttention(use_scale=False, dropout=0.2), [Q, V, K],
         training=ONCE, masks=[QUERY_MASK, VALUE_MASK, None], arguments={**CAUSAL, **SCORES}),
    Case("mha_causal_key_mask", lambda: MHA(2, 1), [Q, V, K], training=ONCE, masks=[None, None, KEY_MASK],
         arguments=CAUSAL),
    Case("mha_attention_mask_value_mask_no_bias", lambda: MHA(2, 1, use_bias=False, value_dim=1), [Q, V], training=ONCE,
         masks=[None, VALUE_MASK], arguments={"attention_mask": SEES, **CAUSAL}),
    Case("mha_gate_window_scores", lambda: MHA(2, 1, use_gate=True, sliding_window=1, output_shape=2), [Q, V],
         training=ONCE, masks=[QUERY_MASK, VALUE_MASK], arguments=SCORES),
    Case("mha_axes_mask_causal", lambda: MHA(1, 2, attention_axes=(1,)), [(2, 3, 2, 3), (2, 3, 2, 2)], training=ONCE,
         arguments={**CAUSAL, **SCORES}),
    Case("gqa_causal_masks_no_bias", lambda: GQA(2, 4, 2, use_bias=False), [Q, K], training=ONCE,
         masks=[QUERY_MASK, VALUE_MASK], arguments=CAUSAL),
    Case("gqa_gate_scores_attention_mask", lambda: GQA(2, 3, 1, use_gate=True), [Q, K], training=ONCE,
         arguments={"attention_mask": SEES, **SCORES}),
    Case("einsum_dense", lambda: layers.EinsumDense("ab,bc->ac", 5, bias_axes="c"), [(3, 7)]),
    Case("einsum_dense_heads", lambda: layers.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="de"), [(2, 3, 5)],
         training=ONCE),
    Case("einsum_dense_back", lambda: layers.EinsumDense(
        "abde,dec->abc", (None, 3), bias_axes="c", activation="tanh"), [(2, 3, 2, 5)], training=ONCE),
    Case("einsum_dense_partial_bias", lambda: layers.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="d"), [(2, 3, 5)],
         training=ONCE),
    Case("einsum_dense_left", lambda: layers.EinsumDense("...x,xy->...y", 4, bias_axes="y", activation="relu"), [(2, 3, 2, 5)],
         training=ONCE),
    Case("einsum_dense_right", lambda: layers.EinsumDense("ab...,bc->ac...", 4, bias_axes="c"), [(2, 3, 5)],
         training=ONCE),
    Case("einsum_dense_other_order", lambda: layers.EinsumDense("abc,dcb->ad", 4), [(2, 3, 5)], training=ONCE),
    Case("einsum_dense_shared", lambda: layers.EinsumDense("abc,bcd->abd", (3, 4), bias_axes="bd"), [(2, 3, 5)],
         training=ONCE),
    Case("einsum_dense_penalties", lambda: layers.EinsumDense(
        "abc,cd->abd", (None, 4), bias_axes="d", kernel_regularizer="l2", bias_regularizer="l1", activity_regularizer="l2",
        kernel_constraint="non_neg", bias_constraint="max_norm"), [(2, 3, 5)], training=ONCE),
]
