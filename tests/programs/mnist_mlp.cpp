// SPDX-License-Identifier: Apache-2.0
#include "tests/programs/mnist_mlp.h"

#include <algorithm>
#include <filesystem>
#include <random>
#include <stdexcept>

namespace strata::testing {
namespace {

constexpr std::uint32_t kSide = 28;
constexpr std::uint32_t kPixels = kSide * kSide;
constexpr std::uint32_t kClasses = 10;

// Class c lights the rows from 2c to 2c + 7.
unsigned char pixel(std::uint32_t label, std::uint32_t at, std::mt19937& random) {
  const std::uint32_t row = at / kSide;
  const bool lit = row >= 2 * label && row < 2 * label + 8;
  return static_cast<unsigned char>((lit ? 100 : 0) + random() % 156);
}

void write_part(const TemporaryDirectory& directory, const std::string& prefix, std::uint32_t count) {
  std::mt19937 random(count);
  Bytes images, labels;
  images.reserve(std::size_t{count} * kPixels);
  for (std::uint32_t i = 0; i < count; ++i) {
    labels.push_back(static_cast<unsigned char>(random() % kClasses));
    for (std::uint32_t at = 0; at < kPixels; ++at) images.push_back(pixel(labels.back(), at, random));
  }
  write_file(directory.path(prefix + "-images-idx3-ubyte"), idx(8, {count, kSide, kSide}, images));
  write_file(directory.path(prefix + "-labels-idx1-ubyte"), idx(8, {count}, labels));
}

}  // namespace

void write_digits(const TemporaryDirectory& directory, std::uint32_t train, std::uint32_t test) {
  write_part(directory, "train", train);
  write_part(directory, "t10k", test);
}

MnistMlpTest::MnistMlpTest() : MnistMlpTest(STRATA_MNIST_MLP) {}

void MnistMlpTest::SetUp() { write_digits(directory_, 1000, 200); }

Command MnistMlpTest::command(const Arguments& options, int threads, std::chrono::seconds limit) const {
  Command command{{program_}, {{"OMP_NUM_THREADS", std::to_string(threads)}}, limit};
  command.arguments.insert(command.arguments.end(), options.begin(), options.end());
  const bool own_data = std::find(options.begin(), options.end(), "--data") != options.end();
  if (!own_data) command.arguments.insert(command.arguments.end(), {"--data", directory_.path()});
  return command;
}

Outcome MnistMlpTest::alone(const Arguments& options, std::chrono::seconds limit) const {
  return run_process(command(options, 1, limit));
}

MpiOutcome MnistMlpTest::on_ranks(int ranks, const Arguments& options, std::chrono::seconds limit) const {
  return run_mpi(ranks, command(options, 1, limit));
}

nlohmann::json MnistMlpTest::report(int ranks, Arguments options, int threads) const {
  const std::string file = path("report.json");
  options.insert(options.end(), {"--verbose", "0", "--json", file});
  const Command run = command(options, threads, std::chrono::seconds(60));
  bool succeeded = false;
  std::string text;
  if (ranks == 1) {
    const Outcome outcome = run_process(run);
    succeeded = outcome.succeeded();
    text = outcome.text();
  } else {
    const MpiOutcome outcome = run_mpi(ranks, run);
    succeeded = outcome.succeeded();
    text = outcome.text();
  }
  if (!succeeded) throw std::runtime_error(program_ + " on " + std::to_string(ranks) + " ranks " + text);
  auto json = nlohmann::json::parse(read_text(file));
  std::filesystem::remove(file);
  return json;
}

}  // namespace strata::testing
