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

TEST(Guide, MnistMlpPrintsTheGuidesTable) {
  EXPECT_EQ(output_of(STRATA_MNIST_MLP, {"--summary-only"}), golden_text("summaries/mnist_model.txt"));
}

TEST(Guide, AutoencoderPrintsTheGuidesTables) {
  EXPECT_EQ(output_of(STRATA_AUTOENCODER, {"--summary-only"}), golden_text("summaries/guide_autoencoder.txt"));
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

}  // namespace
}  // namespace strata::testing
