# SPDX-License-Identifier: Apache-2.0
"""Conv1D/2D/3DTranspose. They compute the same in training: recorded once."""
from cases import Case, compiled
from keras import layers, regularizers

FIRST = {"data_format": "channels_first"}
LINE, IMAGE, VOLUME = (2, 5, 3), (2, 3, 4, 3), (2, 2, 3, 2, 3)
T1, T2, T3 = layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose


def case(label, make, shape, **options):
    return Case(label, make, [shape], training=[False], **options)


CASES = [
    case("conv1d", lambda: T1(2, 3), LINE),
    case("conv1d_strided_relu", lambda: T1(4, 3, strides=2, activation="relu"), LINE),
    case("conv1d_kernel_below_stride", lambda: T1(2, 2, strides=3, use_bias=False), LINE),
    case("conv1d_output_padding", lambda: T1(2, 2, strides=4, output_padding=3), LINE),
    case("conv1d_no_output_padding", lambda: T1(2, 3, strides=2, output_padding=0), LINE),
    case("conv1d_same", lambda: T1(2, 4, padding="same"), LINE),
    case("conv1d_same_strided", lambda: T1(2, 3, strides=2, padding="same"), LINE),
    case("conv1d_same_output_padding", lambda: T1(2, 3, strides=3, padding="same", output_padding=2), LINE),
    case("conv1d_same_even_output_padding", lambda: T1(2, 4, strides=2, padding="same", output_padding=1), LINE),
    case("conv1d_dilated", lambda: T1(2, 3, dilation_rate=2), LINE, call=compiled),
    case("conv1d_same_dilated", lambda: T1(2, 2, dilation_rate=3, padding="same"), LINE, call=compiled),
    case("conv1d_channels_first", lambda: T1(2, 3, strides=2, padding="same", **FIRST), (2, 3, 5), call=compiled),

    case("conv2d", lambda: T2(2, (2, 3)), IMAGE),
    case("conv2d_strided_no_bias", lambda: T2(4, 3, strides=(2, 1), use_bias=False), IMAGE),
    case("conv2d_kernel_below_stride", lambda: T2(2, (1, 2), strides=(3, 2), activation="tanh"), IMAGE),
    case("conv2d_output_padding", lambda: T2(2, (3, 2), strides=(2, 3), output_padding=(1, 2)), IMAGE),
    case("conv2d_same_strided", lambda: T2(2, (3, 2), strides=2, padding="same", activation="relu"), IMAGE),
    case("conv2d_same_kernel_below_stride", lambda: T2(2, (2, 1), strides=3, padding="same"), IMAGE),
    case("conv2d_same_output_padding", lambda: T2(2, 3, strides=(3, 2), padding="same", output_padding=(1, 0)), IMAGE),
    case("conv2d_dilated", lambda: T2(2, (2, 3), dilation_rate=(3, 1)), IMAGE, call=compiled),
    case("conv2d_same_dilated", lambda: T2(2, (3, 2), dilation_rate=2, padding="same"), IMAGE, call=compiled),
    case("conv2d_dilated_output_padding", lambda: T2(2, 2, dilation_rate=2, output_padding=0), IMAGE, call=compiled),
    case("conv2d_channels_first", lambda: T2(2, 3, strides=(2, 1), **FIRST), (2, 3, 3, 4), call=compiled),
    case("conv2d_channels_first_output_padding", lambda: T2(2, 2, strides=3, output_padding=(2, 1), **FIRST),
         (2, 3, 2, 3), call=compiled),
    case("conv2d_penalties", lambda: T2(
        2, 2, kernel_regularizer=regularizers.L1L2(0.02, 0.03), bias_regularizer="l1", activity_regularizer="l2",
        kernel_constraint="max_norm", bias_constraint="non_neg"), IMAGE),

    case("conv3d", lambda: T3(2, (2, 1, 3)), VOLUME),
    case("conv3d_strided_output_padding", lambda: T3(1, 2, strides=(2, 3, 2), output_padding=(1, 2, 0)), VOLUME),
    case("conv3d_same_strided", lambda: T3(1, (3, 2, 1), strides=(2, 1, 2), padding="same", use_bias=False), VOLUME),
    # TensorFlow mixes up the axes in the gradient of uneven dilation.
    case("conv3d_dilated", lambda: T3(1, 2, dilation_rate=2, activation="sigmoid"), VOLUME, call=compiled),
    case("conv3d_channels_first", lambda: T3(4, 2, strides=(1, 2, 1), padding="same", **FIRST), (2, 3, 2, 3, 2),
         call=compiled),
]
