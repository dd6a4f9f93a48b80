// SPDX-License-Identifier: Apache-2.0
#include "core/training/checkpoint_schedule.h"

#include <algorithm>
#include <cmath>

#include "core/training/preemption.h"
#include "core/training/resume_point.h"

namespace strata {
namespace {

using Seconds = std::chrono::duration<double>;

/// How much longer than the longest checkpoint so far the last may take: it may have to wait for one that is still
/// being written.
constexpr double kPatience = 2.0;

void require(bool holds, const std::string& what) {
  if (!holds) throw ConfigError("fit: " + what);
}

}  // namespace

void check_checkpoint_options(const CheckpointOptions& o, const std::string& resume) {
  require(o.every_steps >= 0,
          "expected the checkpoint's every_steps to be at least 0, received " + std::to_string(o.every_steps));
  require(o.every_seconds >= 0 && std::isfinite(o.every_seconds),
          "expected the checkpoint's every_seconds to be at least 0, received " + std::to_string(o.every_seconds));
  require(o.keep >= 1, "expected to keep at least 1 checkpoint, received " + std::to_string(o.keep));
  require(o.save_before >= 0 && std::isfinite(o.save_before),
          "expected the checkpoint's save_before to be at least 0 seconds, received " + std::to_string(o.save_before));
  require(o.deadline > 0 && std::isfinite(o.deadline),
          "expected the checkpoint's deadline to be more than 0 seconds, received " + std::to_string(o.deadline));
  require(o.most_shards >= 1, "expected most_shards of at least 1, received " + std::to_string(o.most_shards));
  const bool any = o.every_steps > 0 || o.every_seconds > 0 || o.save_before > 0;
  require(!o.directory.empty() || !any, "expected a directory for checkpoints, received none");
  resume_point(resume);
}

CheckpointSchedule::CheckpointSchedule(Communicator& communicator, const CheckpointOptions& options,
                                       std::int64_t begun_at, TakeSnapshot take)
    : communicator_(communicator),
      options_(options),
      take_(std::move(take)),
      writer_(communicator, options),
      saved_(begun_at),
      last_save_(Clock::now()),
      last_look_(last_save_) {
  writer_.prepare(take_(writer_.place()));
}

void CheckpointSchedule::after_step(std::int64_t step, bool last) {
  consider(step, last || (options_.every_steps > 0 && step % options_.every_steps == 0));
}

void CheckpointSchedule::after_epoch(std::int64_t step) {
  consider(step, options_.every_steps == 0 && options_.every_seconds == 0);
}

void CheckpointSchedule::consider(std::int64_t step, bool due) {
  const Clock::time_point now = Clock::now();
  longest_step_ = std::max(longest_step_, now - std::exchange(last_look_, now));
  const CheckpointWishes any = writer_.advance({due || time_is_over(), must_stop()});
  if (any.save || any.stop) save(step);
  if (!any.stop) return;
  writer_.finish();
  throw Preempted("Told to stop, training has saved step " + std::to_string(step) + " in " + options_.directory +
                  "; started again, it goes on there.");
}

/// As the clock of rank 0 says.
bool CheckpointSchedule::time_is_over() const {
  return options_.every_seconds > 0 && communicator_.rank() == 0 &&
         Clock::now() - last_save_ >= Seconds(options_.every_seconds);
}

/// Whether this rank was told to stop, and one step more could be one too many.
bool CheckpointSchedule::must_stop() {
  const auto request = preemption_request();
  if (!request) return false;
  if (request->at_once || options_.save_before == 0 || !writer_.longest()) return true;
  const Seconds left = request->when + Seconds(options_.save_before) - Clock::time_point(Clock::now());
  return left <= kPatience * (*writer_.longest() + Seconds(longest_step_));
}

void CheckpointSchedule::save(std::int64_t step) {
  if (step == saved_) return;
  writer_.start(step, take_(writer_.place()));
  saved_ = step;
  last_save_ = Clock::now();
}

void CheckpointSchedule::end(std::int64_t step) {
  save(step);
  writer_.finish();
}

}  // namespace strata
