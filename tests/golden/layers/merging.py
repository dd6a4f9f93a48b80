# SPDX-License-Identifier: Apache-2.0
"""Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate, Dot."""
from cases import Case
from keras import layers

FIRST = [[True, False, True, True], [False, True, False, True]]  # (2, 4)
SECOND = [[True, True, False, True], [False, False, True, True]]
THIRD = [[False, True, True, True], [False, True, True, False]]
ROW = [[True], [False]]  # (2, 1)


def elementwise(name, count):
    """What every layer that merges element by element is checked with; `count` inputs where it takes any number."""
    make = getattr(layers, name)
    case = lambda label, *rest, **named: Case(f"{name.lower()}_{label}", lambda: make(), *rest, **named)
    shape = (2, 4, 3)
    return [
        case("equal", [(3, 5)] * count),
        case("broadcast", [(2, 4, 3), (2, 1, 3)]),
        case("broadcast_both", [(2, 4, 1), (2, 1, 3)]),
        case("ranks", [(2, 3), (2, 4, 3)]),
        case("ranks_far", [(2, 4, 2, 3), (2, 3)]),
        case("numbers", [(3,), (3,)]),
        case("mask_first", [shape] * count, masks=[FIRST] + [None] * (count - 1)),
        case("mask_last", [shape] * count, masks=[None] * (count - 1) + [SECOND]),
        case("masks", [shape] * count, masks=[FIRST, SECOND, THIRD][:count]),
        case("masks_broadcast", [(2, 4, 3), (2, 1, 3)], masks=[FIRST, ROW]),
        case("mask_ranks", [(2, 3), (2, 4, 3)], masks=[None, FIRST]),
    ]


def several(name):
    make = getattr(layers, name)
    return [Case(f"{name.lower()}_one", lambda: make(), [(2, 3)], call=lambda layer, x, training: layer([x])),
            Case(f"{name.lower()}_four", lambda: make(), [(2, 3), (2, 1), (2, 3), (2, 3)]),
            Case(f"{name.lower()}_mask_middle", lambda: make(), [(2, 4, 3)] * 3, masks=[FIRST, None, SECOND])]


NAMES = ["Add", "Multiply", "Average", "Maximum", "Minimum"]
CASES = [case for name in NAMES for case in elementwise(name, 3) + several(name)] + elementwise("Subtract", 2) + [
    Case("concatenate", lambda: layers.Concatenate(), [(2, 3), (2, 1), (2, 4)]),
    Case("concatenate_one", lambda: layers.Concatenate(), [(2, 3)], call=lambda layer, x, training: layer([x])),
    Case("concatenate_time", lambda: layers.Concatenate(axis=1), [(2, 4, 3), (2, 1, 3)]),
    Case("concatenate_from_end", lambda: layers.Concatenate(axis=-2), [(2, 4, 3), (2, 2, 3)]),
    Case("concatenate_batch", lambda: layers.Concatenate(axis=0), [(2, 3), (1, 3)]),
    Case("concatenate_masks", lambda: layers.Concatenate(), [(2, 4, 3), (2, 4, 2)], masks=[FIRST, SECOND]),
    Case("concatenate_masks_time", lambda: layers.Concatenate(axis=1), [(2, 4, 3), (2, 1, 3)], masks=[FIRST, ROW]),
    Case("concatenate_mask_first", lambda: layers.Concatenate(axis=1), [(2, 4, 3), (2, 1, 3)], masks=[FIRST, None]),
    Case("concatenate_mask_last", lambda: layers.Concatenate(), [(2, 4, 3), (2, 4, 2)], masks=[None, SECOND]),

    Case("dot_vectors", lambda: layers.Dot(axes=1), [(3, 5), (3, 5)]),
    Case("dot_last", lambda: layers.Dot(axes=-1), [(2, 3, 5), (2, 4, 5)]),
    Case("dot_pair", lambda: layers.Dot(axes=(1, 2)), [(2, 5, 3), (2, 4, 5)]),
    Case("dot_pair_from_end", lambda: layers.Dot(axes=(-1, -2)), [(2, 3, 5), (2, 5, 4)]),
    Case("dot_vector_and_matrix", lambda: layers.Dot(axes=(1, 2)), [(2, 5), (2, 3, 5)]),
    Case("dot_matrix_and_vector", lambda: layers.Dot(axes=(2, 1)), [(2, 3, 5), (2, 5)]),
    Case("dot_four_axes", lambda: layers.Dot(axes=(2, 3)), [(2, 3, 5, 2), (2, 4, 3, 5)]),
    Case("dot_normalize", lambda: layers.Dot(axes=1, normalize=True), [(3, 5), (3, 5)]),
    Case("dot_normalize_pair", lambda: layers.Dot(axes=(1, 2), normalize=True), [(2, 5, 3), (2, 4, 5)]),
    Case("dot_masks", lambda: layers.Dot(axes=2), [(2, 4, 3), (2, 4, 3)], masks=[FIRST, SECOND]),
]
