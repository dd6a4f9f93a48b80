// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <regex>

#include "core/training/optimizers/adam_rule.h"

namespace strata {
namespace {

class MuonRule final : public OptimizerRule {
 public:
  explicit MuonRule(const optimizers::MuonOptions& options) : options_(options) {}
  std::string class_name() const override { return "Muon"; }
  Config config() const override;
  UpdateScope scope() const override { return UpdateScope::variable; }
  std::vector<SlotSpec> slots() const override {
    const auto of_adam = [o = options_](const Variable& v) {
      return uses_adam(o, v) ? std::optional(v.shape()) : std::nullopt;
    };
    return {{.name = "momentum"}, {.name = "velocity", .shape = of_adam}};
  }
  std::optional<double> weight_decay(std::optional<double> asked, const Variable& variable) const override {
    return uses_adam(options_, variable) ? options_.adam_weight_decay : asked;
  }
  std::vector<Tensor> update(const UpdateInputs& in) const override {
    return uses_adam(options_, in.whole) ? update_by_adam(in) : update_by_muon(in);
  }

 private:
  static bool uses_adam(const optimizers::MuonOptions& options, const Variable& variable);
  std::vector<Tensor> update_by_adam(const UpdateInputs& in) const;
  std::vector<Tensor> update_by_muon(const UpdateInputs& in) const;
  Tensor orthogonalised(const Tensor& matrix) const;

  optimizers::MuonOptions options_;
};

Config MuonRule::config() const {
  const auto& o = options_;
  return Config::object({{"adam_beta_1", o.adam_beta_1},
                         {"adam_beta_2", o.adam_beta_2},
                         {"epsilon", o.epsilon},
                         {"exclude_layers", Config::List(o.exclude_layers.begin(), o.exclude_layers.end())},
                         {"muon_a", o.muon_a},
                         {"muon_b", o.muon_b},
                         {"muon_c", o.muon_c},
                         {"adam_lr_ratio", o.adam_lr_ratio},
                         {"momentum", o.momentum},
                         {"ns_steps", o.ns_steps},
                         {"nesterov", o.nesterov},
                         {"exclude_embeddings", o.exclude_embeddings},
                         {"adam_weight_decay", o.adam_weight_decay ? Config(*o.adam_weight_decay) : Config()},
                         {"rms_rate", o.rms_rate ? Config(*o.rms_rate) : Config()}});
}

bool MuonRule::uses_adam(const optimizers::MuonOptions& options, const Variable& variable) {
  if (variable.shape().rank() != 2) return true;
  const std::regex embedding("embedding", std::regex::icase);
  if (options.exclude_embeddings && std::regex_search(variable.path(), embedding)) return true;
  return std::any_of(options.exclude_layers.begin(), options.exclude_layers.end(), [&](const std::string& pattern) {
    return std::regex_search(variable.path(), std::regex(pattern));
  });
}

std::vector<Tensor> MuonRule::update_by_adam(const UpdateInputs& in) const {
  const Tensor m = moved(in.slots[0], in.gradient, options_.adam_beta_1);
  const Tensor v = moved(in.slots[1], ops::square(in.gradient), options_.adam_beta_2);
  const Tensor rate = corrected_rate(in, options_.adam_beta_1, options_.adam_beta_2) * options_.adam_lr_ratio;
  return {in.variable - m * rate / (ops::sqrt(v) + options_.epsilon), m, v};
}

std::vector<Tensor> MuonRule::update_by_muon(const UpdateInputs& in) const {
  const Tensor m = in.slots[0] + (in.gradient + in.slots[0] * (options_.momentum - 1.0));
  const Tensor ahead = options_.nesterov ? in.gradient + m * options_.momentum : m;
  Tensor step = in.learning_rate * orthogonalised(ahead);
  if (options_.rms_rate) {  // Liu et al. 2025: steps as long as Adam's
    const auto longest = static_cast<double>(std::max(in.variable.shape()[0], in.variable.shape()[1]));
    step = step * (std::sqrt(longest) * *options_.rms_rate);
  }
  return {in.variable - step, m, Tensor()};
}

/// Newton-Schulz iterations towards U V^T of the singular value decomposition U S V^T.
Tensor MuonRule::orthogonalised(const Tensor& matrix) const {
  const bool tall = matrix.shape()[0] > matrix.shape()[1];
  Tensor x = tall ? ops::transpose(matrix, {1, 0}) : matrix;
  x = x / (ops::sqrt(ops::sum(ops::square(x))) + 1e-7);
  for (int i = 0; i < options_.ns_steps; ++i) {
    const Tensor a = ops::matmul(x, x, false, true);
    const Tensor b = a * options_.muon_b + ops::matmul(a * options_.muon_c, a);
    x = x * options_.muon_a + ops::matmul(b, x);
  }
  return tall ? ops::transpose(x, {1, 0}) : x;
}

optimizers::MuonOptions read_muon(const RuleArguments& a) {
  optimizers::MuonOptions o;
  o.learning_rate = learning_rate(a, o.learning_rate);
  o.adam_beta_1 = a.number("adam_beta_1", o.adam_beta_1);
  o.adam_beta_2 = a.number("adam_beta_2", o.adam_beta_2);
  o.epsilon = a.number("epsilon", o.epsilon);
  if (a.has("adam_weight_decay")) o.adam_weight_decay = a.number("adam_weight_decay", 0.0);
  if (a.is_none("adam_weight_decay")) o.adam_weight_decay.reset();
  for (const Config& name : a.has("exclude_layers") ? a.at("exclude_layers").as_list() : Config::List()) {
    o.exclude_layers.push_back(name.as_string());
  }
  o.exclude_embeddings = a.flag("exclude_embeddings", o.exclude_embeddings);
  o.muon_a = a.number("muon_a", o.muon_a);
  o.muon_b = a.number("muon_b", o.muon_b);
  o.muon_c = a.number("muon_c", o.muon_c);
  o.adam_lr_ratio = a.number("adam_lr_ratio", o.adam_lr_ratio);
  o.momentum = a.number("momentum", o.momentum);
  o.ns_steps = static_cast<int>(a.integer("ns_steps", o.ns_steps));
  o.nesterov = a.flag("nesterov", o.nesterov);
  if (a.has("rms_rate")) o.rms_rate = a.number("rms_rate", 0.0);
  if (a.is_none("rms_rate")) o.rms_rate.reset();
  return o;
}

}  // namespace

Optimizer optimizers::Muon(const MuonOptions& options, const OptimizerOptions& common) {
  check_adam_like(options.adam_beta_1, options.adam_beta_2, options.epsilon);
  OptimizerOptions decayed = common;
  decayed.weight_decay = common.weight_decay.value_or(0.004);
  return {std::make_shared<MuonRule>(options), options.learning_rate, decayed};
}

void register_muon(OptimizerTable& table) {
  add_optimizer(table, "Muon",
                {"adam_beta_1", "adam_beta_2", "adam_weight_decay", "epsilon", "exclude_layers", "exclude_embeddings",
                 "muon_a", "muon_b", "muon_c", "adam_lr_ratio", "momentum", "ns_steps", "nesterov", "rms_rate"},
                [](const RuleArguments& a) {
                  OptimizerOptions common = optimizer_options(a);
                  if (a.is_none("weight_decay")) common.weight_decay = 0.0;
                  return optimizers::Muon(read_muon(a), common);
                });
}

}  // namespace strata
