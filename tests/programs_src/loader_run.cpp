// SPDX-License-Identifier: Apache-2.0
// loader_run FILE BLOCKS EPOCHS BATCH THREADS: trains a small model on the pictures "images" and "labels" of an HDF5
// file, alone or under mpirun. Every rank prints the hash of its weights, the samples it read, the bytes of them, the
// largest memory it had in kB, and the bytes that the system read for it. Run by tests/programs/loaders_test.cpp and
// tests/lab/large_data.sh.
#include <sys/resource.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "strata/strata.h"

namespace {

using namespace strata;

/// Counts the samples that are read from another source.
class Counted final : public DerivedSource {
 public:
  using DerivedSource::DerivedSource;
  void read(std::span<const SampleRef> samples, std::span<std::byte* const> to) const override {
    source_->read(samples, to);
    count += static_cast<long long>(samples.size());
    for (const SampleRef& sample : samples) sum += sample.row * 1000003 + sample.index;
  }
  mutable std::atomic<long long> count{0}, sum{0};
};

long long system_bytes() {
  std::ifstream io("/proc/self/io");
  std::string name;
  long long value = 0;
  io >> name >> value;  // rchar
  return value;
}

void run(const std::string& path, Dim blocks, int epochs, Dim batch, int threads) {
  const auto source =
      std::make_shared<Counted>(loaders::hdf5({path}, {.x = {"images"}, .y = {"labels"}, .cache_mb = 64}).source());
  const Shape image = source->specs().x[0].row.shape;
  const Tensor input = Input({image[0], image[1], image[2]});
  Model model(input, layers::Dense(10)(layers::GlobalAveragePooling2D()(input)));
  model.compile({.optimizer = "sgd", .loss = losses::SparseCategoricalCrossentropy({.from_logits = true})});
  const long long before = system_bytes();
  const History history = model.fit(Dataset::from_source(source).shuffle().batch(batch).prefetch({.threads = threads}),
                                    {.epochs = epochs, .verbose = 0, .blocks = blocks});
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("hash %016llx samples %lld sum %lld bytes %lld memory %ld system %lld seconds %.3f waiting %.3f\n",
              static_cast<unsigned long long>(model.weights_hash()), source->count.load(), source->sum.load(),
              static_cast<long long>(source->bytes_read()), usage.ru_maxrss, system_bytes() - before,
              history.training_seconds, history.data_seconds);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: %s FILE BLOCKS EPOCHS BATCH THREADS\n", argv[0]);
    return 2;
  }
  try {
    run(argv[1], std::atoll(argv[2]), std::atoi(argv[3]), std::atoll(argv[4]), std::atoi(argv[5]));
    strata::shutdown_world(false);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  strata::shutdown_world(true);
  return 1;
}
