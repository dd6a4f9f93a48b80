// SPDX-License-Identifier: Apache-2.0
// Learning rates: a number, or a schedule over the steps of training.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/config.h"

namespace strata {

/// What a user derives from to write a schedule. Immutable; thread-safe.
class LearningRateSchedule {
 public:
  virtual ~LearningRateSchedule() = default;
  /// The rate of the step that `step` others came before. Finite and not negative; allocates nothing.
  virtual double rate(std::int64_t step) const = 0;
  /// The Keras class name: "CosineDecay".
  virtual std::string class_name() const = 0;
  /// The constructor's arguments under Keras' names.
  virtual Config config() const { return Config::object(); }
};

/// A number, or a schedule that copies share. A value type.
class LearningRate {
 public:
  /// Throws ConfigError unless finite and not negative.
  LearningRate(double rate);                                          // NOLINT(google-explicit-constructor)
  LearningRate(std::shared_ptr<const LearningRateSchedule> schedule)  // NOLINT(google-explicit-constructor)
      : schedule_(std::move(schedule)) {}
  /// A schedule of one's own: `.learning_rate = HalfEvery(1000)`.
  template <std::derived_from<LearningRateSchedule> S>
  LearningRate(S schedule)  // NOLINT(google-explicit-constructor)
      : LearningRate(std::make_shared<const S>(std::move(schedule))) {}

  /// The rate of the step that `step` others came before.
  double at(std::int64_t step) const { return schedule_ ? schedule_->rate(step) : rate_; }
  bool is_schedule() const { return schedule_ != nullptr; }
  /// The number, or what Keras serialises for a schedule: {"module", "class_name", "config", "registered_name"}.
  Config config() const;
  /// Reads what config() wrote. Throws ConfigError for an unknown class or argument.
  static LearningRate from_config(const Config& config);

 private:
  double rate_ = 0.0;
  std::shared_ptr<const LearningRateSchedule> schedule_;
};

/// Makes a schedule class of one's own known to LearningRate::from_config; `from_config` gets what config() wrote.
/// Thread-safe. Throws ConfigError when a class of that name is known already.
void register_schedule(const std::string& class_name, std::function<LearningRate(const Config& config)> from_config);

/// Schedules under Keras 3's names, arguments and formulas (arithmetic in double). t is the step, r the initial rate.
namespace schedules {

struct ExponentialDecayOptions {
  double initial_learning_rate = 0.0;
  std::int64_t decay_steps = 0;
  double decay_rate = 0.0;
  bool staircase = false;
  std::string name = "ExponentialDecay";
};
struct InverseTimeDecayOptions {
  double initial_learning_rate = 0.0;
  std::int64_t decay_steps = 0;
  double decay_rate = 0.0;
  bool staircase = false;
  std::string name = "InverseTimeDecay";
};
struct PolynomialDecayOptions {
  double initial_learning_rate = 0.0;
  std::int64_t decay_steps = 0;
  double end_learning_rate = 0.0001;
  double power = 1.0;
  bool cycle = false;
  std::string name = "PolynomialDecay";
};
struct PiecewiseConstantDecayOptions {
  std::vector<std::int64_t> boundaries = {};
  std::vector<double> values = {};
  std::string name = "PiecewiseConstant";
};
struct CosineDecayOptions {
  double initial_learning_rate = 0.0;
  std::int64_t decay_steps = 0;
  double alpha = 0.0;
  std::string name = "CosineDecay";
  std::optional<double> warmup_target = {};
  std::int64_t warmup_steps = 0;
};
struct CosineDecayRestartsOptions {
  double initial_learning_rate = 0.0;
  std::int64_t first_decay_steps = 0;
  double t_mul = 2.0;
  double m_mul = 1.0;
  double alpha = 0.0;
  std::string name = "SGDRDecay";
};
struct LinearScalingOptions {
  LearningRate learning_rate = 0.01;  // of one rank, or of the batch it was tuned for
  double scale = 0.0;                 // 0 = the number of ranks
  std::int64_t warmup_steps = 0;
};

// Each throws ConfigError "Argument `decay_steps` must be > 0. Received: decay_steps=0" where it has such an argument.

/// r decay_rate^(t / decay_steps); staircase rounds the exponent down.
LearningRate ExponentialDecay(const ExponentialDecayOptions& options);
/// r / (1 + decay_rate t / decay_steps); staircase rounds t / decay_steps down.
LearningRate InverseTimeDecay(const InverseTimeDecayOptions& options);
/// (r - end) (1 - t / decay_steps)^power + end, t at most decay_steps; with `cycle`, decay_steps is instead multiplied
/// by the smallest whole number that makes it reach t.
LearningRate PolynomialDecay(const PolynomialDecayOptions& options);
/// values[i] up to and including step boundaries[i], then the next. Throws ConfigError unless there is one more value
/// than there are boundaries.
LearningRate PiecewiseConstantDecay(const PiecewiseConstantDecayOptions& options);
/// r ((1 - alpha) (1 + cos(pi t / decay_steps)) / 2 + alpha), t at most decay_steps. With a warm-up target w the rate
/// first goes from r to w in warmup_steps equal steps, then decays from w (Loshchilov and Hutter 2016).
LearningRate CosineDecay(const CosineDecayOptions& options);
/// The same without warm-up, begun again after first_decay_steps; each run is t_mul times as long as the one before and
/// begins at m_mul times its rate.
LearningRate CosineDecayRestarts(const CosineDecayRestartsOptions& options);
/// For data-parallel runs (Goyal et al. 2017, "Accurate, large minibatch SGD", sections 2.1 and 2.2; not in Keras): the
/// rate times `scale`, how many times larger the batch is than the one the rate is for. During the first warmup_steps
/// the factor goes from 1 to `scale` in equal steps. Throws ConfigError unless `scale` is finite and not negative and
/// warmup_steps is not negative.
LearningRate LinearScaling(const LinearScalingOptions& options);

}  // namespace schedules
}  // namespace strata
