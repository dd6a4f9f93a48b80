// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/base/error.h"
#include "io/checkpoint/checkpoint_directory.h"
#include "io/checkpoint/checksum.h"
#include "io/checkpoint/manifest.h"

namespace strata {
namespace {

/// What is read at once.
constexpr std::size_t kPiece = std::size_t{8} << 20;

class CheckpointFiles final : public SavedCheckpoint {
 public:
  CheckpointFiles(FileSystem& files, std::string path, const std::string& text)
      : files_(files), path_(std::move(path)), manifest_(read_manifest(path_ + "/" + kManifestName, text)) {
    places_.resize(manifest_.tensors.size());
    for (std::size_t s = 0; s < manifest_.shards.size(); ++s) {
      const auto& pieces = manifest_.shards[s].pieces;
      for (std::size_t i = 0; i < pieces.size(); ++i) places_[pieces[i].tensor].push_back({s, i});
    }
  }

  const std::string& path() const override { return path_; }
  const Config& description() const override { return manifest_.description; }
  const std::vector<StateTensor>& tensors() const override { return manifest_.tensors; }
  int shards() const override { return static_cast<int>(manifest_.shards.size()); }

  Tensor read(std::size_t number) const override {
    const TensorSpec& spec = manifest_.tensors.at(number).spec;
    std::vector<std::byte> bytes(spec.bytes());
    const std::size_t element = size_of(spec.dtype);
    for (const auto& [s, i] : places_[number]) {
      const ManifestShard& shard = manifest_.shards[s];
      const ManifestPiece& piece = shard.pieces[i];
      const auto part = std::span(bytes).subspan(static_cast<std::size_t>(piece.first) * element,
                                                 static_cast<std::size_t>(piece.count) * element);
      const std::string file = path_ + "/" + shard.file;
      files_.read(file, piece.offset, part);
      if (checksum(part) == piece.checksum) continue;
      throw IoError(file, "the array " + piece.array +
                              " is damaged: its bytes have another checksum than when it was "
                              "written");
    }
    return constant_bytes(bytes.data(), bytes.size(), spec);
  }

  void verify_shard(int number) const override {
    const ManifestShard& shard = manifest_.shards.at(static_cast<std::size_t>(number));
    const std::string file = path_ + "/" + shard.file;
    const std::uint64_t size = files_.size(file);
    if (size != shard.bytes) {
      throw IoError(file,
                    "is damaged: expected " + std::to_string(shard.bytes) + " bytes, found " + std::to_string(size));
    }
    RunningChecksum found;
    std::vector<std::byte> piece(std::min<std::uint64_t>(size, kPiece));
    for (std::uint64_t at = 0; at < size; at += piece.size()) {
      piece.resize(std::min<std::uint64_t>(size - at, kPiece));
      files_.read(file, at, piece);
      found.add(piece);
    }
    if (found.text() != shard.checksum) {
      throw IoError(file, "is damaged: its bytes have another checksum than when it was written");
    }
  }

 private:
  struct Place {
    std::size_t shard, piece;
  };
  FileSystem& files_;
  std::string path_;
  Manifest manifest_;
  std::vector<std::vector<Place>> places_;  // by tensor
};

}  // namespace

std::unique_ptr<SavedCheckpoint> open_checkpoint(FileSystem& files, const std::string& path, const std::string& text) {
  return std::make_unique<CheckpointFiles>(files, path, text);
}

}  // namespace strata
