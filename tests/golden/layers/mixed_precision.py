# SPDX-License-Identifier: Apache-2.0
"""Layers of every kind under the mixed policies, and some under plain half ones."""
from cases import Case
from keras import layers

STEPS = [[True, False, True, True], [False, True, True, False]]  # (2, 4)
# TensorFlow rounds within its kernels of halves where one rounding at the end would do, and this implementation does
# with one: they differ by some roundings of half a last place, 2^-8 in bfloat16 and 2^-11 in float16.
ROUNDINGS = {"bfloat16": 2.0**-8, "float16": 2.0**-11}


def case(label, make, inputs, roundings=4, policies=("mixed_bfloat16", "mixed_float16"), **options):
    """The case under each policy; `make` takes the policy as dtype."""
    return [Case(f"{label}_{policy}", lambda policy=policy: make(dtype=policy), inputs,
                 tolerance=roundings * ROUNDINGS[policy.removeprefix("mixed_")],
                 reason=f"{roundings} roundings of halves", **options) for policy in policies]


ONCE, TRAINING = [False], [True]
PLAIN = ("bfloat16", "float16")
CASES = [
    *case("dense", lambda dtype: layers.Dense(5, activation="tanh", dtype=dtype), [(3, 7)], training=ONCE),
    *case("dense_plain", lambda dtype: layers.Dense(5, dtype=dtype), [(3, 7)], training=ONCE, policies=PLAIN),
    *case("dense_penalties", lambda dtype: layers.Dense(
        3, kernel_regularizer="l2", activity_regularizer="l2", dtype=dtype), [(2, 5)], training=ONCE),
    *case("conv", lambda dtype: layers.Conv2D(3, 2, activation="relu", dtype=dtype), [(2, 3, 3, 2)], training=ONCE),
    *case("embedding", lambda dtype: layers.Embedding(6, 3, dtype=dtype), [[[1, 5, 0], [2, 2, 1]]], training=ONCE),
    *case("lstm", lambda dtype: layers.LSTM(3, return_sequences=True, dtype=dtype), [(2, 4, 3)], training=ONCE),
    *case("simple_rnn_mask", lambda dtype: layers.SimpleRNN(3, dtype=dtype), [(2, 4, 3)], masks=[STEPS], training=ONCE),
    *case("batch_normalization", lambda dtype: layers.BatchNormalization(dtype=dtype), [(6, 3)]),
    *case("batch_normalization_plain", lambda dtype: layers.BatchNormalization(dtype=dtype), [(6, 3)],
          training=TRAINING, policies=PLAIN),
    *case("layer_normalization", lambda dtype: layers.LayerNormalization(dtype=dtype), [(3, 7)], training=ONCE),
    *case("group_normalization", lambda dtype: layers.GroupNormalization(2, dtype=dtype), [(2, 3, 4)], training=ONCE),
    *case("rms_normalization", lambda dtype: layers.RMSNormalization(dtype=dtype), [(3, 7)], training=ONCE),
    *case("softmax_mask", lambda dtype: layers.Softmax(dtype=dtype), [(2, 4)], masks=[STEPS], training=ONCE),
    *case("multi_head_attention", lambda dtype: layers.MultiHeadAttention(2, 2, dtype=dtype), [(2, 4, 3), (2, 4, 3)],
          roundings=8, masks=[None, STEPS], training=ONCE),
    *case("multi_head_attention_scores", lambda dtype: layers.MultiHeadAttention(2, 2, dtype=dtype),
          [(2, 4, 3), (2, 4, 3)], roundings=8, masks=[None, STEPS], arguments={"return_attention_scores": True},
          training=ONCE),
    *case("attention_mask", lambda dtype: layers.Attention(use_scale=True, dtype=dtype), [(2, 3, 5), (2, 4, 5)],
          roundings=8, masks=[None, STEPS], training=ONCE),
]
