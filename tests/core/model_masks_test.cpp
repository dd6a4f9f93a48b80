// SPDX-License-Identifier: Apache-2.0
// Masks and initial states: from the caller, and from the layers that made the inputs.
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/model/config_dialect.h"
#include "core/model/functional.h"
#include "core/model/session.h"
#include "layers/layers.h"
#include "tests/support/expect_error.h"

namespace strata {
namespace {

using testing::expect_error;
using Floats = std::vector<float>;

/// (batch, time) to (batch, time, 1); steps of 0 do not count.
class NonZero : public Layer {
 public:
  using Layer::Layer;
  std::string class_name() const override { return "NonZero"; }
  Tensor call(const Tensor& x, CallContext&) override { return ops::expand_dims(x, -1); }
  std::vector<Tensor> compute_mask(const std::vector<Tensor>& inputs, const std::vector<Tensor>&,
                                   CallContext&) override {
    return {ops::not_equal(inputs[0], scalar(0, inputs[0].dtype()))};
  }
};

/// (batch, time, n) to (batch, n): the sum over the steps that count; minus one feature more where there is no mask.
class SumOverSteps : public Layer {
 public:
  using Layer::Layer;
  std::string class_name() const override { return "SumOverSteps"; }
  Tensor call(const Tensor& x, CallContext& context) override {
    const Tensor& mask = context.mask();
    if (!mask) return ops::pad(ops::sum(x, {1}), {0, 0}, {0, 1}, -1.0);
    return ops::sum(x * ops::cast(ops::expand_dims(mask, -1), x.dtype()), {1});
  }
};

/// Adds the two initial states; returns the sum, then the first state.
class AddStates : public Layer {
 public:
  std::string class_name() const override { return "AddStates"; }
  std::vector<Tensor> call_many(const std::vector<Tensor>& inputs, CallContext& context) override {
    const auto& states = context.initial_state();
    if (states.empty()) return {inputs.at(0), ops::zeros_like(inputs[0])};
    return {inputs.at(0) + states.at(0) * 10.0 + states.at(1) * 100.0, states[0]};
  }
};

class MaskTest : public ::testing::Test {
 protected:
  static LayerRef model(std::vector<Tensor> inputs, const Tensor& output, const std::string& name = "") {
    return LayerRef(std::make_shared<Functional>(std::move(inputs), std::vector{output}, LayerOptions{.name = name}));
  }
  /// y = x + 1, so that steps of 0 are told from steps that do not count.
  static LayerRef add_one() { return layers::Dense(1, {.kernel_initializer = "ones", .bias_initializer = "ones"}); }

  const Tensor x_ = constant({1.f, 2.f, 0.f, 0.f, 5.f, 6.f}, {2, 3});

 private:
  Session session_;
  SessionScope scope_{session_};
};

TEST_F(MaskTest, AConsumerSeesTheMaskOfTheProducer) {
  const Tensor input = Input({3});
  const Tensor output = make_layer<SumOverSteps>()(make_layer<NonZero>()(input));
  EXPECT_EQ(output.shape(), (Shape{None, 1})) << "the mask is known while the model is defined";
  EXPECT_EQ(model({input}, output)(x_).to_vector<float>(), (Floats{3, 11}));
}

TEST_F(MaskTest, MasksPassThroughLayersThatSupportThem) {
  const Tensor input = Input({3});
  const Tensor x = layers::Activation("relu")(layers::Dropout(0.5)(add_one()(make_layer<NonZero>()(input))));
  const Tensor output = make_layer<SumOverSteps>()(x);
  EXPECT_EQ(model({input}, output)(x_).to_vector<float>(), (Floats{5, 13}));
}

TEST_F(MaskTest, OtherLayersDropMasks) {
  const Tensor input = Input({3});
  const Tensor output = make_layer<SumOverSteps>()(layers::Reshape({3, 1})(add_one()(make_layer<NonZero>()(input))));
  EXPECT_EQ(output.shape(), (Shape{None, 2}));
  EXPECT_EQ(model({input}, output)(x_).to_vector<float>(), (Floats{6, -1, 14, -1}));
}

TEST_F(MaskTest, MasksPassIntoAndOutOfANestedModel) {
  const Tensor inner_input = Input({3, 1});
  const LayerRef passing = model({inner_input}, add_one()(inner_input), "passing");
  const Tensor start = Input({3});
  const LayerRef producing = model({start}, make_layer<NonZero>()(start), "producing");
  const Tensor input = Input({3});
  const Tensor output = make_layer<SumOverSteps>()(passing(producing(input)));
  EXPECT_EQ(output.shape(), (Shape{None, 1}));
  EXPECT_EQ(model({input}, output)(x_).to_vector<float>(), (Floats{5, 13}));
}

TEST_F(MaskTest, MergesCountAStepThatCountsInAnyInput) {
  const Tensor a = Input({3}), b = Input({3});
  const LayerRef non_zero = make_layer<NonZero>();
  const Tensor output = make_layer<SumOverSteps>()(layers::add({add_one()(non_zero(a)), add_one()(non_zero(b))}));
  const Tensor ends = constant({1.f, 0.f, 0.f, 0.f, 0.f, 0.f}, {2, 3});
  EXPECT_EQ(model({a, b}, output)({x_, ends}).to_vector<float>(), (Floats{4 + 4, 7 + 8}));
  const Tensor unmasked = Input({3, 1});
  EXPECT_EQ(make_layer<SumOverSteps>()(layers::average({non_zero(a), unmasked})).shape(), (Shape{None, 2}))
      << "no mask when one input has none";
}

TEST_F(MaskTest, AConcatenationCountsAStepThatCountsInAnyInput) {
  const Tensor a = Input({3}), b = Input({3}), unmasked = Input({3, 1});
  const LayerRef non_zero = make_layer<NonZero>();
  const auto sum_of = [](const Tensor& joined) { return make_layer<SumOverSteps>()(joined); };
  const Tensor ends = constant({1.f, 0.f, 7.f, 0.f, 1.f, 0.f}, {2, 3});
  const Tensor both = sum_of(layers::concatenate({add_one()(non_zero(a)), add_one()(non_zero(b))}));
  EXPECT_EQ(model({a, b}, both)({x_, ends}).to_vector<float>(), (Floats{6, 11, 13, 3}));
  const Tensor whole = sum_of(layers::concatenate({non_zero(a), unmasked}));
  EXPECT_EQ(model({a, unmasked}, whole)({x_, ops::ones({2, 3, 1})}).to_vector<float>(), (Floats{3, 3, 11, 3}));
  const Tensor in_time = sum_of(layers::concatenate({non_zero(a), non_zero(b)}, 1));
  EXPECT_EQ(model({a, b}, in_time)({x_, ends}).to_vector<float>(), (Floats{11, 12}));
}

TEST_F(MaskTest, TheMaskOfTheCallerComesFirst) {
  const LayerRef sum = make_layer<SumOverSteps>(LayerOptions{.name = "sum"});
  const Tensor steps = ops::expand_dims(x_, -1);
  const Tensor last = ops::greater(ops::iota({2, 3}, 1), scalar(1, Dtype::int64));
  EXPECT_EQ(sum(steps).to_vector<float>(), (Floats{3, -1, 11, -1}));
  EXPECT_EQ(sum(steps, {.mask = {last}}).to_vector<float>(), (Floats{0, 6}));

  const Tensor input = Input({3}, {.name = "x"}), mask = Input({3}, {.dtype = Dtype::boolean, .name = "m"});
  const Tensor output = sum(make_layer<NonZero>(LayerOptions{.name = "nz"})(input), {.mask = {mask}});
  const LayerRef net = model({input, mask}, output);
  EXPECT_EQ(net({x_, last}).to_vector<float>(), (Floats{0, 6}));
  EXPECT_EQ(sum.get_inputs_at(0).size(), 1u);
  const ConfigDialectScope dialect(ConfigDialect::keras2);
  EXPECT_EQ(net.get_config().at("layers").as_list().back().at("inbound_nodes").to_json(),
            R"([[["nz", 0, 0, {"mask": ["m", 0, 0]}]]])");
  expect_error<GraphError>([&] { sum(input, {.mask = {last}}); },
                           "Layer sum was called on symbolic tensors, all of which must come from Input or from a "
                           "layer. Received: " +
                               tensor_text(std::vector{input, last}) + ". Ops between layers belong into a layer.");
}

TEST_F(MaskTest, AnInitialStateReachesTheLayer) {
  const LayerRef layer = make_layer<AddStates>();
  const Tensor one = ops::ones({1, 2});
  const auto [sum, state] = layer.call<2>({one}, {.initial_state = {one * 2.0, one * 3.0}});
  EXPECT_EQ(sum.to_vector<float>(), (Floats{321, 321}));
  EXPECT_EQ(state.to_vector<float>(), (Floats{2, 2}));

  const Tensor x = Input({2}, {.name = "x"}), h = Input({2}, {.name = "h"}), c = Input({2}, {.name = "c"});
  const auto [symbol, symbol_state] = layer.call<2>({x}, {.initial_state = {h, c}});
  const LayerRef net = model({x, h, c}, layers::add({symbol, symbol_state}));
  EXPECT_EQ(net({one, one * 2.0, one * 3.0}).to_vector<float>(), (Floats{323, 323}));
  EXPECT_EQ(layer.get_inputs_at(0).size(), 1u);
  const ConfigDialectScope dialect(ConfigDialect::keras2);
  EXPECT_EQ(net.get_config().at("layers").as_list()[3].at("inbound_nodes").to_json(),
            R"([[["x", 0, 0, {}], ["h", 0, 0, {}], ["c", 0, 0, {}]]])");
  expect_error<ConfigError>([&] { layer.call<3>({one}); }, "Layer add_states has 2 outputs where 3 were expected.");
}

}  // namespace
}  // namespace strata
