// SPDX-License-Identifier: Apache-2.0
// The files of checkpoints on disks that fail, crash, and change what was written: never a wrong checkpoint, never a
// lost good one.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "core/base/error.h"
#include "core/program/blocks.h"
#include "io/checkpoint/checkpoint_directory.h"
#include "io/checkpoint/checksum.h"
#include "io/checkpoint/manifest.h"
#include "tests/support/expect_error.h"
#include "tests/support/memory_file_system.h"

namespace strata {
namespace {

using testing::expect_error_with;
using testing::FaultyFileSystem;
using testing::MemoryFileSystem;
using Fault = FaultyFileSystem::Fault;

const std::string kDirectory = "runs/c";
constexpr int kRanks = 2;

/// Element i of tensor t in the checkpoint of a step.
float value(std::int64_t step, std::size_t tensor, Dim i) {
  return static_cast<float>(step * 1000 + static_cast<std::int64_t>(tensor) * 100 + i);
}

std::vector<StateTensor> tensors() {
  return {{"weights/a/kernel", {{3, 5}, Dtype::float32}},
          {"weights/a/none", {{0, 5}, Dtype::float32}},
          {"weights/b", {{}, Dtype::float32}},
          {"weights/c/half", {{7}, Dtype::bfloat16}},
          {"optimizer/d", {{40}, Dtype::float32}}};
}

Tensor state(std::int64_t step, std::size_t tensor) {
  const TensorSpec spec = tensors()[tensor].spec;
  std::vector<float> values;
  for (Dim i = 0; i < spec.shape.elements(); ++i) values.push_back(value(step, tensor, i));
  if (spec.dtype == Dtype::float32) return constant(values, spec.shape);
  std::vector<std::uint16_t> halves;
  for (const float v : values) halves.push_back(static_cast<std::uint16_t>(v));
  return constant_bytes(halves.data(), halves.size() * 2, spec);
}

/// What a rank writes: its half of everything.
std::vector<StatePart> parts(const std::vector<Tensor>& all, int rank) {
  std::vector<StatePart> mine;
  for (std::size_t t = 0; t < all.size(); ++t) {
    const IndexRange own = even_part(all[t].shape().elements(), kRanks, rank);
    Buffer from = all[t].eval();
    from.offset += static_cast<std::size_t>(own.first) * size_of(all[t].dtype());
    if (own.size() > 0) mine.push_back({t, own.first, own.size(), from});
  }
  return mine;
}

void save(FileSystem& files, std::int64_t step, int keep = 2) {
  const CheckpointDirectory store(files);
  std::vector<Tensor> all;
  for (std::size_t t = 0; t < tensors().size(); ++t) all.push_back(state(step, t));
  std::vector<Config> shards;
  for (int rank = 0; rank < kRanks; ++rank) {
    const auto shard = store.make_shard();
    shard->copy(tensors(), parts(all, rank));
    shards.push_back(shard->write(kDirectory, step, rank, kRanks));
  }
  store.commit(kDirectory, step, Config::object({{"saved", step}}), tensors(), shards, keep);
}

/// Reads all of it as a run would. Throws an Error when it is not what it should be.
std::vector<Tensor> load(FileSystem& files, std::int64_t step) {
  const CheckpointDirectory store(files);
  const auto saved = store.open(kDirectory, step, store.manifest(kDirectory, step));
  std::vector<Tensor> all = saved->read_all(std::vector<bool>(saved->tensors().size(), true));
  EXPECT_EQ(saved->description(), Config::object({{"saved", step}}));
  EXPECT_EQ(saved->tensors(), tensors());
  return all;
}

std::string bytes_of(const Tensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.eval().data()), tensor.spec().bytes()};
}

void expect_right(const std::vector<Tensor>& all, std::int64_t step) {
  for (std::size_t t = 0; t < all.size(); ++t) EXPECT_EQ(bytes_of(all[t]), bytes_of(state(step, t))) << t;
}

/// The newest checkpoint that can be read; 0 when there is none. Whatever can be read is right.
std::int64_t newest(FileSystem& files) {
  const std::vector<std::int64_t> steps = CheckpointDirectory(files).steps(kDirectory);
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    try {
      expect_right(load(files, *step), *step);
      return *step;
    } catch (const IoError&) {
      // The one before, then.
    }
  }
  return 0;
}

TEST(CheckpointsOnDisk, HaveWhatWasSaved) {
  MemoryFileSystem files;
  for (const std::int64_t step : {3, 5, 123456789}) {
    save(files, step);
    expect_right(load(files, step), step);
  }
  EXPECT_EQ(CheckpointDirectory(files).steps(kDirectory), (std::vector<std::int64_t>{5, 123456789}));
  EXPECT_TRUE(files.exists(kDirectory + "/step-123456789/shard-00001-of-00002.h5"));
}

/// Notes which bytes of which file are read.
class NotedReads final : public FileSystem {
 public:
  explicit NotedReads(FileSystem& files) : files_(files) {}
  void read(const std::string& path, std::uint64_t offset, std::span<std::byte> to) override {
    EXPECT_EQ(offset, bytes[path]) << path;  // where the read before ended
    bytes[path] = offset + to.size();
    files_.read(path, offset, to);
  }
  std::unique_ptr<OutputFile> create(const std::string& path) override { return files_.create(path); }
  std::uint64_t size(const std::string& path) override { return files_.size(path); }
  bool exists(const std::string& path) override { return files_.exists(path); }
  std::vector<std::string> list(const std::string& directory) override { return files_.list(directory); }
  void make_directory(const std::string& path) override { files_.make_directory(path); }
  void synchronize_directory(const std::string& path) override { files_.synchronize_directory(path); }
  void rename(const std::string& from, const std::string& to) override { files_.rename(from, to); }
  void remove(const std::string& path) override { files_.remove(path); }

  std::map<std::string, std::uint64_t> bytes;

 private:
  FileSystem& files_;
};

TEST(CheckpointsOnDisk, AreReadOnce) {
  MemoryFileSystem files;
  save(files, 3);
  NotedReads noted(files);
  expect_right(load(noted, 3), 3);
  EXPECT_EQ(noted.bytes.size(), kRanks + 1u);
  for (const auto& [path, bytes] : noted.bytes) EXPECT_EQ(bytes, files.size(path)) << path;
}

TEST(CheckpointsOnDisk, OnlyWhatIsWantedIsKept) {
  MemoryFileSystem files;
  save(files, 3);
  const CheckpointDirectory store(files);
  const auto saved = store.open(kDirectory, 3, store.manifest(kDirectory, 3));
  const std::vector<Tensor> some = saved->read_all({false, false, true, false, true});
  EXPECT_EQ(bytes_of(some[2]), bytes_of(state(3, 2)));
  EXPECT_EQ(bytes_of(some[4]), bytes_of(state(3, 4)));
  EXPECT_FALSE(some[0] || some[1] || some[3]);
  for (std::size_t t = 0; t < tensors().size(); ++t) EXPECT_EQ(bytes_of(saved->read(t)), bytes_of(state(3, t)));
}

TEST(CheckpointsOnDisk, OfUnfinishedOnesThoseThatAreOlderGo) {
  MemoryFileSystem files;
  const auto begin = [&](std::int64_t step) {
    files.make_directory(checkpoint_path(kDirectory, step));
    files.create(checkpoint_path(kDirectory, step) + "/shard-00000-of-00002.h5");
  };
  save(files, 5, 2);
  begin(3);
  begin(6);
  begin(9);
  save(files, 7, 2);
  EXPECT_EQ(files.list(kDirectory), (std::vector<std::string>{"step-00000005", "step-00000007", "step-00000009"}));
}

TEST(CheckpointsOnDisk, EqualStatesAreEqualFiles) {
  MemoryFileSystem a, b;
  save(a, 3);
  save(b, 3);
  EXPECT_EQ(a.contents(), b.contents());
}

TEST(CheckpointsOnDisk, NamesOfOtherThingsAreNoCheckpoints) {
  for (const char* name : {"step-1", "step-0000000x", "step-00000001.damaged", "step-000000001", "other", "step-"}) {
    EXPECT_EQ(step_of_name(name), std::nullopt) << name;
  }
  EXPECT_EQ(step_of_name("step-00000042"), 42);
  EXPECT_EQ(step_of_name("step-1234567890"), 1234567890);
}

/// Each operation of writing step 2 fails in turn, in each way: what was there stays, and step 2 is whole or no
/// checkpoint.
TEST(CheckpointsOnDisk, NoFaultInWritingLosesTheOneBefore) {
  for (const Fault fault : {Fault::error, Fault::torn, Fault::crash}) {
    std::size_t at = 0;
    int whole = 0, kept = 0;
    for (bool happened = true; happened; ++at) {
      SCOPED_TRACE(at);
      MemoryFileSystem files;
      save(files, 1, 1);
      FaultyFileSystem faulty(files, fault, at);
      try {
        save(faulty, 2, 1);
        EXPECT_FALSE(faulty.happened());
      } catch (const IoError& error) {
        EXPECT_NE(error.path().find(kDirectory), std::string::npos) << error.what();
      }
      happened = faulty.happened();
      const std::int64_t last = newest(files);
      EXPECT_GE(last, 1);
      (last == 2 ? whole : kept) += 1;
      save(files, 3, 1);  // the disk works again
      EXPECT_EQ(newest(files), 3);
      EXPECT_EQ(files.list(kDirectory), (std::vector<std::string>{"step-00000003"}));
      EXPECT_EQ(files.list(kDirectory + "/step-00000003").size(), kRanks + 1u);
    }
    EXPECT_GT(at, 20u);
    EXPECT_GT(kept, 15);
    EXPECT_GT(whole, 1);
  }
}

TEST(CheckpointsOnDisk, NoFaultInReadingGoesUnseen) {
  MemoryFileSystem files;
  save(files, 1);
  for (const Fault fault : {Fault::error, Fault::torn}) {
    for (std::size_t at = 0;; ++at) {
      FaultyFileSystem faulty(files, fault, at);
      try {
        expect_right(load(faulty, 1), 1);
        EXPECT_FALSE(faulty.happened());
        EXPECT_GT(at, 10u);
        break;
      } catch (const IoError& error) {
        EXPECT_TRUE(faulty.happened()) << error.what();
      }
    }
  }
}

/// The disk after a crash at every operation of a run of several checkpoints: of what was not synchronised nothing,
/// everything, or anything has happened.
int states_with_lost_checkpoints(const std::function<void(MemoryFileSystem&)>& prepare) {
  MemoryFileSystem files;
  prepare(files);
  std::vector<std::pair<std::size_t, std::int64_t>> complete{{0, 0}};  // after so many operations, the newest
  for (const std::int64_t step : {1, 2, 3, 4}) {
    save(files, step, 2);
    complete.emplace_back(files.operations(), step);
  }
  std::mt19937 random(7);
  int lost = 0;
  for (std::size_t count = 0; count <= files.operations(); ++count) {
    std::int64_t expected = 0;
    for (const auto& [operations, step] : complete) expected = operations <= count ? step : expected;
    for (int variant = 0; variant < 12; ++variant) {
      const auto happens = [&] { return variant == 0 ? false : variant == 1 ? true : random() % 2 == 0; };
      lost += newest(*files.after_crash(count, happens)) < expected ? 1 : 0;
    }
  }
  return lost;
}

TEST(CheckpointsOnDisk, NoCrashLosesACompleteOne) {
  EXPECT_EQ(states_with_lost_checkpoints([](MemoryFileSystem&) {}), 0);
}

TEST(CheckpointsOnDisk, ACrashWouldLoseOneWithoutSynchronization) {
  EXPECT_GT(states_with_lost_checkpoints([](MemoryFileSystem& f) { f.ignore_directory_synchronization(); }), 0);
  EXPECT_GT(states_with_lost_checkpoints([](MemoryFileSystem& f) { f.ignore_file_synchronization(); }), 0);
}

TEST(CheckpointsOnDisk, EveryCorruptionOfAByteIsSeen) {
  MemoryFileSystem files;
  save(files, 1);
  const auto contents = files.contents();
  std::vector<std::string> paths;
  for (const auto& [path, content] : contents) paths.push_back(path);
  std::mt19937 random(11);
  int unseen = 0;
  for (int i = 0; i < 10000; ++i) {
    const std::string& path = paths[random() % paths.size()];
    std::string content = contents.at(path);
    content[random() % content.size()] ^= static_cast<char>(1 + random() % 255);
    files.set_content(path, content);
    try {
      load(files, 1);
      ++unseen;
    } catch (const IoError& error) {
      EXPECT_EQ(error.path(), path);
    }
    files.set_content(path, contents.at(path));
  }
  EXPECT_EQ(unseen, 0);
  expect_right(load(files, 1), 1);
}

/// A bit of every array, wherever its parts are.
TEST(CheckpointsOnDisk, ADamagedArrayIsNamed) {
  MemoryFileSystem files;
  save(files, 1);
  const std::string path = kDirectory + "/step-00000001/manifest.json";
  const Manifest manifest = read_manifest(path, files.contents().at(path));
  int arrays = 0;
  for (const ManifestShard& shard : manifest.shards) {
    const std::string file = kDirectory + "/step-00000001/" + shard.file, whole = files.contents().at(file);
    for (const ManifestPiece& piece : shard.pieces) {
      std::string damaged = whole;
      damaged[piece.offset] ^= 4;
      files.set_content(file, damaged);
      const std::string expected = file + ": the array " + piece.array + " is damaged";
      expect_error_with<IoError>([&] { load(files, 1); }, expected);
      const CheckpointDirectory store(files);
      const auto saved = store.open(kDirectory, 1, store.manifest(kDirectory, 1));
      expect_error_with<IoError>([&] { saved->read(piece.tensor); }, expected);
      expect_error_with<IoError>([&] { saved->verify_shard(static_cast<int>(&shard - &manifest.shards[0])); },
                                 expected);
      ++arrays;
    }
    files.set_content(file, whole);
  }
  EXPECT_EQ(arrays, 7);
}

TEST(CheckpointsOnDisk, EveryTruncationOfAManifestIsSeen) {
  MemoryFileSystem files;
  save(files, 1);
  const std::string path = kDirectory + "/step-00000001/manifest.json", whole = files.contents().at(path);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    files.set_content(path, whole.substr(0, size));
    EXPECT_THROW(load(files, 1), IoError);
  }
  files.set_content(path, whole + "\n");
  EXPECT_THROW(load(files, 1), IoError);
}

TEST(CheckpointsOnDisk, OfALaterVersionAreRefused) {
  MemoryFileSystem files;
  save(files, 1);
  const std::string path = kDirectory + "/step-00000001/manifest.json";
  std::string text = files.contents().at(path);
  const std::string now = "\"version\": 1", later = "\"version\": 2", before_checksum = ", \"xxh3\": \"";
  text.replace(text.find(now), now.size(), later);
  text.resize(text.rfind(before_checksum));
  text += before_checksum + checksum(std::as_bytes(std::span(text))) + "\"}\n";
  files.set_content(path, text);
  expect_error_with<ConfigError>([&] { load(files, 1); },
                                 "has format version 2, which a later Strata wrote; this one reads up to version 1");
}

TEST(CheckpointsOnDisk, SayWhatIsWrong) {
  MemoryFileSystem files;
  save(files, 1);
  const std::string folder = kDirectory + "/step-00000001/", shard = folder + "shard-00001-of-00002.h5";
  const auto contents = files.contents();
  // Of tensor d this shard has elements 20 to 39.
  const float last = value(1, 4, 39);
  const std::string bytes = {reinterpret_cast<const char*>(&last), sizeof(last)};
  std::string damaged = contents.at(shard);
  damaged[damaged.find(bytes) + 1] ^= 1;
  files.set_content(shard, damaged);
  expect_error_with<IoError>([&] { load(files, 1); }, shard + ": the array optimizer/d is damaged");
  files.set_content(shard, contents.at(shard) + "more");
  expect_error_with<IoError>([&] { load(files, 1); }, shard + ": is damaged: expected ");
  files.remove(shard);
  expect_error_with<IoError>([&] { load(files, 1); }, shard + ": no such file");
}

}  // namespace
}  // namespace strata
