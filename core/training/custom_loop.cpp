// SPDX-License-Identifier: Apache-2.0
#include "core/training/custom_loop.h"

#include <algorithm>
#include <numeric>

#include "core/base/error.h"
#include "core/model/session.h"
#include "core/program/autodiff.h"
#include "core/tensor/host_copy.h"
#include "core/training/flat_state.h"

namespace strata {
namespace {

ValueAndGradients differentiated(const Tensor& value, const std::vector<Variable>& variables) {
  if (!value || value.rank() != 0) {
    throw ShapeError("value_and_gradients: expected the function to return a scalar, received " +
                     (value ? value.spec().str() : "an empty Tensor handle"));
  }
  std::vector<Tensor> sources;  // the reads that the value depends on, as long as it lives
  for (const Variable& variable : variables) sources.push_back(variable.value());
  return {value, gradients({value}, sources)};
}

}  // namespace

ValueAndGradients value_and_gradients(const std::vector<Variable>& variables, const std::function<Tensor()>& function) {
  return differentiated(function(), variables);
}

ValueAndGradients value_and_gradients(const LayerRef& model, const std::function<Tensor()>& function) {
  const Tensor value = function();
  return differentiated(value, model.trainable_weights());
}

Tensor sum_of(const std::vector<Tensor>& scalars) {
  if (scalars.empty()) return scalar(0.0, Dtype::float32);
  Tensor total = scalars[0];
  for (std::size_t i = 1; i < scalars.size(); ++i) total = total + scalars[i];
  return total;
}

/// The gradients of one dtype: one partial of a sum over as many blocks as there are ranks.
struct GradientAverage::Part {
  FlatLayout layout;
  std::shared_ptr<Storage> storage;
  std::vector<void*> partials;
  std::unique_ptr<PreparedCollective> sum;
};

GradientAverage::GradientAverage(Communicator* communicator)
    : communicator_(communicator != nullptr ? *communicator : Session::current().communicator()) {}

GradientAverage::~GradientAverage() = default;

void GradientAverage::prepare(const std::vector<Variable>& variables) {
  if (variables == variables_) return;
  parts_.clear();
  variables_ = variables;
  Device& device = current_device();
  for (FlatLayout& layout : make_layouts(variables)) {
    auto part = std::make_unique<Part>(Part{std::move(layout), nullptr, {}, nullptr});
    part->storage = communicator_.allocate(device, part->layout.bytes());
    part->partials = {part->storage->data()};
    const Dim blocks = communicator_.size();
    part->sum =
        communicator_.prepare_block_sum(device, {part->layout.dtype, part->layout.elements, blocks, part->partials});
    parts_.push_back(std::move(part));
  }
}

std::vector<Gradient> GradientAverage::operator()(const std::vector<Gradient>& gradients,
                                                  const std::vector<Variable>& variables) {
  return mean(gradients, variables, 1, communicator_.size());
}

std::vector<Gradient> GradientAverage::operator()(const std::vector<Gradient>& gradients,
                                                  const std::vector<Variable>& variables, Dim samples) {
  std::vector<Dim> all(static_cast<std::size_t>(communicator_.size()), samples);
  if (all.size() > 1) communicator_.allgather(&samples, all.data(), sizeof(Dim));
  const Dim least = *std::min_element(all.begin(), all.end()), sum = std::accumulate(all.begin(), all.end(), Dim{0});
  if (least < 0 || sum == 0) {
    throw ConfigError("GradientAverage: expected numbers of samples of at least 0, and some on one rank, received " +
                      std::to_string(least) + " on one and " + std::to_string(sum) + " on all");
  }
  return mean(gradients, variables, samples, sum);
}

/// The sum of the ranks' gradients, each times its weight, through the sum of their weights.
std::vector<Gradient> GradientAverage::mean(const std::vector<Gradient>& gradients,
                                            const std::vector<Variable>& variables, Dim weight, Dim weights) {
  if (gradients.size() != variables.size()) {
    throw ConfigError("GradientAverage: expected " + std::to_string(variables.size()) +
                      " gradients, one a variable, received " + std::to_string(gradients.size()));
  }
  prepare(variables);
  Device& device = current_device();
  const auto stream = device.make_stream();
  const auto place = [&](const Variable& variable) {
    return static_cast<std::size_t>(std::find(variables.begin(), variables.end(), variable) - variables.begin());
  };
  std::vector<Gradient> averages(gradients.size());
  for (const auto& part : parts_) {
    const FlatLayout& layout = part->layout;
    for (std::size_t v = 0; v < layout.variables.size(); ++v) {
      const Tensor value = layout.variables[v].value();
      const Gradient& own = gradients[place(layout.variables[v])];
      Tensor gradient = dense(weight == 0 ? Gradient() : own, value);
      if (weight > 1) gradient = gradient * static_cast<double>(weight);
      device.copy(part->storage->data() + layout.byte_offset(v), gradient.eval().data(), gradient.spec().bytes(),
                  *stream);
      stream->synchronize();
    }
    part->sum->start();
  }
  for (const auto& part : parts_) {
    part->sum->wait();
    for (std::size_t v = 0; v < part->layout.variables.size(); ++v) {
      const Variable& variable = part->layout.variables[v];
      const Tensor sum = constant_buffer({part->storage, part->layout.byte_offset(v)}, variable.spec());
      const Tensor average = sum / static_cast<double>(weights);
      average.eval();  // the memory is that of the next step, too
      averages[place(variable)] = {average, {}};
    }
  }
  return averages;
}

void broadcast_variables(const std::vector<Variable>& variables, Communicator& communicator, int root) {
  if (communicator.size() == 1) return;
  for (const Variable& variable : variables) {
    std::string host = host_copy(variable.buffer(), variable.spec().bytes());
    communicator.broadcast(host.data(), host.size(), root);
    variable.assign(constant_bytes(host.data(), host.size(), variable.spec()));
  }
}

}  // namespace strata
