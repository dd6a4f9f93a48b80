// SPDX-License-Identifier: Apache-2.0
// Layer classes of a program's own: how configs find them, and what their functions may leave to the config.
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/model/session.h"
#include "layers/layers.h"
#include "layers/registry.h"
#include "tests/support/expect_error.h"

namespace strata {
namespace {

using testing::expect_error;

class OwnLayersTest : public ::testing::Test {
  Session session_;
  SessionScope scope_{session_};
};

/// A layer class of a user's own.
class Times : public Layer {
 public:
  Times(double factor, LayerOptions options) : Layer(std::move(options)), factor_(factor) {}
  std::string class_name() const override { return "Times"; }
  Config config() const override { return Config::object({{"factor", factor_}}); }
  Tensor call(const Tensor& x, CallContext&) override { return x * factor_; }

 private:
  double factor_;
};

TEST_F(OwnLayersTest, LayerClassesOfOnesOwnAreReadFromConfigs) {
  const auto make = [](const Config& config) {
    return make_layer<Times>(config.at("factor").as_double(), LayerOptions{.name = config.at("name").as_string()});
  };
  const Config config = make_layer<Times>(3.0, LayerOptions{.name = "three"}).get_config();
  expect_error<ConfigError>([&] { deserialize_layer("Times", config); },
                            "Unknown layer: Times. If it is one of your own, give it as one of `custom_objects`, "
                            "{{\"Times\", ...}}, or make it known with register_custom_object(\"Times\", ...).");
  register_layer("Times", make);
  const LayerRef read = deserialize_layer("Times", config);
  EXPECT_EQ(read.get_config(), config);
  EXPECT_EQ(read(constant({2.f}, {1, 1})).to_vector<float>(), (std::vector<float>{6}));
  expect_error<ConfigError>([&] { register_layer("Times", make); }, "register_layer: a class 'Times' is known already");
  expect_error<ConfigError>([&] { register_layer("Dense", make); }, "register_layer: a class 'Dense' is known already");
  expect_error<ConfigError>([&] { register_layer("", make); },
                            "register_layer: expected a class name and a function, received ''");
}

/// Its constructor makes a weight, a layer of another class and one of its own class.
class Nest : public Layer {
 public:
  explicit Nest(int depth, LayerOptions options = {}) : Layer(std::move(options)), depth_(depth) {
    weight_ = add_weight("w", {});
    if (depth > 0) inner_ = track(make_layer<Nest>(depth - 1, LayerOptions{.name = "inner"}));
    track(layers::Dense(2));
  }
  std::string class_name() const override { return "Nest"; }
  Config config() const override { return Config::object({{"depth", depth_}}); }
  Tensor call(const Tensor& x, CallContext&) override { return x * weight_; }

 private:
  int depth_;
  Variable weight_;
  LayerRef inner_;
};

TEST_F(OwnLayersTest, AFactoryNeedNotLookAtTheName) {
  const CustomObjectScope scope(
      {{"Nest", [](const Config& config) { return make_layer<Nest>(static_cast<int>(config.at("depth").as_int())); }}});
  const Config config = make_layer<Nest>(1, LayerOptions{.name = "mine", .trainable = false}).get_config();
  const LayerRef read = deserialize_layer("Nest", config);
  EXPECT_EQ(read.get_config(), config);
  EXPECT_EQ(read.weights()[0].path(), "mine/w");
  EXPECT_EQ(read.weights()[1].path(), "inner/w");
  EXPECT_TRUE(read.trainable_weights().empty());
  EXPECT_EQ(make_layer<Nest>(0).name(), "nest");  // no automatic name was used up

  Config half = config;
  half.set("dtype", "mixed_bfloat16");
  expect_error<ConfigError>([&] { deserialize_layer("Nest", half); },
                            "The function that makes the layer class 'Nest' made a layer of dtype float32 where the "
                            "config of 'mine' has mixed_bfloat16. Give it LayerOptions from its config: "
                            "layer_options(config).");
}

TEST_F(OwnLayersTest, AFactoryThatGivesAnotherNameIsToldHow) {
  const Config config = make_layer<Times>(3.0, LayerOptions{.name = "three"}).get_config();
  const auto read_with = [&](const LayerFactory& make) {
    const CustomObjectScope scope({{"package>Times", make}});
    return deserialize_layer("package>Times", config);
  };
  expect_error<ConfigError>(
      [&] { read_with([](const Config&) { return make_layer<Times>(3.0, LayerOptions{.name = "four"}); }); },
      "The function that makes the layer class 'package>Times' made a layer of name 'four' where the config has "
      "'three'. "
      "Give it LayerOptions from its config: layer_options(config).");
  const LayerRef three =
      read_with([](const Config& c) { return make_layer<Times>(c.at("factor").as_double(), layer_options(c)); });
  EXPECT_EQ(three.get_config(), config);
}

}  // namespace
}  // namespace strata
