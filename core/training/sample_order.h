// SPDX-License-Identifier: Apache-2.0
// Internal to training: which sample stands where in an epoch, computed and not stored.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/training/permutation.h"
#include "core/training/sample_source.h"

namespace strata {

/// The order of the samples of a source in an epoch of batches. Never depends on the number of ranks. Not
/// shuffled: as they stand. Shuffled, with chunks of 1 sample: Permutation. With larger chunks:
///   - the chunks, in an order of Permutation (chunks, seed, epoch), are laid one after the other, and those that a
///     file's end leaves smaller behind them: a line of all samples;
///   - the line is cut into lanes, of which every batch takes the next samples of each, in the order of lanes: as the
///     ranks own contiguous parts of every batch, each reads few chunks that another one reads as well;
///   - within each window of `open` / lanes chunks of the line the samples are permuted.
/// Immutable; thread-safe.
class SampleOrder {
 public:
  /// REQUIRES: rows and batch_size of at least 1.
  SampleOrder(Dim rows, Dim batch_size, bool shuffled, ChunkLayout chunks, std::uint64_t seed);

  /// What decides about the order besides seed and sizes, for messages and for runs that go on: "shuffled in chunks".
  std::string describe() const;
  std::uint64_t seed() const { return seed_; }

  /// An epoch of it, for many samples: keeps what neighbours have in common. Not thread-safe.
  class Epoch {
   public:
    Epoch(const SampleOrder& order, std::uint64_t epoch);
    /// The row at `position` of the epoch.
    Dim operator()(Dim position);

   private:
    Dim of_line(Dim at);

    const SampleOrder* order_;
    std::uint64_t epoch_;
    std::optional<Permutation> samples_;  // of all, or of the chunks
    Dim window_ = -1;
    Dim window_first_ = 0;  // on the line
    Dim window_rows_ = 0;
    std::optional<Permutation> within_;  // the window
  };

 private:
  /// A stretch of the rows in which whole chunks follow each other: a file.
  struct Part {
    Dim first_row;
    Dim first_chunk;  // of the whole ones
    Dim chunks;
    Dim tail;        // rows behind them
    Dim tail_first;  // of the tail on the line
  };
  bool chunked() const { return shuffled_ && chunk_rows_ > 1; }
  Dim lane_of(Dim offset, Dim size) const;
  Dim on_line(Dim position, bool last_leads) const;
  Dim first_row_of_chunk(Dim chunk) const;
  Dim row_in_tails(Dim at) const;

  Dim rows_;
  Dim batch_size_;
  bool shuffled_;
  std::uint64_t seed_;
  Dim chunk_rows_;
  Dim chunks_ = 0;  // whole ones
  Dim lanes_ = 1;
  Dim window_chunks_ = 1;
  std::vector<Part> parts_;
};

}  // namespace strata
