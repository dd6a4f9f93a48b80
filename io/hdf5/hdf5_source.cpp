// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <list>
#include <map>
#include <mutex>

#include "core/base/error.h"
#include "io/hdf5/hdf5_rows.h"
#include "io/loaders/loaders.h"

namespace strata::loaders {
namespace {

/// Read together when the file does not say more: enough for the calls of the library not to count.
constexpr std::size_t kLeastChunkBytes = 256 << 10;

/// Rows of all arrays, read by the first that needs them.
struct Piece {
  std::once_flag once;
  std::vector<std::unique_ptr<std::byte[]>> arrays;  // those that were wanted; null for the others
};

class Hdf5Source final : public SampleSource {
 public:
  Hdf5Source(const std::vector<std::string>& paths, const Hdf5Options& options) : files_(paths, arrays_of(options)) {
    std::size_t next = 0;
    const auto add = [&](const std::vector<std::string>& arrays, std::vector<SampleArray>& specs) {
      for (const std::string& array : arrays) {
        specs.push_back({files_.rows()[next++], options.named ? array.substr(array.rfind('/') + 1) : ""});
      }
    };
    add(options.x, specs_.x);
    add(options.y, specs_.y);
    add(options.sample_weight, specs_.sample_weight);
    for (const TensorSpec& row : files_.rows()) row_bytes_ += row.bytes();
    choose_chunks(options);
  }

  Dim rows() const override { return files_.count(); }
  const SampleSpecs& specs() const override { return specs_; }
  std::string name() const override { return files_.path(0); }
  ChunkLayout chunks() const override { return chunks_; }
  std::int64_t bytes_read() const override { return files_.bytes_read(); }

  void read(std::span<const SampleRef> samples, std::span<std::byte* const> to) const override {
    if (samples.empty()) return;
    if (!files_.packed() && consecutive(samples)) return read_run(samples.front().row, samples.size(), to);
    std::shared_ptr<Piece> piece;
    IndexRange range;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const Dim row = samples[i].row;
      if (row < range.first || row >= range.last) {
        range = piece_around(row);
        piece = loaded(range, to);
      }
      copy_row(*piece, row - range.first, i, to);
    }
  }

 private:
  using Key = std::pair<Dim, std::vector<bool>>;  // the first row of a piece, and which arrays it holds

  static std::vector<std::string> arrays_of(const Hdf5Options& options) {
    if (options.x.empty()) throw ConfigError("loaders::hdf5: expected at least one array x, received none");
    if (options.chunk_rows < 0 || !(options.cache_mb > 0)) {
      throw ConfigError("loaders::hdf5: expected chunk_rows of at least 0 and cache_mb above 0, received " +
                        std::to_string(options.chunk_rows) + " and " + std::to_string(options.cache_mb));
    }
    std::vector<std::string> arrays = options.x;
    arrays.insert(arrays.end(), options.y.begin(), options.y.end());
    arrays.insert(arrays.end(), options.sample_weight.begin(), options.sample_weight.end());
    return arrays;
  }

  void choose_chunks(const Hdf5Options& options) {
    chunks_.rows = options.chunk_rows;
    if (chunks_.rows == 0) {
      const auto stored = static_cast<std::size_t>(files_.chunk_rows());
      const std::size_t bytes = std::max<std::size_t>(stored * row_bytes_, 1);
      chunks_.rows = static_cast<Dim>(stored * ((kLeastChunkBytes + bytes - 1) / bytes));
    }
    chunks_.starts.clear();
    for (std::size_t f = 0; f < files_.size(); ++f) chunks_.starts.push_back(files_.first(f));
    const double chunk_bytes =
        static_cast<double>(chunks_.rows) * static_cast<double>(std::max<std::size_t>(row_bytes_, 1));
    capacity_ = static_cast<std::size_t>(std::max(2.0, options.cache_mb * 1e6 / chunk_bytes));
    chunks_.open = static_cast<Dim>(capacity_ / 2);
  }

  static bool consecutive(std::span<const SampleRef> samples) {
    for (std::size_t i = 1; i < samples.size(); ++i) {
      if (samples[i].row != samples[i - 1].row + 1) return false;
    }
    return true;
  }

  void read_run(Dim first, std::size_t count, std::span<std::byte* const> to) const {
    Dim done = 0;
    while (done < static_cast<Dim>(count)) {
      const std::size_t file = files_.file_of(first + done);
      const Dim here = std::min(static_cast<Dim>(count) - done, files_.first(file + 1) - (first + done));
      for (std::size_t k = 0; k < to.size(); ++k) {
        if (to[k] == nullptr) continue;
        const std::size_t offset = static_cast<std::size_t>(done) * files_.rows()[k].bytes();
        files_.read(file, k, {first + done - files_.first(file), first + done - files_.first(file) + here},
                    to[k] + offset);
      }
      done += here;
    }
  }

  IndexRange piece_around(Dim row) const {
    const std::size_t file = files_.file_of(row);
    const Dim start = files_.first(file) + (row - files_.first(file)) / chunks_.rows * chunks_.rows;
    return {start, std::min(start + chunks_.rows, files_.first(file + 1))};
  }

  /// From the cache, or one to be filled.
  std::shared_ptr<Piece> cached(const Key& key) const {
    const std::lock_guard lock(mutex_);
    const auto found = pieces_.find(key);
    if (found != pieces_.end()) {
      recent_.splice(recent_.begin(), recent_, found->second.place);
      return found->second.piece;
    }
    recent_.push_front(key);
    const auto piece = std::make_shared<Piece>();
    pieces_[key] = {piece, recent_.begin()};
    if (pieces_.size() > capacity_) {
      pieces_.erase(recent_.back());
      recent_.pop_back();
    }
    return piece;
  }

  /// Several threads at once read several pieces, and each piece once.
  std::shared_ptr<Piece> loaded(IndexRange range, std::span<std::byte* const> wanted) const {
    Key key{range.first, std::vector<bool>(wanted.size())};
    for (std::size_t k = 0; k < wanted.size(); ++k) key.second[k] = wanted[k] != nullptr;
    std::shared_ptr<Piece> piece = cached(key);
    std::call_once(piece->once, [&] {
      std::vector<std::byte*> to(wanted.size(), nullptr);
      piece->arrays.resize(wanted.size());
      for (std::size_t k = 0; k < wanted.size(); ++k) {
        if (wanted[k] == nullptr) continue;
        const std::size_t bytes = static_cast<std::size_t>(range.size()) * files_.rows()[k].bytes();
        piece->arrays[k] = std::make_unique_for_overwrite<std::byte[]>(bytes);
        to[k] = piece->arrays[k].get();
      }
      read_run(range.first, static_cast<std::size_t>(range.size()), to);
    });
    return piece;
  }

  void copy_row(const Piece& piece, Dim row, std::size_t i, std::span<std::byte* const> to) const {
    for (std::size_t k = 0; k < to.size(); ++k) {
      if (to[k] == nullptr) continue;
      const std::size_t bytes = files_.rows()[k].bytes();
      std::memcpy(to[k] + i * bytes, piece.arrays[k].get() + static_cast<std::size_t>(row) * bytes, bytes);
    }
  }

  Hdf5Rows files_;
  SampleSpecs specs_;
  std::size_t row_bytes_ = 0;  // of all arrays
  ChunkLayout chunks_;
  std::size_t capacity_ = 2;  // pieces

  struct Cached {
    std::shared_ptr<Piece> piece;
    std::list<Key>::iterator place;
  };
  mutable std::mutex mutex_;
  mutable std::map<Key, Cached> pieces_;
  mutable std::list<Key> recent_;  // the last used first
};

}  // namespace

Dataset hdf5(const std::vector<std::string>& paths, const Hdf5Options& options) {
  return Dataset::from_source(std::make_shared<Hdf5Source>(paths, options));
}

}  // namespace strata::loaders
