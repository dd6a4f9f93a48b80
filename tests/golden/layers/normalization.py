# SPDX-License-Identifier: Apache-2.0
"""LayerNormalization, GroupNormalization, RMSNormalization, UnitNormalization."""
import numpy as np
from cases import Case, grid
from keras import layers, regularizers

STEPS = [[True, False, True, True], [False, True, True, False], [True, True, True, True]]  # (3, 4)
PENALTIES = dict(beta_regularizer="l1", gamma_regularizer=regularizers.L1L2(0.01, 0.02), beta_constraint="non_neg",
                 gamma_constraint="max_norm")
STARTS = dict(beta_initializer="random_normal", gamma_initializer="random_uniform")


def far(shape, mean, spread=1.0):
    """Values whose mean is large beside their differences."""
    rng = np.random.default_rng(sum(shape))
    return grid(rng, shape, spread) + np.float32(mean)


CASES = [
    Case("layer", lambda: layers.LayerNormalization(), [(3, 7)]),
    Case("layer_steps", lambda: layers.LayerNormalization(epsilon=0.1), [(2, 3, 5)]),
    Case("layer_pixels_last", lambda: layers.LayerNormalization(epsilon=1e-6), [(2, 3, 2, 5)]),
    Case("layer_axis_1", lambda: layers.LayerNormalization(axis=1), [(2, 5, 3)]),
    Case("layer_pixels_axis_1_2", lambda: layers.LayerNormalization(axis=[1, 2]), [(2, 3, 5, 2)]),
    Case("layer_all", lambda: layers.LayerNormalization(axis=[1, 2, 3]), [(2, 3, 2, 5)]),
    Case("layer_axis_order", lambda: layers.LayerNormalization(axis=[-1, 1]), [(2, 3, 2, 5)]),
    Case("layer_voxels_axes", lambda: layers.LayerNormalization(axis=(2, 4), center=False), [(2, 2, 3, 2, 5)]),
    Case("layer_no_center", lambda: layers.LayerNormalization(center=False), [(3, 5)]),
    Case("layer_no_scale", lambda: layers.LayerNormalization(scale=False, axis=[1, 2]), [(2, 3, 5)]),
    Case("layer_neither", lambda: layers.LayerNormalization(center=False, scale=False, axis=1), [(2, 5, 3)]),
    Case("layer_rms_scaling", lambda: layers.LayerNormalization(rms_scaling=True), [(3, 5)]),
    Case("layer_rms_scaling_axes", lambda: layers.LayerNormalization(
        rms_scaling=True, axis=[1, 2], scale=False, center=False), [(2, 3, 5)]),
    Case("layer_rules", lambda: layers.LayerNormalization(**PENALTIES, **STARTS), [(3, 5)]),
    Case("layer_mask", lambda: layers.LayerNormalization(), [(3, 4, 5)], masks=[STEPS]),
    Case("layer_far_from_zero", lambda: layers.LayerNormalization(), [far((3, 11), -9)]),

    Case("group", lambda: layers.GroupNormalization(groups=3), [(2, 6)]),
    Case("group_steps", lambda: layers.GroupNormalization(groups=2, epsilon=0.1), [(3, 5, 6)]),
    Case("group_pixels", lambda: layers.GroupNormalization(groups=3), [(2, 3, 2, 9)]),
    Case("group_pixels_axis_1", lambda: layers.GroupNormalization(groups=2, axis=1), [(2, 6, 3, 5)]),
    Case("group_pixels_axis_minus_2", lambda: layers.GroupNormalization(groups=2, axis=-2), [(2, 3, 4, 2)]),
    Case("group_voxels", lambda: layers.GroupNormalization(groups=2, center=False), [(2, 2, 3, 2, 4)]),
    Case("group_voxels_axis_1", lambda: layers.GroupNormalization(groups=5, axis=1, scale=False), [(2, 5, 2, 3, 2)]),
    Case("group_one", lambda: layers.GroupNormalization(groups=1), [(2, 3, 5)]),
    Case("group_instances", lambda: layers.GroupNormalization(groups=-1), [(2, 5, 3)]),
    Case("group_instances_axis_1", lambda: layers.GroupNormalization(groups=-1, axis=1), [(2, 3, 4, 2)]),
    Case("group_neither", lambda: layers.GroupNormalization(groups=2, center=False, scale=False), [(2, 3, 4)]),
    Case("group_rules", lambda: layers.GroupNormalization(groups=2, **PENALTIES, **STARTS), [(2, 3, 4)]),
    Case("group_mask", lambda: layers.GroupNormalization(groups=2), [(3, 4, 6)], masks=[STEPS]),
    Case("group_far_from_zero", lambda: layers.GroupNormalization(groups=2), [far((2, 5, 6), 8)]),

    Case("rms", lambda: layers.RMSNormalization(), [(3, 7)]),
    Case("rms_steps", lambda: layers.RMSNormalization(epsilon=0.1), [(2, 3, 5)]),
    Case("rms_axes", lambda: layers.RMSNormalization(axis=[1, 2]), [(2, 3, 5)]),
    Case("rms_pixels_axes", lambda: layers.RMSNormalization(axis=[3, 2]), [(2, 3, 2, 5)]),
    Case("rms_axis_1_meets_last", lambda: layers.RMSNormalization(axis=1), [(2, 5, 5)]),
    Case("rms_mask_is_dropped", lambda: layers.RMSNormalization(), [(3, 4, 5)], masks=[STEPS]),
    Case("rms_far_from_zero", lambda: layers.RMSNormalization(), [far((3, 7), 200)]),

    Case("unit", lambda: layers.UnitNormalization(), [(3, 7)]),
    Case("unit_axis_1", lambda: layers.UnitNormalization(axis=1), [(2, 5, 3)]),
    Case("unit_axes", lambda: layers.UnitNormalization(axis=[1, -1]), [(2, 3, 4, 5)]),
    Case("unit_voxels", lambda: layers.UnitNormalization(axis=(1, 2, 3)), [(2, 2, 3, 2, 3)]),
    Case("unit_mask", lambda: layers.UnitNormalization(), [(3, 4, 5)], masks=[STEPS]),
    Case("unit_zeros", lambda: layers.UnitNormalization(), [np.array([[0, 0, 0], [3, 0, 4]], np.float32)],
         gradients=False),  # not a number in Keras where the length is 0
]
