# SPDX-License-Identifier: Apache-2.0
"""Conv1D/2D/3D, DepthwiseConv1D/2D, SeparableConv1D/2D. They compute the same in training: recorded once."""
from cases import Case, compiled
from keras import layers, regularizers

FIRST = {"data_format": "channels_first"}
LINE, IMAGE, VOLUME = (2, 7, 3), (2, 5, 4, 3), (2, 4, 3, 2, 3)


def case(label, make, shape, **options):
    return Case(label, make, [shape], training=[False], **options)


def penalties(*kernels):
    """A regularizer and a constraint for each kernel, and for bias and output."""
    rules = {"bias_regularizer": "l1", "bias_constraint": "non_neg", "activity_regularizer": "l2"}
    for kernel in kernels:
        rules |= {f"{kernel}_regularizer": regularizers.L1L2(0.02, 0.03), f"{kernel}_constraint": "max_norm"}
    return rules


C1, C2, C3 = layers.Conv1D, layers.Conv2D, layers.Conv3D
D1, D2 = layers.DepthwiseConv1D, layers.DepthwiseConv2D
S1, S2 = layers.SeparableConv1D, layers.SeparableConv2D

CASES = [
    case("conv1d", lambda: C1(2, 3), LINE),
    case("conv1d_strided_no_bias", lambda: C1(5, 2, strides=3, use_bias=False), LINE),
    case("conv1d_same_even", lambda: C1(2, 4, padding="same", activation="relu"), LINE),
    case("conv1d_same_strided", lambda: C1(2, 3, strides=2, padding="SAME"), (3, 8, 3)),
    case("conv1d_same_dilated", lambda: C1(2, 3, padding="same", dilation_rate=3), LINE),
    case("conv1d_causal", lambda: C1(2, 3, padding="causal", activation="tanh"), LINE),
    case("conv1d_causal_dilated", lambda: C1(2, 3, padding="causal", dilation_rate=2), LINE),
    case("conv1d_causal_strided_groups", lambda: C1(6, 3, padding="causal", strides=2, groups=3), LINE),
    case("conv1d_causal_channels_first", lambda: C1(2, 3, padding="causal", **FIRST), (2, 3, 6), call=compiled),
    case("conv1d_channels_first_strided", lambda: C1(2, 2, strides=2, activation="softmax", **FIRST), (2, 3, 7),
         call=compiled),
    case("conv1d_kernel_beyond_input", lambda: C1(2, 9, padding="same"), (2, 4, 3)),
    case("conv1d_penalties", lambda: C1(2, 3, **penalties("kernel")), LINE),

    case("conv2d", lambda: C2(2, (2, 3)), IMAGE),
    case("conv2d_strided_relu", lambda: C2(5, 2, strides=(2, 1), activation="relu"), IMAGE),
    case("conv2d_same_strided", lambda: C2(2, (3, 2), strides=(1, 3), padding="same"), IMAGE),
    case("conv2d_same_no_bias", lambda: C2(2, (4, 3), padding="same", use_bias=False), IMAGE),
    case("conv2d_dilated", lambda: C2(2, 2, dilation_rate=(3, 2)), IMAGE),
    case("conv2d_same_dilated", lambda: C2(2, (3, 2), dilation_rate=(1, 2), padding="same", activation="gelu"), IMAGE),
    case("conv2d_groups", lambda: C2(6, (2, 3), groups=3, padding="same"), IMAGE),
    case("conv2d_groups_strided", lambda: C2(2, 2, groups=2, strides=2, activation="sigmoid"), (2, 5, 4, 4)),
    case("conv2d_groups_dilated", lambda: C2(4, (2, 1), groups=2, dilation_rate=(2, 1)), (2, 4, 3, 4), call=compiled),
    case("conv2d_channels_first", lambda: C2(2, (2, 3), **FIRST), (2, 3, 4, 5), call=compiled),
    case("conv2d_channels_first_same", lambda: C2(2, 3, strides=2, padding="same", activation="relu", **FIRST),
         (2, 3, 4, 5), call=compiled),
    case("conv2d_channels_first_groups", lambda: C2(3, 2, groups=3, use_bias=False, **FIRST), (2, 3, 4, 5)),
    case("conv2d_single_channel", lambda: C2(3, 3), (2, 5, 4, 1)),
    case("conv2d_stride_beyond_input", lambda: C2(2, 2, strides=(9, 7), padding="same"), IMAGE),
    case("conv2d_one_element", lambda: C2(2, 1, strides=(1, 2)), IMAGE),
    case("conv2d_penalties", lambda: C2(2, 2, **penalties("kernel")), IMAGE),

    case("conv3d", lambda: C3(2, (2, 3, 1)), VOLUME),
    case("conv3d_strided", lambda: C3(2, 2, strides=(2, 1, 1), activation="tanh"), VOLUME),
    case("conv3d_same_strided_no_bias", lambda: C3(2, (3, 2, 2), strides=(1, 2, 3), padding="same", use_bias=False), VOLUME),
    case("conv3d_dilated", lambda: C3(2, (2, 2, 1), dilation_rate=(3, 1, 1)), VOLUME),
    case("conv3d_same_dilated", lambda: C3(2, 2, dilation_rate=(1, 2, 1), padding="same"), VOLUME),
    case("conv3d_groups", lambda: C3(3, 2, groups=3), VOLUME),
    # Two filters would be as many as the last axis has elements: Keras' add() then takes the bias for that axis.
    case("conv3d_channels_first", lambda: C3(4, (2, 1, 2), padding="same", **FIRST), (2, 3, 2, 3, 2)),
    case("conv3d_penalties", lambda: C3(2, 2, **penalties("kernel")), (2, 2, 3, 2, 1)),

    case("depthwise1d", lambda: D1(3), LINE),
    case("depthwise1d_same_strided", lambda: D1(3, strides=2, padding="same", depth_multiplier=2), LINE),
    case("depthwise1d_dilated", lambda: D1(2, dilation_rate=3, use_bias=False, activation="relu"), LINE),
    case("depthwise1d_strided_dilated", lambda: D1(3, strides=2, dilation_rate=2, padding="same"), LINE),
    case("depthwise1d_channels_first", lambda: D1(2, depth_multiplier=3, **FIRST), (2, 3, 5)),
    case("depthwise1d_penalties", lambda: D1(3, **penalties("depthwise")), LINE),
    case("depthwise2d", lambda: D2((2, 3)), IMAGE),
    case("depthwise2d_same_strided", lambda: D2((3, 2), strides=2, padding="same", depth_multiplier=2), IMAGE),
    case("depthwise2d_uneven_strides", lambda: D2(2, strides=(2, 1), activation="tanh"), IMAGE, call=compiled),
    case("depthwise2d_same_dilated", lambda: D2(2, dilation_rate=(2, 3), padding="same", use_bias=False), IMAGE),
    case("depthwise2d_strided_dilated", lambda: D2(2, strides=(2, 1), dilation_rate=(1, 2)), IMAGE),
    case("depthwise2d_channels_first", lambda: D2(2, strides=2, padding="same", depth_multiplier=2, **FIRST), (2, 3, 4, 5)),
    case("depthwise2d_penalties", lambda: D2(2, **penalties("depthwise")), IMAGE),

    case("separable1d", lambda: S1(4, 3), LINE),
    case("separable1d_same_strided", lambda: S1(2, 3, strides=2, padding="same", depth_multiplier=2), LINE),
    case("separable1d_dilated", lambda: S1(2, 2, dilation_rate=3, use_bias=False, activation="relu"), LINE),
    case("separable1d_strided_dilated", lambda: S1(2, 3, strides=2, dilation_rate=2, padding="same"), LINE),
    case("separable1d_channels_first", lambda: S1(2, 2, depth_multiplier=3, **FIRST), (2, 3, 5)),
    case("separable1d_penalties", lambda: S1(2, 3, **penalties("depthwise", "pointwise")), LINE),
    case("separable2d", lambda: S2(4, (2, 3)), IMAGE),
    case("separable2d_same_strided", lambda: S2(2, (3, 2), strides=2, padding="same", depth_multiplier=2), IMAGE),
    case("separable2d_uneven_strides", lambda: S2(2, 2, strides=(1, 2), activation="elu"), IMAGE, call=compiled),
    case("separable2d_same_dilated", lambda: S2(2, 2, dilation_rate=(2, 3), padding="same", use_bias=False), IMAGE),
    case("separable2d_strided_dilated", lambda: S2(2, 2, strides=2, dilation_rate=(2, 1)), IMAGE),
    case("separable2d_channels_first", lambda: S2(2, 2, strides=2, padding="same", **FIRST), (2, 3, 4, 5)),
    case("separable2d_penalties", lambda: S2(2, 2, **penalties("depthwise", "pointwise")), IMAGE),
]
