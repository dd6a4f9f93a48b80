// SPDX-License-Identifier: Apache-2.0
// Runs of the example mnist_mlp, or of another on MNIST.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/process.h"

namespace strata::testing {

using Arguments = std::vector<std::string>;

/// Writes MNIST's four files with `train` and `test` images: for each class a pattern of its own under noise, so that
/// a model learns them in a few steps.
void write_digits(const TemporaryDirectory& directory, std::uint32_t train, std::uint32_t test);

/// A test with 1,000 training and 200 test images in a directory of its own.
class MnistMlpTest : public ::testing::Test {
 protected:
  /// mnist_mlp.
  MnistMlpTest();
  /// The example at this path.
  explicit MnistMlpTest(std::string program) : program_(std::move(program)) {}
  void SetUp() override;

  const TemporaryDirectory& directory() const { return directory_; }
  std::string path(const std::string& name) const { return directory_.path(name); }

  /// The example alone on these images.
  Outcome alone(const Arguments& options, std::chrono::seconds limit = std::chrono::seconds(60)) const;
  MpiOutcome on_ranks(int ranks, const Arguments& options, std::chrono::seconds limit = std::chrono::seconds(60)) const;
  /// The JSON report of a silent run that must succeed; 1 rank is run without mpirun. `threads` of each rank.
  nlohmann::json report(int ranks, Arguments options, int threads = 1) const;

 private:
  Command command(const Arguments& options, int threads, std::chrono::seconds limit) const;

  std::string program_;
  TemporaryDirectory directory_;
};

}  // namespace strata::testing
