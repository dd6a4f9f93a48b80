// SPDX-License-Identifier: Apache-2.0
// Metrics that are means of a loss or of another function of targets and outputs.
#include "core/base/error.h"
#include "core/training/losses/formula.h"
#include "core/training/metrics/table.h"
#include "core/training/targets.h"

namespace strata {
namespace {

class FormulaMetric final : public MeanMetric {
 public:
  explicit FormulaMetric(MeanFormula formula) : formula_(std::move(formula)) {}
  std::string name() const override { return formula_.name; }
  std::string class_name() const override { return formula_.class_name; }
  Config config() const override { return formula_.config; }
  std::optional<bool> larger_is_better() const override { return formula_.larger_is_better; }
  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override { return formula_.values(y_true, y_pred); }

 private:
  MeanFormula formula_;
};

/// The kind of targets, by their shape and that of the outputs, as Keras' compile() decides.
enum class Kind { binary, sparse, categorical };

Kind kind_of(const Tensor& y_true, const Tensor& y_pred) {
  if (y_pred.rank() < 2 || y_pred.shape().back() == 1) return Kind::binary;
  return y_true.rank() < y_pred.rank() || y_true.shape().back() == 1 ? Kind::sparse : Kind::categorical;
}

/// A mean whose function depends on the kind.
template <class F>
Metric by_kind(const std::string& name, bool larger_is_better, const F& binary, const F& sparse, const F& categorical) {
  const auto values = [=](const Tensor& y_true, const Tensor& y_pred) {
    switch (kind_of(y_true, y_pred)) {
      case Kind::binary: return binary(y_true, y_pred);
      case Kind::sparse: return sparse(y_true, y_pred);
      case Kind::categorical: break;
    }
    return categorical(y_true, y_pred);
  };
  return mean_metric(
      {.class_name = "MeanMetricWrapper", .name = name, .values = values, .larger_is_better = larger_is_better});
}

Tensor binary_accuracy(const Tensor& y_true, const Tensor& y_pred, double threshold) {
  const auto [targets, outputs] = fit_targets("BinaryAccuracy", y_true, y_pred);
  const Tensor predicted = ops::cast(ops::greater(outputs, scalar(threshold, outputs.dtype())), outputs.dtype());
  return ops::mean(ops::cast(ops::equal(targets, predicted), outputs.dtype()), {-1});
}

Tensor categorical_accuracy(const Tensor& y_true, const Tensor& y_pred) {
  const auto [targets, outputs] = fit_targets("CategoricalAccuracy", y_true, y_pred);
  return ops::cast(ops::equal(ops::argmax(targets), ops::argmax(outputs)), outputs.dtype());
}

Tensor sparse_accuracy(const Tensor& y_true, const Tensor& y_pred) {
  const Tensor labels = fit_labels("SparseCategoricalAccuracy", y_true, y_pred);
  return ops::cast(ops::equal(labels, ops::argmax(y_pred)), y_pred.dtype());
}

/// 1 where fewer than k outputs are larger than that of the label.
Tensor in_top_k(const Tensor& labels, const Tensor& y_pred, int k) {
  const Tensor right = ops::one_hot(labels, y_pred.shape().back(), y_pred.dtype());
  const Tensor chosen = ops::sum(y_pred * right, {-1}, true);
  const Tensor larger = ops::sum(ops::cast(ops::greater(y_pred, chosen), y_pred.dtype()), {-1});
  return ops::cast(ops::less(larger, scalar(k, larger.dtype())), y_pred.dtype());
}

void require_k(int k) {
  if (k < 1) throw ConfigError("top_k: expected k of at least 1, received " + std::to_string(k));
}

/// What is a loss in Keras, as a metric class.
Metric of_loss(const std::string& class_name, const Loss& loss, const std::string& name) {
  return mean_metric({class_name, name, [loss](const Tensor& t, const Tensor& y) { return loss->values(t, y); },
                      Config::object(), false});
}

}  // namespace

Metric mean_metric(MeanFormula formula) { return {std::make_shared<FormulaMetric>(std::move(formula))}; }

Metric accuracy_by_shape(const std::string& name) {
  using F = Tensor (*)(const Tensor&, const Tensor&);
  const F binary = [](const Tensor& t, const Tensor& y) { return binary_accuracy(t, y, 0.5); };
  return by_kind<F>(name, true, binary, sparse_accuracy, categorical_accuracy);
}

Metric crossentropy_by_shape(const std::string& name) {
  const auto values = [](const Loss& loss) {
    return std::function([loss](const Tensor& t, const Tensor& y) { return loss->values(t, y); });
  };
  return by_kind(name, false, values(losses::BinaryCrossentropy()), values(losses::SparseCategoricalCrossentropy()),
                 values(losses::CategoricalCrossentropy()));
}

namespace metrics {

Metric Accuracy(const std::string& name) {
  return mean_metric({"Accuracy", name, [](const Tensor& y_true, const Tensor& y_pred) {
                        const auto [targets, outputs] = fit_targets("Accuracy", y_true, y_pred);
                        return ops::mean(ops::cast(ops::equal(targets, outputs), Dtype::float32), {-1});
                      }});
}

Metric BinaryAccuracy(double threshold, const std::string& name) {
  if (!(threshold > 0.0 && threshold < 1.0)) {
    throw ConfigError("BinaryAccuracy: expected a threshold between 0 and 1, received " + Config(threshold).to_json());
  }
  return mean_metric({"BinaryAccuracy", name,
                      [threshold](const Tensor& t, const Tensor& y) { return binary_accuracy(t, y, threshold); },
                      Config::object({{"threshold", threshold}})});
}

Metric CategoricalAccuracy(const std::string& name) {
  return mean_metric({"CategoricalAccuracy", name, categorical_accuracy});
}

Metric SparseCategoricalAccuracy(const std::string& name) {
  return mean_metric({"SparseCategoricalAccuracy", name, sparse_accuracy});
}

Metric TopKCategoricalAccuracy(int k, const std::string& name) {
  require_k(k);
  return mean_metric({"TopKCategoricalAccuracy", name,
                      [k](const Tensor& y_true, const Tensor& y_pred) {
                        const auto [targets, outputs] = fit_targets("TopKCategoricalAccuracy", y_true, y_pred);
                        return in_top_k(ops::argmax(targets), outputs, k);
                      },
                      Config::object({{"k", k}})});
}

Metric SparseTopKCategoricalAccuracy(int k, const std::string& name) {
  require_k(k);
  return mean_metric({"SparseTopKCategoricalAccuracy", name,
                      [k](const Tensor& y_true, const Tensor& y_pred) {
                        return in_top_k(fit_labels("SparseTopKCategoricalAccuracy", y_true, y_pred), y_pred, k);
                      },
                      Config::object({{"k", k}})});
}

Metric CosineSimilarity(int axis, const std::string& name) {
  const Loss loss = losses::CosineSimilarity({.axis = axis});
  return mean_metric(
      {"CosineSimilarity", name, [loss](const Tensor& t, const Tensor& y) { return -loss->values(t, y); }});
}

Metric MeanSquaredError(const std::string& name) {
  return of_loss("MeanSquaredError", losses::MeanSquaredError(), name);
}
Metric MeanAbsoluteError(const std::string& name) {
  return of_loss("MeanAbsoluteError", losses::MeanAbsoluteError(), name);
}
Metric MeanAbsolutePercentageError(const std::string& name) {
  return of_loss("MeanAbsolutePercentageError", losses::MeanAbsolutePercentageError(), name);
}
Metric MeanSquaredLogarithmicError(const std::string& name) {
  return of_loss("MeanSquaredLogarithmicError", losses::MeanSquaredLogarithmicError(), name);
}
Metric LogCoshError(const std::string& name) { return of_loss("LogCoshError", losses::LogCosh(), name); }
Metric Hinge(const std::string& name) { return of_loss("Hinge", losses::Hinge(), name); }
Metric SquaredHinge(const std::string& name) { return of_loss("SquaredHinge", losses::SquaredHinge(), name); }
Metric CategoricalHinge(const std::string& name) {
  return of_loss("CategoricalHinge", losses::CategoricalHinge(), name);
}
Metric KLDivergence(const std::string& name) { return of_loss("KLDivergence", losses::KLDivergence(), name); }
Metric Poisson(const std::string& name) { return of_loss("Poisson", losses::Poisson(), name); }
Metric BinaryCrossentropy(const losses::CrossentropyOptions& options) {
  const Loss loss = losses::BinaryCrossentropy(options);
  return MeanOf(loss, loss->name());
}
Metric CategoricalCrossentropy(const losses::CrossentropyOptions& options) {
  const Loss loss = losses::CategoricalCrossentropy(options);
  return MeanOf(loss, loss->name());
}
Metric SparseCategoricalCrossentropy(const losses::SparseCrossentropyOptions& options) {
  const Loss loss = losses::SparseCategoricalCrossentropy(options);
  return MeanOf(loss, loss->name());
}

}  // namespace metrics

void register_means(MetricTable& table) {
  using namespace metrics;
  add_metric(table, "Accuracy", "accuracy", Accuracy);
  add_metric(table, "BinaryAccuracy", {"binary_accuracy"}, {"threshold"}, [](const RuleArguments& a) {
    return BinaryAccuracy(a.number("threshold", 0.5), a.text("name", "binary_accuracy"));
  });
  add_metric(table, "CategoricalAccuracy", "categorical_accuracy", CategoricalAccuracy);
  add_metric(table, "SparseCategoricalAccuracy", "sparse_categorical_accuracy", SparseCategoricalAccuracy);
  add_metric(table, "TopKCategoricalAccuracy", {"top_k_categorical_accuracy"}, {"k"}, [](const RuleArguments& a) {
    return TopKCategoricalAccuracy(static_cast<int>(a.integer("k", 5)), a.text("name", "top_k_categorical_accuracy"));
  });
  add_metric(table, "SparseTopKCategoricalAccuracy", {"sparse_top_k_categorical_accuracy"}, {"k"},
             [](const RuleArguments& a) {
               return SparseTopKCategoricalAccuracy(static_cast<int>(a.integer("k", 5)),
                                                    a.text("name", "sparse_top_k_categorical_accuracy"));
             });
  add_metric(table, "CosineSimilarity", {"cosine_similarity"}, {"axis"}, [](const RuleArguments& a) {
    return CosineSimilarity(static_cast<int>(a.integer("axis", -1)), a.text("name", "cosine_similarity"));
  });
  add_metric(table, "MeanSquaredError", "mean_squared_error", MeanSquaredError, {"mse", "MSE"});
  add_metric(table, "MeanAbsoluteError", "mean_absolute_error", MeanAbsoluteError, {"mae", "MAE"});
  add_metric(table, "MeanAbsolutePercentageError", "mean_absolute_percentage_error", MeanAbsolutePercentageError,
             {"mape", "MAPE"});
  add_metric(table, "MeanSquaredLogarithmicError", "mean_squared_logarithmic_error", MeanSquaredLogarithmicError,
             {"msle", "MSLE"});
  add_metric(table, "LogCoshError", "logcosh", LogCoshError, {"log_cosh"});
  add_metric(table, "Hinge", "hinge", metrics::Hinge);
  add_metric(table, "SquaredHinge", "squared_hinge", metrics::SquaredHinge);
  add_metric(table, "CategoricalHinge", "categorical_hinge", metrics::CategoricalHinge);
  add_metric(table, "KLDivergence", "kl_divergence", metrics::KLDivergence,
             {"kld", "KLD", "kullback_leibler_divergence"});
  add_metric(table, "Poisson", "poisson", metrics::Poisson);
}

}  // namespace strata
