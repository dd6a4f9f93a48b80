# SPDX-License-Identifier: Apache-2.0
"""Every activation function by name and with its arguments, as Activation; the activation layers.

The inputs are ordinary values, every kink of every function, values beside the kinks, and +-100.
"""
import keras
import numpy as np
from cases import Case
from keras import activations, initializers, layers

# No kink where cases.factors is 0: gradients are seen at all of them.
VALUES = np.array([
    [-100, -6, -4, -2.5, -3, -1.5, -1, -0.75],
    [-0.5, -0.25, -0.0625, 0, 0.0625, 0.25, 0.5, 0.75],
    [1.5, 1, 2.5, 3, 4, 6, 20, 100],
], "float32")
NEAR_KINKS = np.array([[k + e for k in (-3, -1, -0.5, 0, 0.5, 1, 3, 6) for e in (-2**-10, 2**-10)]], "float32")
# One element remains: see activations::sparsemax in layers/activation_functions.h.
ONE_OF_MANY = np.array([[-100, 0, 100], [3, 1.5, -2], [-1, -2.25, -3]], "float32")
NAMES = ["linear", "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "sigmoid", "hard_sigmoid", "sparse_sigmoid",
         "log_sigmoid", "tanh", "hard_tanh", "tanh_shrink", "hard_shrink", "soft_shrink", "softplus", "sparse_plus",
         "squareplus", "softsign", "silu", "swish", "hard_silu", "hard_swish", "gelu", "glu", "mish", "softmax",
         "log_softmax"]
# Named in tests/layers/golden_layers_test.cpp.
WITH_ARGUMENTS = {
    "relu_bounded": lambda x: activations.relu(x, max_value=3.0),
    "relu_bounded_by_six": lambda x: activations.relu(x, max_value=6.0),
    "relu_all": lambda x: activations.relu(x, negative_slope=0.25, max_value=4.0, threshold=1.0),
    "relu_threshold": lambda x: activations.relu(x, threshold=1.5),
    "relu_slope": lambda x: activations.relu(x, negative_slope=0.125),
    "relu_slope_bounded": lambda x: activations.relu(x, negative_slope=0.5, max_value=2.5),
    "leaky_relu_slope": lambda x: activations.leaky_relu(x, negative_slope=0.375),
    "elu_alpha": lambda x: activations.elu(x, alpha=0.5),
    "celu_alpha": lambda x: activations.celu(x, alpha=0.5),
    "gelu_approximate": lambda x: activations.gelu(x, approximate=True),
    "glu_axis": lambda x: activations.glu(x, axis=1),
    "hard_shrink_threshold": lambda x: activations.hard_shrink(x, threshold=1.0),
    "soft_shrink_threshold": lambda x: activations.soft_shrink(x, threshold=1.0),
    "threshold": lambda x: activations.threshold(x, 1.0, -0.5),
    "squareplus_b": lambda x: activations.squareplus(x, b=0.25),
    "softmax_axis": lambda x: activations.softmax(x, axis=1),
    "log_softmax_axis": lambda x: activations.log_softmax(x, axis=1),
}


def named(name):
    def function(x):
        return WITH_ARGUMENTS[name](x)
    function.__name__ = name
    return keras.saving.register_keras_serializable(package="golden", name=name)(function)


FUNCTIONS = {name: named(name) for name in WITH_ARGUMENTS}
MASK = [[True, False, True, True, False], [False] * 5, [True] * 5]  # (3, 5): some, none, all
STEPS = [[True, False, True, True], [False, True, True, False]]  # (2, 4)
LATTICE = np.stack([VALUES.T, VALUES.T[::-1]])  # (2, 8, 3)

CASES = [Case(name, lambda name=name: layers.Activation(name), [VALUES]) for name in NAMES] + [
    Case(f"{name}_near_kinks", lambda name=name: layers.Activation(name), [NEAR_KINKS]) for name in NAMES
    if name not in ("swish", "hard_swish")] + [
    Case("exponential", lambda: layers.Activation("exponential"), [np.clip(VALUES, -100, 80)]),
    Case("sparsemax", lambda: layers.Activation("sparsemax"), [ONE_OF_MANY]),
] + [Case(f"function_{name}", lambda name=name: layers.Activation(FUNCTIONS[name]),
          [VALUES if "axis" not in name else (2, 4, 3)]) for name in WITH_ARGUMENTS] + [
    Case("activation_layer_in_activation", lambda: layers.Activation(layers.ELU(alpha=0.5)), [(2, 5)]),
    Case("activation_mask", lambda: layers.Activation("tanh"), [(2, 4, 3)], masks=[STEPS]),

    Case("layer_relu", lambda: layers.ReLU(), [VALUES]),
    Case("layer_relu_max", lambda: layers.ReLU(max_value=3.0), [VALUES]),
    Case("layer_relu_six", lambda: layers.ReLU(max_value=6.0), [VALUES]),
    Case("layer_relu_slope", lambda: layers.ReLU(negative_slope=0.25), [VALUES]),
    Case("layer_relu_threshold", lambda: layers.ReLU(threshold=0.75), [VALUES]),
    Case("layer_relu_max_slope", lambda: layers.ReLU(max_value=4, negative_slope=0.5), [VALUES]),
    Case("layer_relu_max_threshold", lambda: layers.ReLU(max_value=6, threshold=1), [VALUES]),
    Case("layer_relu_slope_threshold", lambda: layers.ReLU(negative_slope=0.5, threshold=0.5), [VALUES]),
    Case("layer_relu_all", lambda: layers.ReLU(2.5, 0.25, 1.0), [VALUES]),
    Case("layer_relu_mask", lambda: layers.ReLU(), [(2, 4, 3)], masks=[STEPS]),
    Case("layer_leaky_relu", lambda: layers.LeakyReLU(), [VALUES]),
    Case("layer_leaky_relu_slope", lambda: layers.LeakyReLU(negative_slope=0.125), [VALUES]),
    Case("layer_leaky_relu_no_slope", lambda: layers.LeakyReLU(negative_slope=0.0), [VALUES]),
    Case("layer_elu", lambda: layers.ELU(), [VALUES]),
    Case("layer_elu_alpha", lambda: layers.ELU(alpha=0.25), [VALUES]),
    Case("layer_prelu", lambda: layers.PReLU(), [VALUES]),
    Case("layer_prelu_shared", lambda: layers.PReLU(shared_axes=[1]), [LATTICE]),
    Case("layer_prelu_shared_one", lambda: layers.PReLU(shared_axes=2), [LATTICE]),
    Case("layer_prelu_shared_all", lambda: layers.PReLU(shared_axes=[1, 2]), [(2, 3, 5, 2)]),
    Case("layer_prelu_rules", lambda: layers.PReLU(
        alpha_initializer=initializers.Constant(0.25), alpha_regularizer="l2", alpha_constraint="non_neg",
        shared_axes=(1,)), [(2, 3, 5)]),
    Case("layer_prelu_mask", lambda: layers.PReLU(), [(2, 4, 3)], masks=[STEPS]),
    Case("layer_softmax", lambda: layers.Softmax(), [VALUES]),
    Case("layer_softmax_axis", lambda: layers.Softmax(axis=1), [LATTICE]),
    Case("layer_softmax_axis_list_of_one", lambda: layers.Softmax(axis=[-2]), [(2, 4, 3)]),
    Case("layer_softmax_axes", lambda: layers.Softmax(axis=(1, 2)), [(2, 4, 3)]),
    Case("layer_softmax_axes_apart", lambda: layers.Softmax(axis=[1, -1]), [(2, 3, 2, 5)]),
    Case("layer_softmax_axes_large", lambda: layers.Softmax(axis=[1, 2]), [LATTICE]),
    Case("layer_softmax_mask", lambda: layers.Softmax(), [(3, 5)], masks=[MASK]),
    Case("layer_softmax_mask_axes", lambda: layers.Softmax(axis=(1, 2)), [(2, 3, 5)],
         masks=[np.array(MASK)[None].repeat(2, 0)]),
    Case("layer_softmax_mask_broadcasts", lambda: layers.Softmax(axis=1), [(2, 3, 5)],
         masks=[np.array(MASK)[None, :, :1]]),
]
