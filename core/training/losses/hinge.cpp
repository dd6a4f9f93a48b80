// SPDX-License-Identifier: Apache-2.0
// Losses of classifiers with a margin.
#include <fmt/format.h>

#include "core/base/error.h"
#include "core/training/losses/formula.h"

namespace strata {
namespace {

/// 1 - t y, with labels of 0 as -1.
Tensor missing_margin(const Tensor& t, const Tensor& y) {
  const Tensor zero = scalar(0.0, t.dtype());
  return 1.0 - ops::select(ops::equal(t, zero), ops::full({}, -1.0, t.dtype()), t) * y;
}

/// Refuses what Keras would read in another way: a target of 0 beside others than 0 and 1.
void check_binary(const std::string& loss, const HostArray& y_true) {
  visit_dtype(y_true.spec().dtype, [&]<class T>(TypeTag<T>) {
    Dim zero = -1, other = -1;
    const Dim width = y_true.row_shape().elements();
    std::vector<std::byte> space;
    for (Dim row = 0; row < y_true.rows(); ++row) {
      const T* labels = y_true.values_of_row<T>(row, space);
      for (Dim i = 0; i < width; ++i) {
        if (labels[i] == T{0}) zero = row;
        else if (labels[i] != T{1}) other = row;
      }
    }
    if (zero < 0 || other < 0) return;
    throw ConfigError(
        fmt::format("{}: expected labels -1 and 1, or 0 and 1, received 0 in sample {} and another than "
                    "0 and 1 in sample {}",
                    loss, zero, other));
  });
}

template <class F>
Loss margin_loss(const std::string& class_name, const losses::LossOptions& options, F of) {
  return make_loss(
      {.class_name = class_name,
       .name = options.name,
       .reduction = options.reduction,
       .values = [of](const Tensor& t,
                      const Tensor& y) { return ops::mean(of(ops::relu(missing_margin(t, y))), {-1}); },
       .check = [class_name](const HostArray& y_true, const TensorSpec&) { check_binary(class_name, y_true); }});
}

}  // namespace

namespace losses {

Loss Hinge(const LossOptions& options) {
  return margin_loss("Hinge", options, [](const Tensor& x) { return x; });
}

Loss SquaredHinge(const LossOptions& options) {
  return margin_loss("SquaredHinge", options, [](const Tensor& x) { return ops::square(x); });
}

Loss CategoricalHinge(const LossOptions& options) {
  return make_loss({.class_name = "CategoricalHinge",
                    .name = options.name,
                    .reduction = options.reduction,
                    .values = [](const Tensor& t, const Tensor& y) {
                      const Tensor wrong = ops::max((1.0 - t) * y, {-1});
                      return ops::relu(wrong - ops::sum(t * y, {-1}) + 1.0);
                    }});
}

}  // namespace losses

void register_hinge(LossTable& table) {
  add_loss(table, "Hinge", {}, losses::Hinge);
  add_loss(table, "SquaredHinge", {}, losses::SquaredHinge);
  add_loss(table, "CategoricalHinge", {}, losses::CategoricalHinge);
}

}  // namespace strata
