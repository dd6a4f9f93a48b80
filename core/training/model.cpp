// SPDX-License-Identifier: Apache-2.0
#include "core/training/model.h"

#include <xxhash.h>

#include <algorithm>
#include <cstdio>

#include "core/base/error.h"
#include "core/tensor/host_copy.h"
#include "core/training/model_state.h"

namespace strata {

Model::Model(const Tensor& input, const Tensor& output, const std::string& name)
    : Model(std::vector<Tensor>{input}, std::vector<Tensor>{output}, name) {}

Model::Model(std::vector<Tensor> inputs, std::vector<Tensor> outputs, const std::string& name)
    : Model(std::make_shared<Functional>(std::move(inputs), std::move(outputs), LayerOptions{.name = name})) {}

Model::Model(std::shared_ptr<Functional> graph)
    : LayerRef(graph), state_(std::make_shared<State>(State{std::move(graph), nullptr})) {}

// The handle is one on the model itself, which thus is a layer like any other; only training goes through its graph.
Model::Model(std::shared_ptr<SubclassedModel> model)
    : LayerRef(model), state_(std::make_shared<State>(State{std::make_shared<SubclassedGraph>(model), nullptr})) {}

const Functional& Model::graph() const { return *state_->graph; }

void Model::summary(const SummaryOptions& options) const {
  if (Session::current().communicator().rank() != 0) return;
  for (const std::string& line : summary_lines(graph(), options)) {
    if (options.print_fn) options.print_fn(line);
    else std::printf("%s\n", line.c_str());
  }
  if (!options.print_fn) std::fflush(stdout);
}

Communicator& Model::communicator() const {
  return state_->trainer != nullptr ? state_->trainer->communicator() : Session::current().communicator();
}

void Model::compile(const CompileOptions& options) {
  state_->trainer = std::make_shared<Trainer>(state_->graph, &options);
}

History Model::fit(const Arrays& x, const Arrays& y, const FitOptions& options) {
  return state_->compiled()->fit(*this, x, y, options);
}

std::vector<double> Model::evaluate(const Arrays& x, const Arrays& y, const EvaluateOptions& options) {
  return state_->compiled()->evaluate(x, y, options);
}

std::vector<Tensor> Model::predict_all(const Arrays& x, const PredictOptions& options) {
  if (state_->trainer == nullptr) state_->trainer = std::make_shared<Trainer>(state_->graph, nullptr);
  return std::shared_ptr(state_->trainer)->predict(x, options);
}

Tensor Model::predict(const Arrays& x, const PredictOptions& options) {
  const auto require_one = [&] {
    const std::size_t outputs = graph().outputs().size();
    if (outputs != 1)
      throw ConfigError("predict: the model has " + std::to_string(outputs) + " outputs; use predict_all.");
  };
  if (!graph().outputs().empty()) require_one();
  const std::vector<Tensor> results = predict_all(x, options);
  require_one();
  return results[0];
}

Tensor Model::predict_on_batch(const Arrays& x) {
  const Dim rows = x.empty() || x.tensors()[0].rank() == 0 ? 1 : std::max<Dim>(1, x.tensors()[0].shape()[0]);
  return predict(x, {.batch_size = rows});
}

std::vector<double> Model::train_on_batch(const Arrays& x, const Arrays& y, const BatchOptions& options) {
  return state_->compiled()->train_on_batch(x, y, options);
}

std::vector<double> Model::test_on_batch(const Arrays& x, const Arrays& y, const BatchOptions& options) {
  return state_->compiled()->test_on_batch(x, y, options);
}

std::vector<std::string> Model::metrics_names() const { return state_->compiled()->metrics_names(); }

std::int64_t Model::iterations() const { return state_->compiled()->iterations(); }

Optimizer Model::optimizer() const { return state_->compiled()->optimizer(); }

Sequential::Sequential(std::initializer_list<SequentialEntry> entries, const std::string& name)
    : Sequential(std::make_shared<SequentialGraph>(std::vector<SequentialEntry>(entries), LayerOptions{.name = name})) {
}

std::uint64_t hash_weights(const std::vector<Variable>& variables) {
  const std::unique_ptr<XXH64_state_t, decltype(&XXH64_freeState)> state(XXH64_createState(), &XXH64_freeState);
  XXH64_reset(state.get(), 0);
  for (const Variable& variable : variables) {
    const std::string host = host_copy(variable.buffer(), variable.spec().bytes());
    XXH64_update(state.get(), host.data(), host.size());
  }
  return XXH64_digest(state.get());
}

}  // namespace strata
