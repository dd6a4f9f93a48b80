// SPDX-License-Identifier: Apache-2.0
// What golden values cannot show of recurrent layers: states between batches, random masks, errors, old configs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/program/autodiff.h"
#include "layers/recurrent_layer.h"
#include "layers/registry.h"
#include "strata/strata.h"
#include "tests/support/expect_error.h"
#include "tests/support/golden_values.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

using testing::expect_close;
using testing::expect_error;

Tensor random(const Shape& shape, std::uint64_t stream = 1) {
  const Tensor values = ops::random_normal({constant<std::int64_t>({3, 0, 0}, {3}), stream}, shape);
  return constant(values.to_vector<float>(), shape);
}

Tensor steps(const Tensor& x, Dim first, Dim last) {
  std::vector<Dim> begin(static_cast<std::size_t>(x.rank()), 0), end(begin.size(), None);
  begin[1] = first;
  end[1] = last;
  return ops::slice(x, begin, end);
}

class RecurrentTest : public ::testing::Test {
  Session session_;
  SessionScope scope_{session_};
};

/// A sequence in two parts, through a stateful layer, gives what a layer without states gives for the whole.
void expect_states_carry_over(const std::function<layers::RecurrentRef(bool stateful)>& make, const Tensor& x,
                              bool training) {
  const auto whole = make(false), stateful = make(true);
  const Tensor expected = whole(x);
  const Dim middle = 2, end = x.shape()[1];
  stateful(Input({.batch_shape = x.shape()}));
  for (std::size_t i = 0; i < whole.weights().size(); ++i) stateful.weights()[i].assign(whole.weights()[i]);
  for (int round = 0; round < 2; ++round) {
    stateful(steps(x, 0, middle), {.training = training});
    expect_close(stateful(steps(x, middle, end), {.training = training}), expected, 1e-5, 1e-6);
    stateful.reset_state();
  }
  stateful(x);
  const auto again = stateful(x).to_vector<float>();
  EXPECT_NE(again, expected.to_vector<float>()) << "without reset_state the states go on";
}

TEST_F(RecurrentTest, StatesCarryOverBetweenBatches) {
  for (const bool training : {false, true}) {
    const Tensor x = random({3, 5, 4});
    expect_states_carry_over([](bool s) { return layers::LSTM(3, {.stateful = s}); }, x, training);
    expect_states_carry_over([](bool s) { return layers::GRU(3, {.stateful = s}); }, x, training);
    expect_states_carry_over([](bool s) { return layers::SimpleRNN(3, {.stateful = s}); }, x, training);
    expect_states_carry_over(
        [](bool s) {
          return layers::RNN({layers::LSTMCell(3), layers::GRUCell(2)}, {.stateful = s});
        },
        x, training);
    expect_states_carry_over([](bool s) { return layers::ConvLSTM1D(2, 2, {.stateful = s}); }, random({2, 4, 5, 2}),
                             training);
  }
}

TEST_F(RecurrentTest, BothDirectionsKeepTheirStates) {
  const layers::Bidirectional layer(layers::GRU(2, {.stateful = true}));
  const Tensor x = random({2, 3, 4});
  const auto first = layer(x).to_vector<float>();
  EXPECT_NE(layer(x).to_vector<float>(), first);
  layer.reset_state();
  EXPECT_EQ(layer(x).to_vector<float>(), first);
  const layers::Bidirectional without(layers::GRU(2));
  expect_error<ConfigError>([&] { without.reset_state(); }, "Layer must be stateful.");
}

/// Predictions of two batches, training on two, and predictions again: losses, outputs and states.
std::vector<float> stateful_run(Dim blocks) {
  clear_session();
  const auto input = Input({.batch_shape = {5, 3, 4}});
  const layers::LSTM lstm(6, {.dropout = 0.3, .recurrent_dropout = 0.2, .stateful = true, .name = "lstm"});
  Model model(input, layers::Dense(2, {.name = "dense"})(lstm(input)));
  model.compile({.optimizer = "sgd", .loss = losses::MeanSquaredError()});
  const Tensor x = random({10, 3, 4}), y = random({10, 2}, 2);
  std::vector<float> seen = model.predict(x, {.batch_size = 5, .blocks = blocks}).to_vector<float>();
  const auto history =
      model.fit(x, y, {.batch_size = 5, .epochs = 2, .verbose = 0, .shuffle = false, .blocks = blocks});
  for (const double loss : history.at("loss")) seen.push_back(static_cast<float>(loss));
  seen.push_back(static_cast<float>(model.evaluate(x, y, {.batch_size = 5, .verbose = 0, .blocks = blocks})[0]));
  const auto& recurrent = dynamic_cast<const RecurrentLayer&>(lstm.layer());
  for (const Variable& state : recurrent.states()) {
    const auto values = state.value().to_vector<float>();
    seen.insert(seen.end(), values.begin(), values.end());
  }
  return seen;
}

TEST_F(RecurrentTest, StatesAndDropoutDoNotDependOnBlocks) {
  const auto one = stateful_run(1);
  EXPECT_TRUE(std::any_of(one.end() - 30, one.end(), [](float v) { return v != 0.0f; }));
  for (const Dim blocks : {2, 3, 5}) {
    const auto cut = stateful_run(blocks);
    ASSERT_EQ(cut.size(), one.size());
    for (std::size_t i = 0; i < one.size(); ++i) EXPECT_NEAR(cut[i], one[i], 1e-5) << blocks << " blocks, value " << i;
  }
}

TEST_F(RecurrentTest, StatesAreEqualOnAllRanks) {
  const auto one = stateful_run(3);
  for (const int ranks : {2, 3}) {
    testing::run_ranks(ranks, [&](Communicator& world) {
      auto seen = stateful_run(3);
      if (world.rank() == 0) EXPECT_EQ(seen, one);
      else EXPECT_TRUE(std::equal(seen.rbegin(), seen.rbegin() + 63, one.rbegin())) << "all but predictions";
    });
  }
}

TEST_F(RecurrentTest, AStatefulLayerNeedsItsBatchSize) {
  const layers::LSTM lstm(2, {.stateful = true, .name = "lstm"});
  expect_error<ConfigError>(
      [&] {
        lstm(Input({4, 3}));
      },
      "When using `stateful=True` in a RNN, the batch size must be static. Found dynamic batch "
      "size: sequence.shape=(None, 4, 3)");
  const auto input = Input({.batch_shape = {4, 2, 3}});
  Model model(input, lstm(input));
  expect_error<ConfigError>(
      [&] {
        lstm(random({3, 2, 3}));
      },
      "If an RNN is stateful, the batch size of the input sequences must be the same as the "
      "batch size of the initial state. \n- Expected batch size: 4\n- Received batch size: 3 "
      "(layer lstm)");
  expect_error<ConfigError>(
      [&] {
        model.predict(random({6, 2, 3}), {.batch_size = 4});
      },
      "State 'lstm/rnn_state' belongs to the samples of a batch of 4: expected batches of that "
      "size, as a stateful layer has been built for it. Received a batch of 2 samples.");
}

/// y = x kernel + h recurrent_kernel, with kernels that are the identity or zero.
layers::SimpleRNN linear(layers::SimpleRNNOptions options, Dim units, bool reads_input) {
  options.activation = "linear";
  options.use_bias = false;
  options.return_sequences = true;
  options.kernel_initializer = reads_input ? Initializer("identity") : Initializer("zeros");
  options.recurrent_initializer = reads_input ? Initializer("zeros") : Initializer("identity");
  return layers::SimpleRNN(units, options);
}

TEST_F(RecurrentTest, DropoutHasItsRateAndScaleAndOneMaskForAllSteps) {
  constexpr Dim kBatch = 40, kSteps = 3, kUnits = 50;
  const Tensor x = ops::ones({kBatch, kSteps, kUnits});
  const Tensor y = linear({.dropout = 0.3}, kUnits, true)(x, {.training = true});
  const auto values = y.to_vector<float>();
  double dropped = 0;
  for (Dim b = 0; b < kBatch; ++b) {
    for (Dim j = 0; j < kUnits; ++j) {
      const auto at = [&](Dim t) { return values[static_cast<std::size_t>((b * kSteps + t) * kUnits + j)]; };
      ASSERT_TRUE(at(0) == 0.0f || std::abs(at(0) - 1 / 0.7f) < 1e-6) << at(0);
      for (Dim t = 1; t < kSteps; ++t) ASSERT_EQ(at(t), at(0)) << "the mask holds for all steps";
      dropped += at(0) == 0.0f ? 1 : 0;
    }
  }
  EXPECT_NEAR(dropped / (kBatch * kUnits), 0.3, 0.04);
  EXPECT_EQ(gradients({y}, {x})[0].values.to_vector<float>(), values) << "the same mask in the gradient";
  EXPECT_EQ(linear({.dropout = 0.3}, kUnits, true)(x).to_vector<float>(), x.to_vector<float>()) << "in inference";
}

TEST_F(RecurrentTest, RecurrentDropoutHasItsRateAndScaleAndOneMaskForAllSteps) {
  constexpr Dim kBatch = 40, kUnits = 50;
  const Tensor x = ops::zeros({kBatch, 2, 1}), h = ops::ones({kBatch, kUnits});
  const Tensor y =
      linear({.recurrent_dropout = 0.4}, kUnits, false)(x, {.training = true, .mask = {}, .initial_state = {h}});
  const auto first = steps(y, 0, 1).to_vector<float>(), second = steps(y, 1, 2).to_vector<float>();
  double dropped = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    ASSERT_TRUE(first[i] == 0.0f || std::abs(first[i] - 1 / 0.6f) < 1e-6) << first[i];
    ASSERT_FLOAT_EQ(second[i], first[i] * first[i]) << "the same mask again";
    dropped += first[i] == 0.0f ? 1 : 0;
  }
  EXPECT_NEAR(dropped / (kBatch * kUnits), 0.4, 0.04);
  const Tensor last = steps(y, 1, 2);
  EXPECT_EQ(gradients({last}, {h})[0].values.to_vector<float>(), last.to_vector<float>());
}

TEST_F(RecurrentTest, EveryGateOfAConvolutionHasAMaskOfItsOwn) {
  const layers::ConvLSTM1D layer(1, 1, {.use_bias = false, .dropout = 0.5, .seed = 1, .return_state = true});
  const Tensor x = ops::ones({64, 1, 4, 1});
  layer.call({x});
  layer.weights()[0].assign(ops::ones({1, 1, 4}));
  const auto carries = layer.call<3>({x}, {.training = true})[2].to_vector<float>();
  std::vector<float> kinds;  // s(i) tanh(g) with i, g of 0 or 2
  for (const float v : carries) {
    const auto same = [&](float k) { return std::abs(k - v) < 1e-5f; };
    if (std::none_of(kinds.begin(), kinds.end(), same)) kinds.push_back(v);
  }
  EXPECT_EQ(kinds.size(), 3u) << "0, s(0) tanh(2) and s(2) tanh(2)";
}

TEST_F(RecurrentTest, ConfigsOfOtherVersionsAreRead) {
  const auto read = [](const char* name, const std::string& more) {
    return deserialize_layer(name, Config::from_json(R"({"name": "layer", "units": 3)" + more + "}")).get_config();
  };
  for (const char* name : {"LSTM", "GRU"}) {
    const Config config = read(name, R"(, "time_major": false, "implementation": 2, "use_cudnn": "auto")");
    for (const char* key : {"time_major", "implementation", "use_cudnn"}) {
      EXPECT_FALSE(config.contains(key)) << name << " " << key << ": Keras 3 does not write it";
    }
    EXPECT_EQ(config, read(name, ""));
  }
  read("SimpleRNN", R"(, "time_major": false)");
  expect_error<ConfigError>([&] { read("LSTM", R"(, "time_major": true)"); },
                            "`time_major=True` is not supported: Keras 3 has no such argument. Transpose the input "
                            "instead.");
}

TEST_F(RecurrentTest, ConvLSTMRefusesWhatItCannotTake) {
  using layers::ConvLSTM1D;
  using layers::ConvLSTM2D;
  expect_error<ConfigError>(
      [] {
        ConvLSTM2D(2, 3, {.strides = 2, .dilation_rate = {1, 2}});
      },
      "Specifying `strides > 1` is not compatible with `dilation_rate > 1`. Please provide "
      "`strides=1` or `dilation_rate=1`. Received: strides=(2, 2) and dilation_rate=(1, 2)");
  expect_error<ConfigError>([] { ConvLSTM1D(0, 3); },
                            "Invalid value for argument `filters`. Expected a strictly positive value. Received "
                            "filters=0.");
  EXPECT_THROW(ConvLSTM1D(2, 3, {.padding = "causal"}), ConfigError);
  EXPECT_THROW(ConvLSTM2D(2, {3, 3, 3}), ConfigError);
  EXPECT_THROW(ConvLSTM1D(2, 3, {.data_format = "channels"}), ConfigError);
  expect_error<ShapeError>(
      [] {
        ConvLSTM1D(2, 3)(Input({4, None, 2}));
      },
      "ConvLSTM layers only support static input shapes for the spatial dimension. Received "
      "invalid input shape: input_shape=(None, None, 2)");
  expect_error<ShapeError>(
      [] {
        ConvLSTM1D(2, 3)(Input({4, 5, None}));
      },
      "The channel dimension of the inputs (last axis) should be defined. Found None. Full input "
      "shape received: input_shape=(None, 5, None)");
  EXPECT_THROW(ConvLSTM1D(2, 7)(Input({4, 5, 2})), ShapeError);
  EXPECT_THROW(ConvLSTM1D(2, 3)(Input({4, 5})), ShapeError);
}

}  // namespace
}  // namespace strata
