// SPDX-License-Identifier: Apache-2.0
#include "core/training/batches.h"

#include <algorithm>
#include <limits>

#include "core/base/error.h"
#include "core/model/session.h"
#include "core/training/batch_loader.h"

namespace strata {
namespace {

BatchPlan plan_of(const Dataset& data, const SampleSource& source, const BatchesOptions& options) {
  const Communicator& communicator =
      options.communicator != nullptr ? *options.communicator : Session::current().communicator();
  BatchPlan plan{.rows = source.rows(),
                 .batch_size = data.batch_size(),
                 .blocks = communicator.size(),
                 .ranks = communicator.size(),
                 .rank = communicator.rank(),
                 .epochs = options.epochs};
  plan.steps = batches_of(plan.rows, plan.batch_size, data.drops_remainder());
  // As good as for ever: no more samples can be numbered.
  plan.epochs = std::min(plan.epochs, std::numeric_limits<std::int64_t>::max() / plan.rows);
  if (options.epochs < 0 || options.position < 0 || options.position > plan.epochs * plan.steps) {
    throw ConfigError("Dataset::batches: expected a position of 0 to epochs times " + std::to_string(plan.steps) +
                      " batches, received " + std::to_string(options.position) + " and " +
                      std::to_string(options.epochs) + " epochs");
  }
  return plan;
}

/// Copies of the first `rows` rows of the next arrays.
BatchArrays tensors_of(const std::vector<SampleArray>& specs, Dim rows, const HostArray*& next) {
  std::vector<Tensor> list;
  std::vector<Arrays::Named> named;
  for (const SampleArray& array : specs) {
    const TensorSpec spec{Shape{rows}.concat(array.row.shape), array.row.dtype};
    list.push_back(constant_bytes((next++)->row(0), spec.bytes(), spec));
    if (!array.name.empty()) named.emplace_back(array.name, list.back());
  }
  return named.empty() ? BatchArrays(list) : BatchArrays(named);
}

}  // namespace

BatchArrays::operator const Tensor&() const {
  if (tensors().size() == 1) return tensors()[0];
  throw ConfigError("Expected a part of a batch that is one array, received " + std::to_string(tensors().size()) +
                    " arrays: take them from tensors()");
}

struct Batches::State {
  State(const Dataset& data, const BatchesOptions& options)
      : source(data.source()),
        plan(plan_of(data, *source, options)),
        loader(source, {plan.rows, plan.batch_size, data.shuffles(), source->chunks(), Session::current().seed()}, plan,
               data.samples().prefetch),
        next(options.position) {}

  const SampleSourceRef source;
  const BatchPlan plan;
  BatchLoader loader;
  std::int64_t next;  // the batch behind the present one, over all epochs
  bool ended = false;
  SampleBatch batch;
};

Batches::Batches(const Dataset& data, const BatchesOptions& options) : state_(std::make_unique<State>(data, options)) {}
Batches::~Batches() = default;
Batches::Batches(Batches&&) noexcept = default;
Batches& Batches::operator=(Batches&&) noexcept = default;

Dim Batches::steps() const { return state_->plan.steps; }

std::int64_t Batches::position() const { return state_->next; }

const SampleBatch& Batches::present() const { return state_->batch; }

bool Batches::at_end() const { return state_->ended; }

void Batches::advance() {
  State& s = *state_;
  s.ended = s.next >= s.plan.epochs * s.plan.steps;
  if (s.ended) return;
  const Dim step = s.next % s.plan.steps, rows = s.plan.own(step).size();
  const HostArray* array = s.loader.load(s.next / s.plan.steps, step).data();
  const SampleSpecs& specs = s.source->specs();
  s.batch.x = tensors_of(specs.x, rows, array);
  s.batch.y = tensors_of(specs.y, rows, array);
  s.batch.sample_weight = tensors_of(specs.sample_weight, rows, array);
  ++s.next;
}

Batches::Iterator Batches::begin() {
  advance();
  return Iterator(this);
}

Batches Dataset::batches(const BatchesOptions& options) const { return {*this, options}; }

}  // namespace strata
