// SPDX-License-Identifier: Apache-2.0
#include "core/training/bucket_update.h"

#include <omp.h>

#include <algorithm>

#include "core/base/thread_environment.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

constexpr Dim kGrain = 4096;  // elements below which a thread of its own does not pay

/// Whether a variable needs more than the optimizer's elementwise rule.
bool is_special(const WeightRule& weight) { return weight.constraint || weight.learning_rate_factor != 1.0; }

std::shared_ptr<const Program> compile_update(const OptimizerRule& rule, const WeightRule* weight, Dtype dtype,
                                              Dim count, Device& device) {
  const DeviceScope scope(device);
  const TensorSpec range{{count}, dtype};
  UpdateInputs in{placeholder(range, "variable"),
                  placeholder(range, "gradient"),
                  {},
                  placeholder({{}, dtype}, "learning_rate"),
                  placeholder({{}, Dtype::int64}, "iteration")};
  std::vector<Tensor> inputs{in.learning_rate, in.iteration, in.gradient, in.variable};
  ProgramOptions options;
  options.aliases.emplace_back(0, 3);
  for (std::size_t s = 0; s < rule.slots().size(); ++s) {
    in.slots.push_back(placeholder(range, "slot"));
    inputs.push_back(in.slots.back());
    options.aliases.emplace_back(static_cast<int>(s) + 1, static_cast<int>(s) + 4);
  }
  if (weight != nullptr) in.learning_rate = in.learning_rate * weight->learning_rate_factor;
  std::vector<Tensor> results = rule.update(in);
  if (weight != nullptr && weight->constraint) {
    const Tensor allowed = weight->constraint(ops::reshape(results[0], weight->variable.shape()));
    results[0] = ops::reshape(allowed, {count});
  }
  return Program::compile(inputs, results, device, options);
}

}  // namespace

BucketUpdate::BucketUpdate(const OptimizerRule& rule, const FlatSet& set, Dim first, Dim count, void* gradient,
                           Device& device, int threads)
    : rule_(rule),
      set_(set),
      gradient_(static_cast<std::byte*>(gradient) - static_cast<std::size_t>(first) * size_of(set.layout.dtype)),
      device_(device),
      dtype_(set.layout.dtype),
      numbers_(std::make_shared<Storage>(device, 16)) {
  const FlatLayout& layout = set.layout;
  Dim plain = first;  // where the variables begin that one program can update together
  for (std::size_t v = 0; v < layout.variables.size(); ++v) {
    const Dim begin = layout.offsets[v];
    if (begin < first || begin >= first + count || !is_special(set.rules[v])) continue;
    add_range({plain, begin}, threads);
    add_part({begin, begin + layout.variables[v].shape().elements()}, &set.rules[v]);
    plain = v + 1 < layout.offsets.size() ? layout.offsets[v + 1] : layout.elements;
  }
  add_range({plain, first + count}, threads);
  errors_.resize(parts_.size());
}

void BucketUpdate::add_range(IndexRange range, int threads) {
  if (range.size() <= 0) return;
  const Dim step = static_cast<Dim>(64 / size_of(dtype_));  // parts begin at cache lines
  const Dim parts = std::clamp<Dim>(range.size() / kGrain, 1, threads);
  for (Dim p = 0; p < parts; ++p) {
    const IndexRange lines = even_part(range.size() / step, parts, p);
    add_part({range.first + lines.first * step, p + 1 == parts ? range.last : range.first + lines.last * step},
             nullptr);
  }
}

void BucketUpdate::add_part(IndexRange range, const WeightRule* weight) {
  const std::size_t offset = static_cast<std::size_t>(range.first) * size_of(dtype_);
  auto state = std::make_unique<RunState>(compile_update(rule_, weight, dtype_, range.size(), device_));
  state->bind_input(0, numbers_->data());
  state->bind_input(1, numbers_->data() + 8);
  state->bind_input(2, gradient_ + offset);
  state->bind_input(3, set_.values.data() + offset);
  state->bind_output(0, set_.values.data() + offset);
  for (std::size_t s = 0; s < set_.slots.size(); ++s) {
    state->bind_input(static_cast<int>(s) + 4, set_.slots[s].data() + offset);
    state->bind_output(static_cast<int>(s) + 1, set_.slots[s].data() + offset);
  }
  parts_.push_back(std::move(state));
}

void BucketUpdate::run(double learning_rate, std::int64_t iteration, std::span<const std::unique_ptr<Stream>> streams) {
  const auto single = static_cast<float>(learning_rate);
  const void* rate = dtype_ == Dtype::float32 ? static_cast<const void*>(&single) : &learning_rate;
  device_.copy_from_host(numbers_->data(), rate, size_of(dtype_), *streams[0]);
  device_.copy_from_host(numbers_->data() + 8, &iteration, sizeof(iteration), *streams[0]);
  streams[0]->synchronize();
  const int parts = static_cast<int>(parts_.size());
  if (parts == 1) {
    parts_[0]->run(*streams[0]);
    return;
  }
  std::fill(errors_.begin(), errors_.end(), nullptr);
  const int threads = std::min(parts, static_cast<int>(streams.size()));
#pragma omp parallel num_threads(threads)
  {
    const ThreadEnvironment environment;
    Stream& stream = *streams[static_cast<std::size_t>(omp_get_thread_num())];
    for (int p = omp_get_thread_num(); p < parts; p += omp_get_num_threads()) {
      const auto i = static_cast<std::size_t>(p);
      try {
        parts_[i]->run(stream);
        stream.synchronize();
      } catch (...) {
        errors_[i] = std::current_exception();
      }
    }
  }
  for (const auto& error : errors_) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace strata
