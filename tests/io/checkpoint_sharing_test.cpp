// SPDX-License-Identifier: Apache-2.0
// Directories of checkpoints that not all ranks see: what rank 0 finds there counts, and who does not see it is named.
#include <gtest/gtest.h>

#include <filesystem>

#include "io/checkpoint/checkpoint_directory.h"
#include "strata/strata.h"
#include "tests/support/expect_error.h"
#include "tests/support/files.h"
#include "tests/support/interrupted_training.h"
#include "tests/support/ranks.h"
#include "tests/support/store_scope.h"

namespace strata {
namespace {

using testing::expect_error_with;
using testing::small_adam;
using testing::small_model;
using testing::small_options;
using testing::SmallResult;
using testing::train_small;

/// Which rank a thread is; those that write files are of none.
thread_local int own_rank = -1;

/// The disk, of which a rank does not see all.
class PartlySeen final : public FileSystem {
 public:
  using Hides = std::function<bool(int rank, const std::string& path)>;
  explicit PartlySeen(Hides hides) : hides_(std::move(hides)) {}

  std::unique_ptr<OutputFile> create(const std::string& path) override { return disk().create(path); }
  std::uint64_t size(const std::string& path) override {
    require(path);
    return disk().size(path);
  }
  void read(const std::string& path, std::uint64_t offset, std::span<std::byte> to) override {
    require(path);
    disk().read(path, offset, to);
  }
  bool exists(const std::string& path) override { return !hides_(own_rank, path) && disk().exists(path); }
  std::vector<std::string> list(const std::string& directory) override {
    std::vector<std::string> names = disk().list(directory);
    std::erase_if(names, [&](const std::string& name) { return hides_(own_rank, directory + "/" + name); });
    return names;
  }
  void make_directory(const std::string& path) override { disk().make_directory(path); }
  void synchronize_directory(const std::string& path) override { disk().synchronize_directory(path); }
  void rename(const std::string& from, const std::string& to) override { disk().rename(from, to); }
  void remove(const std::string& path) override { disk().remove(path); }

 private:
  void require(const std::string& path) const {
    if (hides_(own_rank, path)) throw IoError(path, "cannot be read: No such file or directory");
  }
  Hides hides_;
};

class CheckpointSharing : public ::testing::Test {
 protected:
  std::string path() const { return directory_.path("c"); }
  /// `most` steps of the run, 0 = all.
  SmallResult train(Dim most = 0) const {
    FitOptions options = small_options({}, 3);
    options.max_steps = most;
    options.checkpoint = {.directory = path(), .every_steps = 2};
    return train_small(small_model(small_adam()), options);
  }
  /// Leaves checkpoints of steps 4 and 6.
  void begin() const {
    testing::run_ranks(3, [&](Communicator&) { train(6); });
    ASSERT_EQ(steps(), (std::vector<std::int64_t>{4, 6}));
  }
  std::vector<std::int64_t> steps() const { return checkpoint_files().steps(path()); }

  /// Calls run(communicator) on each of three ranks, whose views of the disk are these.
  template <class F>
  static void with_views(const PartlySeen::Hides& hides, const F& run) {
    PartlySeen files(hides);
    const testing::StoreScope scope(files);
    testing::run_ranks(3, [&](Communicator& communicator) {
      own_rank = communicator.rank();
      run(communicator);
    });
  }

  /// An error on all ranks that names rank 1, its host, and the directory, by which no checkpoint is lost.
  void expect_refused(const PartlySeen::Hides& hides, const std::string& what) const {
    const std::vector<std::int64_t> before = steps();
    with_views(hides, [&](Communicator& communicator) {
      const std::string rank = communicator.describe(1);
      EXPECT_NE(rank.find("rank 1 (host "), std::string::npos) << rank;
      expect_error_with<IoError>([&] { train(); }, path() + ": " + rank + what);
    });
    EXPECT_EQ(steps(), before);
  }

 private:
  testing::TemporaryDirectory directory_;
};

TEST_F(CheckpointSharing, NewRunsAreWarned) {
  ::testing::internal::CaptureStderr();
  with_views([](int rank, const std::string&) { return rank == 1; }, [&](Communicator&) { train(); });
  EXPECT_PRED_FORMAT2(::testing::IsSubstring, "does not see the checkpoint directory " + path() + " of rank 0",
                      ::testing::internal::GetCapturedStderr());
}

TEST_F(CheckpointSharing, ARankThatDoesNotSeeTheDirectoryIsNamed) {
  begin();
  ::testing::internal::CaptureStderr();
  expect_refused([](int rank, const std::string&) { return rank == 1; }, " does not see it as rank 0 (host ");
  ::testing::internal::GetCapturedStderr();
}

TEST_F(CheckpointSharing, ARankThatDoesNotSeeAFileIsNamed) {
  begin();
  const std::string shard = path() + "/step-00000006/shard-00002-of-00003.h5";
  expect_refused([&](int rank, const std::string& file) { return rank == 1 && file == shard; },
                 " does not see it as rank 0 (host ");
}

TEST_F(CheckpointSharing, ARankThatFindsWhatRank0DoesNotIsNamed) {
  begin();
  expect_refused(
      [](int rank, const std::string& file) { return rank != 1 && file.find("/step-") != std::string::npos; },
      " finds checkpoints of the steps [4, 6] there, rank 0 (host ");
}

TEST_F(CheckpointSharing, ListsThatLagBehindDoNoHarm) {
  const SmallResult whole = train_small(small_model(small_adam()), small_options({}, 3));
  begin();
  // As where a rank's host remembers for a while what a directory held; files are found by their names.
  with_views([](int rank, const std::string& file) { return rank > 0 && file.ends_with("manifest.json"); },
             [&](Communicator&) {
               const SmallResult rest = train();
               EXPECT_EQ(rest.history.resumed_steps, 6);
               EXPECT_EQ(rest, whole);
             });
}

}  // namespace
}  // namespace strata
