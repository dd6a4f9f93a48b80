// SPDX-License-Identifier: Apache-2.0
#include "core/training/learning_rate.h"

#include "core/base/error.h"
#include "core/model/register_class.h"
#include "core/training/optimizers/table.h"
#include "core/training/schedules/schedule.h"

namespace strata {

#define STRATA_SCHEDULE(stem) void register_##stem(ScheduleTable&);
#include "core/training/schedules/list.inc"
#undef STRATA_SCHEDULE

namespace {

class FormulaSchedule final : public LearningRateSchedule {
 public:
  FormulaSchedule(std::string class_name, Config config, std::function<double(std::int64_t)> rate)
      : class_name_(std::move(class_name)), config_(std::move(config)), rate_(std::move(rate)) {}
  double rate(std::int64_t step) const override { return rate_(step); }
  std::string class_name() const override { return class_name_; }
  Config config() const override { return config_; }

 private:
  std::string class_name_;
  Config config_;
  std::function<double(std::int64_t)> rate_;
};

const RuleTable<LearningRate>& table() {
  static const RuleTable<LearningRate> all("Schedule", "Unknown learning rate schedule: ", [] {
    ScheduleTable entries;
#define STRATA_SCHEDULE(stem) register_##stem(entries);
#include "core/training/schedules/list.inc"
#undef STRATA_SCHEDULE
    return entries;
  }());
  return all;
}

}  // namespace

LearningRate make_schedule(std::string class_name, Config config, std::function<double(std::int64_t step)> rate) {
  return FormulaSchedule(std::move(class_name), std::move(config), std::move(rate));
}

void require_positive_steps(const char* argument, std::int64_t steps) {
  if (steps > 0) return;
  const std::string name = argument;
  throw ConfigError("Argument `" + name + "` must be > 0. Received: " + name + "=" + std::to_string(steps));
}

LearningRate::LearningRate(double rate) : rate_(rate) { require_not_negative("learning_rate", rate); }

Config LearningRate::config() const {
  if (!schedule_) return rate_;
  return Config::object({{"module", "keras.optimizers.schedules"},
                         {"class_name", schedule_->class_name()},
                         {"config", schedule_->config()},
                         {"registered_name", nullptr}});
}

LearningRate LearningRate::from_config(const Config& config) {
  if (!config.is_object()) return config.as_double();
  const ConfiguredName wanted = ConfiguredName::of(config);
  const auto made = make_custom_class<LearningRate>(wanted);
  return made ? *made : table().make(wanted);
}

void register_schedule(const std::string& class_name, std::function<LearningRate(const Config& config)> from_config) {
  register_class("schedule", class_name, table().knows(class_name), std::move(from_config));
}

}  // namespace strata
