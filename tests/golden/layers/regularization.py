# SPDX-License-Identifier: Apache-2.0
"""Dropout and its kin, the noise layers (inference, where they are the identity, and a rate of 0), penalties."""
from cases import Case
from keras import layers

STEPS = [[True, False, True, True], [False, True, True, False], [True, True, True, True]]  # (3, 4)


def identity(label, make, shape, **more):
    return Case(label, make, [shape], training=[False], **more)


CASES = [
    identity("dropout", lambda: layers.Dropout(0.3, noise_shape=(None, 1, 5), seed=3), (3, 4, 5), masks=[STEPS]),
    Case("dropout_nothing", lambda: layers.Dropout(0.0), [(3, 5)]),
    Case("dropout_all", lambda: layers.Dropout(1.0), [(3, 5)]),
    identity("spatial_1d", lambda: layers.SpatialDropout1D(0.3, seed=3), (3, 4, 5), masks=[STEPS]),
    identity("spatial_2d", lambda: layers.SpatialDropout2D(0.3, data_format="channels_first"), (2, 3, 4, 5)),
    identity("spatial_3d", lambda: layers.SpatialDropout3D(0.3, seed=5), (2, 3, 2, 4, 3)),
    identity("alpha", lambda: layers.AlphaDropout(0.3, noise_shape=(None, 1, 5), seed=3), (3, 4, 5), masks=[STEPS]),
    Case("alpha_nothing", lambda: layers.AlphaDropout(0.0), [(3, 5)]),
    identity("gaussian_dropout", lambda: layers.GaussianDropout(0.3, seed=3), (3, 4, 5), masks=[STEPS]),
    Case("gaussian_dropout_nothing", lambda: layers.GaussianDropout(0.0), [(3, 5)]),
    identity("gaussian_noise", lambda: layers.GaussianNoise(0.3, seed=3), (3, 4, 5), masks=[STEPS]),
    Case("gaussian_noise_nothing", lambda: layers.GaussianNoise(0.0), [(3, 5)]),
    Case("activity", lambda: layers.ActivityRegularization(l1=0.25, l2=0.125), [(3, 5)]),
    Case("activity_l1", lambda: layers.ActivityRegularization(l1=0.5), [(2, 3, 5)]),
    Case("activity_l2", lambda: layers.ActivityRegularization(l2=0.5), [(3, 4, 2)], masks=[STEPS]),
    Case("activity_nothing", lambda: layers.ActivityRegularization(), [(3, 5)]),
]
