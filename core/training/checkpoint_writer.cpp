// SPDX-License-Identifier: Apache-2.0
#include "core/training/checkpoint_writer.h"

#include <fmt/format.h>

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

CheckpointWriter::CheckpointWriter(Communicator& communicator, const CheckpointOptions& options)
    : communicator_(communicator),
      options_(options),
      writers_(communicator, options.most_shards),
      shard_(checkpoint_store().make_shard()) {
  if (communicator.size() > 1) votes_.emplace(communicator, 4, "which ranks save");
}

void CheckpointWriter::begin(std::function<Config()> write) {
  const std::chrono::duration<double> patience(options_.deadline);
  task_.emplace(std::move(write), std::chrono::duration_cast<steady_clock::duration>(patience));
}

/// On this rank.
bool CheckpointWriter::working() const { return task_ && !task_->done(); }

void CheckpointWriter::copy(const std::vector<StateTensor>& tensors, std::vector<StatePart> parts) {
  parts = writers_.gather(tensors, std::move(parts));
  succeed_together(communicator_, options_.directory, [&] {
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
  begin([shard = shard_, directory = options_.directory, step, place = place()] {
    return shard->write(directory, step, place.number, place.count);
  });
}

CheckpointWishes CheckpointWriter::advance(CheckpointWishes mine) {
  bool work = working(), late = work && task_->is_late();
  const bool own_is_late = late;
  if (votes_) {
    const std::span<const double> ranks = votes_->count({mine.save, mine.stop, work, late});
    mine = {ranks[0] > 0, ranks[1] > 0};
    work = ranks[2] > 0;
    late = ranks[3] > 0;
  }
  if (late) give_up(own_is_late);
  if (phase_ != Phase::idle && !work) proceed();
  return mine;
}

void CheckpointWriter::give_up(bool late) {
  phase_ = Phase::idle;
  succeed_together(communicator_, options_.directory, [&] {
    if (!late) return;
    throw IoError(options_.directory, fmt::format("expected the checkpoint of step {} to be written within {} s; the "
                                                  "file system hangs, or is too slow",
                                                  step_, options_.deadline));
  });
}

/// No rank works any more.
void CheckpointWriter::proceed() {
  if (std::exchange(phase_, Phase::idle) == Phase::writing) return commit();
  succeed_together(communicator_, options_.directory, [&] {
    if (task_) task_->result();
  });
  task_.reset();
  const std::chrono::duration<double> seconds = steady_clock::now() - begin_;
  longest_ = std::max(seconds, longest_.value_or(seconds));
}

/// Rank 0 writes the manifest, now that all shards are on the disk.
void CheckpointWriter::commit() {
  Config record;
  succeed_together(communicator_, options_.directory, [&] {
    if (task_) record = task_->result();
  });
  task_.reset();
  std::vector<Config> shards = gather(record);
  phase_ = Phase::committing;
  if (communicator_.rank() != 0) return;
  begin([directory = options_.directory, keep = options_.keep, step = step_, description = description_,
         tensors = tensors_, shards = std::move(shards)] {
    checkpoint_store().commit(directory, step, description, tensors, shards, keep);
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
