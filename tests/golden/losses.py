# SPDX-License-Identifier: Apache-2.0
"""losses.json: values and gradients of losses. Run by generate.py."""
from common import grid, np, number, softmaxed, tf, write
from keras import losses


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
