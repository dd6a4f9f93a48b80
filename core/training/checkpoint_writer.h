// SPDX-License-Identifier: Apache-2.0
// Internal: checkpoints written by a thread of each rank while training goes on. That thread never communicates: what
// the ranks have to tell each other they do between steps.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "core/training/background_write.h"
#include "core/training/checkpoint.h"
#include "core/training/checkpoint_store.h"
#include "core/training/run_snapshot.h"
#include "core/training/shard_writers.h"
#include "core/training/stop_vote.h"

namespace strata {

/// What a rank, or any rank, wants after the present step.
struct CheckpointWishes {
  bool save = false;
  bool stop = false;
};

/// Used from the thread that trains. The destructor waits for the thread that writes until its deadline, and
/// communicates with nobody.
class CheckpointWriter {
 public:
  /// Of the options those that say where and how.
  CheckpointWriter(Communicator& communicator, const CheckpointOptions& options);

  // Collective, also the constructor. IoError on all ranks when one could not copy or write, or not within the
  // deadline; no complete checkpoint is lost.
  /// Lays out what is like this, so that the first start() does not take longer than later ones.
  void prepare(RunSnapshot snapshot) { copy(snapshot.tensors, std::move(snapshot.parts)); }
  /// Copies the state and begins to write it, when what was begun before is done.
  void start(std::int64_t step, RunSnapshot snapshot);
  /// To be called after each step: lets what was begun come to its end, and tells what any rank wants.
  CheckpointWishes advance(CheckpointWishes mine);
  /// Waits until the checkpoint that was begun is complete.
  void finish();

  // Not collective.
  /// What of the state this rank writes.
  const ShardPlace& place() const { return writers_.place(); }
  /// How long the slowest checkpoint took so far, from the copy on; none before the first.
  std::optional<std::chrono::duration<double>> longest() const { return longest_; }

 private:
  enum class Phase { idle, writing, committing };
  void copy(const std::vector<StateTensor>& tensors, std::vector<StatePart> parts);
  void begin(std::function<Config()> write);
  bool working() const;
  void give_up(bool late);
  void proceed();
  void commit();
  std::vector<Config> gather(const Config& record) const;

  Communicator& communicator_;
  CheckpointOptions options_;
  ShardWriters writers_;
  std::shared_ptr<CheckpointShard> shard_;
  std::optional<RankVotes> votes_;
  Phase phase_ = Phase::idle;
  std::int64_t step_ = -1;
  std::chrono::steady_clock::time_point begin_;
  std::optional<std::chrono::duration<double>> longest_;
  Config description_;                // of the one that is being written, as rank 0 has it
  std::vector<StateTensor> tensors_;  // likewise
  std::optional<BackgroundWrite> task_;
};

}  // namespace strata
