// SPDX-License-Identifier: Apache-2.0
// Gives all ranks what each of them holds of memory that is laid out alike on all of them.
#pragma once

#include <memory>
#include <vector>

#include "core/program/communicator.h"
#include "core/tensor/device.h"

namespace strata {

/// Used from one thread.
class ShareGather {
 public:
  ShareGather(Communicator& communicator, Device& device);

  // The same parts in the same order on every rank.
  void clear() { parts_.clear(); }
  /// Makes room for so many parts, and for as many bytes of a rank.
  void reserve(std::size_t parts, std::size_t bytes);
  /// `bytes` at `data` that rank `owner` holds, not less than the owner of the part before. What goes on where that
  /// part ends becomes one with it.
  void add(int owner, std::byte* data, std::size_t bytes);
  /// Elements at `data`, of which each rank holds its shares.
  void add_shares(std::byte* data, std::size_t element_bytes, const Shares& shares);

  /// Afterwards every rank has all parts. Allocates nothing but in the first run, or when parts outgrow what was
  /// reserved. Collective; throws CommError when a rank does not answer.
  void run(Stream& stream);

 private:
  struct Part {
    int owner;
    std::byte* data;
    std::size_t bytes;
  };
  /// How far a rank has come in its parts.
  struct Cursor {
    std::size_t part;
    std::size_t offset;
  };
  std::size_t find_shares();
  void reserve_pieces(std::size_t bytes);
  template <class F>
  void for_next(Cursor& cursor, int owner, std::size_t bytes, const F& use);

  Communicator& communicator_;
  Device& device_;
  std::vector<Part> parts_;
  std::vector<Cursor> cursors_;            // one a rank
  std::vector<std::size_t> shares_;        // bytes of each rank
  std::vector<std::byte> send_, receive_;  // a piece of this rank, and of every rank
};

}  // namespace strata
