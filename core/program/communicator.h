// SPDX-License-Identifier: Apache-2.0
// What the engine asks of the ranks that train together. Implementations: one process, ranks as threads, MPI, NCCL.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/base/dtype.h"
#include "core/program/blocks.h"
#include "core/program/row_list.h"
#include "core/program/shares.h"

namespace strata {

/// A sum over blocks to prepare. The sum is taken in one fixed binary tree over block numbers: node (level, i) adds
/// nodes (level - 1, 2i) and (level - 1, 2i + 1); a node without a sibling is carried up. So its bits do not depend on
/// the ranks.
struct BlockSumSpec {
  Dtype dtype;                      // floating
  Dim count;                        // elements of one partial
  Dim blocks;                       // over all ranks; rank r owns rank_blocks(blocks, size, r), at least one
  std::span<void* const> partials;  // this rank's blocks in order; device memory that stays valid and in place
  std::string name = {};            // what is summed, for messages: "the gradients of dense, dense_1"
  // float32 travels between hosts as bfloat16, with error feedback: half the bytes, but bits then depend on the hosts.
  bool compress = false;
  // What each rank needs of the sum: its shares of all `count` elements. The rest of its first partial is then
  // undefined.
  Shares shares = {};  // none: every rank needs all
};

/// The same of gradients by rows: partials are lists of this layout, whose capacity is enough for every sum of them.
struct RowSumSpec {
  RowLayout layout;
  Dim blocks;                       // as above
  std::span<void* const> partials;  // likewise
  std::string name = {};            // likewise
};

/// Memory that is laid out alike on all ranks, of which each has a share for the others.
struct AllgatherSpec {
  void* data;  // device memory that stays valid and in place
  std::size_t element_bytes;
  Shares shares;          // over all ranks
  std::string name = {};  // what is gathered, for messages
};

/// Where training stands. Ranks that are at different places have gone different ways.
struct StepPosition {
  std::int64_t epoch = -1;  // -1: not in training, here and below
  std::int64_t step = -1;   // since compile
  friend bool operator==(const StepPosition&, const StepPosition&) = default;
};

/// How long a wait lasts before it becomes a CommError.
struct Deadlines {
  std::chrono::steady_clock::duration first = std::chrono::seconds(60);  // before and in the first step of a kind
  std::chrono::steady_clock::duration step = std::chrono::seconds(10);   // in later steps
  friend bool operator==(const Deadlines&, const Deadlines&) = default;
};

/// What communication has cost this rank so far.
struct CommunicationCost {
  std::int64_t bytes_sent = 0;   // in messages, or read from the memory of other ranks
  double hidden_seconds = 0.0;   // spent on it between computations
  double exposed_seconds = 0.0;  // in which nothing else was done: waits, and what is done in them
};

/// A sum or an allgather that was prepared, to be run once a step. Ranks must start equal ones in the same order.
class PreparedCollective {
 public:
  virtual ~PreparedCollective() = default;
  /// Begins. What this rank gives must be complete, and all of the memory stay untouched until done.
  virtual void start() = 0;
  /// Advances without blocking; true once this rank has the result: a sum over all blocks in its first partial, while
  /// the other partials are undefined; or what all ranks gave.
  virtual bool advance() = 0;
  /// Advances until done. Throws CommError when the deadline passes.
  virtual void wait() = 0;
};

/// A group of ranks. Every member is collective unless said otherwise: all ranks call it, in the same order, from one
/// thread each. Every wait has a deadline; when it passes, CommError names the rank waited for.
class Communicator {
 public:
  using Clock = std::chrono::steady_clock;

  virtual ~Communicator() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// Who a rank is, for messages: "rank 1 (host node2, pid 4711)". Not collective.
  virtual std::string describe(int rank) const = 0;

  // Not collective.
  virtual void set_deadlines(const Deadlines& deadlines) = 0;
  virtual Deadlines deadlines() const = 0;
  /// This rank goes into a step, whose collectives belong to `position`, until end_step(). `first`: of its kind, in
  /// which ranks may still make preparations.
  virtual void begin_step(const StepPosition& position, bool first) = 0;
  virtual void end_step() = 0;
  virtual CommunicationCost cost() const = 0;

  // Host memory. `bytes` is the same on every rank.
  virtual void broadcast(void* data, std::size_t bytes, int root) = 0;
  /// receive holds size() * bytes, in rank order.
  virtual void allgather(const void* send, void* receive, std::size_t bytes) = 0;
  /// Rank r sends `bytes` (its own); on the root receive[q] (of receive_bytes[q]) takes what rank q sent.
  virtual void gather(const void* send, std::size_t bytes, std::span<void* const> receive,
                      std::span<const std::size_t> receive_bytes, int root) = 0;
  virtual void barrier() = 0;
  /// The ranks of one colour, ordered by (key, rank), as a communicator of their own.
  virtual std::unique_ptr<Communicator> split(int color, int key) = 0;

  /// Memory for what is summed or gathered, where that reads and writes it best. Zeroed, aligned to 64 bytes.
  virtual std::shared_ptr<Storage> allocate(Device& device, std::size_t bytes) = 0;
  virtual std::unique_ptr<PreparedCollective> prepare_block_sum(Device& device, const BlockSumSpec& spec) = 0;
  /// What it sends are the rows that were touched. The sum's last chunk is ended (end_rows).
  virtual std::unique_ptr<PreparedCollective> prepare_row_sum(Device& device, const RowSumSpec& spec) = 0;
  virtual std::unique_ptr<PreparedCollective> prepare_allgather(Device& device, const AllgatherSpec& spec) = 0;
  /// Lets what was started and pending messages advance, without blocking. Not collective.
  virtual void progress() = 0;
};

/// A step of `communicator` until the end of the scope.
class CommunicatorStep {
 public:
  CommunicatorStep(Communicator& communicator, const StepPosition& position, bool first) : communicator_(communicator) {
    communicator_.begin_step(position, first);
  }
  ~CommunicatorStep() { communicator_.end_step(); }
  CommunicatorStep(const CommunicatorStep&) = delete;
  CommunicatorStep& operator=(const CommunicatorStep&) = delete;

 private:
  Communicator& communicator_;
};

/// The communicator of one process: rank 0 of 1.
std::unique_ptr<Communicator> make_single_communicator();

/// Throws DtypeError or ConfigError unless `spec` is one that this rank of `ranks` can prepare.
void check_block_sum(const BlockSumSpec& spec, int ranks, int rank);
void check_row_sum(const RowSumSpec& spec, int ranks, int rank);
void check_allgather(const AllgatherSpec& spec, int ranks);

/// to[i] += from[i] for `count` elements of a floating dtype in device memory.
void accumulate(Device& device, Stream& stream, Dtype dtype, void* to, const void* from, Dim count);

}  // namespace strata
