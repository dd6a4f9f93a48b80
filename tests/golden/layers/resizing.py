# SPDX-License-Identifier: Apache-2.0
"""UpSampling, ZeroPadding and Cropping 1D/2D/3D. They compute the same in training: recorded once."""
from cases import Case
from keras import layers

FIRST = {"data_format": "channels_first"}
LINE, IMAGE, VOLUME = (2, 7, 3), (2, 5, 4, 3), (2, 4, 3, 5, 2)
LINE_FIRST, IMAGE_FIRST, VOLUME_FIRST = (2, 3, 7), (2, 3, 5, 4), (2, 2, 4, 3, 5)
SMALL, SMALL_FIRST = (2, 3, 4, 2), (2, 2, 3, 4)
U1, U2, U3 = layers.UpSampling1D, layers.UpSampling2D, layers.UpSampling3D
P1, P2, P3 = layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D
X1, X2, X3 = layers.Cropping1D, layers.Cropping2D, layers.Cropping3D


def case(label, make, shape, **options):
    return Case(label, make, [shape], training=[False], **options)


def interpolations(kind, **options):
    make = lambda size, **more: lambda: U2(size, interpolation=kind, **more)
    return [
        case(f"{kind}", make((2, 1)), SMALL),
        case(f"{kind}_uneven", make((1, 4)), SMALL),
        case(f"{kind}_by_three", make((3, 2)), SMALL, **options),
        case(f"{kind}_small_input", make((4, 2)), (2, 1, 2, 3)),
        case(f"{kind}_channels_first", make((2, 4), **FIRST), SMALL_FIRST),
    ]


CASES = [
    case("up_sampling1d", lambda: U1(), LINE),
    case("up_sampling1d_by_three", lambda: U1(size=3), LINE),
    case("up_sampling2d", lambda: U2(), SMALL),
    case("up_sampling2d_uneven", lambda: U2((1, 3)), SMALL),
    case("up_sampling2d_channels_first", lambda: U2((3, 2), interpolation="Nearest", **FIRST), SMALL_FIRST),
    case("up_sampling3d", lambda: U3(), (2, 2, 1, 3, 2)),
    case("up_sampling3d_uneven", lambda: U3((2, 1, 3)), (2, 2, 1, 3, 2)),
    case("up_sampling3d_channels_first", lambda: U3((1, 3, 2), **FIRST), (2, 2, 2, 1, 3)),
    *interpolations("bilinear"),
    *interpolations("bicubic", tolerance=1e-3, reason="TensorFlow reads the cubic from a table of 1024 steps"),
    *interpolations("lanczos3"),
    *interpolations("lanczos5"),

    case("zero_padding1d", lambda: P1(), LINE),
    case("zero_padding1d_pair", lambda: P1((0, 2)), LINE),
    case("zero_padding1d_channels_first", lambda: P1((2, 1), **FIRST), LINE_FIRST),
    case("zero_padding2d", lambda: P2(), IMAGE),
    case("zero_padding2d_symmetric", lambda: P2(((2, 2), (1, 1))), IMAGE),
    case("zero_padding2d_pairs", lambda: P2(((2, 0), (1, 3))), IMAGE),
    case("zero_padding2d_channels_first", lambda: P2(((0, 1), (2, 1)), **FIRST), IMAGE_FIRST),
    case("zero_padding3d", lambda: P3(), (2, 2, 1, 3, 2)),
    case("zero_padding3d_pairs", lambda: P3(((0, 1), (2, 0), (1, 1))), (2, 2, 1, 3, 2)),
    case("zero_padding3d_channels_first", lambda: P3(((1, 0), (0, 2), (1, 0)), **FIRST), (2, 2, 2, 1, 3)),
    case("cropping1d", lambda: X1(), LINE),
    case("cropping1d_start", lambda: X1((2, 0)), LINE),
    case("cropping1d_end", lambda: X1((0, 6)), LINE),
    case("cropping2d", lambda: X2(), IMAGE),
    case("cropping2d_symmetric", lambda: X2(1), IMAGE),
    case("cropping2d_pairs", lambda: X2(((2, 0), (1, 2))), IMAGE),
    case("cropping2d_channels_first", lambda: X2(((0, 3), (1, 0)), **FIRST), IMAGE_FIRST),
    case("cropping3d", lambda: X3(), VOLUME),
    case("cropping3d_pairs", lambda: X3(((0, 1), (2, 0), (1, 3))), VOLUME),
    case("cropping3d_channels_first", lambda: X3(((2, 0), (0, 1), (0, 0)), **FIRST), VOLUME_FIRST),
]
