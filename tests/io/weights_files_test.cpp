// SPDX-License-Identifier: Apache-2.0
// Files of weights in Keras 3's own layout: what real Keras 3 and tf.keras 2 wrote, what is written here, what does not
// fit.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "io/hdf5_file.h"
#include "strata/strata.h"
#include "tests/io/expect_io_error.h"
#include "tests/support/expect_error.h"
#include "tests/support/files.h"
#include "tests/support/golden_values.h"

namespace strata {
namespace {

using testing::expect_error_with;
using testing::expect_io_error;
using testing::golden_tensor;

const std::string kFiles = std::string(STRATA_GOLDEN_DIR) + "/model_files/";
const std::string kEnding = ".weights.h5";

/// Of those there is the whole model, too.
std::vector<std::string> saved_by_keras() {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(kFiles)) {
    const std::string name = file.path().filename();
    if (name.ends_with(kEnding)) names.push_back(name.substr(0, name.size() - kEnding.size()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<Tensor> arrays(const nlohmann::json& named, const std::vector<std::string>& names) {
  std::vector<Tensor> all;
  for (const std::string& name : names) all.push_back(golden_tensor(named.contains(name) ? named[name] : named[""]));
  return all;
}

/// Every group and array of a file with its shape; of groups of variables the names of their layers.
void list(const Hdf5Reader& reader, const std::string& group, std::set<std::string>& found) {
  for (const std::string& member : reader.members(group.empty() ? "/" : group)) {
    const std::string place = group + "/" + member;
    if (!reader.has_group(place)) {
      const TensorSpec spec = reader.array(group, member).spec();
      found.insert(place + " " + spec.shape.str() + " " + std::string(to_string(spec.dtype)));
      continue;
    }
    found.insert(place + " " + reader.text(place, "name").value_or(""));
    list(reader, place, found);
  }
}

std::set<std::string> listed(const std::string& path) {
  const Hdf5Reader reader(path);
  std::set<std::string> found;
  list(reader, "", found);
  return found;
}

class WeightsOfKeras : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    golden_ = testing::read_golden("model_files/" + GetParam() + ".json");
    x_ = arrays(golden_.at("x"), model_.graph().input_names());
    y_ = arrays(golden_.at("y"), model_.graph().output_names());
  }
  std::string file() const { return kFiles + GetParam() + kEnding; }

 private:
  Session session_;
  SessionScope scope_{session_};

 protected:
  Model model_ = load_model(kFiles + GetParam() + ".h5");
  nlohmann::json golden_;
  std::vector<Tensor> x_, y_;
};

TEST_P(WeightsOfKeras, AreThoseOfTheWholeModelWithItsOptimizer) {
  const std::uint64_t expected = model_.weights_hash();
  model_.train_on_batch(x_, y_);
  ASSERT_NE(model_.weights_hash(), expected);
  model_.load_weights(file());
  EXPECT_EQ(model_.weights_hash(), expected);
  for (const double loss : golden_.at("losses")) EXPECT_NEAR(model_.train_on_batch(x_, y_)[0], loss, 1e-5 * loss);
}

TEST_P(WeightsOfKeras, AreWrittenToTheSamePlaces) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory.path("own") + kEnding;
  model_.load_weights(file());
  model_.save_weights(path);
  const std::set<std::string> theirs = listed(file()), own = listed(path);
  for (const std::string& place : theirs) {
    // Neither layers without weights within others nor the metrics of tf.keras; tf.keras has no names here, and other
    // numbers of its optimizer.
    const bool internal =
        place.find("/_dropout_layer") != std::string::npos || place.find("/_softmax") != std::string::npos;
    if (internal || GetParam().starts_with("tf_") || place.ends_with("optimizer/vars rm_sprop")) continue;
    EXPECT_TRUE(own.contains(place)) << place;
  }
  if (!GetParam().starts_with("tf_")) {
    EXPECT_GE(theirs.size(), own.size());
  }
  Model again = load_model(kFiles + GetParam() + ".h5");
  again.train_on_batch(x_, y_);
  again.load_weights(path);
  EXPECT_EQ(again.weights_hash(), model_.weights_hash());
  EXPECT_EQ(again.train_on_batch(x_, y_), model_.train_on_batch(x_, y_));
  EXPECT_EQ(again.weights_hash(), model_.weights_hash());
}

INSTANTIATE_TEST_SUITE_P(Files, WeightsOfKeras, ::testing::ValuesIn(saved_by_keras()),
                         [](const auto& file) { return file.param; });

class WeightsFiles : public ::testing::Test {
 protected:
  static std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

  std::string path(const std::string& name = "w") const { return directory_.path(name + kEnding); }

  static Model chain(const std::vector<Dim>& units) {
    const Tensor input = Input({4});
    Tensor x = input;
    for (const Dim count : units) x = layers::Dense(count)(x);
    return Model(input, x);
  }

 private:
  Session session_;
  SessionScope scope_{session_};
  testing::TemporaryDirectory directory_;
};

TEST_F(WeightsFiles, HaveEveryLayersVariablesWhereKerasHasThem) {
  const auto golden = testing::read_golden("stored_groups.json");
  for (const auto& c : golden.at("cases")) {
    SCOPED_TRACE(c.at("name").get<std::string>());
    clear_session();
    const Model model = model_from_json(c.at("model"));
    nlohmann::json found = nlohmann::json::object(), expected = nlohmann::json::object();
    for (const auto& group : c.at("groups")) expected[group.at("path").get<std::string>()] = group.at("variables");
    for (const StoredGroup& group : stored_groups(model)) {
      if (group.weights.empty()) continue;
      nlohmann::json& variables = found[group.path] = nlohmann::json::array();
      for (const Variable& weight : group.weights) {
        nlohmann::json shape = nlohmann::json::array();
        for (int i = 0; i < weight.shape().rank(); ++i) shape.push_back(weight.shape()[i]);
        variables.push_back({last_part(weight.path()), shape});
      }
    }
    EXPECT_EQ(found, expected);
  }
  EXPECT_EQ(golden.at("cases").size(), 25u);
}

TEST_F(WeightsFiles, ThatDoNotFitAreRefusedBeforeAnythingChanges) {
  chain({5, 3}).save_weights(path());
  const Model shorter = chain({5}), longer = chain({5, 3, 2}), wider = chain({5, 4});
  const auto hash = wider.weights_hash();
  expect_io_error([&] { wider.load_weights(path()); }, path(), "(layers/dense_1) expected shape (5, 4) for ");
  EXPECT_EQ(wider.weights_hash(), hash);
  expect_io_error([&] { longer.load_weights(path()); }, path(),
                  "(layers/dense_2) expected 2 variables, but received 0 variables during loading. Expected: [");
  expect_io_error([&] { shorter.load_weights(path()); }, path(),
                  "the file has 2 variables for a layer 'dense_1' (layers/dense_1), which the model does not have");
  expect_error_with<ConfigError>([&] { wider.load_weights(path(), {.by_name = true}); }, "by_name is for files in");
  wider.load_weights(path(), {.skip_mismatch = true});
  EXPECT_NE(wider.weights_hash(), hash);
}

/// As TensorFlow 2.13 wrote them, and with attributes private or not.
TEST_F(WeightsFiles, PlacesOfOtherVersions) {
  const Tensor input = Input({4, 6});
  const Model model(input, layers::Bidirectional(layers::LSTM(2))(input));
  const auto expected = model.get_weights();
  ModelFile file;
  for (const std::string way : {"forward_layer", "_backward_layer"}) {
    const std::size_t first = way == "forward_layer" ? 0 : 3;
    file.groups.push_back({"_layer_checkpoint_dependencies/bidirectional/" + way + "/cell",
                           "",
                           {expected[first] + 1.0, expected[first + 1], expected[first + 2]}});
  }
  file.groups.push_back({"", "", {}});
  file.groups.push_back({"metrics/mean", "", {scalar(1.0)}});
  file.groups.push_back({"layers/bidirectional/seed_generator", "", {scalar(1.0)}});
  model_file_format().write(path(), file);
  model.load_weights(path());
  EXPECT_EQ(model.get_weights()[3].to_vector<float>(), (expected[3] + 1.0).to_vector<float>());
}

TEST_F(WeightsFiles, ALayerInSeveralPlacesIsStoredOnce) {
  const Tensor input = Input({4, 3});
  const layers::Dense shared(3);
  const Model model(input, layers::Add()({layers::TimeDistributed(shared)(input), shared(input)}));
  model.save_weights(path());
  std::size_t stored = 0;
  for (const std::string& place : listed(path())) stored += place.find("float32") != std::string::npos ? 1 : 0;
  EXPECT_EQ(stored, 2u);
  const auto expected = model.weights_hash();
  model.set_weights({ops::zeros({3, 3}), ops::zeros({3})});
  model.load_weights(path());
  EXPECT_EQ(model.weights_hash(), expected);
}

class Own : public SubclassedModel {
 public:
  std::string class_name() const override { return "Own"; }
  Tensor call(const Tensor& input, CallContext&) override { return out_(hidden_(input)); }

 protected:
  LayerRef hidden_ = track(layers::Dense(3)), out_ = track(layers::Dense(2));
};

/// The names that its like in Python has for its layers.
class Named final : public Own, public HasStoredParts {
 public:
  std::vector<StoredPart> stored_parts() const override { return {{"hidden", hidden_}, {"layers/dense_1", out_}}; }
};

TEST_F(WeightsFiles, OfSubclassedModels) {
  const auto model = make_model<Own>(), other = make_model<Own>();
  const auto named = make_model<Named>();
  for (const Model& m : {Model(model), Model(other), Model(named)}) m(ops::ones({1, 4}));
  model.save_weights(path());
  EXPECT_TRUE(listed(path()).contains("/layers/dense_1/vars/0 (3, 2) float32"));
  other.load_weights(path());
  EXPECT_EQ(other.weights_hash(), model.weights_hash());
  named.save_weights(path("named"));
  EXPECT_TRUE(listed(path("named")).contains("/hidden/vars/0 (4, 3) float32"));
  expect_io_error([&] { named.load_weights(path()); }, path(), "(hidden) expected 2 variables, but received 0");
}

TEST_F(WeightsFiles, AnOptimizerThatHasNotBegunKeepsItsRate) {
  const Tensor x = ops::ones({2, 4}), y = ops::ones({2, 3});
  Model trained = chain({3}), fresh = chain({3}), sgd = chain({3});
  trained.compile({.optimizer = optimizers::Adam({.learning_rate = 0.5}), .loss = "mse"});
  fresh.compile({.optimizer = optimizers::Adam({.learning_rate = 0.25}), .loss = "mse"});
  sgd.compile({.optimizer = optimizers::SGD({.momentum = 0.9}), .loss = "mse"});
  for (int i = 0; i < 3; ++i) trained.train_on_batch(x, y);
  trained.save_weights(path());
  fresh.load_weights(path());
  EXPECT_EQ(fresh.iterations(), 0);
  EXPECT_EQ(fresh.optimizer().learning_rate(), 0.25);
  fresh.train_on_batch(x, y);
  fresh.load_weights(path());
  EXPECT_EQ(fresh.iterations(), 3);
  EXPECT_EQ(fresh.optimizer().learning_rate(), 0.5);
  sgd.train_on_batch(x, y);
  expect_io_error([&] { sgd.load_weights(path()); }, path(), "the optimizer's state does not fit: ");
  sgd.load_weights(path(), {.skip_mismatch = true});
  EXPECT_EQ(sgd.weights_hash(), trained.weights_hash());
}

TEST_F(WeightsFiles, TheNameDoesNotDecideWhatIsRead) {
  const Model model = chain({3}), other = chain({3});
  model.save_weights(path());
  const std::string elsewhere = path() + ".old.h5";
  std::filesystem::rename(path(), elsewhere);
  other.load_weights(elsewhere);
  EXPECT_EQ(other.weights_hash(), model.weights_hash());
  model.save_weights(elsewhere);
  std::filesystem::rename(elsewhere, path());
  other.load_weights(path());
  EXPECT_EQ(other.weights_hash(), model.weights_hash());
}

}  // namespace
}  // namespace strata
