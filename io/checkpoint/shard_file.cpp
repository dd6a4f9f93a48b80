// SPDX-License-Identifier: Apache-2.0
// What one rank writes of a checkpoint: an HDF5 file that is laid out once and filled at every snapshot. Only laying it
// out needs the HDF5 library, whose lock data loaders may want.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "core/base/error.h"
#include "io/checkpoint/checkpoint_directory.h"
#include "io/checkpoint/checksum.h"
#include "io/checkpoint/manifest.h"
#include "io/shard_image.h"

namespace strata {
namespace {

/// What is written at once: it stays in a cache while its checksums are taken and it is copied.
constexpr std::size_t kPiece = std::size_t{1} << 20;

/// "weights/dense.kernel" for "weights/dense/kernel": only the first part is a group, since one name may be the
/// beginning of another.
std::string array_name(const std::string& tensor) {
  const std::size_t slash = tensor.find('/');
  std::string name = tensor;
  if (slash != std::string::npos)
    std::replace(name.begin() + static_cast<std::ptrdiff_t>(slash) + 1, name.end(), '/', '.');
  return name;
}

class ShardFile final : public CheckpointShard {
 public:
  explicit ShardFile(FileSystem& files) : files_(files) {}

  void copy(const std::vector<StateTensor>& tensors, const std::vector<StatePart>& parts) override {
    lay_out(tensors, parts);
    std::map<Device*, std::unique_ptr<Stream>> streams;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const std::size_t bytes = arrays_[i].spec.bytes();
      if (bytes == 0) continue;
      Device& device = parts[i].source.storage->device();
      auto& stream = streams[&device];
      if (!stream) stream = device.make_stream();
      device.copy_to_host(image_.bytes.data() + image_.offsets[i], parts[i].source.data(), bytes, *stream);
    }
    for (const auto& [device, stream] : streams) stream->synchronize();
  }

  Config write(const std::string& directory, std::int64_t step, int number, int count) override {
    const std::string path = checkpoint_path(directory, step);
    make_directory_on_disk(files_, path);
    ManifestShard shard{fmt::format("shard-{:05}-of-{:05}.h5", number, count), image_.bytes.size(), {}, pieces_};
    write_whole_file(files_, path, shard.file, [&](OutputFile& file) { write_to(file, shard); });
    return shard_config(shard);
  }

 private:
  /// The image in one pass over memory, in which all checksums are taken.
  void write_to(OutputFile& file, ManifestShard& shard) const {
    const std::span<const std::byte> all(image_.bytes);
    RunningChecksum whole;
    std::size_t at = 0;
    const auto write = [&](std::size_t end, RunningChecksum* array) {
      while (at < end) {
        const auto piece = all.subspan(at, std::min(kPiece, end - at));
        whole.add(piece);
        if (array != nullptr) array->add(piece);
        file.append(piece);
        at += piece.size();
      }
    };
    for (const std::size_t i : in_order_of_file()) {
      write(image_.offsets[i], nullptr);
      RunningChecksum array;
      write(image_.offsets[i] + arrays_[i].spec.bytes(), &array);
      shard.pieces[i].checksum = array.text();
    }
    write(all.size(), nullptr);
    shard.checksum = whole.text();
  }

  /// The arrays; none is without elements.
  std::vector<std::size_t> in_order_of_file() const {
    std::vector<std::size_t> order(arrays_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return image_.offsets[a] < image_.offsets[b]; });
    return order;
  }

  /// Anew only when the arrays are others than in the checkpoint before.
  void lay_out(const std::vector<StateTensor>& tensors, const std::vector<StatePart>& parts) {
    std::vector<ImageArray> arrays;
    std::vector<ManifestPiece> pieces;
    std::set<std::string> names;
    for (const StatePart& part : parts) {
      const StateTensor& tensor = tensors.at(part.tensor);
      std::string name = array_name(tensor.name);
      for (int i = 2; !names.insert(name).second; ++i) name = fmt::format("{}#{}", array_name(tensor.name), i);
      const bool whole = part.count == tensor.spec.shape.elements();
      arrays.push_back({name, {whole ? tensor.spec.shape : Shape{part.count}, tensor.spec.dtype}});
      pieces.push_back({part.tensor, part.first, part.count, std::move(name), 0, {}});
    }
    if (arrays != arrays_ || image_.bytes.empty()) {
      image_ = {};
      image_ = make_shard_image("a shard of a checkpoint", arrays);
      arrays_ = std::move(arrays);
    }
    for (std::size_t i = 0; i < pieces.size(); ++i) pieces[i].offset = image_.offsets[i];
    pieces_ = std::move(pieces);
  }

  FileSystem& files_;
  std::vector<ImageArray> arrays_;  // one a part
  std::vector<ManifestPiece> pieces_;
  ShardImage image_;
};

}  // namespace

std::unique_ptr<CheckpointShard> make_shard_file(FileSystem& files) { return std::make_unique<ShardFile>(files); }

}  // namespace strata
