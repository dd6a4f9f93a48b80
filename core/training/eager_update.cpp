// SPDX-License-Identifier: Apache-2.0
#include "core/training/eager_update.h"

#include <omp.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/base/thread_environment.h"
#include "core/ops/ops.h"
#include "core/program/autodiff.h"

namespace strata {
namespace {

/// Without the penalties of weights: a loop of one's own adds them to its loss, see LayerRef::losses().
std::vector<WeightRule> rules_of_update(const Layer& model) {
  std::vector<WeightRule> rules = model.weight_rules();
  for (WeightRule& rule : rules) rule.regularizer = {};
  return rules;
}

}  // namespace

EagerUpdate::EagerUpdate(const Optimizer& optimizer, const Layer& model)
    : optimizer_(optimizer),
      variables_(model.trainable_weights()),
      state_(variables_, {}, rules_of_update(model), current_device()),
      update_(optimizer_, state_, omp_get_max_threads()) {
  if (variables_.empty()) throw ConfigError("No gradients provided for any variable: " + model.name() + " has none.");
  Device& device = state_.device();
  for (int t = 0; t < omp_get_max_threads(); ++t) streams_.push_back(device.make_stream());
  state_.create_slots(optimizer_);
  for (const FlatSet& set : state_.trainable()) {
    gradients_.push_back({std::make_shared<Storage>(device, set.layout.bytes()), 0});
    device.zero(gradients_.back().data(), set.layout.bytes(), *streams_[0]);
    update_.add_bucket(set, 0, set.layout.elements, gradients_.back().data(), "the gradients");
  }
}

void EagerUpdate::require_same(const Layer& model) const {
  const std::vector<Variable> now = model.trainable_weights();
  if (now == variables_) return;
  const auto unknown = std::find_if(now.begin(), now.end(), [&](const Variable& variable) {
    return std::find(variables_.begin(), variables_.end(), variable) == variables_.end();
  });
  throw ConfigError("Unknown variable: " + (unknown == now.end() ? "fewer than before" : unknown->path()) +
                    ". This optimizer can only be called for the variables it was originally built with. When working "
                    "with a new set of variables, you should recreate a new optimizer instance.");
}

void EagerUpdate::load(const std::vector<Gradient>& gradients) {
  for (std::size_t s = 0; s < state_.trainable().size(); ++s) {
    const FlatLayout& layout = state_.trainable()[s].layout;
    for (std::size_t v = 0; v < layout.variables.size(); ++v) {
      const Variable& variable = layout.variables[v];
      const auto at = std::find(variables_.begin(), variables_.end(), variable) - variables_.begin();
      const Tensor gradient = dense(gradients[static_cast<std::size_t>(at)], variable.value());
      if (gradient.spec() != variable.spec()) {
        throw ShapeError("apply_gradients: expected a gradient of " + variable.spec().str() + " for '" +
                         variable.path() + "', received " + gradient.spec().str());
      }
      auto* to = static_cast<std::byte*>(gradients_[s].data()) + layout.byte_offset(v);
      state_.device().copy(to, gradient.eval().data(), variable.spec().bytes(), *streams_[0]);
      streams_[0]->synchronize();
    }
  }
}

void EagerUpdate::apply(const std::vector<Gradient>& gradients) {
  if (gradients.size() != variables_.size()) {
    throw ConfigError("apply_gradients: expected " + std::to_string(variables_.size()) +
                      " gradients, one a trainable weight, received " + std::to_string(gradients.size()));
  }
  load(gradients);
  const ThreadEnvironment environment;
  state_.adopt();  // another update or a compiled model may have moved them
  for (const Variable& variable : variables_) variable.keep_reads();
  update_.begin(optimizer_.steps(), *streams_[0]);
  for (std::size_t s = 0; s < gradients_.size(); ++s) update_.bucket_ready(streams_);
  update_.finish(streams_);
  streams_[0]->synchronize();
}

// The optimizer within has no eager state, so that nothing owns itself.
void Optimizer::apply_gradients(const std::vector<Gradient>& gradients, const LayerRef& model) const {
  std::unique_ptr<EagerUpdate>& update = *eager_;
  if (update == nullptr) {
    Optimizer within = *this;
    within.eager_.reset();
    update = std::make_unique<EagerUpdate>(within, model.layer());
  }
  update->require_same(model.layer());
  update->apply(gradients);
}

Tensor Optimizer::scale_loss(const Tensor& loss) const {
  if (!scales_loss()) return loss;
  const LossScaleOptions* scaling = loss_scaling();
  const double initial = scaling != nullptr ? scaling->initial_scale : *options().loss_scale_factor;
  return loss * (*eager_ == nullptr ? initial : (*eager_)->loss_scale());
}

void Optimizer::finalize_variable_values() const {
  if (*eager_ != nullptr) (*eager_)->finalize();
}

}  // namespace strata
