# SPDX-License-Identifier: Apache-2.0
"""dense_model.json, weighted_fits.json, merge_model.json, mixed_precision_fits.json: whole models that train. Run by
generate.py."""
from common import grid, keras, np, number, plain, tf, write
from keras import layers, losses, optimizers


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


def mixed_precision_model(policy):
    inputs = keras.Input((6,), name="inputs")
    x = layers.Dense(8, activation="relu", dtype=policy, name="first")(inputs)
    x = layers.BatchNormalization(dtype=policy, name="normalized")(x)
    x = layers.Dense(3, dtype=policy, name="scores")(x)
    return keras.Model(inputs, layers.Softmax(dtype="float32", name="probabilities")(x))


def mixed_precision_fit(policy, start, x, y):
    """Ten steps, with the losses before each. A plain optimizer: the loss is not scaled."""
    model = mixed_precision_model(policy)
    model.set_weights(start)
    model.compile(optimizer=optimizers.SGD(0.25), loss="sparse_categorical_crossentropy", jit_compile=False,
                  auto_scale_loss=False)
    losses_ = [number(model.train_on_batch(x, y)) for _ in range(10)]
    return {"policy": policy, "losses": losses_, "weights": named(model.get_weights(), model),
            "predictions": model.predict(x, verbose=0)}


def write_mixed_precision_fits(folder):
    rng = np.random.default_rng(8)
    x, y = grid(rng, 24, 6), rng.integers(0, 3, 24).astype(np.int32)
    model = mixed_precision_model("float32")
    start = [np.abs(grid(rng, *weight.shape, scale=0.5)) if "variance" in weight.path
             else grid(rng, *weight.shape, scale=0.5) for weight in model.weights]
    write(folder, "mixed_precision_fits.json", {
        "x": x, "y": y, "start": named(start, model),
        "fits": [mixed_precision_fit(policy, start, x, y) for policy in ("mixed_bfloat16", "mixed_float16")]})


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
