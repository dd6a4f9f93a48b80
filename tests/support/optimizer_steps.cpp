// SPDX-License-Identifier: Apache-2.0
#include "tests/support/optimizer_steps.h"

#include "core/base/error.h"

namespace strata::testing {

OptimizerSteps::OptimizerSteps(const Optimizer& optimizer, const OptimizerStepsOptions& options)
    : optimizer_(optimizer) {
  std::vector<WeightRule> rules;
  for (std::size_t i = 0; i < options.start.size(); ++i) {
    variables_.emplace_back(options.paths[i], options.start[i]);
    if (options.rules.empty()) continue;
    rules.push_back(options.rules[i]);
    rules.back().variable = variables_.back();
  }
  Device& device = current_device();
  state_ = std::make_unique<FlatState>(variables_, std::vector<Variable>{}, rules, device);
  state_->create_slots(optimizer_);
  state_->adopt();
  for (int t = 0; t < options.threads; ++t) streams_.push_back(device.make_stream());
  update_ = std::make_unique<OptimizerUpdate>(optimizer_, *state_, options.threads);
  for (const FlatSet& set : state_->trainable()) {
    gradients_.push_back(std::make_unique<Storage>(device, set.layout.bytes()));
    const auto count = static_cast<Dim>(set.layout.variables.size());
    for (auto b = static_cast<Dim>(options.buckets); b-- > 0;) {  // the last variables come first, as in training
      const IndexRange own = even_part(count, static_cast<Dim>(options.buckets), b);
      if (own.size() == 0) continue;
      const Dim first = set.layout.offsets[static_cast<std::size_t>(own.first)];
      const Dim last = own.last == count ? set.layout.elements : set.layout.offsets[static_cast<std::size_t>(own.last)];
      std::byte* gradient = gradients_.back()->data() + static_cast<std::size_t>(first) * size_of(set.layout.dtype);
      update_->add_bucket(set, first, last - first, gradient, "gradients");
      ++buckets_;
    }
  }
}

void OptimizerSteps::copy_gradients(const std::vector<Tensor>& gradients) {
  Device& device = state_->device();
  for (std::size_t s = 0; s < gradients_.size(); ++s) {
    const FlatSet& set = state_->trainable()[s];
    device.zero(gradients_[s]->data(), set.layout.bytes(), *streams_[0]);
    for (std::size_t v = 0; v < set.layout.variables.size(); ++v) {
      for (std::size_t i = 0; i < variables_.size(); ++i) {
        if (!(variables_[i] == set.layout.variables[v])) continue;
        device.copy(gradients_[s]->data() + set.layout.byte_offset(v), gradients[i].eval().data(),
                    gradients[i].spec().bytes(), *streams_[0]);
      }
    }
  }
  streams_[0]->synchronize();
  for (const Variable& variable : variables_) variable.keep_reads();
}

void OptimizerSteps::apply(const std::vector<Tensor>& gradients) {
  copy_gradients(gradients);
  update_->begin(optimizer_.steps(), *streams_[0]);
  for (std::size_t b = 0; b < buckets_; ++b) update_->bucket_ready(streams_);
  update_->finish(streams_);
}

Tensor OptimizerSteps::slot(const std::string& name) const {
  for (const NamedSlot& slot : slots()) {
    if (slot.name.ends_with("_" + name)) return slot.value;
  }
  throw ConfigError("no slot " + name);
}

}  // namespace strata::testing
