// SPDX-License-Identifier: Apache-2.0
// Runs whose checkpoints cannot be written: an error on every rank, in time, and no good checkpoint is lost.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>

#include "strata/strata.h"
#include "tests/support/expect_error.h"
#include "tests/support/files.h"
#include "tests/support/interrupted_training.h"
#include "tests/support/memory_file_system.h"
#include "tests/support/ranks.h"
#include "tests/support/store_scope.h"

namespace strata {
namespace {

using testing::FaultyFileSystem;
using testing::MemoryFileSystem;
using testing::small_adam;
using testing::small_model;
using testing::small_options;
using testing::SmallResult;
using testing::train_small;

/// Counts the steps that are begun, on all ranks.
struct Count : Callback {
  explicit Count(std::atomic<int>& n) : number(n) {}
  void on_train_batch_begin(Dim) override { ++number; }
  std::atomic<int>& number;
};

class CheckpointFaults : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return directory_.path(name); }
  /// Over three blocks, with a checkpoint every three steps.
  FitOptions options(const std::vector<CallbackRef>& callbacks = {}) const {
    FitOptions all = small_options(callbacks, 3);
    all.checkpoint = {.directory = path("c"), .every_steps = 3, .keep = 1};
    return all;
  }

 private:
  testing::TemporaryDirectory directory_;
};

/// Wherever writing fails, on whichever rank.
TEST_F(CheckpointFaults, AFailedWriteIsAnErrorOnEveryRank) {
  const SmallResult whole = train_small(small_model(small_adam()), small_options({}, 3));
  const auto run = [&] { return train_small(small_model(small_adam()), options()); };
  int failed = 0;
  for (std::size_t at = 0; at < 120; at += 7) {
    SCOPED_TRACE(at);
    MemoryFileSystem files;
    FaultyFileSystem faulty(files, FaultyFileSystem::Fault::torn, at);
    {
      const testing::StoreScope scope(faulty);
      std::atomic<int> errors = 0;
      testing::run_ranks(3, [&](Communicator&) {
        try {
          run();
        } catch (const IoError&) {
          ++errors;
        }
      });
      EXPECT_EQ(errors, faulty.happened() ? 3 : 0);
      failed += errors == 3 ? 1 : 0;
    }
    const testing::StoreScope scope(files);
    testing::run_ranks(2, [&](Communicator&) { EXPECT_EQ(run(), whole); });
  }
  EXPECT_GT(failed, 10);
}

/// Opening a pipe that nobody reads waits for ever, as a file of a server that is gone.
TEST_F(CheckpointFaults, AFileSystemThatHangsIsAnErrorOnEveryRank) {
  const std::string shard = path("c/step-00000003/shard-00001-of-00002.h5.part");
  std::filesystem::create_directories(path("c/step-00000003"));
  ASSERT_EQ(mkfifo(shard.c_str(), 0600), 0);
  std::atomic<int> errors = 0;
  testing::run_ranks(2, [&](Communicator&) {
    FitOptions hanging = options();
    hanging.checkpoint.deadline = 0.5;
    testing::expect_error_with<IoError>([&] { train_small(small_model(small_adam()), hanging); },
                                        "expected the checkpoint of step 3 to be written within 0.5 s");
    ++errors;
  });
  EXPECT_EQ(errors, 2);
  // Lets the thread that was left to itself come to its end; the pipe stays open for it.
  EXPECT_GE(open(shard.c_str(), O_RDONLY | O_NONBLOCK), 0);
}

/// The first one, of step 3, is due again at step 6: no step is begun after that.
TEST_F(CheckpointFaults, AFailedWriteIsAnErrorBeforeTheNextIsDue) {
  for (const int ranks : {1, 3}) {
    int failed = 0;
    for (std::size_t at = 0; at < 45; at += 2) {
      SCOPED_TRACE(at);
      MemoryFileSystem files;
      FaultyFileSystem faulty(files, FaultyFileSystem::Fault::crash, at);
      const testing::StoreScope scope(faulty);
      std::atomic<int> steps = 0;
      testing::run_ranks(ranks, [&](Communicator&) {
        EXPECT_THROW(train_small(small_model(small_adam()), options({Count(steps)})), IoError);
      });
      EXPECT_EQ(steps % ranks, 0);
      // Where nothing was committed it was the first one that failed, or its directory.
      if (steps == 0 || !CheckpointDirectory(files).steps(path("c")).empty()) continue;
      EXPECT_LE(steps, 6 * ranks);
      ++failed;
    }
    EXPECT_GT(failed, 3);
  }
}

TEST_F(CheckpointFaults, DirectoriesThatCannotBeUsedAreSaidBeforeTraining) {
  testing::write_file(path("file"), {1});
  std::atomic<int> steps = 0, failed = 0;
  testing::run_ranks(2, [&](Communicator&) {
    FitOptions in_file = options({Count(steps)});
    in_file.checkpoint.directory = path("file");
    EXPECT_THROW(train_small(small_model(small_adam()), in_file), IoError);
    ++failed;
  });
  EXPECT_EQ(failed, 2);
  EXPECT_EQ(steps, 0);
}

}  // namespace
}  // namespace strata
