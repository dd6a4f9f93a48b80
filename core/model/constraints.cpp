// SPDX-License-Identifier: Apache-2.0
#include "core/model/constraint.h"
#include "core/model/named_rules.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

constexpr double kEpsilon = 1e-7;  // keras.config.epsilon()

Tensor norms(const Tensor& weight, const std::vector<int>& axes) {
  return ops::sqrt(ops::sum(ops::square(weight), axes, true));
}

/// Keras writes a single axis as a number.
Config axes_config(const std::vector<int>& axes) {
  return axes.size() == 1 ? Config(axes[0]) : Config(Config::List(axes.begin(), axes.end()));
}

const RuleTable<Constraint>& table() {
  using namespace constraints;
  static const RuleTable<Constraint> all(
      "Constraint", "Unknown constraint: ",
      {{"MaxNorm",
        {{"max_norm"},
         {"max_value", "axis"},
         [](const RuleArguments& a) { return MaxNorm(a.number("max_value", 2.0), a.axes("axis", {0})); }}},
       {"NonNeg", {{"non_neg"}, {}, [](const RuleArguments&) { return NonNeg(); }}},
       {"UnitNorm", {{"unit_norm"}, {"axis"}, [](const RuleArguments& a) { return UnitNorm(a.axes("axis", {0})); }}},
       {"MinMaxNorm", {{"min_max_norm"}, {"min_value", "max_value", "rate", "axis"}, [](const RuleArguments& a) {
                         return MinMaxNorm(a.number("min_value", 0.0), a.number("max_value", 1.0),
                                           a.number("rate", 1.0), a.axes("axis", {0}));
                       }}}});
  return all;
}

}  // namespace

Constraint::Constraint(const std::string& name) : Constraint(make_rule<WeightFunction::Function>(table(), name)) {}

Constraint Constraint::from_config(const Config& config) {
  return config.is_null() ? Constraint() : make_rule<WeightFunction::Function>(table(), config);
}

namespace constraints {

Constraint MaxNorm(double max_value, const std::vector<int>& axes) {
  return {"MaxNorm", Config::object({{"max_value", max_value}, {"axis", axes_config(axes)}}), [=](const Tensor& w) {
            const Tensor norm = norms(w, axes);
            return w * (ops::clip(norm, 0.0, max_value) / (norm + kEpsilon));
          }};
}

Constraint NonNeg() {
  return {"NonNeg", Config::object(), [](const Tensor& w) { return ops::maximum(w, scalar(0, w.dtype())); }};
}

Constraint UnitNorm(const std::vector<int>& axes) {
  return {"UnitNorm", Config::object({{"axis", axes_config(axes)}}),
          [=](const Tensor& w) { return w / (norms(w, axes) + kEpsilon); }};
}

Constraint MinMaxNorm(double min_value, double max_value, double rate, const std::vector<int>& axes) {
  Config config =
      Config::object({{"min_value", min_value}, {"max_value", max_value}, {"rate", rate}, {"axis", axes_config(axes)}});
  return {"MinMaxNorm", std::move(config), [=](const Tensor& w) {
            const Tensor norm = norms(w, axes);
            const Tensor desired = ops::clip(norm, min_value, max_value) * rate + norm * (1.0 - rate);
            return w * (desired / (norm + kEpsilon));
          }};
}

}  // namespace constraints
}  // namespace strata
