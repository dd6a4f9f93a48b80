# SPDX-License-Identifier: Apache-2.0
"""Writes the JSON files of this folder: values that real Keras computed, which the C++ tests compare with.

Run with Python 3.11, outside the repository's tree:
    python3.11 -m venv /tmp/golden && /tmp/golden/bin/pip install -r tests/golden/requirements.txt
    /tmp/golden/bin/python tests/golden/generate.py [--out DIR] [FILE...]
The files here were made with Keras 3.15.1 on TensorFlow 2.21.0 (CPU), NumPy 2.4.6, on x86-64. Seeds are fixed.

An array is {"shape": [..], "dtype": "float32", "values": [flat, row-major]}. A float32 is written as the decimal of the
double that equals it, so parsing it as a double and rounding to float gives the same bits.
"""
import argparse
import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # plain Eigen kernels: the same sums on every machine of one instruction set

import keras
import numpy as np
import tensorflow as tf
from keras import layers, losses, optimizers


def grid(rng, *shape, scale=1.0):
    """Normal float32 values rounded to 1/64, so that inputs are short decimals and exact in binary."""
    return (np.round(rng.standard_normal(shape) * 64 * scale) / 64).astype(np.float32)


def plain(value):
    """Turns arrays, tensors and NumPy scalars, in any nesting of lists and dicts, into what json can write."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (np.ndarray, tf.Tensor, tf.Variable, keras.Variable)):
        array = np.asarray(value)
        if array.dtype == bool:
            return {"shape": list(array.shape), "dtype": "bool", "values": array.reshape(-1).astype(int).tolist()}
        return {"shape": list(array.shape), "dtype": str(array.dtype), "values": array.reshape(-1).tolist()}
    return value.item() if isinstance(value, np.generic) else value


def number(value):
    return float(np.asarray(value))


def write(folder, name, content):
    """One line per entry of the top level and per case of a list, so that a difference is readable."""
    versions = {"keras": keras.__version__, "tensorflow": tf.__version__, "numpy": np.__version__}
    lines = []
    for key, item in {"versions": versions, **plain(content)}.items():
        cases = isinstance(item, list) and item and isinstance(item[0], dict)
        text = "[\n" + ",\n".join(json.dumps(case) for case in item) + "\n]" if cases else json.dumps(item)
        lines.append(f"{json.dumps(key)}: {text}")
    (folder / name).write_text("{\n" + ",\n".join(lines) + "\n}\n")


# losses.json ----------------------------------------------------------------------------------------------------------

def reduced_with_gradient(loss, y_true, y_pred, sample_weight):
    y_pred = tf.constant(y_pred)
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        value = loss(y_true, y_pred, sample_weight=sample_weight)
    return number(value), tape.gradient(value, y_pred)


def loss_case(name, class_name, y_true, y_pred, sample_weight, **config):
    make = getattr(losses, class_name)
    value, gradient = reduced_with_gradient(make(**config), y_true, y_pred, None)
    weighted, weighted_gradient = reduced_with_gradient(make(**config), y_true, y_pred, sample_weight)
    unreduced = {key: value for key, value in config.items() if key != "reduction"}
    return {"name": name, "class_name": class_name, "config": config, "full_config": make(**config).get_config(),
            "y_true": y_true, "y_pred": y_pred, "sample_weight": sample_weight,
            "per_sample": make(**unreduced).call(tf.constant(y_true, "float32"), tf.constant(y_pred)),
            "reduced": value, "gradient": gradient, "reduced_weighted": weighted,
            "gradient_weighted": weighted_gradient}


def softmaxed(logits, axis=-1):
    exponentials = np.exp(logits)
    return (exponentials / exponentials.sum(axis=axis, keepdims=True)).astype(np.float32)


def write_losses(folder):
    rng = np.random.default_rng(1)
    weight = np.array([1, 0.5, 0, 2, 1.25], np.float32)
    logits = grid(rng, 5, 4, scale=2)
    logits[3] = [100, -100, 0, 99]  # exp would overflow without the shift by the maximum
    labels = np.array([2, 0, 3, 1, 1], np.int32)
    one_hot = np.eye(4, dtype=np.float32)[labels]
    probabilities = np.exp(grid(rng, 5, 4))
    probabilities = (probabilities / probabilities.sum(axis=1, keepdims=True)).astype(np.float32)
    probabilities[4] = [0, 1, 0, 0]  # clipped to [1e-7, 1 - 1e-7]
    positive = np.abs(grid(rng, 5, 4)) + np.float32(0.125)  # rows that do not sum to one
    bits = (rng.random((5, 3)) < 0.5).astype(np.float32)
    bit_logits = grid(rng, 5, 3, scale=2)
    bit_logits[2] = [80, -80, 0]
    bit_probabilities = (rng.integers(1, 64, (5, 3)) / 64).astype(np.float32)
    bit_probabilities[1] = [0, 1, 0.5]

    sparse, categorical, binary = "SparseCategoricalCrossentropy", "CategoricalCrossentropy", "BinaryCrossentropy"
    cases = [
        loss_case("sparse_logits", sparse, labels, logits, weight, from_logits=True),
        loss_case("sparse_logits_column_labels", sparse, labels[:, None], logits, weight, from_logits=True),
        loss_case("sparse_logits_sequence", sparse, np.array([[0, 2, 1], [1, 1, 0]], np.int32), grid(rng, 2, 3, 3),
                  np.array([[1, 0.5, 0], [2, 1, 1]], np.float32), from_logits=True),
        loss_case("sparse_probabilities", sparse, labels, probabilities, weight, from_logits=False),
        loss_case("sparse_probabilities_not_normalised", sparse, labels, positive, weight, from_logits=False),
        loss_case("mse", "MeanSquaredError", grid(rng, 5, 3), grid(rng, 5, 3), weight),
        loss_case("mse_one_column", "MeanSquaredError", grid(rng, 5, 1), grid(rng, 5, 1), weight),
        loss_case("mse_rank3", "MeanSquaredError", grid(rng, 5, 3, 2), grid(rng, 5, 3, 2), weight[:, None]),
    ]
    for smoothing in (0.0, 0.1):
        end = "_smoothed" if smoothing else ""
        for kind, target, prediction in (("logits", one_hot, logits), ("probabilities", one_hot, probabilities),
                                         ("probabilities_not_normalised", one_hot, positive)):
            cases.append(loss_case(f"categorical_{kind}{end}", categorical, target, prediction, weight,
                                   from_logits=kind == "logits", label_smoothing=smoothing))
        for kind, prediction in (("logits", bit_logits), ("probabilities", bit_probabilities)):
            cases.append(loss_case(f"binary_{kind}{end}", binary, bits, prediction, weight,
                                   from_logits=kind == "logits", label_smoothing=smoothing))
    focal = "BinaryFocalCrossentropy"
    sequence, half_mask = grid(rng, 2, 3, 3), np.array([[1, 0.5, 0], [2, 1, 1]], np.float32)
    ignored = np.array([[0, 2, 255], [1, 255, 0]], np.int32)
    cases += [
        loss_case("sparse_ignore_class", sparse, ignored, sequence, half_mask, from_logits=True, ignore_class=255),
        loss_case("sparse_ignore_class_probabilities", sparse, ignored, softmaxed(sequence), half_mask,
                  ignore_class=255),
        loss_case("sparse_ignore_class_zero", sparse, labels, logits[[0, 1, 2, 4, 0]], weight, from_logits=True,
                  ignore_class=0),
        loss_case("categorical_axis", categorical, np.eye(3, dtype=np.float32)[rng.integers(0, 3, (2, 5))].transpose(
            0, 2, 1), softmaxed(grid(rng, 2, 3, 5), 1), np.array([1, 2], np.float32)[:, None], axis=1),
        loss_case("binary_axis", binary, bits, bit_probabilities, np.array([1, 0.5, 2], np.float32), axis=0),
        loss_case("generalized", "CategoricalGeneralizedCrossEntropy", labels, probabilities[[0, 1, 2, 3, 0]], weight,
                  q=0.7),
        loss_case("kld", "KLDivergence", probabilities, softmaxed(grid(rng, 5, 4)), weight),
        loss_case("poisson", "Poisson", np.abs(grid(rng, 5, 3)), np.abs(grid(rng, 5, 3)) + np.float32(0.25), weight),
        loss_case("cosine", "CosineSimilarity", grid(rng, 5, 3), grid(rng, 5, 3), weight),
        loss_case("cosine_axis", "CosineSimilarity", grid(rng, 5, 3, 2), grid(rng, 5, 3, 2), weight[:, None], axis=1),
        loss_case("huber", "Huber", grid(rng, 5, 3), grid(rng, 5, 3), weight),
        loss_case("huber_delta", "Huber", grid(rng, 5, 3), grid(rng, 5, 3, scale=3), weight, delta=0.75),
        loss_case("log_cosh", "LogCosh", grid(rng, 5, 3), grid(rng, 5, 3, scale=20), weight),
        loss_case("mae", "MeanAbsoluteError", grid(rng, 5, 3), grid(rng, 5, 3), weight),
        loss_case("mape", "MeanAbsolutePercentageError", grid(rng, 5, 3) + np.float32(0.0078125), grid(rng, 5, 3),
                  weight),
        loss_case("msle", "MeanSquaredLogarithmicError", np.abs(grid(rng, 5, 3)), grid(rng, 5, 3), weight),
        loss_case("hinge_bits", "Hinge", bits, grid(rng, 5, 3), weight),
        loss_case("hinge_signs", "Hinge", 2 * bits - 1, grid(rng, 5, 3), weight),
        loss_case("squared_hinge", "SquaredHinge", bits, grid(rng, 5, 3), weight),
        loss_case("categorical_hinge", "CategoricalHinge", one_hot, grid(rng, 5, 4), weight),
    ]
    for reduction in ("sum", "mean", "mean_with_sample_weight"):
        cases += [
            loss_case(f"mse_{reduction}", "MeanSquaredError", grid(rng, 5, 3), grid(rng, 5, 3), weight,
                      reduction=reduction),
            loss_case(f"sparse_ignore_class_{reduction}", sparse, ignored, sequence, half_mask, from_logits=True,
                      ignore_class=255, reduction=reduction)]
    for balanced in (False, True):
        end = "_balanced" if balanced else ""
        cases += [
            loss_case(f"focal{end}", focal, bits, bit_probabilities, weight, apply_class_balancing=balanced),
            loss_case(f"focal_logits{end}", focal, bits, grid(rng, 5, 3, scale=2), weight, from_logits=True, gamma=1.5,
                      alpha=0.4, label_smoothing=0.1, apply_class_balancing=balanced)]
    cases += [
        loss_case("categorical_focal", "CategoricalFocalCrossentropy", one_hot, softmaxed(grid(rng, 5, 4)), weight),
        loss_case("categorical_focal_logits", "CategoricalFocalCrossentropy", one_hot, grid(rng, 5, 4), weight,
                  from_logits=True, gamma=1.0, alpha=0.5, label_smoothing=0.1),
        loss_case("ctc", "CTC", np.array([[1, 2, 0, 0], [3, 3, 1, 0], [2, 0, 0, 0], [1, 3, 2, 1]], np.int32),
                  grid(rng, 4, 7, 5), np.array([1, 0.5, 2, 1], np.float32)),
        loss_case("ctc_no_labels", "CTC", np.array([[0, 0], [1, 1]], np.int32), grid(rng, 2, 3, 3),
                  np.array([1, 0.5], np.float32))]
    # TensorFlow's gradient is softmax - target also where a target row does not sum to one (the value is not).
    cases.append(loss_case("categorical_logits_targets_not_normalised", categorical,
                           (rng.random((5, 4)) < 0.5).astype(np.float32), logits[[0, 1, 2, 4, 0]], weight,
                           from_logits=True, label_smoothing=0.0))
    write(folder, "losses.json", {"cases": cases})


# dense_model.json -----------------------------------------------------------------------------------------------------

def dense_model():
    inputs = keras.Input((6,), name="inputs")
    x = layers.Dense(5, activation="relu", name="first")(inputs)
    x = layers.Dense(4, activation="tanh", name="second")(x)
    return keras.Model(inputs, layers.Dense(3, name="third")(x), name="dense_model")


def named(values, model):
    """[{name, shape, dtype, values}] in the order of model.weights; the name is layer/weight."""
    return [{"name": variable.path, **plain(np.asarray(value))} for variable, value in zip(model.weights, values)]


def fit_case(name, start, x, y, optimizer, batch_size, sample_weight=None):
    model = dense_model()
    model.set_weights(start)
    class_name, config = optimizer
    model.compile(optimizer=getattr(optimizers, class_name)(**config),
                  loss=losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"],
                  jit_compile=False)
    history = model.fit(x, y, batch_size=batch_size, epochs=3, shuffle=False, validation_split=0.2, verbose=0,
                        sample_weight=sample_weight)
    case = {"name": name, "optimizer": {"class_name": class_name, "config": config}, "batch_size": batch_size,
            "epochs": 3, "validation_split": 0.2, "shuffle": False, "history": history.history,
            "weights": named(model.get_weights(), model)}
    if sample_weight is not None:
        case["sample_weight"] = sample_weight
    return case


def write_dense_model(folder):
    rng = np.random.default_rng(15)  # a seed for which val_accuracy moves, and differently for each optimizer
    x, y = grid(rng, 10, 6), rng.integers(0, 3, 10).astype(np.int32)
    model = dense_model()
    start = [grid(rng, *weight.shape, scale=0.5) for weight in model.weights]
    model.set_weights(start)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    with tf.GradientTape() as tape:
        predictions = model(x)
        value = loss(y, predictions)
    gradients = tape.gradient(value, [weight.value for weight in model.trainable_variables])

    weight = np.array([1, 0.5, 2, 0, 1, 1.5, 0.25, 1, 3, 0.5], np.float32)
    rmsprop, sgd, adam = ("RMSprop", {"learning_rate": 0.01}), ("SGD", {"learning_rate": 0.1}), (
        "Adam", {"learning_rate": 0.02})
    fits = [fit_case("rmsprop", start, x, y, rmsprop, 4), fit_case("sgd", start, x, y, sgd, 4),
            fit_case("adam", start, x, y, adam, 4), fit_case("sgd_short_last_batch", start, x, y, sgd, 3),
            fit_case("sgd_sample_weight", start, x, y, sgd, 3, weight)]
    write(folder, "dense_model.json", {
        "layers": [{"name": layer.name, "units": layer.units, "activation": layer.activation.__name__}
                   for layer in model.layers[1:]],
        "x": x, "y": y, "weights": named(start, model), "predictions": predictions, "loss": number(value),
        "gradients": named(gradients, model), "fits": fits})


# weighted_fits.json: masks, class weights, sample weights of positions, reductions --------------------------------------

def masked_model():
    inputs = keras.Input((4,), dtype="int32", name="ids")
    x = layers.Embedding(6, 3, mask_zero=True, name="embedding")(inputs)
    x = layers.Dense(5, activation="tanh", name="hidden")(x)
    return keras.Model(inputs, layers.Dense(3, name="scores")(x), name="masked_model")


def weighted_fit(name, make, start, x, y, reduction="sum_over_batch_size", **options):
    model = make()
    model.set_weights(start)
    model.compile(optimizer=optimizers.SGD(0.1), metrics=["accuracy"], weighted_metrics=["accuracy"],
                  loss=losses.SparseCategoricalCrossentropy(from_logits=True, reduction=reduction), jit_compile=False)
    history = model.fit(x, y, batch_size=4, epochs=2, shuffle=False, validation_split=0.2, verbose=0, **options)
    case = {"name": name, "model": model.name, "reduction": reduction, "history": history.history,
            "weights": named(model.get_weights(), model)}
    if "class_weight" in options:
        options = {"class_weight": [[k, v] for k, v in options["class_weight"].items()]}
    return {**case, **options}


def write_weighted_fits(folder):
    rng = np.random.default_rng(31)
    ids = rng.integers(0, 6, (10, 4)).astype(np.int32)
    ids[2] = 0  # a sample of which nothing counts
    labels = rng.integers(0, 3, (10, 4)).astype(np.int32)
    steps = (rng.integers(0, 5, (10, 4)) / 2).astype(np.float32)
    masked = [grid(rng, *weight.shape, scale=0.5) for weight in masked_model().weights]
    dense = [grid(rng, *weight.shape, scale=0.5) for weight in dense_model().weights]
    x, y = grid(rng, 10, 6), rng.integers(0, 3, 10).astype(np.int32)
    one_weight = np.array([1, 0.5, 2, 0, 1, 1.5, 0.25, 1, 3, 0.5], np.float32)
    cases = [
        weighted_fit("mask", masked_model, masked, ids, labels),
        weighted_fit("mask_and_weights", masked_model, masked, ids, labels, sample_weight=steps),
        weighted_fit("mask_sum", masked_model, masked, ids, labels, "sum"),
        weighted_fit("mask_mean_with_sample_weight", masked_model, masked, ids, labels, "mean_with_sample_weight",
                     sample_weight=steps),
        weighted_fit("class_weight", dense_model, dense, x, y, class_weight={0: 2.0, 2: 0.25}),
        weighted_fit("sum", dense_model, dense, x, y, "sum", sample_weight=one_weight),
        weighted_fit("mean_with_sample_weight", dense_model, dense, x, y, "mean_with_sample_weight",
                     sample_weight=one_weight)]
    write(folder, "weighted_fits.json", {"ids": ids, "labels": labels, "x": x, "y": y, "cases": cases, "start": {
        "masked_model": named(masked, masked_model()), "dense_model": named(dense, dense_model())}})


# merge_model.json -----------------------------------------------------------------------------------------------------

def merge_model():
    """Two inputs of different rank, every merge layer, a sum that broadcasts, two outputs."""
    left, right = keras.Input((4,), name="left"), keras.Input((2, 3), name="right")
    wide = layers.Dense(6, activation="tanh", name="wide")(left)
    flat = layers.Flatten(name="flat")(right)
    total = layers.Add(name="total")([wide, flat])
    mean = layers.Average(name="mean")([wide, flat, total])
    both = layers.Concatenate(name="both")([total, mean])
    square = layers.Reshape((3, 4), name="square")(both)
    row = layers.Reshape((1, 4), name="row")(left)
    shifted = layers.Add(name="shifted")([square, row])  # (None, 3, 4) + (None, 1, 4)
    mixed = layers.Dense(4, name="mixed")(shifted)  # contracts the last axis of a rank 3 tensor
    stacked = layers.Concatenate(axis=1, name="stacked")([mixed, row])  # (None, 4, 4)
    squashed = layers.Activation("sigmoid", name="squashed")(stacked)
    features = layers.Flatten(name="features")(squashed)
    kind = layers.Dense(3, name="kind")(features)
    score = layers.Dense(1, activation="sigmoid", name="score")(features)
    return keras.Model([left, right], [kind, score], name="merge_model")


def merge_losses():
    return [losses.SparseCategoricalCrossentropy(from_logits=True), losses.BinaryCrossentropy()]


def write_merge_model(folder):
    rng = np.random.default_rng(4)
    x, loss_weights = [grid(rng, 7, 4), grid(rng, 7, 2, 3)], [1.0, 0.25]
    y = [rng.integers(0, 3, 7).astype(np.int32), (rng.random((7, 1)) < 0.5).astype(np.float32)]
    sample_weight = [np.array([1, 2, 0.5, 0, 1, 1, 3], np.float32), np.array([0.5, 1, 1, 2, 0, 1, 1], np.float32)]
    model = merge_model()
    start = [grid(rng, *weight.shape, scale=0.5) for weight in model.weights]
    model.set_weights(start)

    def losses_and_gradients(weights):
        with tf.GradientTape() as tape:
            predictions = model(x)
            values = [loss(t, p, sample_weight=w) for loss, t, p, w in zip(merge_losses(), y, predictions, weights)]
            total = sum(value * weight for value, weight in zip(values, loss_weights))
        gradients = tape.gradient(total, [weight.value for weight in model.trainable_variables])
        return predictions, {"output_losses": [number(value) for value in values], "loss": number(total),
                             "gradients": named(gradients, model)}

    predictions, unweighted = losses_and_gradients([None, None])
    _, weighted = losses_and_gradients(sample_weight)
    model.compile(optimizer="sgd", loss=merge_losses(), loss_weights=loss_weights, jit_compile=False,
                  metrics=[["accuracy"], ["accuracy"]])
    # Keras averages the losses of single outputs over batches without regard to their sizes, so <output>_loss of
    # batches of 4 + 3 is not the mean over the samples. "loss", the accuracies and everything of batch 7 are exact.
    evaluations = []
    for batch_size in (7, 4):
        for name, weights in (("unweighted", None), ("sample_weight", sample_weight)):
            options = {"batch_size": batch_size, "sample_weight": weights, "verbose": 0}
            evaluations.append({"name": f"{name}_batch_{batch_size}", "batch_size": batch_size,
                                "uses_sample_weight": weights is not None, "list": model.evaluate(x, y, **options),
                                "dict": model.evaluate(x, y, return_dict=True, **options)})
    write(folder, "merge_model.json", {
        "input_names": [tensor.name for tensor in model.inputs], "output_names": model.output_names,
        "layer_names": [layer.name for layer in model.layers],
        "output_shapes": {layer.name: list(layer.output.shape) for layer in model.layers}, "x": x, "y": y,
        "sample_weight": sample_weight, "loss_weights": loss_weights, "weights": named(start, model),
        "predictions": predictions, "unweighted": unweighted, "weighted": weighted, "evaluate": evaluations})


# metrics.json ---------------------------------------------------------------------------------------------------------

def accuracy_case(name, y_true, y_pred, sample_weight, loss):
    """What the string "accuracy" becomes in compile() for these shapes, and its value over batches of 3."""
    inputs = keras.Input(y_pred.shape[1:])
    model = keras.Model(inputs, layers.Activation("linear")(inputs))
    model.compile(loss=loss, metrics=["accuracy"], weighted_metrics=["accuracy"], jit_compile=False)
    logs = model.evaluate(y_pred, y_true, sample_weight=sample_weight, batch_size=3, verbose=0, return_dict=True)
    resolved = [metric for group in model.metrics for metric in getattr(group, "metrics", [])]
    return {"name": name, "loss": loss, "resolved": type(resolved[0]).__name__, "batch_size": 3, "y_true": y_true,
            "y_pred": y_pred, "sample_weight": sample_weight, "accuracy": logs["accuracy"],
            "accuracy_weighted": logs["weighted_accuracy"]}


def metric_case(name, metric, y_true, y_pred, sample_weight, mask=None):
    """The results after each of two batches, without and with sample weights."""
    results = {}
    half = len(y_true) // 2
    for kind, weights in (("plain", None), ("weighted", sample_weight)):
        metric.reset_state()
        found = []
        for part in (slice(0, half), slice(half, None)):
            outputs = tf.constant(y_pred[part])
            if mask is not None:
                outputs._keras_mask = tf.constant(mask[part])
            metric.update_state(y_true[part], outputs, sample_weight=None if weights is None else weights[part])
            found.append(np.asarray(metric.result()).reshape(-1).astype(np.float64).tolist())
        results[kind] = found
    config = {key: np.asarray(value).tolist() if tf.is_tensor(value) else value
              for key, value in metric.get_config().items() if key != "dtype"}
    content = {"name": name, "class_name": type(metric).__name__, "config": config, "half": half, "y_true": y_true,
               "y_pred": y_pred, "sample_weight": sample_weight, **results}
    return content if mask is None else {**content, "mask": mask}


def metric_cases(rng):
    from keras import metrics as m
    n = 9
    weight = np.array([1, 0.5, 2, 0, 1, 1.5, 0.25, 3, 1], np.float32)
    whole = np.ceil(weight)  # Keras' IoU counts in integers
    chances = (rng.integers(0, 65, (n, 1)) / 64).astype(np.float32)
    chances[:2, 0] = [0, 1]
    bits = (rng.random((n, 1)) < 0.5).astype(np.float32)
    many, many_bits = (rng.integers(0, 65, (n, 3)) / 64).astype(np.float32), (rng.random((n, 3)) < 0.4).astype(np.float32)
    scores, labels = grid(rng, n, 6), rng.integers(0, 6, n).astype(np.int32)
    scores[2, :3] = 1  # ties
    one_hot = np.eye(6, dtype=np.float32)[labels]
    real, found = grid(rng, n, 3), grid(rng, n, 3)
    segments, guesses = rng.integers(0, 4, (n, 5)).astype(np.int32), rng.integers(0, 4, (n, 5)).astype(np.int32)
    soft = softmaxed(grid(rng, n, 5, 4))
    steps = grid(rng, n, 4, 6)
    step_labels, step_mask = rng.integers(0, 6, (n, 4)).astype(np.int32), rng.random((n, 4)) < 0.6
    case = metric_case
    cases = [
        case("accuracy", m.Accuracy(), labels[:, None], np.where(labels % 2 == 0, labels, 1)[:, None].astype(np.float32), weight),
        case("binary", m.BinaryAccuracy(), many_bits, many, weight),
        case("binary_threshold", m.BinaryAccuracy(threshold=0.75), bits, chances, weight),
        case("categorical", m.CategoricalAccuracy(), one_hot, scores, weight),
        case("sparse", m.SparseCategoricalAccuracy(), labels, scores, weight),
        case("sparse_mask", m.SparseCategoricalAccuracy(), step_labels, steps, weight[:, None], step_mask),
        case("sparse_mask_step_weights", m.SparseCategoricalAccuracy(), step_labels, steps,
             (rng.integers(0, 5, (n, 4)) / 2).astype(np.float32), step_mask),
        case("top_k", m.TopKCategoricalAccuracy(k=2), one_hot, scores, weight),
        case("sparse_top_k", m.SparseTopKCategoricalAccuracy(k=3), labels, scores, weight),
        case("mse_mask", m.MeanSquaredError(), grid(rng, n, 4, 2), grid(rng, n, 4, 2), weight[:, None], step_mask),
        case("rmse", m.RootMeanSquaredError(), real, found, weight),
        case("cosine", m.CosineSimilarity(), real, found, weight),
        case("logcosh", m.LogCoshError(), real, found, weight),
        case("r2", m.R2Score(), real, found, weight),
        case("r2_variance", m.R2Score(class_aggregation="variance_weighted_average", num_regressors=2), real, found,
             weight),
        case("r2_columns", m.R2Score(class_aggregation=None), real, found, weight),
        case("precision", m.Precision(), bits, chances, weight),
        case("precision_thresholds", m.Precision(thresholds=[0.75, 0.25, 0.5]), many_bits, many, weight),
        case("precision_top_k", m.Precision(top_k=2), one_hot, scores, weight),
        case("precision_class", m.Precision(class_id=1, thresholds=0.25), many_bits, many, weight),
        case("recall", m.Recall(), many_bits, many, weight),
        case("recall_top_k_class", m.Recall(top_k=3, class_id=2), one_hot, scores, weight),
        case("true_positives", m.TruePositives(thresholds=0.25), many_bits, many, weight),
        case("false_positives", m.FalsePositives(), many_bits, many, weight),
        case("true_negatives", m.TrueNegatives(thresholds=[0.25, 0.75]), many_bits, many, weight),
        case("false_negatives", m.FalseNegatives(), many_bits, many, weight),
        case("auc_thresholds", m.AUC(thresholds=[0.6, 0.1, 0.35]), bits, chances, weight),
        case("auc_logits", m.AUC(from_logits=True), bits, grid(rng, n, 1), weight),
        case("auc_labels", m.AUC(multi_label=True, num_thresholds=7), many_bits, many, weight),
        case("auc_label_weights", m.AUC(multi_label=True, label_weights=[0.5, 2.0, 1.0]), many_bits, many, weight),
        case("auc_column_weights", m.AUC(label_weights=[0.5, 2.0, 1.0]), many_bits, many, weight),
        case("sensitivity", m.SensitivityAtSpecificity(0.4), bits, chances, weight),
        case("specificity", m.SpecificityAtSensitivity(0.4, num_thresholds=5), bits, chances, weight),
        case("precision_at_recall", m.PrecisionAtRecall(0.6), bits, chances, weight),
        case("recall_at_precision", m.RecallAtPrecision(0.6, class_id=1), many_bits, many, weight),
        case("f1_classes", m.F1Score(), one_hot, scores, weight),
        case("f1_micro", m.F1Score(average="micro", threshold=0.5), many_bits, many, weight),
        case("f1_macro", m.F1Score(average="macro"), one_hot, scores, weight),
        case("fbeta_weighted", m.FBetaScore(average="weighted", beta=2.0, threshold=0.25), many_bits, many, weight),
        case("mean_iou", m.MeanIoU(num_classes=4), segments, guesses.astype(np.float32), np.tile(whole[:, None], 5)),
        case("mean_iou_ignore", m.MeanIoU(num_classes=4, ignore_class=2, sparse_y_pred=False), segments, soft,
             np.tile(whole[:, None], 5)),
        case("iou", m.IoU(num_classes=4, target_class_ids=[0, 3]), segments, guesses.astype(np.float32),
             np.tile(whole[:, None], 5)),
        case("binary_iou", m.BinaryIoU(target_class_ids=[1], threshold=0.3), bits[:, 0], chances[:, 0], whole),
        case("one_hot_iou", m.OneHotIoU(num_classes=6, target_class_ids=[1, 2]), one_hot, scores, whole),
        case("one_hot_mean_iou", m.OneHotMeanIoU(num_classes=6), one_hot, scores, whole),
    ]
    for curve in ("ROC", "PR", "PRGAIN"):
        for method in ("interpolation", "minoring", "majoring"):
            cases.append(case(f"auc_{curve}_{method}", m.AUC(curve=curve, summation_method=method), bits, chances, weight))
    return cases


def write_metrics(folder):
    rng = np.random.default_rng(5)
    weight = np.array([1, 0.5, 2, 0, 1, 1.5, 0.25, 3], np.float32)
    labels = rng.integers(0, 4, 8).astype(np.int32)
    scores = grid(rng, 8, 4)
    scores[[0, 3, 4], labels[[0, 3, 4]]] = 4
    scores[1] = [0.5, 2, 2, 0]  # a tie: the first maximum counts
    labels[1] = 2
    one_hot = np.eye(4, dtype=np.float32)[labels]
    bits = (rng.random((8, 1)) < 0.5).astype(np.float32)
    chances = (rng.integers(0, 65, (8, 1)) / 64).astype(np.float32)
    chances[2] = 0.5  # the threshold itself counts as 0
    bits[2] = 0
    sequence = grid(rng, 8, 2, 3)
    two_bits = np.eye(2, dtype=np.float32)[rng.integers(0, 2, 8)]
    two_chances = (rng.integers(1, 64, (8, 2)) / 64).astype(np.float32)
    write(folder, "metrics.json", {"metrics": metric_cases(np.random.default_rng(6)), "cases": [
        accuracy_case("binary", bits, chances, weight, "binary_crossentropy"),
        accuracy_case("binary_flat_labels", bits[:, 0], chances, weight, "binary_crossentropy"),
        accuracy_case("binary_shape_decides", bits, chances, weight, "mean_squared_error"),
        accuracy_case("binary_logits_threshold", bits, grid(rng, 8, 1, scale=2), weight, "mean_squared_error"),
        accuracy_case("categorical", one_hot, scores, weight, "categorical_crossentropy"),
        accuracy_case("categorical_two_bits", two_bits, two_chances, weight, "binary_crossentropy"),
        accuracy_case("sparse", labels, scores, weight, "sparse_categorical_crossentropy"),
        accuracy_case("sparse_column_labels", labels[:, None], scores, weight, "sparse_categorical_crossentropy"),
        accuracy_case("sparse_sequence", rng.integers(0, 3, (8, 2)).astype(np.int32), sequence,
                      np.tile(weight[:, None], 2), "sparse_categorical_crossentropy")]})


# callbacks.json -------------------------------------------------------------------------------------------------------

WATCHED = [1.0, 0.5, 0.49995, 0.7, 0.6, 0.4, 0.45, 0.45, 0.44, 0.39995, 0.5, 0.5, 0.5, 0.5]


def watched_model():
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["accuracy"])
    model.evaluate(np.ones((1, 1)), np.ones((1, 1)), verbose=0)  # builds the metrics
    model.optimizer.learning_rate = 0.5
    return model


def callback_case(name, callback, config, key):
    """What a callback does when the log `key` takes the values WATCHED, one an epoch."""
    model = watched_model()
    callback.set_model(model)
    callback.on_train_begin()
    rates, epochs = [], 0
    for epoch, value in enumerate(WATCHED):
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {"loss": 1.0, key: value})
        rates.append(float(np.asarray(model.optimizer.learning_rate)))
        epochs += 1
        if model.stop_training:
            break
    return {"name": name, "class_name": type(callback).__name__, "config": config, "key": key, "rates": rates,
            "epochs": epochs, "best": getattr(callback, "best", None), "best_epoch": getattr(callback, "best_epoch", 0),
            "stopped_epoch": getattr(callback, "stopped_epoch", 0)}


def write_callbacks(folder):
    from keras import callbacks
    cases = []
    for name, config in (("default", {}), ("patience", {"patience": 3}), ("delta", {"patience": 3, "min_delta": 0.01}),
                         ("baseline", {"patience": 4, "baseline": 0.45}), ("start", {"patience": 1,
                          "start_from_epoch": 4}), ("max", {"patience": 2, "mode": "max"}),
                         ("accuracy", {"patience": 2, "monitor": "val_accuracy"})):
        cases.append(callback_case(f"early_stopping_{name}", callbacks.EarlyStopping(**config), config,
                                   config.get("monitor", "val_loss")))
    for name, config in (("default", {}), ("patience", {"patience": 2}), ("floor", {"patience": 1, "min_lr": 0.1,
                          "factor": 0.5}), ("cooldown", {"patience": 1, "cooldown": 2, "factor": 0.5}),
                         ("delta", {"patience": 2, "min_delta": 0.0, "factor": 0.25})):
        cases.append(callback_case(f"reduce_{name}", callbacks.ReduceLROnPlateau(**config), config, "val_loss"))
    path = folder / "log.csv.tmp"
    logger = callbacks.CSVLogger(str(path))
    logger.on_train_begin()
    logger.on_epoch_end(0, {"loss": 0.1, "accuracy": 1e-07})
    logger.on_epoch_end(1, {"loss": 123456789.0, "accuracy": 0.3414202034473419, "val_loss": 2.0})
    logger.on_train_end()
    text = path.read_bytes().decode()
    path.unlink()
    write(folder, "callbacks.json", {"values": WATCHED, "cases": cases, "csv": text})


# initializers.json ----------------------------------------------------------------------------------------------------

QUANTILES = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]


def initializer_case(name, shape):
    """Statistics over many draws of the same shape: the shape sets the scale, the number of draws the precision."""
    draws = max(1, 2_000_000 // int(np.prod(shape))) if name != "orthogonal" else 40
    make = keras.initializers.get(name).__class__
    seeded = name not in ("zeros", "ones")
    values = [np.asarray((make(seed=seed) if seeded else make())(shape)) for seed in range(draws)]
    pooled = np.concatenate([value.reshape(-1) for value in values]).astype(np.float64)
    case = {"name": name, "shape": list(shape), "draws": draws, "count": pooled.size, "mean": pooled.mean(),
            "std": pooled.std(), "min": pooled.min(), "max": pooled.max(), "quantile_levels": QUANTILES,
            "quantiles": np.quantile(pooled, QUANTILES).tolist()}
    if name == "orthogonal":
        matrix = values[0].reshape(-1, shape[-1]).astype(np.float64)
        case["columns_gram_error"] = np.abs(matrix.T @ matrix - np.eye(shape[-1])).max()
    return case


def write_initializers(folder):
    names = ["glorot_uniform", "he_normal", "lecun_uniform", "random_normal", "truncated_normal", "random_uniform",
             "orthogonal", "zeros", "ones"]
    write(folder, "initializers.json", {
        "cases": [initializer_case(name, shape) for name in names for shape in ((784, 64), (3, 3, 16, 32))]})


def main():
    parser = argparse.ArgumentParser(description="Writes values that Keras computed, for the C++ tests.")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent, help="folder of the JSON files")
    parser.add_argument("files", nargs="*", help="which files, without .json (default: all)")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    from optimizers import write_optimizers  # needs what stands above
    for write_file in (write_losses, write_optimizers, write_dense_model, write_weighted_fits, write_merge_model,
                       write_metrics, write_callbacks, write_initializers):
        if not arguments.files or write_file.__name__.removeprefix("write_") in arguments.files:
            write_file(arguments.out)


if __name__ == "__main__":
    main()
