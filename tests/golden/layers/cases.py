# SPDX-License-Identifier: Apache-2.0
"""What a golden case of a layer is, and how real Keras computes its values: see generate.py.

A family is a file beside this one that defines CASES, a list of Case(...). Random values are multiples of 1/64, so that
they are short decimals and exact in binary.
"""
import dataclasses
from typing import Callable, Optional, Sequence

import keras
import numpy as np
import tensorflow as tf


@dataclasses.dataclass
class Case:
    """One layer, its options and its inputs."""

    label: str  # unique in the family
    make: Callable[[], keras.Layer]
    inputs: Sequence  # shapes (random values), or arrays
    training: Sequence[bool] = (False, True)  # modes to record; only False for layers that draw random numbers
    masks: Optional[Sequence] = None  # per input a boolean array or None
    initial_state: Sequence = ()  # shapes or arrays, passed as initial_state
    arguments: Optional[dict] = None  # further arguments of the call: flags, or boolean arrays
    call: Optional[Callable] = None  # call(layer, inputs, training) where layer(inputs, training=...) does not serve
    weights: Optional[Callable] = None  # weights(name, shape, rng) -> array; the default is random_weight
    scale: float = 1.0  # of the random inputs
    gradients: bool = True
    tolerance: Optional[float] = None  # where 1e-5 (1e-4 for gradients) does not hold; needs a reason
    reason: str = ""


def grid(rng, shape, scale=1.0):
    return (np.round(rng.standard_normal(shape) * 64 * scale) / 64).astype(np.float32)


def random_weight(name, shape, rng):
    """Never the initial value: a variance or scale stays positive."""
    if "variance" in name:
        return np.abs(grid(rng, shape)) + np.float32(0.5)
    return grid(rng, shape, 0.5)


def factors(shape):
    """What the outputs are multiplied with before they are summed to the scalar whose gradient is recorded."""
    count = int(np.prod(shape))
    return (((np.arange(count) * 7919) % 13 - 6) / 8).astype(np.float32).reshape(shape)


def array(value):
    """Short decimals: the shortest that round to the same float32, which holds a float16 and a bfloat16 as well."""
    value = np.asarray(value)
    flat = value.reshape(-1)
    if value.dtype.name in ("float32", "float16", "bfloat16"):
        values = [float(str(v)) for v in flat.astype(np.float32)]
    else:
        values = [v * 1 for v in flat.tolist()]
    return {"shape": list(value.shape), "dtype": str(value.dtype), "values": values}


def widened(value):
    """What can be summed with float32, which keeps the gradients of halves exact."""
    return tf.cast(value, "float32") if value.dtype in (tf.float16, tf.bfloat16) else value


def is_shape(value):
    return isinstance(value, tuple) and all(isinstance(d, int) for d in value)


def compiled(layer, inputs, training):
    """For Case.call: through XLA, where TensorFlow's own CPU kernels or their gradients do not exist (channels_first,
    transposed with dilation, depthwise with uneven strides) or are wrong."""
    if not layer.built:
        layer.build(inputs.shape)
    return tf.function(layer, jit_compile=True)(inputs)


def set_weights(case, layer, rng):
    for weight in layer.weights:
        name = weight.path.split("/")[-1]
        weight.assign((case.weights or random_weight)(name, tuple(weight.shape), rng))


def run(case, layer, tensors, states, training):
    for tensor, mask in zip(tensors, case.masks or []):
        if mask is not None:
            tensor._keras_mask = tf.constant(mask)
    inputs = tensors if len(tensors) > 1 else tensors[0]
    if case.call is not None:
        return case.call(layer, inputs, training)
    given = {name: value if isinstance(value, bool) else tf.constant(value)
             for name, value in (case.arguments or {}).items()}
    if "query" in layer._call_signature.parameters:  # takes its inputs one by one
        return layer(*tensors, training=training, **given)
    named = {"initial_state": states if len(states) > 1 else states[0]} if states else {}
    if "training" in layer._call_signature.parameters:
        named["training"] = training
    return layer(inputs, **named, **given)


def record_mode(case, layer, inputs, states, before, training):
    """Outputs, masks, gradients and changed states of one call with the weights `before`."""
    for weight, value in zip(layer.weights, before):
        weight.assign(value)
    tensors = [tf.constant(value) for value in inputs]
    given = [tf.constant(value) for value in states]
    sources = [t for t in tensors + given if t.dtype.is_floating]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        outputs = tf.nest.flatten(run(case, layer, tensors, given, training))
        total = tf.add_n([tf.reduce_sum(widened(o) * factors(o.shape)) for o in outputs if o.dtype.is_floating])
        for loss in layer.losses:
            total += widened(loss)
    record = {
        "training": training,
        "outputs": [array(o) for o in outputs],
        "masks": [None if getattr(o, "_keras_mask", None) is None else array(o._keras_mask) for o in outputs],
        "loss": float(tf.add_n([widened(loss) for loss in layer.losses])) if layer.losses else 0.0,
        "state_after": [array(w) for w in layer.weights if not w.trainable],
    }
    if case.gradients:
        trainable = [w.value for w in layer.weights if w.trainable]
        found = tape.gradient(total, sources + trainable, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        found = [tf.convert_to_tensor(g) for g in found]  # rows become dense
        record["gradients"] = [array(g) for g in found]
    return record


def record(case, seed):
    if case.tolerance is not None and not case.reason:
        raise ValueError(f"{case.label}: a tolerance needs a reason")
    rng = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    keras.backend.clear_session()
    value = lambda given: grid(rng, given, case.scale) if is_shape(given) else np.asarray(given)
    inputs = [value(given) for given in case.inputs]
    states = [value(given) for given in case.initial_state]
    layer = case.make()
    run(case, layer, [tf.constant(v) for v in inputs], [tf.constant(v) for v in states], False)  # builds
    set_weights(case, layer, rng)
    before = [np.array(weight) for weight in layer.weights]
    content = {
        "label": case.label,
        "class_name": type(layer).__name__,
        "config": keras.saving.serialize_keras_object(layer)["config"],
        "inputs": [array(v) for v in inputs],
        "input_masks": [None if mask is None else array(np.asarray(mask)) for mask in case.masks or []],
        "initial_state": [array(v) for v in states],
        "weights": [{"name": w.path.split("/")[-1], "trainable": w.trainable, **array(v)}
                    for w, v in zip(layer.weights, before)],
        "modes": [record_mode(case, layer, inputs, states, before, mode) for mode in case.training],
    }
    if case.arguments:
        content["arguments"] = {name: value if isinstance(value, bool) else array(np.asarray(value))
                                for name, value in case.arguments.items()}
    if case.tolerance is not None:
        content.update({"tolerance": case.tolerance, "reason": case.reason})
    return content
