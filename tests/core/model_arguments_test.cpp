// SPDX-License-Identifier: Apache-2.0
// What a call of a layer takes besides tensors: arguments by name, training, masks.
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/model/functional.h"
#include "core/model/layer_op.h"
#include "core/model/session.h"
#include "layers/layers.h"
#include "tests/support/expect_error.h"

namespace strata {
namespace {

using testing::expect_error;

/// y = scale x, negated by a flag.
class Scaled : public Layer {
 public:
  using Layer::Layer;
  std::string class_name() const override { return "Scaled"; }
  Tensor call(const Tensor& x, CallContext& context) override {
    const double scale = context.argument("scale", 1.0).as_double();
    return context.argument("negate", false).as_bool() ? x * -scale : x * scale;
  }
};

/// Passes its own argument on to the layer within.
class Outer : public Layer {
 public:
  std::string class_name() const override { return "Outer"; }
  Tensor call(const Tensor& x, CallContext& context) override {
    return inner_(inner_(x), {.arguments = Config::object({{"scale", context.argument("factor")}})});
  }

 private:
  LayerRef inner_ = track(make_layer<Scaled>());
};

class ArgumentsTest : public ::testing::Test {
 protected:
  static std::vector<float> values(const Tensor& tensor) { return tensor.to_vector<float>(); }
  const Tensor x_ = constant({1.f, -2.f}, {1, 2});
  const CallOptions twice_{.arguments = Config::object({{"negate", true}, {"scale", 2}})};

 private:
  Session session_;
  SessionScope scope_{session_};
};

TEST_F(ArgumentsTest, ReachTheCall) {
  const LayerRef layer = make_layer<Scaled>();
  EXPECT_EQ(values(layer(x_)), (std::vector<float>{1, -2}));
  EXPECT_EQ(values(layer(x_, twice_)), (std::vector<float>{-2, 4}));
  EXPECT_EQ(values(make_layer<Outer>()(x_, {.arguments = Config::object({{"factor", 3.0}})})),
            (std::vector<float>{3, -6}));
}

TEST_F(ArgumentsTest, AreKeptByAModel) {
  const LayerRef layer = make_layer<Scaled>();
  const Tensor in = Input({2});
  const LayerRef model(std::make_shared<Functional>(std::vector{in}, std::vector{layer(layer(in), twice_)}));
  EXPECT_EQ(values(model(x_)), (std::vector<float>{-2, 4}));
  const Tensor again = Input({2});
  const Functional nested({again}, {model(again)});
  EXPECT_EQ(values(LayerRef(std::make_shared<Functional>(std::vector{again}, nested.outputs()))(x_)),
            (std::vector<float>{-2, 4}));
  const Tensor output = static_cast<const Functional&>(model.layer()).outputs()[0];
  EXPECT_EQ(layer_op(output)->arguments(output.node()->inputs()).options.arguments.to_json(),
            R"({"negate": true, "scale": 2})");
}

TEST_F(ArgumentsTest, ThatNobodyAskedForAreRefused) {
  const LayerRef layer(make_layer<Scaled>(LayerOptions{.name = "mine"}));
  const auto call = [&] { layer(x_, {.arguments = Config::object({{"scael", 2.0}})}); };
  expect_error<ConfigError>(call, "Layer 'mine': call() got an unexpected keyword argument 'scael'");
  EXPECT_THROW(layer(Input({2}), {.arguments = 3}), ConfigError);
}

}  // namespace
}  // namespace strata
