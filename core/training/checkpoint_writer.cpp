// SPDX-License-Identifier: Apache-2.0
#include "core/training/checkpoint_writer.h"

#include <thread>

#include "core/base/error.h"
#include "core/training/rank_texts.h"

namespace strata {

using std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds kPause{1};  // between two looks at a thread that writes

const CheckpointStore* store = nullptr;

}  // namespace

void set_checkpoint_store(const CheckpointStore* new_store) { store = new_store; }

const CheckpointStore& checkpoint_store() {
  if (store == nullptr) throw InternalError("no store of checkpoints is known: include strata/strata.h");
  return *store;
}

CheckpointWriter::CheckpointWriter(Communicator& communicator, std::string directory, int keep, int most_shards)
    : communicator_(communicator),
      directory_(std::move(directory)),
      keep_(keep),
      writers_(communicator, most_shards),
      shard_(checkpoint_store().make_shard()) {
  if (communicator.size() > 1) votes_.emplace(communicator, 3, "which ranks save");
}

/// On this rank.
bool CheckpointWriter::working() const {
  return task_.valid() && task_.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
}

void CheckpointWriter::copy(const std::vector<StateTensor>& tensors, std::vector<StatePart> parts) {
  parts = writers_.gather(tensors, std::move(parts));
  succeed_together(communicator_, directory_, [&] {
    if (place().writes) shard_->copy(tensors, parts);
  });
}

void CheckpointWriter::start(std::int64_t step, RunSnapshot snapshot) {
  finish();
  begin_ = steady_clock::now();
  copy(snapshot.tensors, std::move(snapshot.parts));
  step_ = step;
  description_ = std::move(snapshot.description);
  tensors_ = std::move(snapshot.tensors);
  phase_ = Phase::writing;
  if (!place().writes) return;
  task_ = std::async(std::launch::async,
                     [this, step] { return shard_->write(directory_, step, place().number, place().count); });
}

CheckpointWishes CheckpointWriter::advance(CheckpointWishes mine) {
  bool work = working();
  if (votes_) {
    const std::span<const double> ranks = votes_->count({mine.save, mine.stop, work});
    mine = {ranks[0] > 0, ranks[1] > 0};
    work = ranks[2] > 0;
  }
  if (phase_ != Phase::idle && !work) proceed();
  return mine;
}

/// No rank works any more.
void CheckpointWriter::proceed() {
  if (std::exchange(phase_, Phase::idle) == Phase::writing) return commit();
  succeed_together(communicator_, directory_, [&] {
    if (task_.valid()) task_.get();
  });
  const std::chrono::duration<double> seconds = steady_clock::now() - begin_;
  longest_ = std::max(seconds, longest_.value_or(seconds));
}

/// Rank 0 writes the manifest, now that all shards are on the disk.
void CheckpointWriter::commit() {
  Config record;
  succeed_together(communicator_, directory_, [&] {
    if (task_.valid()) record = task_.get();
  });
  std::vector<Config> shards = gather(record);
  phase_ = Phase::committing;
  if (communicator_.rank() != 0) return;
  task_ = std::async(std::launch::async, [this, shards = std::move(shards)] {
    checkpoint_store().commit(directory_, step_, description_, tensors_, shards, keep_);
    return Config();
  });
}

/// Of all ranks that wrote, on rank 0.
std::vector<Config> CheckpointWriter::gather(const Config& record) const {
  std::vector<Config> records;
  for (const std::string& text : gather_texts(communicator_, record.to_json())) {
    Config of_rank = Config::from_json(text);
    if (!of_rank.is_null()) records.push_back(std::move(of_rank));
  }
  return records;
}

void CheckpointWriter::finish() {
  while (phase_ != Phase::idle) {
    advance({});
    if (working()) std::this_thread::sleep_for(kPause);
  }
}

}  // namespace strata
