// SPDX-License-Identifier: Apache-2.0
// The examples of the guide: their tables, byte for byte, and short runs, alone and on two ranks.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/programs/mnist_mlp.h"
#include "tests/support/files.h"
#include "tests/support/golden_text.h"

namespace strata::testing {
namespace {

using ::testing::IsSubstring;

Outcome run(const std::string& program, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), program);
  return run_process({arguments, {{"OMP_NUM_THREADS", "1"}}, std::chrono::seconds(100)});
}

std::string output_of(const std::string& program, const std::vector<std::string>& arguments) {
  const Outcome outcome = run(program, arguments);
  EXPECT_TRUE(outcome.succeeded()) << outcome.text();
  return outcome.out;
}

/// The JSON report of a silent run.
nlohmann::json report_of(const std::string& program, std::vector<std::string> arguments) {
  const TemporaryDirectory directory;
  const std::string report = directory.path("report.json");
  arguments.insert(arguments.end(), {"--verbose", "0", "--json", report});
  output_of(program, arguments);
  return nlohmann::json::parse(read_text(report));
}

TEST(Guide, MnistMlpPrintsTheGuidesTable) {
  EXPECT_EQ(output_of(STRATA_MNIST_MLP, {"--summary-only"}), golden_text("summaries/mnist_model.txt"));
}

TEST(Guide, AutoencoderPrintsTheGuidesTables) {
  EXPECT_EQ(output_of(STRATA_AUTOENCODER, {"--summary-only"}), golden_text("summaries/guide_autoencoder.txt"));
}

TEST(Guide, ToyResnetPrintsTheGuidesTable) {
  EXPECT_EQ(output_of(STRATA_TOY_RESNET, {"--summary-only"}), golden_text("summaries/toy_resnet.txt"));
}

TEST(Guide, EnsembleAverages) {
  const std::string out = output_of(STRATA_ENSEMBLE, {});
  EXPECT_PRED_FORMAT2(IsSubstring, "Total params: 387\n", out);
  EXPECT_PRED_FORMAT2(IsSubstring, "\nthe mean of three\n", out);
}

TEST(Guide, SharedEmbeddingIsOneWeight) {
  EXPECT_PRED_FORMAT2(IsSubstring,
                      "1 weight of shape (1000, 128)\nlayer.output is that of the first call\ntwo outputs\n"
                      "Asked to get output at node 2, but the layer has only 2 inbound nodes.\n",
                      output_of(STRATA_SHARED_EMBEDDING, {}));
}

TEST(Guide, TicketRouterIsDrawn) {
  const TemporaryDirectory directory;
  const std::string picture = directory.path("ticket.dot");
  output_of(STRATA_TICKET_ROUTER, {"--summary-only", "--plot", picture});
  const std::string dot = read_text(picture);
  std::size_t edges = 0;
  for (std::size_t at = dot.find("->"); at != std::string::npos; at = dot.find("->", at + 1)) ++edges;
  EXPECT_EQ(edges, 9u) << dot;
}

TEST(Guide, TicketRouterTrainsOnRandomTickets) {
  const TemporaryDirectory directory;
  const std::string report = directory.path("report.json");
  const std::string out = output_of(STRATA_TICKET_ROUTER, {"--max-steps", "3", "--json", report});
  EXPECT_PRED_FORMAT2(IsSubstring, "Total params: 1,392,097\n", out);
  EXPECT_PRED_FORMAT2(IsSubstring, "Train on 1280 samples\nEpoch 1/2\n", out);
  const auto history = nlohmann::json::parse(read_text(report)).at("history");
  for (const char* log : {"loss", "priority_loss", "department_loss"}) EXPECT_TRUE(history.contains(log)) << log;
}

TEST(Guide, TicketsAsListsNamesOrDatasetTrainEqually) {
  const auto hash = [](const std::string& data_as) {
    return report_of(STRATA_TICKET_ROUTER, {"--max-steps", "2", "--data-as", data_as}).at("weights_xxh64");
  };
  const auto names = hash("names");
  EXPECT_EQ(hash("list"), names);
  EXPECT_EQ(hash("dataset"), names);
}

TEST(Guide, TicketsThatFollowARuleAreRouted) {
  const auto report = report_of(STRATA_TICKET_ROUTER, {"--rule", "--optimizer", "adam", "--epochs", "14"});
  for (const char* name : {"test_priority_accuracy", "test_department_accuracy"}) {
    EXPECT_GE(report.at(name).get<double>(), 0.95) << name;  // of tickets that were not trained on
  }
}

/// Digits in the files of CIFAR-10: 1,000 images for training, 200 for testing.
class ToyResnetTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_digits(directory_, 1000, 200);
    const Outcome converted = run_process({{kConverter, directory_.path(), directory_.path("cifar"), "200"}});
    ASSERT_TRUE(converted.succeeded()) << converted.text();
  }
  std::vector<std::string> arguments() const {
    return {"--data", directory_.path("cifar"), "--max-steps", "3", "--batch-size", "32", "--blocks", "2"};
  }

  static constexpr const char* kConverter = STRATA_BIN_DIR "/tests/fashion_to_cifar10";
  const TemporaryDirectory directory_;
};

TEST_F(ToyResnetTest, PrintsWhatTheGuidePrints) {
  const std::string out = output_of(STRATA_TOY_RESNET, arguments());
  EXPECT_PRED_FORMAT2(IsSubstring, "Train on 800 samples, validate on 200 samples\n", out);
  for (const char* log : {" - acc: ", " - val_loss: ", " - val_acc: "}) EXPECT_PRED_FORMAT2(IsSubstring, log, out);
  EXPECT_EQ(out.find("Epoch "), std::string::npos);  // there is but one
}

TEST_F(ToyResnetTest, TrainsOnTwoRanksToTheSameWeights) {
  if (!have_mpi()) GTEST_SKIP() << "built without MPI";
  const auto alone = report_of(STRATA_TOY_RESNET, arguments());
  const std::string report = directory_.path("two.json");
  Command command{{STRATA_TOY_RESNET, "--verbose", "0", "--json", report}, {{"OMP_NUM_THREADS", "1"}}};
  const auto options = arguments();
  command.arguments.insert(command.arguments.end(), options.begin(), options.end());
  const MpiOutcome outcome = run_mpi(2, command);
  ASSERT_TRUE(outcome.succeeded()) << outcome.text();
  const auto two = nlohmann::json::parse(read_text(report));
  EXPECT_EQ(two.at("ranks"), 2);
  for (const char* name : {"weights_xxh64", "history", "test_acc"}) EXPECT_EQ(two.at(name), alone.at(name)) << name;
}

}  // namespace
}  // namespace strata::testing
