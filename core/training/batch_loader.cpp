// SPDX-License-Identifier: Apache-2.0
#include "core/training/batch_loader.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <new>
#include <thread>

#include "core/base/error.h"
#include "core/base/thread_environment.h"
#include "core/tensor/checked_bytes.h"

namespace strata {
namespace {

constexpr std::size_t kAlignment = 64;  // of arrays, for vector instructions

std::shared_ptr<std::byte> aligned_memory(std::size_t bytes) {
  const std::size_t size = std::max<std::size_t>((bytes + kAlignment - 1) / kAlignment * kAlignment, kAlignment);
  return {static_cast<std::byte*>(::operator new(size, std::align_val_t(kAlignment))),
          [](std::byte* memory) { ::operator delete(memory, std::align_val_t(kAlignment)); }};
}

/// A batch in memory: this rank's part of it, which the readers fill in pieces.
struct Slot {
  std::vector<std::shared_ptr<std::byte>> memory;  // one an array
  std::vector<HostArray> arrays;
  int pieces_left = 0;
  std::exception_ptr error = nullptr;
};

/// What a reader needs for a piece, kept so that reading allocates nothing of its own.
struct Scratch {
  std::vector<SampleRef> samples;
  std::vector<std::byte*> to;
};

}  // namespace

Dim batches_of(Dim rows, Dim batch_size, bool drops_remainder) {
  const Dim batches = (drops_remainder ? rows : rows + batch_size - 1) / batch_size;
  if (batches > 0) return batches;
  const std::string least = drops_remainder ? "whole batch of " + std::to_string(batch_size) + " samples" : "sample";
  throw ConfigError("Expected at least one " + least + ", received " + std::to_string(rows) + " samples");
}

// Batches are numbered over all epochs. Batch n lies in slot n % slots.size(); those from `wanted` on are in memory or
// on their way, as many as there are slots.
struct BatchLoader::State {
  State(SampleSourceRef from, SampleOrder in_order, const BatchPlan& of, const PrefetchOptions& with)
      : source(std::move(from)), order(std::move(in_order)), plan(of), options(with) {}

  void make_slots();
  std::shared_ptr<std::byte> memory_of(const TensorSpec& spec) const;
  void read_piece(std::int64_t batch, int piece, Scratch& scratch);
  void run_reader();
  bool may_issue() const { return issued < end && issued - wanted < static_cast<std::int64_t>(slots.size()); }
  Slot& slot(std::int64_t batch) { return slots[static_cast<std::size_t>(batch) % slots.size()]; }
  int pieces() const { return std::max(options.threads, 1); }

  const SampleSourceRef source;
  const SampleOrder order;
  const BatchPlan plan;
  const PrefetchOptions options;
  std::vector<std::size_t> row_bytes;
  std::vector<Slot> slots;
  std::vector<std::thread> threads;
  Scratch scratch;  // of the thread that calls load()

  std::mutex mutex;
  std::condition_variable work, done;
  std::int64_t wanted = -1;  // the batch that load() returned last or waits for
  std::int64_t issued = 0;   // the batch whose pieces are being given out
  int next_piece = 0;        // of it
  std::int64_t end = 0;      // no batch from here on
  int reading = 0;           // pieces that readers are at
  int running = 0;           // readers
  bool stop = false;
};

void BatchLoader::State::make_slots() {
  const auto arrays = source->specs().all();
  const auto most = [&] {
    Dim rows = 0;  // the last batch may give this rank more than a whole one does
    for (const Dim step : {Dim{0}, plan.steps - 1}) rows = std::max(rows, plan.own(step).size());
    return rows;
  }();
  slots.resize(static_cast<std::size_t>(options.threads == 0 ? 1 : options.batches));
  for (const SampleArray& array : arrays) row_bytes.push_back(array.row.bytes());
  for (Slot& slot : slots) {
    for (std::size_t k = 0; k < arrays.size(); ++k) {
      const TensorSpec spec{Shape{most}.concat(arrays[k].row.shape), arrays[k].row.dtype};
      slot.memory.push_back(memory_of(spec));
      slot.arrays.emplace_back(spec, slot.memory.back());
    }
  }
}

std::shared_ptr<std::byte> BatchLoader::State::memory_of(const TensorSpec& spec) const {
  try {
    if (const auto bytes = checked_bytes(spec)) return aligned_memory(*bytes);
  } catch (const std::bad_alloc&) {  // as for what no memory holds
  }
  throw IoError(source->name(), "a batch of " + spec.str() + " does not fit into memory");
}

void BatchLoader::State::read_piece(std::int64_t batch, int piece, Scratch& to_use) {
  const std::int64_t epoch = batch / plan.steps;
  const Dim step = batch % plan.steps;
  const IndexRange own = plan.own(step), part = even_part(own.size(), pieces(), piece);
  if (part.size() == 0) return;
  SampleOrder::Epoch in_epoch(order, static_cast<std::uint64_t>(epoch));
  to_use.samples.clear();
  const Dim first = step * plan.batch_size + own.first;
  for (Dim i = part.first; i < part.last; ++i) {
    to_use.samples.push_back({in_epoch(first + i), epoch * plan.rows + first + i, order.seed()});
  }
  to_use.to.clear();
  Slot& target = slot(batch);
  for (std::size_t k = 0; k < row_bytes.size(); ++k) {
    to_use.to.push_back(target.memory[k].get() + static_cast<std::size_t>(part.first) * row_bytes[k]);
  }
  const ThreadEnvironment environment;
  try {
    source->read(to_use.samples, to_use.to);
  } catch (const std::bad_alloc&) {
    throw IoError(source->name(), "what is read together with a sample does not fit into memory");
  }
}

void BatchLoader::State::run_reader() {
  Scratch own;
  std::unique_lock lock(mutex);
  for (;;) {
    work.wait(lock, [&] { return stop || may_issue(); });
    if (stop) break;
    const std::int64_t batch = issued;
    const int piece = next_piece++;
    if (piece == 0) slot(batch).error = nullptr, slot(batch).pieces_left = pieces();
    if (next_piece == pieces()) ++issued, next_piece = 0;
    ++reading;
    lock.unlock();
    std::exception_ptr error;
    try {
      read_piece(batch, piece, own);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    --reading;
    if (error && !slot(batch).error) slot(batch).error = error;
    --slot(batch).pieces_left;
    done.notify_all();
  }
  --running;
  done.notify_all();
}

BatchLoader::BatchLoader(SampleSourceRef source, SampleOrder order, const BatchPlan& plan,
                         const PrefetchOptions& options)
    : state_(std::make_shared<State>(std::move(source), std::move(order), plan, options)) {
  state_->make_slots();
  state_->end = plan.epochs * plan.steps;
}

BatchLoader::~BatchLoader() {
  State& s = *state_;
  bool ended = true;
  {
    std::unique_lock lock(s.mutex);
    s.stop = true;
    s.work.notify_all();
    ended = s.done.wait_for(lock, std::chrono::seconds(1), [&] { return s.running == 0; });
  }
  for (std::thread& thread : s.threads) {
    if (ended) thread.join();
    else thread.detach();  // its share of the state keeps alive all that it uses
  }
}

std::span<const HostArray> BatchLoader::load(std::int64_t epoch, Dim step) {
  State& s = *state_;
  const std::int64_t batch = epoch * s.plan.steps + step;
  if (s.options.threads == 0) {
    s.read_piece(batch, 0, s.scratch);
    return s.slot(batch).arrays;
  }
  std::unique_lock lock(s.mutex);
  const auto wait = [&](const auto& condition) {
    if (s.done.wait_for(lock, s.options.deadline, condition)) return;
    const auto seconds = std::chrono::duration<double>(s.options.deadline).count();
    throw IoError(s.source->name(), "expected the samples of epoch " + std::to_string(epoch + 1) + ", step " +
                                        std::to_string(step + 1) + " within " + std::to_string(seconds) +
                                        " s, received none: the read hangs or is too slow");
  };
  if (s.wanted < 0 || batch != s.wanted + 1) {  // a new beginning
    const std::int64_t end = std::exchange(s.end, 0);
    wait([&] { return s.reading == 0; });
    s.end = std::max(end, batch + 1);
    s.issued = batch;
    s.next_piece = 0;
  }
  s.wanted = batch;
  if (s.threads.empty()) {
    s.running = s.options.threads;
    for (int t = 0; t < s.options.threads; ++t) {
      s.threads.emplace_back([state = state_] { state->run_reader(); });
    }
  }
  s.work.notify_all();
  wait([&] { return s.issued > batch && s.slot(batch).pieces_left == 0; });
  if (s.slot(batch).error) {
    const auto error = s.slot(batch).error;
    s.wanted = -1;
    std::rethrow_exception(error);
  }
  return s.slot(batch).arrays;
}

}  // namespace strata
