// SPDX-License-Identifier: Apache-2.0
// The weights of a layer and of those within it, their rules, and what they add to the loss.
#include <algorithm>

#include "core/base/error.h"
#include "core/model/layer.h"
#include "core/model/variable_set.h"

namespace strata {
namespace {

/// Of weights that several layers share the first.
std::vector<Variable> each_once(const std::vector<Variable>& weights) {
  std::vector<Variable> once;
  VariableSet seen;
  for (const Variable& weight : weights) {
    if (seen.insert(weight).second) once.push_back(weight);
  }
  return once;
}

}  // namespace

void Layer::collect_rules(double factor, std::vector<WeightRule>& rules) const {
  const double own = factor * learning_rate_factor_;
  for (WeightRule rule : own_rules_) {
    rule.learning_rate_factor = own;
    rules.push_back(std::move(rule));
  }
  for (const LayerRef& layer : sublayers()) layer.layer().collect_rules(own, rules);
}

std::vector<WeightRule> Layer::weight_rules() const {
  std::vector<WeightRule> all, once;
  collect_rules(1.0, all);
  VariableSet seen;
  for (WeightRule& rule : all) {
    if (seen.insert(rule.variable).second) once.push_back(std::move(rule));
  }
  return once;
}

std::vector<Variable> Layer::weights() const {
  std::vector<Variable> all = own_weights_;
  for (const auto& layer : tracked_) {
    const auto inner = layer->weights();
    all.insert(all.end(), inner.begin(), inner.end());
  }
  std::stable_partition(all.begin(), all.end(), [](const Variable& weight) { return weight.trainable(); });
  return each_once(all);
}

std::vector<Variable> Layer::trainable_weights() const {
  std::vector<Variable> result;
  if (!trainable()) return result;
  for (const Variable& weight : own_weights_) {
    if (weight.trainable()) result.push_back(weight);
  }
  for (const auto& layer : tracked_) {
    const auto inner = layer->trainable_weights();
    result.insert(result.end(), inner.begin(), inner.end());
  }
  return each_once(result);
}

std::vector<Variable> Layer::non_trainable_weights() const {
  if (!trainable()) return weights();
  std::vector<Variable> result;
  for (const Variable& weight : own_weights_) {
    if (!weight.trainable()) result.push_back(weight);
  }
  for (const auto& layer : tracked_) {
    const auto inner = layer->non_trainable_weights();
    result.insert(result.end(), inner.begin(), inner.end());
  }
  return each_once(result);
}

void Layer::set_added_losses(std::vector<Tensor> losses) {
  const std::lock_guard lock(losses_mutex_);
  added_losses_ = std::move(losses);
}

std::vector<Tensor> Layer::losses() const {
  std::vector<Tensor> all = [&] {
    const std::lock_guard lock(losses_mutex_);
    return added_losses_;
  }();
  const std::vector<Variable> trained = trainable_weights();
  const VariableSet counts(trained.begin(), trained.end());
  for (const WeightRule& rule : weight_rules()) {
    if (rule.regularizer && counts.contains(rule.variable)) all.push_back(rule.regularizer(rule.variable.value()));
  }
  return all;
}

Dim Layer::count_params() const {
  if (!built_) {
    throw ConfigError("You tried to call `count_params` on " + name() +
                      ", but the layer isn't built. Call the layer on an input first.");
  }
  Dim count = 0;
  for (const Variable& weight : weights()) count += weight.shape().elements();
  return count;
}

}  // namespace strata
