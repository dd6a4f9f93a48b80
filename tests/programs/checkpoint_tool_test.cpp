// SPDX-License-Identifier: Apache-2.0
// The program that looks at checkpoints, on those of an example.
#include <fmt/format.h>

#include <filesystem>

#include "strata/strata.h"
#include "tests/programs/mnist_mlp.h"

namespace strata::testing {
namespace {

class CheckpointTool : public MnistMlpTest {
 protected:
  void SetUp() override {
    MnistMlpTest::SetUp();
    train("a", 10, {});
  }
  /// Checkpoints of steps 5 and 10 in `name`.
  nlohmann::json train(const std::string& name, int steps, const Arguments& more) const {
    Arguments options{"--epochs",         "3",        "--blocks",           "4", "--max-steps", std::to_string(steps),
                      "--checkpoint-dir", path(name), "--checkpoint-every", "5"};
    options.insert(options.end(), more.begin(), more.end());
    return report(1, options);
  }
  static Outcome tool(const Arguments& arguments) {
    std::vector<std::string> all{STRATA_BIN_DIR "/checkpoint"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return run_process({all, {{"OMP_NUM_THREADS", "1"}}});
  }
  std::string checkpoint(const std::string& step) const { return path("a") + "/step-000000" + step; }
  void damage(const std::string& file, std::size_t at) const {
    const std::string text = read_text(file);
    Bytes bytes(text.begin(), text.end());
    bytes[at] ^= 1;
    write_file(file, bytes);
  }
};

/// Succeeds, with such lines.
void expect_prints(const Outcome& outcome, const std::vector<std::string>& lines, int status = 0) {
  EXPECT_EQ(outcome.status, status) << outcome.text();
  for (const std::string& line : lines) EXPECT_PRED_FORMAT2(::testing::IsSubstring, line, outcome.out);
}

TEST_F(CheckpointTool, ListsThem) {
  expect_prints(tool({"list", path("a")}), {checkpoint("05") + ": epoch 1, step 5, 1 shard, ",
                                            checkpoint("10") + ": epoch 1, step 10, 1 shard, "});
  const Outcome none = tool({"list", path("none")});
  EXPECT_EQ(none.status, 1);
  EXPECT_PRED_FORMAT2(::testing::IsSubstring, path("none") + ": found no checkpoint", none.err);
}

TEST_F(CheckpointTool, VerifiesEveryByte) {
  expect_prints(tool({"verify", path("a")}), {checkpoint("05") + ": whole\n", checkpoint("10") + ": whole\n"});
  const std::string shard = checkpoint("05") + "/shard-00000-of-00001.h5";
  damage(shard, std::filesystem::file_size(shard) / 2);
  expect_prints(tool({"verify", path("a")}), {shard + ": ", " is damaged", checkpoint("10") + ": whole\n"}, 1);
  expect_prints(tool({"verify", checkpoint("10") + "/"}), {checkpoint("10") + ": whole\n"});
  damage(checkpoint("10") + "/manifest.json", 30);
  const Outcome manifest = tool({"verify", checkpoint("10")});
  EXPECT_EQ(manifest.status, 1);
  EXPECT_PRED_FORMAT2(::testing::IsSubstring, "the manifest of the checkpoint is damaged", manifest.err);
}

TEST_F(CheckpointTool, ShowsWhatOneHolds) {
  expect_prints(tool({"show", checkpoint("05")}), {": epoch 1, step 5\n", "  batch_size = 64\n", "  blocks = 4\n",
                                                   "  compiler = ", "  instruction_set = ", "  samples_per_second = ",
                                                   "  weights/dense/kernel float32 (784, 64)\n", "  optimizer/"});
}

TEST_F(CheckpointTool, TellsTheDifferences) {
  train("b", 10, {"--keep", "9"});
  const Outcome equal = tool({"diff", path("a"), path("b")});
  // Only clocks differ.
  EXPECT_EQ(equal.out.find("weights/"), std::string::npos) << equal.out;
  EXPECT_EQ(equal.out.find("optimizer/"), std::string::npos) << equal.out;
  expect_prints(tool({"diff", checkpoint("05"), checkpoint("10")}),
                {"weights/dense/kernel: differs by up to ", "optimizer/", "run.step: 5, 10\n"}, 1);
  expect_prints(tool({"diff", checkpoint("10"), checkpoint("10")}), {"equal bits\n"});
}

TEST_F(CheckpointTool, ExportsArraysAndModels) {
  expect_prints(tool({"export", path("a"), path("all.h5")}), {path("all.h5") + ": written\n"});
  EXPECT_GT(std::filesystem::file_size(path("all.h5")),
            std::filesystem::file_size(checkpoint("10") + "/shard-00000-of-00001.h5") / 2);
  expect_prints(tool({"export", "--keras", checkpoint("10"), path("model.h5")}), {path("model.h5") + ": written\n"});
  const Model model = load_model(path("model.h5"), {.compile = false});
  const std::string expected = train("a", 10, {}).at("weights_xxh64");
  EXPECT_EQ(fmt::format("{:016x}", model.weights_hash()), expected);
}

TEST_F(CheckpointTool, RefusesWhatIsNoCheckpoint) {
  for (const Arguments& arguments : {Arguments{"show", path("none")}, {"export", path("none"), path("x.h5")}}) {
    const Outcome outcome = tool(arguments);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_PRED_FORMAT2(::testing::IsSubstring, path("none") + ": expected a checkpoint, or a directory of them",
                        outcome.err);
  }
  EXPECT_NE(tool({}).status, 0);
}

}  // namespace
}  // namespace strata::testing
