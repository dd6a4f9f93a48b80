// SPDX-License-Identifier: Apache-2.0
// What is said to models and arguments that do not fit, as in messages_of_calls_test.cpp. No graph has a cycle, since a
// tensor exists only after its inputs; a file that describes one is refused (ModelDescription.WhatCannotBeAGraph...).
#include <gtest/gtest.h>

#include "core/training/model.h"
#include "layers/layers.h"
#include "tests/support/keras_messages.h"

namespace strata {
namespace {

using testing::Message;

/// Does not say what it was made with.
class Custom : public Layer {
 public:
  explicit Custom(Dim units) : Layer({.name = "l"}), units_(units) {}
  std::string class_name() const override { return "Custom"; }
  Tensor call(const Tensor& x, CallContext&) override { return x * static_cast<double>(units_); }

 private:
  Dim units_;
};

Tensor fixed(const Shape& shape) { return Input({.batch_shape = shape}); }

void fit(const Loss& loss, const Tensor& targets) {
  const Tensor inputs = Input({2});
  Model model(inputs, layers::Dense(3, {.name = "out"})(inputs));
  model.compile({.optimizer = "sgd", .loss = loss});
  model.fit(ops::zeros({4, 2}), targets, {.verbose = 0});
}

std::vector<Message> models() {
  return {
      {"disconnected",
       [] {
         const Tensor a = Input({2}, {.name = "a"}), b = Input({2}, {.name = "b"});
         Model(a, layers::add({layers::Dense(2, {.name = "x"})(a), b}, {.name = "sum"}));
       },
       "Graph disconnected: cannot obtain value for tensor Tensor(\"b:0\", shape=(None, 2), dtype=float32) at layer "
       "\"b\". The following previous layers were accessed without issue: ['a', 'x']",
       {"Graph disconnected: cannot obtain value for tensor", "shape=(None, 2)",
        "The following previous layers were accessed without issue: ("}},
      {"names_twice",
       [] {
         const Tensor a = Input({2});
         Model(a, layers::Dense(2, {.name = "same"})(layers::Dense(2, {.name = "same"})(a)));
       },
       "The name \"same\" is used 2 times in the model. All layer names should be unique.",
       {"The name same is used 2 times in the model. All layer names should be unique."}},
      {"duplicate_input",
       [] {
         const Tensor a = Input({2}, {.name = "a"});
         Model({a, a}, {layers::Dense(2)(a)});
       },
       "The list of inputs passed to the model is redundant. All inputs should only appear once. Found: "
       "[Tensor(\"a:0\", shape=(None, 2), dtype=float32), Tensor(\"a:0\", shape=(None, 2), dtype=float32)]",
       {"The list of inputs passed to the model", "All inputs should only appear once."}},
      {"input_not_from_keras",
       [] {
         Model(ops::zeros({1, 2}), layers::Dense(2)(Input({2})));
       },
       "Input tensors to a Model must come from `tf.keras.Input`. Received: Tensor(\"broadcast_to:0\", shape=(1, 2), "
       "dtype=float32) (missing previous layer metadata).",
       {"tf.keras.Input"}},
      {"output_not_from_layer",
       [] {
         Model(Input({2}), ops::zeros({1, 2}));
       },
       "Output tensors to a Model must be the output of a TensorFlow `Layer` (thus holding past layer metadata). "
       "Found: Tensor(\"broadcast_to:0\", shape=(1, 2), dtype=float32)",
       {"must be the output of a TensorFlow Layer (thus holding past layer metadata). Found: "}},
      {"batch_sizes",
       [] {
         const Tensor a = fixed({16, 2}), b = fixed({8, 2});
         Model({a, b}, {layers::Dense(1)(a), layers::Dense(1)(b)});
       },
       "The specified batch sizes of the Input Layers are incompatible. Found batch sizes: [16, 8]",
       {}},
      {"no_config",
       [] { make_layer<Custom>(1).get_config(); },
       "Layers with arguments in `__init__` must override `get_config`. Layer l of class Custom was made with "
       "arguments, but does not override config().",
       {"must override get_config"}},
      {"unknown_layer",
       [] {
         model_from_json(R"({"class_name": "Sequential", "config": {"name": "chain", "layers": [{"class_name":
             "CustomDense", "config": {"units": 10}}]}})");
       },
       "Unknown layer: CustomDense. If it is one of your own, give it as one of `custom_objects`, {{\"CustomDense\", "
       "...}}, or make it known with register_custom_object(\"CustomDense\", ...).",
       {"Unknown layer: CustomDense."}},
      {"categorical_targets",
       [] {
         fit("categorical_crossentropy", ops::zeros({4, 1}, Dtype::int32));
       },
       "You are passing a target array of shape (4, 1) while using as loss `categorical_crossentropy`. That loss "
       "expects a number for every class, as the output of shape (None, 3) has it: turn integer labels into such rows "
       "with ops::one_hot(labels, 3), or use the loss `sparse_categorical_crossentropy`, which takes labels as they "
       "are.",
       {"(None, 3)"}},
      {"target_shape",
       [] {
         fit("mse", ops::zeros({4, 2}));
       },
       "A target array with shape (4, 2) was passed for an output of shape (None, 3) while using as loss "
       "`mean_squared_error`. This loss expects targets to have the same shape as the output.",
       {}},
  };
}

class ModelMessages : public ::testing::TestWithParam<Message> {};

TEST_P(ModelMessages, BeginAsThoseOfKeras) { testing::expect_message("models", GetParam()); }

INSTANTIATE_TEST_SUITE_P(All, ModelMessages, ::testing::ValuesIn(models()), ::testing::PrintToStringParamName());

TEST(AllModelMessages, AreTried) { testing::expect_all_tried("models", models()); }

std::vector<Message> arguments() {
  return {
      {"dense_int_dtype",
       [] { layers::Dense(2, {.dtype = Dtype::int32}); },
       "Unable to build `Dense` layer with non-floating point dtype <dtype: 'int32'>",
       {"dtype: int32"}},
      {"conv_padding",
       [] { layers::Conv2D(2, 3, {.padding = "sam"}); },
       "The `padding` argument must be a list/tuple or one of {'valid', 'same'}. Received: sam",
       {"The padding argument must be a list/tuple or one of", "Received: sam"}},
      {"conv_kernel_size",
       [] {
         layers::Conv2D(2, {3, 3, 3});
       },
       "The `kernel_size` argument must be a tuple of 2 integers. Received kernel_size=(3, 3, 3)",
       {"The kernel_size argument must be a tuple of 2 integers. Received kernel_size=(3, 3, 3)"}},
      {"conv_strides",
       [] { layers::Conv2D(2, 3, {.strides = 0}); },
       "The `strides` argument must be a tuple of 2 integers. Received strides=0, including values {0} that do not "
       "satisfy `value > 0`",
       {"The strides argument must be a tuple of 2 integers. Received strides=0, including values {0} that do not "
        "satisfy value > 0"}},
      {"unknown_loss", [] { Loss("mze"); }, "Unknown loss function:mze. Expected one of:", {"Unknown loss function:"}},
      {"unknown_metric",
       [] { Metric("mze"); },
       "Unknown metric function:mze. Expected accuracy, crossentropy, a loss, or one of:",
       {"metric"}},
      {"unknown_initializer",
       [] { layers::Dense(2, {.kernel_initializer = "mze"}); },
       "Unknown initializer:mze. Expected one of:",
       {"Unknown initializer:"}},
      {"unknown_optimizer",
       [] { Optimizer("mze"); },
       "Could not interpret optimizer identifier: mze. Expected one of:",
       {"Could not interpret optimizer identifier: mze"}},
      {"unknown_activation",
       [] { layers::Dense(2, {.activation = "mze"}); },
       "Unknown activation function:mze. Expected one of:",
       {"Unknown activation function"}},
      {"unknown_regularizer",
       [] { layers::Dense(2, {.kernel_regularizer = "mze"}); },
       "Unknown regularizer: mze. Expected one of: L1, L1L2, L2, OrthogonalRegularizer, l1_l2.",
       {}},
      {"unknown_constraint",
       [] { layers::Dense(2, {.kernel_constraint = "mze"}); },
       "Unknown constraint: mze. Expected one of: MaxNorm, MinMaxNorm, NonNeg, UnitNorm.",
       {"Unknown constraint: mze"}},
      {"unknown_argument",
       [] {
         deserialize_layer("Dense", Config::object({{"units", 2}, {"foo", 1}}));
       },
       "Unrecognized keyword arguments passed to Dense: {'foo': 1}",
       {"Unrecognized keyword arguments passed to Dense: {foo: 1}"}},
  };
}

class ArgumentMessages : public ::testing::TestWithParam<Message> {};

TEST_P(ArgumentMessages, BeginAsThoseOfKeras) { testing::expect_message("arguments", GetParam()); }

INSTANTIATE_TEST_SUITE_P(All, ArgumentMessages, ::testing::ValuesIn(arguments()), ::testing::PrintToStringParamName());

TEST(AllArgumentMessages, AreTried) { testing::expect_all_tried("arguments", arguments()); }

}  // namespace
}  // namespace strata
