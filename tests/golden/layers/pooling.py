# SPDX-License-Identifier: Apache-2.0
"""Max, average and global pooling. They compute the same in training: recorded once."""
import numpy as np
from cases import Case, compiled
from keras import layers

FIRST = {"data_format": "channels_first"}
LINE, IMAGE, VOLUME = (2, 7, 3), (2, 5, 4, 3), (2, 4, 3, 2, 3)
LINE_FIRST, IMAGE_FIRST, VOLUME_FIRST = (2, 3, 7), (2, 3, 5, 4), (2, 3, 4, 3, 2)
GAPS = [[True, False, True, True, False, False, False], [False, True, True, True, True, False, True]]
# The gradient of a maximum that several elements share goes to the first of a window.
TIES = (np.arange(2 * 5 * 4 * 3) * 7919 % 3).reshape(IMAGE).astype("float32") - 1
EQUAL = np.full(LINE, 0.5, "float32")


def case(label, make, given, **options):
    return Case(label, make, [given], training=[False], **options)


def windows(kind, one, two, three):
    return [
        case(f"{kind}1d", lambda: one(2), LINE),
        case(f"{kind}1d_overlapping", lambda: one(3, strides=1), LINE),
        case(f"{kind}1d_strides_beyond_window", lambda: one(2, strides=3), LINE),
        case(f"{kind}1d_same", lambda: one(3, strides=2, padding="same"), LINE),
        # TensorFlow's own kernel spreads the average's gradient over elements that the first window lacks.
        case(f"{kind}1d_same_window_beyond_input", lambda: one(9, strides=2, padding="same"), LINE, call=compiled),
        case(f"{kind}1d_channels_first", lambda: one(3, padding="same", **FIRST), LINE_FIRST),
        case(f"{kind}2d", lambda: two(2), IMAGE),
        case(f"{kind}2d_uneven", lambda: two((3, 2), strides=(2, 1)), IMAGE),
        case(f"{kind}2d_same", lambda: two((2, 3), strides=(1, 2), padding="same"), IMAGE),
        case(f"{kind}2d_same_strides_beyond_input", lambda: two((2, 3), strides=(9, 8), padding="same"), IMAGE),
        case(f"{kind}2d_channels_first", lambda: two((3, 2), strides=2, padding="same", **FIRST), IMAGE_FIRST),
        case(f"{kind}2d_channels_first_valid", lambda: two((1, 3), **FIRST), IMAGE_FIRST),
        case(f"{kind}2d_ties", lambda: two((3, 2), strides=(2, 1), padding="same"), TIES),
        case(f"{kind}3d", lambda: three(2), VOLUME),
        case(f"{kind}3d_same", lambda: three((2, 3, 1), strides=(3, 1, 2), padding="same"), VOLUME),
        case(f"{kind}3d_channels_first", lambda: three((3, 2, 2), strides=1, **FIRST), VOLUME_FIRST),
    ]


def everything(kind, one, two, three):
    return [
        case(f"{kind}1d", lambda: one(), LINE),
        case(f"{kind}1d_keepdims", lambda: one(keepdims=True), LINE),
        case(f"{kind}1d_channels_first", lambda: one(**FIRST), LINE_FIRST),
        case(f"{kind}1d_channels_first_keepdims", lambda: one(keepdims=True, **FIRST), LINE_FIRST),
        case(f"{kind}1d_ties", lambda: one(), EQUAL),
        case(f"{kind}2d", lambda: two(), IMAGE),
        case(f"{kind}2d_keepdims", lambda: two(keepdims=True), IMAGE),
        case(f"{kind}2d_channels_first", lambda: two(**FIRST), IMAGE_FIRST),
        case(f"{kind}2d_channels_first_keepdims", lambda: two(keepdims=True, **FIRST), IMAGE_FIRST),
        case(f"{kind}3d", lambda: three(), VOLUME),
        case(f"{kind}3d_keepdims", lambda: three(keepdims=True), VOLUME),
        case(f"{kind}3d_channels_first", lambda: three(**FIRST), VOLUME_FIRST),
    ]


AVERAGE = layers.GlobalAveragePooling1D

CASES = [
    *windows("max", layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D),
    *windows("average", layers.AveragePooling1D, layers.AveragePooling2D, layers.AveragePooling3D),
    *everything("global_max", layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D, layers.GlobalMaxPooling3D),
    *everything("global_average", AVERAGE, layers.GlobalAveragePooling2D, layers.GlobalAveragePooling3D),
    case("global_average1d_mask", lambda: AVERAGE(), LINE, masks=[GAPS]),
    case("global_average1d_mask_keepdims", lambda: AVERAGE(keepdims=True), LINE, masks=[GAPS]),
    case("global_average1d_mask_channels_first", lambda: AVERAGE(**FIRST), LINE_FIRST, masks=[GAPS]),
    case("global_average1d_mask_channels_first_keepdims", lambda: AVERAGE(keepdims=True, **FIRST), LINE_FIRST,
         masks=[GAPS]),
]
