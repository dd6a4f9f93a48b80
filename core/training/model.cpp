// SPDX-License-Identifier: Apache-2.0
#include "core/training/model.h"

#include <xxhash.h>

#include <cstdio>

#include "core/base/error.h"
#include "core/training/trainer.h"

namespace strata {

std::vector<Loss> Losses::for_outputs(std::size_t outputs) const {
  if (losses_.size() == 1 && !list_) return std::vector<Loss>(outputs, losses_[0]);
  if (losses_.size() != outputs) {
    throw ConfigError("When passing a list as loss, it should have one entry per model outputs. The model has " +
                      std::to_string(outputs) + " outputs, but you passed " + std::to_string(losses_.size()) +
                      " losses.");
  }
  return losses_;
}

Model::Model(const Tensor& input, const Tensor& output, const std::string& name)
    : Model(std::vector<Tensor>{input}, std::vector<Tensor>{output}, name) {}

Model::Model(std::vector<Tensor> inputs, std::vector<Tensor> outputs, const std::string& name)
    : Model(std::make_shared<Functional>(std::move(inputs), std::move(outputs), LayerOptions{.name = name})) {}

Model::Model(std::shared_ptr<Functional> graph) : LayerRef(graph), graph_(std::move(graph)) {}

void Model::summary() const {
  if (Session::current().communicator().rank() != 0) return;
  const std::string text = summary_text(*graph_);
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void Model::compile(const CompileOptions& options) { trainer_ = std::make_shared<Trainer>(graph_, &options); }

Trainer& Model::trainer() const {
  if (trainer_ == nullptr || !trainer_->compiled()) {
    throw ConfigError("You must compile your model before training/testing. Use `model.compile(optimizer, loss)`.");
  }
  return *trainer_;
}

History Model::fit(const Arrays& x, const Arrays& y, const FitOptions& options) {
  return trainer().fit(x, y, options);
}

std::vector<double> Model::evaluate(const Arrays& x, const Arrays& y, const EvaluateOptions& options) {
  return trainer().evaluate(x, y, options);
}

std::vector<Tensor> Model::predict_all(const Arrays& x, const PredictOptions& options) {
  if (trainer_ == nullptr) trainer_ = std::make_shared<Trainer>(graph_, nullptr);
  return trainer_->predict(x, options);
}

Tensor Model::predict(const Arrays& x, const PredictOptions& options) {
  if (graph_->outputs().size() != 1) {
    throw ConfigError("predict: the model has " + std::to_string(graph_->outputs().size()) +
                      " outputs; use predict_all.");
  }
  return predict_all(x, options)[0];
}

Tensor Model::predict_on_batch(const Arrays& x) {
  const Dim rows = x.empty() || x.tensors()[0].rank() == 0 ? 1 : std::max<Dim>(1, x.tensors()[0].shape()[0]);
  return predict(x, {.batch_size = rows});
}

std::vector<double> Model::train_on_batch(const Arrays& x, const Arrays& y, const Arrays& sample_weight) {
  return trainer().train_on_batch(x, y, sample_weight);
}

std::vector<double> Model::test_on_batch(const Arrays& x, const Arrays& y, const Arrays& sample_weight) {
  return trainer().test_on_batch(x, y, sample_weight);
}

std::vector<std::string> Model::metrics_names() const { return trainer().metrics_names(); }

std::int64_t Model::iterations() const { return trainer().iterations(); }

std::uint64_t Model::weights_hash() const {
  XXH64_state_t* state = XXH64_createState();
  XXH64_reset(state, 0);
  std::vector<std::byte> host;
  for (const Variable& variable : weights()) {
    Device& device = variable.buffer().storage->device();
    const auto stream = device.make_stream();
    host.resize(variable.spec().bytes());
    device.copy_to_host(host.data(), variable.buffer().data(), host.size(), *stream);
    stream->synchronize();
    XXH64_update(state, host.data(), host.size());
  }
  const std::uint64_t hash = XXH64_digest(state);
  XXH64_freeState(state);
  return hash;
}

}  // namespace strata
