// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "core/base/error.h"
#include "core/training/crossentropy.h"
#include "core/training/targets.h"

namespace strata {
namespace {

/// Whether the label, truncated to an integer, is one of 0 ... classes - 1.
template <class T>
bool is_class(T label, Dim classes) {
  if constexpr (std::is_floating_point_v<T>) {
    return label > T{-1} && label < static_cast<T>(classes);
  } else {
    return static_cast<std::int64_t>(label) >= 0 && static_cast<std::int64_t>(label) < classes;
  }
}

class SparseCategoricalCrossentropyLoss final : public LossFunction {
 public:
  explicit SparseCategoricalCrossentropyLoss(const losses::SparseCrossentropyOptions& options) : options_(options) {}
  std::string class_name() const override { return "SparseCategoricalCrossentropy"; }
  Config config() const override { return Config::object({{"from_logits", options_.from_logits}}); }

  Tensor values(const Tensor& y_true, const Tensor& y_pred) const override {
    const Tensor labels = fit_labels(class_name(), y_true, y_pred);
    if (options_.from_logits) return ops::sparse_softmax_cross_entropy(y_pred, labels);
    // Picking the label's probability first leaves one division and one logarithm a sample.
    const Tensor chosen = ops::sum(y_pred * ops::one_hot(labels, y_pred.shape().back(), y_pred.dtype()), {-1});
    return -ops::log(clip_probabilities(chosen / ops::sum(y_pred, {-1})));
  }

  void check_targets(const HostArray& y_true, const TensorSpec& y_pred) const override {
    check_label_shape(class_name(), y_true.spec().shape, y_pred.shape);
    visit_dtype(y_true.spec().dtype, [&]<class T>(TypeTag<T>) { check_labels<T>(y_true, y_pred.shape.back()); });
  }

 private:
  template <class T>
  void check_labels(const HostArray& y_true, Dim classes) const {
    const Dim width = y_true.row_shape().elements();
    for (Dim row = 0; row < y_true.rows(); ++row) {
      const T* labels = reinterpret_cast<const T*>(y_true.row(row));
      for (Dim i = 0; i < width; ++i) {
        if (is_class(labels[i], classes)) continue;
        throw ConfigError(fmt::format("{}: expected labels in [0, {}), received {} in sample {}", class_name(), classes,
                                      labels[i], row));
      }
    }
  }

  losses::SparseCrossentropyOptions options_;
};

}  // namespace

Loss losses::SparseCategoricalCrossentropy(const SparseCrossentropyOptions& options) {
  return {std::make_shared<SparseCategoricalCrossentropyLoss>(options)};
}

}  // namespace strata
