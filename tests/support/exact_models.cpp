// SPDX-License-Identifier: Apache-2.0
#include "tests/support/exact_models.h"

#include "core/base/error.h"
#include "strata/strata.h"

namespace strata::testing {
namespace {

constexpr Dim kClasses = 10, kTags = 12, kWords = 10000, kDepartments = 4;

Model mlp() {
  auto input = Input({784});
  auto x = layers::Dense(64, {.activation = "relu"})(input);
  x = layers::Dense(64, {.activation = "relu"})(x);
  return {input, layers::Dense(kClasses)(x), "mlp"};
}

Model convolutions() {
  auto input = Input({12, 12, 3});
  auto x = layers::Conv2D(16, 3, {.padding = "same", .use_bias = false})(input);
  x = layers::Activation("relu")(layers::BatchNormalization()(x));
  x = layers::Dropout(0.25)(layers::MaxPooling2D(2)(x));
  x = layers::Conv2D(24, 3, {.use_bias = false})(x);
  x = layers::Activation("relu")(layers::BatchNormalization()(x));
  x = layers::Dense(32, {.activation = "relu"})(layers::Flatten()(x));
  return {input, layers::Dense(kClasses)(layers::Dropout(0.5)(x)), "convolutions"};
}

Model tickets() {
  auto title = Input({None}, {.name = "title"});
  auto body = Input({None}, {.name = "body"});
  auto tags = Input({kTags}, {.name = "tags"});
  auto title_features = layers::LSTM(128)(layers::Embedding(kWords, 64)(title));
  auto body_features = layers::LSTM(32)(layers::Embedding(kWords, 64)(body));
  auto x = layers::concatenate({title_features, body_features, tags});
  auto priority = layers::Dense(1, {.name = "priority"})(x);
  auto department = layers::Dense(kDepartments, {.name = "department"})(x);
  return {{title, body, tags}, {priority, department}, "tickets"};
}

Model toy_resnet() {
  const auto convolution = [](const Tensor& x, Dim filters, const std::string& padding = "valid") {
    return layers::Conv2D(filters, 3, {.padding = padding, .activation = "relu"})(x);
  };
  auto input = Input({32, 32, 3});
  auto x = layers::MaxPooling2D(3)(convolution(convolution(input, 32), 64));
  for (int block = 0; block < 2; ++block) {
    x = layers::add({convolution(convolution(x, 64, "same"), 64, "same"), x});
  }
  x = layers::GlobalAveragePooling2D()(convolution(x, 64));
  x = layers::Dropout(0.5)(layers::Dense(256, {.activation = "relu"})(x));
  return {input, layers::Dense(kClasses)(x), "toy_resnet"};
}

RandomKey key_of(std::uint64_t part, std::uint64_t stream) {
  return {constant<std::int64_t>({static_cast<std::int64_t>(part), 0, 0}, {3}), stream};
}

/// Whole numbers from 0 to limit - 1.
Tensor integers(const RandomKey& key, const Shape& shape, Dim limit) {
  return ops::floor(ops::random_uniform(key, shape, 0.0, static_cast<double>(limit)));
}

Samples images(const Shape& image, Dim samples, std::uint64_t part) {
  const Tensor x = ops::random_uniform(key_of(part, 1), Shape{samples}.concat(image));
  // What can be learnt: which of ten pixels is brightest.
  const Tensor pixels = ops::slice(ops::reshape(x, {samples, image.elements()}), {0, 0}, {None, kClasses});
  return {x, ops::argmax(pixels)};
}

Samples ticket_samples(Dim samples, std::uint64_t part) {
  const Tensor priority = integers(key_of(part, 4), {samples, 1}, 2);
  const Tensor department = integers(key_of(part, 5), {samples}, kDepartments);
  return {{integers(key_of(part, 1), {samples, 10}, kWords), integers(key_of(part, 2), {samples, 100}, kWords),
           integers(key_of(part, 3), {samples, kTags}, 2)},
          {priority, to_categorical(department, kDepartments)}};
}

[[noreturn]] void fail_unknown(const std::string& name) {
  throw ConfigError("model: expected mlp, convolutions, tickets or toy_resnet, received \"" + name + "\"");
}

}  // namespace

ExactModel exact_model(const std::string& name) {
  const Loss classes = losses::SparseCategoricalCrossentropy({.from_logits = true});
  if (name == "mlp") return {mlp(), classes};
  if (name == "convolutions") return {convolutions(), classes};
  if (name == "toy_resnet") return {toy_resnet(), classes};
  if (name != "tickets") fail_unknown(name);
  return {tickets(),
          {losses::BinaryCrossentropy({.from_logits = true}), losses::CategoricalCrossentropy({.from_logits = true})},
          {1.0, 0.2}};
}

Samples exact_samples(const std::string& name, Dim samples, std::uint64_t part) {
  if (name == "mlp") return images({784}, samples, part);
  if (name == "convolutions") return images({12, 12, 3}, samples, part);
  if (name == "toy_resnet") return images({32, 32, 3}, samples, part);
  if (name != "tickets") fail_unknown(name);
  return ticket_samples(samples, part);
}

}  // namespace strata::testing
