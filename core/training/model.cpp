// SPDX-License-Identifier: Apache-2.0
#include "core/training/model.h"

#include <xxhash.h>

#include <algorithm>
#include <cstdio>

#include "core/base/error.h"
#include "core/tensor/host_copy.h"
#include "core/training/model_state.h"

namespace strata {
namespace {

DataUse use_of(const Dataset& data) {
  return {.counts_steps = true,
          .drops_remainder = data.drops_remainder(),
          .source = data.samples().source,
          .prefetch = data.samples().prefetch};
}

void require_one(std::size_t outputs) {
  if (outputs == 1) return;
  throw ConfigError("predict: the model has " + std::to_string(outputs) + " outputs; use predict_all.");
}

/// Before the work is done, where the model knows its outputs already.
void require_one_output(const Functional& graph) {
  if (!graph.outputs().empty()) require_one(graph.outputs().size());
}

std::map<std::string, Tensor> by_name(const Functional& graph, const std::vector<Tensor>& outputs) {
  const auto names = graph.output_names();
  std::map<std::string, Tensor> named;
  for (std::size_t k = 0; k < outputs.size(); ++k) named.emplace(names[k], outputs[k]);
  return named;
}

Tensor only(const std::vector<Tensor>& outputs) {
  require_one(outputs.size());
  return outputs[0];
}

}  // namespace

Model::Model(const Arrays& inputs, const Arrays& outputs, const std::string& name)
    : Model(std::make_shared<Functional>(inputs, outputs, LayerOptions{.name = name})) {}

Model::Model(std::shared_ptr<Functional> graph)
    : LayerRef(graph), state_(std::make_shared<State>(State{std::move(graph), nullptr})) {}

// The handle is one on the model itself, which thus is a layer like any other; only training goes through its graph.
Model::Model(std::shared_ptr<SubclassedModel> model)
    : LayerRef(model), state_(std::make_shared<State>(State{std::make_shared<SubclassedGraph>(model), nullptr})) {}

const Functional& Model::graph() const { return *state_->graph; }

void Model::summary(const SummaryOptions& options) const {
  if (communicator().rank() != 0) return;
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
  return state_->compiled()->fit(*this, x, y, options, {});
}

History Model::fit(const Dataset& data, const FitOptions& options) {
  if (!options.sample_weight.empty()) {
    throw ConfigError("fit: expected the sample weights in the Dataset, received them in the options");
  }
  if (options.validation_split != 0.0) {
    throw ConfigError("fit: expected validation_data for a Dataset, received a validation_split");
  }
  FitOptions of_data = options;
  of_data.sample_weight = data.samples().sample_weight;
  of_data.batch_size = data.batch_size();
  of_data.shuffle = data.shuffles();
  return state_->compiled()->fit(*this, data.samples().x, data.samples().y, of_data, use_of(data));
}

std::vector<double> Model::evaluate(const Arrays& x, const Arrays& y, const EvaluateOptions& options) {
  return state_->compiled()->evaluate(x, y, options, {});
}

std::vector<double> Model::evaluate(const Dataset& data, const EvaluateOptions& options) {
  if (!options.sample_weight.empty()) {
    throw ConfigError("evaluate: expected the sample weights in the Dataset, received them in the options");
  }
  EvaluateOptions of_data = options;
  of_data.sample_weight = data.samples().sample_weight;
  of_data.batch_size = data.batch_size();
  return state_->compiled()->evaluate(data.samples().x, data.samples().y, of_data, use_of(data));
}

std::vector<Tensor> Model::predict_all(const Arrays& x, const PredictOptions& options) {
  return state_->predicting()->predict(x, options, {});
}

std::vector<Tensor> Model::predict_all(const Dataset& data, const PredictOptions& options) {
  PredictOptions of_data = options;
  of_data.batch_size = data.batch_size();
  return state_->predicting()->predict(data.samples().x, of_data, use_of(data));
}

Tensor Model::predict(const Arrays& x, const PredictOptions& options) {
  require_one_output(graph());
  return only(predict_all(x, options));
}

Tensor Model::predict(const Dataset& data, const PredictOptions& options) {
  require_one_output(graph());
  return only(predict_all(data, options));
}

std::map<std::string, Tensor> Model::predict_by_name(const Arrays& x, const PredictOptions& options) {
  return by_name(graph(), predict_all(x, options));
}

std::map<std::string, Tensor> Model::call_by_name(const Arrays& inputs) const {
  return by_name(graph(), call(inputs.in_order(graph().input_names())));
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
