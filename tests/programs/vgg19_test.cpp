// SPDX-License-Identifier: Apache-2.0
// The example vgg19_features: what it prints, learns and writes. Pictures are small, VGG19 is whole.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "io/png.h"
#include "tests/support/files.h"
#include "tests/support/golden_text.h"
#include "tests/support/process.h"

namespace strata::testing {
namespace {

using ::testing::IsSubstring;

class Vgg19Features : public ::testing::Test {
 protected:
  Command command(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), STRATA_VGG19_FEATURES);
    for (const char* option : {"--output", "--json"}) {
      arguments.emplace_back(option);
      arguments.push_back(directory_.path(option[2] == 'o' ? "out.png" : "report.json"));
    }
    return {arguments, {{"OMP_NUM_THREADS", "1"}}, std::chrono::seconds(100)};
  }
  std::string output_of(const std::vector<std::string>& arguments) const {
    const Outcome outcome = run_process(command(arguments));
    EXPECT_TRUE(outcome.succeeded()) << outcome.text();
    return outcome.out;
  }
  std::string path(const std::string& name) const { return directory_.path(name); }
  Tensor picture() const { return read_png(path("out.png")); }
  nlohmann::json report() const { return nlohmann::json::parse(read_text(path("report.json"))); }

 private:
  TemporaryDirectory directory_;
};

std::vector<std::string> lines_with(const std::string& text, const std::string& part) {
  std::vector<std::string> found;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.find(part) != std::string::npos) found.push_back(line);
  }
  return found;
}

TEST_F(Vgg19Features, PrintsTheTable) { EXPECT_EQ(output_of({"--summary-only"}), golden_text("summaries/vgg19.txt")); }

TEST_F(Vgg19Features, PrintsTheFeaturesOfEveryLayer) {
  const auto features = lines_with(output_of({"--size", "16", "--max-steps", "1"}), ", mean ");
  ASSERT_EQ(features.size(), 26u);
  EXPECT_PRED_FORMAT2(IsSubstring, "input_1 (1, 224, 224, 3), mean ", features[0]);
  EXPECT_PRED_FORMAT2(IsSubstring, "block3_conv4 (1, 56, 56, 256), mean ", features[10]);
  EXPECT_PRED_FORMAT2(IsSubstring, "fc2 (1, 4096), mean ", features[24]);
  EXPECT_EQ(features[25], "predictions (1, 1000), mean 0.001000");
}

TEST_F(Vgg19Features, LossFallsTenfold) {
  output_of({"--size", "32", "--max-steps", "60"});
  EXPECT_EQ(picture().spec(), (TensorSpec{{32, 32, 3}, Dtype::uint8}));
  const auto losses = report().at("history").at("loss").get<std::vector<double>>();
  ASSERT_EQ(losses.size(), 7u);
  EXPECT_LT(losses.back(), 0.1 * losses.front());
}

TEST_F(Vgg19Features, TakesPicturesAndWeights) {
  // The halves of the content are those of the picture, whose pixels change by 8 at most in Adam's first step.
  std::vector<std::uint8_t> pixels(40 * 20 * 3, 50);
  std::fill(pixels.begin() + 40 * 20 * 3 / 2, pixels.end(), 200);
  write_png(path("content.png"), constant(pixels, {40, 20, 3}));
  write_png(path("style.png"), constant(ramp(64 * 64, 251), {64, 64, 1}));
  const std::string weights = std::string(STRATA_GOLDEN_DIR) + "/vgg19.h5";
  const std::string out = output_of({"--size", "16", "--max-steps", "1", "--content", path("content.png"), "--style",
                                     path("style.png"), "--weights", weights});
  // In that file features grow from layer to layer, with random weights they do not.
  const std::string line = lines_with(out, "fc2 (1, 4096), mean ").at(0);
  EXPECT_GT(std::stod(line.substr(line.rfind(' '))), 1000) << line;
  const auto painted = picture().to_vector<std::uint8_t>();
  for (std::size_t i = 0; i < painted.size(); ++i) EXPECT_NEAR(painted[i], i < painted.size() / 2 ? 50 : 200, 8) << i;
}

TEST_F(Vgg19Features, OneRankOfTwoWrites) {
  if (!have_mpi()) GTEST_SKIP() << "built without MPI";
  const MpiOutcome outcome = run_mpi(2, command({"--size", "16", "--max-steps", "3"}));
  ASSERT_TRUE(outcome.succeeded()) << outcome.text();
  EXPECT_EQ(lines_with(outcome.ranks[0].out, ", mean ").size(), 26u);
  EXPECT_EQ(outcome.ranks[1].out, "");
  EXPECT_EQ(picture().shape(), (Shape{16, 16, 3}));
  EXPECT_EQ(report().at("ranks"), 2);
}

TEST_F(Vgg19Features, NamesTheFileThatIsWrong) {
  const Outcome no_picture = run_process(command({"--content", path("none.png"), "--max-steps", "1"}));
  EXPECT_EQ(no_picture.status, 1) << no_picture.text();
  EXPECT_EQ(no_picture.err, path("none.png") + ": cannot be opened: No such file or directory\n");
  write_file(path("weights.h5"), ramp(1000, 251));
  const Outcome no_weights = run_process(command({"--weights", path("weights.h5")}));
  EXPECT_EQ(no_weights.status, 1) << no_weights.text();
  EXPECT_PRED_FORMAT2(IsSubstring, path("weights.h5") + ": expected an HDF5 file", no_weights.err);
}

}  // namespace
}  // namespace strata::testing
