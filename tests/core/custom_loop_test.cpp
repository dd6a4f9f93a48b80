// SPDX-License-Identifier: Apache-2.0
// Training loops of one's own against fit.
#include "core/training/custom_loop.h"

#include <gtest/gtest.h>

#include <mutex>

#include "core/base/error.h"
#include "core/model/session.h"
#include "core/training/model.h"
#include "layers/layers.h"
#include "tests/support/expect_error.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

using Floats = std::vector<float>;

Tensor random(const Shape& shape, std::uint64_t stream) {
  const RandomKey key{constant<std::int64_t>({7, 0, 0}, {3}), stream};
  return constant(ops::random_normal(key, shape).to_vector<float>(), shape);
}

Floats weights_of(const LayerRef& model) {
  Floats all;
  for (const Tensor& weight : model.get_weights()) {
    const Floats part = weight.to_vector<float>();
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

void expect_near(const Floats& a, const Floats& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], tolerance) << "element " << i;
}

/// With moving averages, penalties of weights and of an output, and a constraint.
Model model() {
  const Tensor in = Input({6});
  Tensor x = layers::Dense(8, {.activation = "tanh", .kernel_regularizer = regularizers::L2(0.01)})(in);
  x = layers::BatchNormalization()(x);
  x = layers::Dense(
      5, {.activity_regularizer = regularizers::L2(0.01), .kernel_constraint = constraints::MaxNorm(0.5)})(x);
  return Model(in, layers::Dense(2)(x));
}

/// One step on a batch, as fit takes it.
double step(const Model& model, const Optimizer& optimizer, const Tensor& x, const Tensor& y) {
  const Loss loss_function = "mse";
  const auto [loss, gradients] = value_and_gradients(model, [&] {
    const Tensor own = loss_function(y, model(x, {.training = true}));
    return optimizer.scale_loss(own + sum_of(model.losses()));
  });
  optimizer.apply_gradients(gradients, model);
  return loss.to_vector<float>()[0];
}

class CustomLoopTest : public ::testing::Test {
  Session session_;
  SessionScope scope_{session_};
};

TEST_F(CustomLoopTest, EqualsFitStepByStep) {
  const std::vector<std::function<Optimizer()>> optimizers_to_test = {
      [] { return optimizers::SGD({.learning_rate = 0.1, .momentum = 0.9}); },
      [] { return optimizers::Adam({.learning_rate = 0.01}); },
      [] { return optimizers::RMSprop({.learning_rate = 0.01}); },
      [] { return optimizers::AdamW({.learning_rate = 0.01}, {.clipnorm = 0.1}); },
      [] { return optimizers::Adam({}, {.global_clipnorm = 0.1, .use_ema = true, .ema_overwrite_frequency = 2}); },
      [] { return optimizers::SGD({}, {.loss_scale_factor = 64.0, .gradient_accumulation_steps = 2}); },
      [] { return optimizers::LossScaleOptimizer(optimizers::Adam({.learning_rate = 0.01})); },
      [] { return optimizers::Lamb({.learning_rate = 0.01}); },
  };
  for (const auto& make : optimizers_to_test) {
    const Optimizer own = make();
    SCOPED_TRACE(own.describe());
    Model compiled = model(), looped = model();
    looped.set_weights(compiled.get_weights());
    compiled.layers()[1].set_learning_rate_factor(0.5);
    looped.layers()[1].set_learning_rate_factor(0.5);
    compiled.compile({.optimizer = make(), .loss = "mse"});
    for (std::uint64_t i = 0; i < 5; ++i) {
      const Tensor x = random({12, 6}, 2 * i), y = random({12, 2}, 2 * i + 1);
      const double expected = compiled.train_on_batch(x, y)[0];
      const double scale = own.scale_loss(scalar(1.0, Dtype::float32)).to_vector<float>()[0];
      EXPECT_NEAR(step(looped, own, x, y) / scale, expected, 1e-5);
      expect_near(weights_of(looped), weights_of(compiled), 2e-6);
    }
    EXPECT_EQ(own.steps(), 5);
  }
}

// The update alone has the very bits of fit's: a model whose gradients both compute with the same kernels.
TEST_F(CustomLoopTest, UpdatesHaveTheBitsOfFit) {
  for (const char* name : {"sgd", "adam", "rmsprop", "adamw"}) {
    Model compiled(Sequential({Input({3}), layers::Dense(1, {.use_bias = false})}));
    Model looped(Sequential({Input({3}), layers::Dense(1, {.use_bias = false})}));
    looped.set_weights(compiled.get_weights());
    compiled.compile({.optimizer = name, .loss = "mse"});
    const Optimizer optimizer = name;
    for (std::uint64_t i = 0; i < 4; ++i) {
      const Tensor x = random({1, 3}, 2 * i), y = random({1, 1}, 2 * i + 1);
      compiled.train_on_batch(x, y);
      step(looped, optimizer, x, y);
      EXPECT_EQ(weights_of(looped), weights_of(compiled)) << name << ", step " << i;
    }
  }
}

TEST_F(CustomLoopTest, StatesMoveAndDrawsDiffer) {
  const Tensor x = random({12, 6}, 1);
  const LayerRef norm = layers::BatchNormalization();
  norm(x, {.training = false});
  const Floats before = norm.get_weights()[2].to_vector<float>();
  norm(x, {.training = true});
  EXPECT_NE(norm.get_weights()[2].to_vector<float>(), before);
  const LayerRef dropout = layers::Dropout(0.5);
  EXPECT_NE(dropout(x, {.training = true}).to_vector<float>(), dropout(x, {.training = true}).to_vector<float>());
}

TEST_F(CustomLoopTest, LossesAreThoseOfTheLastCall) {
  const Model m = model();
  EXPECT_EQ(m.losses().size(), 1u);  // of the kernel
  m(random({4, 6}, 1));
  const double first = m.losses()[0].to_vector<float>()[0];
  EXPECT_EQ(m.losses().size(), 2u);
  m(random({4, 6}, 2));
  EXPECT_EQ(m.losses().size(), 2u);
  EXPECT_NE(m.losses()[0].to_vector<float>()[0], first);
  m.layers()[1].set_trainable(false);
  EXPECT_EQ(m.losses().size(), 1u);
}

TEST_F(CustomLoopTest, AveragesGradientsOverRanks) {
  const Tensor x = random({12, 6}, 1), y = random({12, 2}, 2);
  const auto train = [&](Communicator& communicator) {
    set_seed(communicator.rank() == 0 ? 1 : 99);  // ranks that begin apart
    clear_session();
    const Tensor in = Input({6});
    const Model m(in, layers::Dense(2)(layers::Dense(8, {.activation = "tanh"})(in)));
    broadcast_variables(m.weights(), communicator);
    const Optimizer optimizer = "adam";
    const Loss mse = "mse";
    GradientAverage average(&communicator);
    const Dim rows = 12 / communicator.size(), first = communicator.rank() * rows;
    for (int i = 0; i < 3; ++i) {
      const auto part = [&](const Tensor& all) { return ops::slice(all, {first, 0}, {first + rows, None}); };
      const auto [loss, gradients] = value_and_gradients(m, [&] { return mse(part(y), m(part(x))); });
      optimizer.apply_gradients(average(gradients, m.trainable_weights()), m);
    }
    return weights_of(m);
  };
  const Floats alone = train(Session::current().communicator());
  for (const int ranks : {2, 3}) {
    std::mutex mutex;
    std::vector<Floats> all;
    testing::run_ranks(ranks, [&](Communicator& communicator) {
      Floats result = train(communicator);
      const std::lock_guard lock(mutex);
      all.push_back(std::move(result));
    });
    for (const Floats& result : all) EXPECT_EQ(result, all[0]) << ranks << " ranks";
    expect_near(all[0], alone, 1e-5);
  }
}

TEST_F(CustomLoopTest, NumbersOfSamplesAreOfAllRanks) {
  for (const bool negative : {false, true}) {
    testing::run_ranks(3, [&](Communicator& communicator) {
      const Model m = model();
      GradientAverage average(&communicator);
      const Dim samples = negative ? communicator.rank() - 1 : 0;
      const auto none = std::vector<Gradient>(m.trainable_weights().size());
      testing::expect_error_with<ConfigError>([&] { average(none, m.trainable_weights(), samples); },
                                              negative ? "received -1 on one and 0 on all" : "received 0 on one");
    });
  }
}

TEST_F(CustomLoopTest, RefusesWhatDoesNotFit) {
  const Model m = model(), other = model();
  const Optimizer optimizer = "sgd";
  const auto vector_loss = [&] { return m(random({3, 6}, 1)); };
  EXPECT_THROW(value_and_gradients(m, vector_loss), ShapeError);
  EXPECT_THROW(optimizer.apply_gradients({}, m), ConfigError);
  EXPECT_THROW(optimizer.apply_gradients(std::vector<Gradient>(other.weights().size()), other), ConfigError);
}

}  // namespace
}  // namespace strata
