// SPDX-License-Identifier: Apache-2.0
// Automatic names, seeds and sessions.
#include "core/model/session.h"

#include <gtest/gtest.h>

#include <thread>

#include "core/model/layer_op.h"
#include "layers/layers.h"

namespace strata {
namespace {

class SessionTest : public ::testing::Test {
  Session session_;
  SessionScope scope_{session_};
};

TEST_F(SessionTest, SnakeCaseIsThatOfTf2) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"Dense", "dense"},
      {"Conv2D", "conv2d"},
      {"Conv2DTranspose", "conv2d_transpose"},
      {"MaxPooling2D", "max_pooling2d"},
      {"UpSampling2D", "up_sampling2d"},
      {"GlobalAveragePooling1D", "global_average_pooling1d"},
      {"LSTM", "lstm"},
      {"ConvLSTM2D", "conv_lst_m2d"},
      {"MLP", "mlp"},
      {"CustomRNN", "custom_rnn"},
      {"CustomDense", "custom_dense"},
      {"ReLU", "re_lu"},
      {"_Merge", "private__merge"},
      {"package>CustomDense", "custom_dense"},
      {"X", "x"},
      {"", ""}};
  for (const auto& [class_name, name] : cases) EXPECT_EQ(to_snake_case(class_name), name);
}

TEST_F(SessionTest, NumbersNamesFromZeroAndInputsFromOne) {
  EXPECT_EQ(layers::Dense(1).name(), "dense");
  EXPECT_EQ(layers::Dense(1, {.name = "dense_1"}).name(), "dense_1");
  EXPECT_EQ(layers::Dense(1).name(), "dense_1") << "a given name takes no number";
  EXPECT_EQ(layers::Dropout(0.5).name(), "dropout");
  EXPECT_EQ(layer_op(Input({3}))->layer()->name(), "input_1");
  EXPECT_EQ(layer_op(Input({3}, {.name = "img"}))->layer()->name(), "img");
  EXPECT_EQ(layer_op(Input({3}))->layer()->name(), "input_2");
  clear_session();
  EXPECT_EQ(layers::Dense(1).name(), "dense");
  EXPECT_EQ(layer_op(Input({3}))->layer()->name(), "input_1");
}

TEST_F(SessionTest, NamesAreGivenWhenLayersAreMadeNotWhenTheyAreCalled) {
  const layers::Dense first(1), second(1);
  const Tensor input = Input({3});
  second(input);
  first(input);
  EXPECT_EQ(first.name(), "dense");
  EXPECT_EQ(second.name(), "dense_1");
}

TEST_F(SessionTest, EachThreadHasTheSessionOfItsScope) {
  Session::current().unique_name("dense");
  std::string name;
  std::thread([&] {
    Session session;
    const SessionScope scope(session);
    name = layers::Dense(1).name();
  }).join();
  EXPECT_EQ(name, "dense");
  EXPECT_EQ(layers::Dense(1).name(), "dense_1");
}

std::vector<float> first_weights(const char* name) {
  const layers::Dense dense(4, {.name = name});
  dense(Input({3}));
  return dense.weights()[0].value().to_vector<float>();
}

TEST_F(SessionTest, InitialWeightsAreAFunctionOfSeedAndPath) {
  set_seed(1);
  const auto a = first_weights("a");
  const auto b = first_weights("b");
  EXPECT_NE(a, b);
  set_seed(1);
  EXPECT_EQ(first_weights("b"), b) << "not of the order in which layers are made";
  EXPECT_EQ(first_weights("a"), a);
  EXPECT_NE(first_weights("a"), a) << "a second layer of one name starts elsewhere";
  set_seed(2);
  EXPECT_NE(first_weights("a"), a);
}

TEST_F(SessionTest, ASessionWithoutRanksIsRankZeroOfOne) {
  EXPECT_EQ(Session::current().communicator().size(), 1);
  EXPECT_EQ(Session::current().communicator().rank(), 0);
}

TEST_F(SessionTest, HashesAreThoseOfEveryProcess) {
  EXPECT_EQ(hash_name(""), 0xEF46DB3751D8E999ull);
  EXPECT_EQ(hash_name("abc"), 0x44BC2CF5AD770999ull);
}

}  // namespace
}  // namespace strata
