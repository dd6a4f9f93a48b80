// SPDX-License-Identifier: Apache-2.0
// Losses of regression: means of a function of the error.
#include <cmath>

#include "core/training/losses/formula.h"

namespace strata {
namespace {

constexpr double kEpsilon = 1e-7;

/// The mean over the last axis of `of`(targets, outputs), which is elementwise.
template <class F>
Loss mean_loss(const std::string& class_name, const losses::LossOptions& options, F of,
               Config config = Config::object(), const std::string& name = {}) {
  return make_loss({.class_name = class_name,
                    .name = options.name.empty() ? name : options.name,
                    .reduction = options.reduction,
                    .config = std::move(config),
                    .values = [of](const Tensor& t, const Tensor& y) { return ops::mean(of(t, y), {-1}); }});
}

Tensor log_of_one_more(const Tensor& x) { return ops::log(ops::maximum(x, scalar(kEpsilon, x.dtype())) + 1.0); }

Tensor huber(const Tensor& t, const Tensor& y, double delta) {
  const Tensor error = ops::abs(y - t);
  return ops::select(ops::less_equal(error, scalar(delta, error.dtype())), ops::square(error) * 0.5,
                     error * delta - 0.5 * delta * delta);
}

}  // namespace

namespace losses {

Loss MeanSquaredError(const LossOptions& options) {
  return mean_loss("MeanSquaredError", options, [](const Tensor& t, const Tensor& y) { return ops::square(t - y); });
}

Loss MeanAbsoluteError(const LossOptions& options) {
  return mean_loss("MeanAbsoluteError", options, [](const Tensor& t, const Tensor& y) { return ops::abs(t - y); });
}

Loss MeanAbsolutePercentageError(const LossOptions& options) {
  return mean_loss("MeanAbsolutePercentageError", options, [](const Tensor& t, const Tensor& y) {
    return ops::abs((t - y) / ops::maximum(ops::abs(t), scalar(kEpsilon, t.dtype()))) * 100.0;
  });
}

Loss MeanSquaredLogarithmicError(const LossOptions& options) {
  return mean_loss("MeanSquaredLogarithmicError", options, [](const Tensor& t, const Tensor& y) {
    return ops::square(log_of_one_more(y) - log_of_one_more(t));
  });
}

Loss Huber(const HuberOptions& options) {
  const double delta = options.delta;
  return mean_loss(
      "Huber", {options.reduction, options.name},
      [delta](const Tensor& t, const Tensor& y) { return huber(t, y, delta); }, Config::object({{"delta", delta}}),
      "huber_loss");
}

Loss LogCosh(const LossOptions& options) {
  // log cosh x = x + softplus(-2x) - log 2, which does not overflow.
  return mean_loss("LogCosh", options, [](const Tensor& t, const Tensor& y) {
    const Tensor error = y - t;
    return error + ops::softplus(error * -2.0) - std::log(2.0);
  });
}

}  // namespace losses

void register_errors(LossTable& table) {
  add_loss(table, "MeanSquaredError", {"mse", "MSE"}, losses::MeanSquaredError);
  add_loss(table, "MeanAbsoluteError", {"mae", "MAE"}, losses::MeanAbsoluteError);
  add_loss(table, "MeanAbsolutePercentageError", {"mape", "MAPE"}, losses::MeanAbsolutePercentageError);
  add_loss(table, "MeanSquaredLogarithmicError", {"msle", "MSLE"}, losses::MeanSquaredLogarithmicError);
  add_loss(table, "Huber", {}, {"delta"}, [](const RuleArguments& a) {
    const auto [reduction, name] = common_options(a);
    return losses::Huber({.delta = a.number("delta", 1.0), .reduction = reduction, .name = name});
  });
  add_loss(table, "LogCosh", {"logcosh"}, losses::LogCosh);
}

}  // namespace strata
