// SPDX-License-Identifier: Apache-2.0
// Times reading shuffled batches of pictures from .npy files (28 x 28, which lie in the cache of the system, and 224 x
// 224 x 3) and from a directory of JPEG files, as float32 from 0 to 1, against PyTorch's DataLoader on the same files
// (torch_loader.py), interleaved in one run, each in the fastest of its ways; then the share of training steps of
// toy_resnet that is spent waiting for augmented samples. Verifies first that an epoch holds every sample once.
// Usage: loader_step [--rounds N] [--torch PYTHON SCRIPT] [--json FILE]
#include <fmt/format.h>
#include <strata/strata.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "core/training/batch_loader.h"
#include "io/npy_header.h"
#include "support/child.h"
#include "support/driver.h"
#include "support/statistics.h"
#include "support/workloads.h"

using namespace strata;

namespace {

using benchmarks::median;

constexpr Dim kBatch = 64;

struct Options {
  int rounds = 7;
  int threads = 1;
  std::vector<std::string> torch;
};

/// A directory of files, removed at the end.
class Files {
 public:
  Files() : path_(std::filesystem::temp_directory_path() / fmt::format("loader_step_{}", getpid())) {
    std::filesystem::create_directory(path_);
  }
  ~Files() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;

  std::string write(const std::string& name, const Shape& shape) const {
    const std::string path = path_ / name;
    std::ofstream file(path, std::ios::binary);
    file << npy_header({shape, Dtype::uint8});
    std::mt19937_64 random(1);
    std::vector<std::uint64_t> row(static_cast<std::size_t>(shape.slice(1, shape.rank()).elements() / 8));
    for (Dim i = 0; i < shape[0]; ++i) {
      for (std::uint64_t& word : row) word = random();
      file.write(reinterpret_cast<const char*>(row.data()), static_cast<std::streamsize>(row.size() * 8));
    }
    if (!file) throw std::runtime_error("cannot write " + path);
    return path;
  }

  /// A directory of JPEG files, which the other side writes.
  std::string make_pictures(std::vector<std::string> command) const {
    command.insert(command.end(), {"--make", path_ / "pictures"});
    benchmarks::Child(command).expect("made");
    return path_ / "pictures";
  }

 private:
  std::filesystem::path path_;
};

/// Epochs of a dataset, one batch after the other.
class Reader {
 public:
  Reader(const Dataset& data, int threads)
      : source_(data.map(transforms::normalize({.scale = 1 / 255.0})).source()),
        plan_{source_->rows(), kBatch, source_->rows() / kBatch, 1, 1, 0, 1 << 20},
        loader_(source_, SampleOrder(plan_.rows, kBatch, true, source_->chunks(), 1), plan_, {.threads = threads}) {}

  /// Samples a second.
  double run(Dim batches) {
    const auto start = std::chrono::steady_clock::now();
    for (Dim i = 0; i < batches; ++i) next();
    return static_cast<double>(batches * kBatch) /
           std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  /// The mean of all numbers of an epoch.
  double mean_of_epoch() {
    double sum = 0;
    for (Dim step = 0; step < plan_.steps; ++step) {
      const HostArray& x = next();
      const auto count = kBatch * x.row_shape().elements();
      const auto* values = reinterpret_cast<const float*>(x.row(0));
      for (Dim i = 0; i < count; ++i) sum += values[i];
    }
    return sum / static_cast<double>(plan_.steps * kBatch * source_->specs().x[0].row.shape.elements());
  }

 private:
  const HostArray& next() {
    const auto arrays = loader_.load(batch_ / plan_.steps, batch_ % plan_.steps);
    ++batch_;
    return arrays[0];
  }
  SampleSourceRef source_;
  BatchPlan plan_;
  BatchLoader loader_;
  Dim batch_ = 0;
};

/// What is read, and how many batches a round.
struct Case {
  std::string what;
  std::string path;
  Dataset data;
  Dim batches;
  double tolerance;  // of the mean of all numbers: TensorFlow and Strata decode JPEG with fewer bits than Pillow
};

/// With the number of threads that reads fastest; none of them is a way as well.
std::unique_ptr<Reader> fastest_reader(const Case& work, int& threads) {
  std::unique_ptr<Reader> fastest;
  double best = 0;
  for (int count = 0; count <= 2; ++count) {
    auto reader = std::make_unique<Reader>(work.data, count);
    reader->run(2);
    const double speed = reader->run(work.batches);
    if (speed < best) continue;
    best = speed;
    threads = count;
    fastest = std::move(reader);
  }
  return fastest;
}

nlohmann::ordered_json compare(const Options& options, const Case& work) {
  const auto& [what, path, data, batches, tolerance] = work;
  std::unique_ptr<benchmarks::Child> torch;
  const double mean = Reader(data, 1).mean_of_epoch();
  if (!options.torch.empty()) {
    auto command = options.torch;
    command.push_back(path);
    torch = std::make_unique<benchmarks::Child>(command);
    torch->expect("ready");
    const double theirs = nlohmann::json::parse(torch->ask("info")).at("mean");
    if (std::abs(theirs - mean) > tolerance) {
      throw std::runtime_error(fmt::format("the epochs differ: their means are {} and {}", mean, theirs));
    }
  }
  int threads = 0;
  const auto reader = fastest_reader(work, threads);
  std::vector<double> ours, theirs, ratio;
  for (int round = 0; round < options.rounds; ++round) {
    ours.push_back(reader->run(batches));
    if (!torch) continue;
    theirs.push_back(static_cast<double>(batches * kBatch) / std::stod(torch->ask(fmt::format("run {}", batches))));
    ratio.push_back(ours.back() / theirs.back());
  }
  fmt::print("{:<18}{:>9.0f} samples/s ({} threads)", what, median(ours), threads);
  nlohmann::ordered_json json{{"samples", what}, {"strata_per_second", median(ours)}, {"strata_threads", threads}};
  if (torch) {
    const auto info = nlohmann::json::parse(torch->ask("info"));
    fmt::print(", PyTorch's DataLoader ({}) {:.0f}: {:.2f} times (target: at least 1)",
               info.at("way").get<std::string>(), median(theirs), median(ratio));
    json["torch_per_second"] = median(theirs);
    json["torch_way"] = info.at("way");
    json["strata_over_torch"] = median(ratio);
  }
  fmt::print("\n");
  return json;
}

/// Of steps after the first.
double waiting_share(const std::string& path, int threads) {
  const benchmarks::Workload work = benchmarks::make_workload("toy_resnet");
  Model model = work.model();
  model.compile(work.compile);
  const Dim steps = 40, rows = work.batch * steps;
  const Dataset labels = Dataset::from_tensor_slices(ops::zeros({rows}, Dtype::int64));
  const Dataset images = loaders::npy(path)
                             .map(transforms::random_crop({.height = 32, .width = 32, .padding = 4}))
                             .map(transforms::random_flip("horizontal"))
                             .map(transforms::normalize({.scale = 1 / 255.0}));
  const History history = model.fit(
      Dataset::zip(images, labels).shuffle().batch(work.batch).prefetch({.threads = threads}), {.verbose = 0});
  const double share = history.data_seconds / history.training_seconds;
  fmt::print("toy_resnet on augmented samples, {} threads that read: {:.2f} ms a step, {:.2f} % of it waiting\n",
             threads, 1e3 * history.training_seconds / static_cast<double>(steps - 1), 100 * share);
  return share;
}

nlohmann::ordered_json run(const Options& options) {
  const Files files;
  nlohmann::ordered_json json{{"threads", options.threads}};
  const std::string small = files.write("small.npy", {60032, 28, 28});
  const std::string large = files.write("large.npy", {640, 224, 224, 3});
  json["loaders"] = {compare(options, {"28x28", small, loaders::npy(small), 900, 1e-6}),
                     compare(options, {"224x224x3", large, loaders::npy(large), 20, 1e-6})};
  if (!options.torch.empty()) {  // PyTorch's environment has what writes them
    const std::string pictures = files.make_pictures(options.torch);
    const Dataset data =
        loaders::image_dataset_from_directory(pictures, {.labels = "none", .height = 224, .width = 224});
    json["loaders"].push_back(compare(options, {"224x224x3 JPEG", pictures, data, 10, 5e-3}));
  }
  const std::string cifar = files.write("cifar.npy", {128 * 40, 32, 32, 3});
  json["toy_resnet_waiting"] = waiting_share(cifar, options.threads);
  json["toy_resnet_waiting_without_prefetch"] = waiting_share(cifar, 0);
  return json;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  const auto add_options = [&](CLI::App& app) {
    app.add_option("--rounds", options.rounds, "Interleaved rounds; medians are taken over them");
    app.add_option("--threads", options.threads, "Threads that read for toy_resnet");
    app.add_option("--torch", options.torch,
                   "The Python of an environment with PyTorch, and the path of torch_loader.py")
        ->expected(2);
  };
  return benchmarks::drive(
      argc, argv, {"loader_step", "Times reading batches of samples.", add_options, [&] { return run(options); }});
}
