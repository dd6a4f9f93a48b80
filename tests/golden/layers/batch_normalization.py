# SPDX-License-Identifier: Apache-2.0
"""BatchNormalization."""
import numpy as np
from cases import Case, grid, random_weight
from keras import layers, regularizers

STEPS = [[True, False, True, True], [False, True, True, False], [True, True, True, True]]  # (3, 4)
PIXELS = (np.arange(3 * 2 * 4).reshape(3, 2, 4) % 5 > 1).tolist()  # (3, 2, 4)
PENALTIES = dict(beta_regularizer="l1", gamma_regularizer=regularizers.L1L2(0.01, 0.02), beta_constraint="non_neg",
                 gamma_constraint="max_norm")
STARTS = dict(beta_initializer="random_normal", gamma_initializer="random_uniform")


def positive_statistics(name, shape, rng):
    """The standard deviations of renorm as well."""
    return np.abs(grid(rng, shape)) + np.float32(0.5) if "stddev" in name else random_weight(name, shape, rng)


def far(shape, mean, spread=1.0):
    """Values whose mean is large beside their differences."""
    rng = np.random.default_rng(sum(shape))
    return grid(rng, shape, spread) + np.float32(mean)


def frozen():
    layer = layers.BatchNormalization()
    layer.trainable = False
    return layer


def renorm(label, shape, **options):
    return Case("batch_renorm" + label, lambda: layers.BatchNormalization(renorm=True, **options), [shape],
                weights=positive_statistics)


CASES = [
    Case("batch", lambda: layers.BatchNormalization(), [(5, 3)]),
    Case("batch_steps", lambda: layers.BatchNormalization(momentum=0.9, epsilon=0.01), [(3, 4, 5)]),
    Case("batch_pixels", lambda: layers.BatchNormalization(momentum=0.5), [(2, 5, 3, 7)]),
    Case("batch_voxels", lambda: layers.BatchNormalization(), [(2, 3, 2, 3, 5)]),
    Case("batch_axis_1", lambda: layers.BatchNormalization(axis=1), [(3, 5)]),
    Case("batch_pixels_axis_1", lambda: layers.BatchNormalization(axis=1, epsilon=0.1), [(2, 3, 5, 4)]),
    Case("batch_steps_axis_1", lambda: layers.BatchNormalization(axis=1, scale=False), [(3, 5, 2)]),
    Case("batch_pixels_axis_minus_2", lambda: layers.BatchNormalization(axis=-2), [(2, 3, 5, 2)]),
    Case("batch_voxels_axis_1", lambda: layers.BatchNormalization(axis=1, center=False), [(2, 5, 2, 3, 2)]),
    Case("batch_no_center", lambda: layers.BatchNormalization(center=False), [(4, 3)]),
    Case("batch_no_scale", lambda: layers.BatchNormalization(scale=False), [(3, 2, 5)]),
    Case("batch_neither", lambda: layers.BatchNormalization(center=False, scale=False), [(5, 3)]),
    Case("batch_momentum_0", lambda: layers.BatchNormalization(momentum=0.0), [(4, 3)]),
    Case("batch_momentum_1", lambda: layers.BatchNormalization(momentum=1.0), [(4, 3)]),
    Case("batch_one_channel", lambda: layers.BatchNormalization(), [(3, 4, 1)]),
    Case("batch_one_sample", lambda: layers.BatchNormalization(), [(1, 3, 5)]),
    Case("batch_frozen", frozen, [(4, 3)]),
    Case("batch_far_from_zero", lambda: layers.BatchNormalization(), [far((7, 5), 9)]),
    Case("batch_pixels_far_from_zero", lambda: layers.BatchNormalization(axis=1), [far((2, 3, 4, 5), -7, 2.0)]),
    Case("batch_rules", lambda: layers.BatchNormalization(
        **PENALTIES, **STARTS, moving_mean_initializer="random_normal", moving_variance_initializer="random_uniform"),
        [(4, 3)]),
    Case("batch_mask", lambda: layers.BatchNormalization(momentum=0.8), [(3, 4, 2)], masks=[STEPS]),
    Case("batch_mask_pixels", lambda: layers.BatchNormalization(scale=False), [(3, 2, 4, 3)], masks=[PIXELS]),
    Case("batch_mask_axis_1", lambda: layers.BatchNormalization(axis=1), [(3, 4, 2)], masks=[STEPS]),
    Case("batch_mask_nothing", lambda: layers.BatchNormalization(), [(3, 4, 2)], masks=[np.zeros((3, 4), bool).tolist()]),
    Case("batch_mask_frozen", frozen, [(3, 4, 2)], masks=[STEPS]),
    Case("batch_synchronized", lambda: layers.BatchNormalization(synchronized=True, momentum=0.7), [(5, 3)]),
    Case("batch_synchronized_pixels", lambda: layers.BatchNormalization(synchronized=True, axis=1), [(2, 3, 2, 5)]),
    renorm("", (5, 3)),
    renorm("_pixels_axis_1", (2, 3, 4, 2), axis=1, renorm_momentum=0.6, momentum=0.8),
    renorm("_clipped", (5, 3), renorm_clipping={"rmax": 1.1, "rmin": 0.7, "dmax": 0.3}),
    renorm("_clipped_r", (5, 3), renorm_clipping={"rmax": 0.9}, scale=False),
    renorm("_clipped_d", (5, 3), renorm_clipping={"dmax": 0.1}, center=False),
    renorm("_neither", (4, 2, 3), renorm_clipping={"rmin": 1.2}, center=False, scale=False),
    Case("batch_renorm_mask", lambda: layers.BatchNormalization(renorm=True), [(3, 4, 2)], masks=[STEPS],
         weights=positive_statistics),
]
