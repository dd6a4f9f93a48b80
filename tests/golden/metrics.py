# SPDX-License-Identifier: Apache-2.0
"""metrics.json: what metrics tell after batches, and what "accuracy" means. Run by generate.py."""
from common import grid, keras, np, softmaxed, tf, write
from keras import layers


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
