// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "core/model/named_rules.h"
#include "core/model/regularizer.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

void require_factor(const char* argument, double value) {
  if (std::isfinite(value) && value >= 0.0) return;
  throw ConfigError("Invalid value for argument " + std::string(argument) +
                    ": expected a non-negative float. Received: " + argument + "=" + Config(value).to_json());
}

Tensor absolute_sum(const Tensor& weight, double factor) { return ops::sum(ops::abs(weight)) * factor; }
Tensor square_sum(const Tensor& weight, double factor) { return ops::sum(ops::square(weight)) * factor; }

/// Of the vectors along `axis` of a matrix, without those of a vector with itself.
Tensor mean_cosine(const Tensor& weight, int axis, double factor) {
  if (weight.rank() != 2) {
    throw ShapeError("Inputs to OrthogonalRegularizer must have rank 2. Received: inputs.shape=" +
                     weight.shape().str());
  }
  const Tensor unit = ops::l2_normalize(weight, {axis});
  const Tensor other = ops::transpose(unit, {1, 0});
  const Tensor cosines = axis == 1 ? ops::matmul(unit, other) : ops::matmul(other, unit);
  const Dim size = cosines.shape()[0];
  const Tensor index = ops::iota({size, size}, 0);
  const Tensor different = ops::not_equal(index, ops::iota({size, size}, 1));
  const double pairs = static_cast<double>(size) * static_cast<double>(size - 1) / 2.0;
  const Tensor kept = ops::select(different, ops::abs(cosines), scalar(0, weight.dtype()));
  return ops::sum(kept) * (factor * 0.5 / pairs);
}

const RuleTable<Regularizer>& table() {
  using namespace regularizers;
  static const RuleTable<Regularizer> all(
      "Regularizer", "Unknown regularizer: ",
      {{"L1", {{"l1"}, {"l1"}, [](const RuleArguments& a) { return L1(a.number("l1", 0.01)); }}},
       {"L2", {{"l2"}, {"l2"}, [](const RuleArguments& a) { return L2(a.number("l2", 0.01)); }}},
       {"L1L2",
        {{"l1l2"},
         {"l1", "l2"},
         [](const RuleArguments& a) { return L1L2(a.number("l1", 0.0), a.number("l2", 0.0)); }}},
       {"l1_l2",  // a function of tf.keras 2 with defaults of its own
        {{}, {"l1", "l2"}, [](const RuleArguments& a) { return L1L2(a.number("l1", 0.01), a.number("l2", 0.01)); }}},
       {"OrthogonalRegularizer", {{"orthogonal_regularizer"}, {"factor", "mode"}, [](const RuleArguments& a) {
                                    return OrthogonalRegularizer(a.number("factor", 0.01), a.text("mode", "rows"));
                                  }}}});
  return all;
}

}  // namespace

Regularizer::Regularizer(const std::string& name) : Regularizer(make_rule<WeightFunction::Function>(table(), name)) {}

Regularizer Regularizer::from_config(const Config& config) {
  return config.is_null() ? Regularizer() : make_rule<WeightFunction::Function>(table(), config);
}

namespace regularizers {

Regularizer L1(double l1) {
  require_factor("l1", l1);
  return {"L1", Config::object({{"l1", l1}}), [l1](const Tensor& weight) { return absolute_sum(weight, l1); }};
}

Regularizer L2(double l2) {
  require_factor("l2", l2);
  return {"L2", Config::object({{"l2", l2}}), [l2](const Tensor& weight) { return square_sum(weight, l2); }};
}

Regularizer L1L2(double l1, double l2) {
  require_factor("l1", l1);
  require_factor("l2", l2);
  return {"L1L2", Config::object({{"l1", l1}, {"l2", l2}}),
          [l1, l2](const Tensor& weight) { return absolute_sum(weight, l1) + square_sum(weight, l2); }};
}

Regularizer OrthogonalRegularizer(double factor, const std::string& mode) {
  require_factor("factor", factor);
  if (mode != "rows" && mode != "columns") {
    throw ConfigError("Invalid value for argument `mode`. Expected one of {\"rows\", \"columns\"}. Received: mode=" +
                      mode);
  }
  const int axis = mode == "rows" ? 1 : 0;
  return {"OrthogonalRegularizer", Config::object({{"factor", factor}, {"mode", mode}}),
          [axis, factor](const Tensor& weight) { return mean_cosine(weight, axis, factor); }};
}

}  // namespace regularizers
}  // namespace strata
