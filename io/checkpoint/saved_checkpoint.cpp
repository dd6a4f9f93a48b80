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

/// Reads a file once, from its beginning on.
class FileReader {
 public:
  FileReader(FileSystem& files, const std::string& path) : files_(files), path_(path) {}

  /// What lies before that byte and was not read yet.
  void read_to(std::uint64_t end) { read(nullptr, end - at_, nullptr); }
  /// The next bytes, to a place or to none. Returns their checksum.
  std::string read_array(std::byte* to, std::uint64_t bytes) {
    RunningChecksum own;
    read(to, bytes, &own);
    return own.text();
  }
  std::string checksum_so_far() const { return whole_.text(); }

 private:
  void read(std::byte* to, std::uint64_t bytes, RunningChecksum* own) {
    for (std::uint64_t left = bytes; left > 0;) {
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left, kPiece));
      if (to == nullptr) scratch_.resize(std::max(scratch_.size(), count));
      const std::span<std::byte> piece(to == nullptr ? scratch_.data() : to, count);
      files_.read(path_, at_, piece);
      whole_.add(piece);
      if (own != nullptr) own->add(piece);
      if (to != nullptr) to += count;
      at_ += count;
      left -= count;
    }
  }

  FileSystem& files_;
  const std::string& path_;
  std::uint64_t at_ = 0;
  std::vector<std::byte> scratch_;
  RunningChecksum whole_;
};

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

  std::vector<Tensor> read_all(const std::vector<bool>& wanted) const override {
    std::vector<std::shared_ptr<Storage>> values(wanted.size());
    for (std::size_t t = 0; t < wanted.size(); ++t) {
      if (wanted[t]) values[t] = std::make_shared<Storage>(cpu_device(), manifest_.tensors[t].spec.bytes());
    }
    for (const ManifestShard& shard : manifest_.shards) {
      read_file(shard, [&](const ManifestPiece& piece) {
        return values[piece.tensor] ? place(piece, *values[piece.tensor]) : nullptr;
      });
    }
    std::vector<Tensor> tensors(wanted.size());
    for (std::size_t t = 0; t < wanted.size(); ++t) {
      if (wanted[t]) tensors[t] = tensor_of(t, values[t]);
    }
    return tensors;
  }

  Tensor read(std::size_t number) const override {
    const auto values = std::make_shared<Storage>(cpu_device(), manifest_.tensors.at(number).spec.bytes());
    for (const auto& [s, i] : places_[number]) {
      const ManifestShard& shard = manifest_.shards[s];
      const ManifestPiece& piece = shard.pieces[i];
      const std::span<std::byte> part(place(piece, *values), bytes_of(piece));
      files_.read(path_of(shard), piece.offset, part);
      check(shard, piece, checksum(part));
    }
    return tensor_of(number, values);
  }

  void verify_shard(int number) const override {
    read_file(manifest_.shards.at(static_cast<std::size_t>(number)), [](const ManifestPiece&) { return nullptr; });
  }

 private:
  struct Place {
    std::size_t shard, piece;
  };

  std::string path_of(const ManifestShard& shard) const { return path_ + "/" + shard.file; }
  std::size_t bytes_of(const ManifestPiece& piece) const {
    return static_cast<std::size_t>(piece.count) * size_of(manifest_.tensors[piece.tensor].spec.dtype);
  }
  /// Of a piece's first element.
  std::byte* place(const ManifestPiece& piece, const Storage& tensor) const {
    return tensor.data() + static_cast<std::size_t>(piece.first) * size_of(manifest_.tensors[piece.tensor].spec.dtype);
  }
  Tensor tensor_of(std::size_t number, const std::shared_ptr<Storage>& values) const {
    const TensorSpec& spec = manifest_.tensors[number].spec;
    if (current_device().host_accessible()) return constant_buffer({values, 0}, spec);
    return constant_bytes(values->data(), values->bytes(), spec);
  }
  void check(const ManifestShard& shard, const ManifestPiece& piece, const std::string& found) const {
    if (found == piece.checksum) return;
    throw IoError(path_of(shard),
                  "the array " + piece.array + " is damaged: its bytes have another checksum than when it was written");
  }

  /// From the beginning to the end, the bytes of each piece to where `to` says, or nowhere when that is null.
  void read_file(const ManifestShard& shard, const std::function<std::byte*(const ManifestPiece&)>& to) const {
    const std::string file = path_of(shard);
    const std::uint64_t size = files_.size(file);
    if (size != shard.bytes) {
      throw IoError(file,
                    "is damaged: expected " + std::to_string(shard.bytes) + " bytes, found " + std::to_string(size));
    }
    std::vector<const ManifestPiece*> pieces;
    for (const ManifestPiece& piece : shard.pieces) {
      if (piece.count > 0) pieces.push_back(&piece);
    }
    std::sort(pieces.begin(), pieces.end(), [](const auto* a, const auto* b) { return a->offset < b->offset; });
    FileReader reader(files_, file);
    for (const ManifestPiece* piece : pieces) {
      reader.read_to(piece->offset);
      check(shard, *piece, reader.read_array(to(*piece), bytes_of(*piece)));
    }
    reader.read_to(size);
    if (reader.checksum_so_far() == shard.checksum) return;
    throw IoError(file, "is damaged: its bytes have another checksum than when it was written");
  }

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
