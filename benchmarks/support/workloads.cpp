// SPDX-License-Identifier: Apache-2.0
#include "support/workloads.h"

#include <fmt/format.h>

#include <algorithm>

namespace strata::benchmarks {
namespace {

Model perceptron(const std::vector<Dim>& units) {
  auto inputs = Input({784});
  Tensor x = inputs;
  for (const Dim n : units) x = layers::Dense(n, {.activation = "relu"})(x);
  return {inputs, layers::Dense(10)(x)};
}

/// examples/toy_resnet.cpp.
Model toy_resnet() {
  const auto same = [](const Tensor& x) { return layers::Conv2D(64, 3, {.padding = "same", .activation = "relu"})(x); };
  auto inputs = Input({32, 32, 3});
  auto x = layers::Conv2D(32, 3, {.activation = "relu"})(inputs);
  x = layers::Conv2D(64, 3, {.activation = "relu"})(x);
  x = layers::MaxPooling2D(3)(x);
  x = layers::add({same(same(x)), x});
  x = layers::add({same(same(x)), x});
  x = layers::Conv2D(64, 3, {.activation = "relu"})(x);
  x = layers::GlobalAveragePooling2D()(x);
  x = layers::Dense(256, {.activation = "relu"})(x);
  x = layers::Dropout(0.5)(x);
  return {inputs, layers::Dense(10)(x)};
}

Model batch_norm_net() {
  auto inputs = Input({32, 32, 3});
  Tensor x = inputs;
  for (const Dim filters : {16, 32, 64}) {
    x = layers::Conv2D(filters, 3, {.padding = "same", .use_bias = false})(x);
    x = layers::BatchNormalization()(x);
    x = layers::Activation("relu")(x);
    x = layers::MaxPooling2D(2)(x);
  }
  x = layers::GlobalAveragePooling2D()(x);
  return {inputs, layers::Dense(10)(x)};
}

constexpr Dim kWords = 10000, kTags = 12, kDepartments = 4;

/// examples/ticket_router.cpp.
Model ticket_router() {
  auto title = Input({10}, {.name = "title"});
  auto body = Input({100}, {.name = "body"});
  auto tags = Input({kTags}, {.name = "tags"});
  auto x = layers::concatenate({layers::LSTM(128)(layers::Embedding(kWords, 64)(title)),
                                layers::LSTM(32)(layers::Embedding(kWords, 64)(body)), tags});
  return {{title, body, tags}, {layers::Dense(1, {.name = "priority"})(x), layers::Dense(kDepartments)(x)}};
}

Workload tickets(Dim batch) {
  const RandomKey key{constant<std::int64_t>({1, 0, 0}, {3}), 1};
  const auto integers = [&](int draw, Dim columns, Dim limit) {
    const RandomKey own{key.state, static_cast<std::uint64_t>(draw)};
    Tensor drawn = ops::floor(ops::random_uniform(own, {batch, columns}, 0.0, static_cast<double>(limit)));
    drawn.eval();
    return drawn;
  };
  return {.name = "ticket",
          .batch = batch,
          .steps = 15,
          .model = ticket_router,
          .x = {integers(1, 10, kWords), integers(2, 100, kWords), integers(3, kTags, 2)},
          .y = {integers(4, 1, 2), to_categorical(integers(5, 1, kDepartments), kDepartments)},
          .compile = {.optimizer = optimizers::RMSprop(),
                      .loss = {losses::BinaryCrossentropy({.from_logits = true}),
                               losses::CategoricalCrossentropy({.from_logits = true})},
                      .loss_weights = {1.0, 0.2}}};
}

/// At a rate at which the loss falls from the first steps on.
CompileOptions classification() {
  return {.optimizer = optimizers::RMSprop({.learning_rate = 1e-4}),
          .loss = losses::SparseCategoricalCrossentropy({.from_logits = true})};
}

Workload mlp(Dim batch) {
  const Classes data({784}, batch);
  return {"mlp", batch, 300, [] { return perceptron({64, 64}); }, data.x, data.y, classification()};
}

Workload mlp25m(Dim batch) {
  const Classes data({784}, batch);
  return {"mlp25m", batch, 3, [] { return perceptron({2800, 4000, 2900}); }, data.x, data.y, classification()};
}

/// Images (batch, 32, 32, 3) of ten classes, each brighter than the one before: what convolutions learn soon.
Workload images(const std::string& name, Dim batch, Dim steps, const std::function<Model()>& model) {
  const RandomKey key{constant<std::int64_t>({1, 0, 0}, {3}), 1};
  const Tensor classes = ops::floor(ops::random_uniform(key, {batch}, 0.0, 10.0));
  const Tensor noise = ops::random_uniform({key.state, 2}, {batch, 32, 32, 3});
  const Tensor x = noise + ops::reshape(classes, {batch, 1, 1, 1}) / 5.0, y = ops::cast(classes, Dtype::int64);
  x.eval();
  y.eval();
  return {name, batch, steps, model, x, y, classification()};
}

struct Entry {
  std::string name;
  Dim batch;
  std::function<Workload(Dim batch)> make;
};

const std::vector<Entry>& entries() {
  static const std::vector<Entry> all{
      {"mlp", 64, mlp},
      {"mlp25m", 64, mlp25m},
      {"toy_resnet", 128, [](Dim batch) { return images("toy_resnet", batch, 3, toy_resnet); }},
      {"ticket", 32, tickets},
      {"batch_norm", 64, [](Dim batch) { return images("batch_norm", batch, 10, batch_norm_net); }}};
  return all;
}

const Entry& entry(const std::string& name) {
  const auto found =
      std::find_if(entries().begin(), entries().end(), [&](const Entry& entry) { return entry.name == name; });
  if (found != entries().end()) return *found;
  throw ConfigError(fmt::format("expected a workload of {}, received '{}'", fmt::join(workload_names(), ", "), name));
}

}  // namespace

std::vector<std::string> workload_names() {
  std::vector<std::string> names;
  for (const Entry& entry : entries()) names.push_back(entry.name);
  return names;
}

Workload make_workload(const std::string& name, Dim batch) { return entry(name).make(batch); }
Workload make_workload(const std::string& name) { return make_workload(name, entry(name).batch); }

std::unique_ptr<TrainingStep> Workload::prepare(Dim blocks, std::shared_ptr<Communicator> communicator,
                                                bool shard_optimizer) const {
  CompileOptions options = compile;
  options.shard_optimizer = shard_optimizer;
  options.communicator = std::move(communicator);
  // One more step, since the first one is not timed.
  return std::make_unique<TrainingStep>(
      model(), x, y, options,
      FitOptions{.batch_size = batch, .epochs = static_cast<int>(steps) + 1, .verbose = 0, .blocks = blocks});
}

}  // namespace strata::benchmarks
