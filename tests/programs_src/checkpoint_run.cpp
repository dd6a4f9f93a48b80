// SPDX-License-Identifier: Apache-2.0
// checkpoint_run DIRECTORY PIXELS [RANK WHEN NUMBER]: trains a small residual network on pictures of so many pixels for
// 60 steps, alone or under mpirun, with a checkpoint every 7 steps and 4 blocks; prints what fit does, and last the
// hash of its weights, that of its history and the seconds of training. SIGTERM makes it save and exit with 85. Rank
// RANK (-1 = every rank) kills itself
//   WHEN = time: NUMBER microseconds after its training began
//   WHEN = before, after: around its file operation NUMBER (0, 1, ...) of checkpoints that changes something on the
//   disk
// or sends itself SIGTERM
//   WHEN = told: NUMBER microseconds after its training began
// Run by tests/programs/checkpoint_kills_test.cpp and tests/lab/checkpoint_kills.sh.
#include <signal.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "io/checkpoint/checkpoint_directory.h"
#include "strata/strata.h"

namespace {

using namespace strata;

struct End {
  int rank = -2;
  std::string when = {};
  long number = 0;

  bool is_of(int some) const { return rank == some || rank == -1; }
};

/// The disk, until the process dies at an operation.
class DeadlyDisk final : public FileSystem {
 public:
  DeadlyDisk(const End& end, int rank) : end_(end), mine_(end.is_of(rank)) {}

  std::unique_ptr<OutputFile> create(const std::string& path) override {
    std::unique_ptr<OutputFile> file;
    act([&] { file = disk().create(path); });
    return std::make_unique<File>(*this, std::move(file));
  }
  std::uint64_t size(const std::string& path) override { return disk().size(path); }
  void read(const std::string& path, std::uint64_t offset, std::span<std::byte> to) override {
    disk().read(path, offset, to);
  }
  bool exists(const std::string& path) override { return disk().exists(path); }
  std::vector<std::string> list(const std::string& directory) override { return disk().list(directory); }
  void make_directory(const std::string& path) override {
    act([&] { disk().make_directory(path); });
  }
  void synchronize_directory(const std::string& path) override {
    act([&] { disk().synchronize_directory(path); });
  }
  void rename(const std::string& from, const std::string& to) override {
    act([&] { disk().rename(from, to); });
  }
  void remove(const std::string& path) override {
    act([&] { disk().remove(path); });
  }

 private:
  class File final : public OutputFile {
   public:
    File(DeadlyDisk& owner, std::unique_ptr<OutputFile> file) : owner_(owner), file_(std::move(file)) {}
    void append(std::span<const std::byte> bytes) override {
      owner_.act([&] { file_->append(bytes); });
    }
    void synchronize() override {
      owner_.act([&] { file_->synchronize(); });
    }
    void close() override {
      owner_.act([&] { file_->close(); });
    }

   private:
    DeadlyDisk& owner_;
    std::unique_ptr<OutputFile> file_;
  };

  template <class F>
  void act(const F& operation) {
    const bool last = mine_ && operations_++ == end_.number;
    if (last && end_.when == "before") raise(SIGKILL);
    operation();
    if (last && end_.when == "after") raise(SIGKILL);
  }

  End end_;
  bool mine_;
  std::atomic<long> operations_ = 0;
};

struct Signal : Callback {
  explicit Signal(End e) : end(std::move(e)) {}
  void on_train_begin() override {
    if (!end.is_of(parameters().rank) || (end.when != "time" && end.when != "told")) return;
    std::thread([end = end] {
      std::this_thread::sleep_for(std::chrono::microseconds(end.number));
      if (end.when == "time") raise(SIGKILL);
      else kill(getpid(), SIGTERM);
    }).detach();
  }
  End end;
};

Tensor block(const Tensor& x) {
  Tensor y = layers::Conv2D(16, 3, {.padding = "same", .activation = "relu"})(x);
  y = layers::BatchNormalization()(layers::Conv2D(16, 3, {.padding = "same"})(y));
  return layers::Activation("relu")(layers::Add()(std::vector<Tensor>{x, y}));
}

Model made_model(Dim pixels) {
  const Tensor input = Input({pixels, pixels, 3});
  Tensor x = layers::Conv2D(16, 3, {.padding = "same", .activation = "relu"})(input);
  x = block(block(x));
  x = layers::Dropout(0.2)(layers::GlobalAveragePooling2D()(x));
  Model model(input, layers::Dense(10)(x));
  model.compile({.optimizer = optimizers::Adam({.learning_rate = 0.003}),
                 .loss = losses::SparseCategoricalCrossentropy({.from_logits = true}),
                 .metrics = {"accuracy"}});
  return model;
}

Tensor pictures(Dim count, Dim pixels) {
  std::vector<float> all(static_cast<std::size_t>(count * pixels * pixels * 3));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<float>(i * 31 % 997) / 500.0F - 1.0F;
  return constant(all, {count, pixels, pixels, 3});
}

Tensor labels(Dim count) {
  std::vector<std::int32_t> all(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int32_t>(i * i % 10);
  return constant(all, {count});
}

std::uint64_t hash_of(const History& history) {
  std::uint64_t hash = 0;
  for (const auto& [name, values] : history.history) {
    for (const double value : values) hash = hash * 1099511628211U + std::hash<double>{}(value);
  }
  return hash;
}

void train(const std::string& directory, Dim pixels, const End& end) {
  static DeadlyDisk deadly(end, Session::current().communicator().rank());
  static const CheckpointDirectory store(deadly);
  set_checkpoint_store(&store);
  preempt_on_signals();
  Model model = made_model(pixels);
  const Tensor x = pictures(220, pixels), y = labels(220);
  const History history = model.fit(
      x, y,
      {.batch_size = 20,
       .epochs = 6,
       .verbose = 2,
       .callbacks = {callbacks::ReduceLROnPlateau({.monitor = "loss", .factor = 0.7, .patience = 1}), Signal(end)},
       .max_steps = 60,
       .blocks = 4,
       .checkpoint = {.directory = directory, .every_steps = 7}});
  if (Session::current().communicator().rank() != 0) return;
  std::printf("%016llx %016llx %.6f\n", static_cast<unsigned long long>(model.weights_hash()),
              static_cast<unsigned long long>(hash_of(history)), history.training_seconds);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 6) {
    std::fprintf(stderr, "usage: %s DIRECTORY PIXELS [RANK time|before|after|told NUMBER]\n", argv[0]);
    return 2;
  }
  try {
    const End end = argc == 6 ? End{std::atoi(argv[3]), argv[4], std::atol(argv[5])} : End{};
    train(argv[1], std::atoi(argv[2]), end);
    std::fflush(stdout);
    shutdown_world(false);
    return 0;
  } catch (const Preempted& told) {
    std::fprintf(stderr, "%s\n", told.what());
    shutdown_world(false);
    return kPreemptedExitCode;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  shutdown_world(true);
  return 1;
}
