// SPDX-License-Identifier: Apache-2.0
// Callbacks that change the learning rate between epochs.
#include <algorithm>

#include "core/base/config.h"
#include "core/base/error.h"
#include "core/training/callbacks/callbacks.h"

namespace strata::callbacks {

ReduceLROnPlateau::ReduceLROnPlateau(const ReduceLROnPlateauOptions& options)
    : options_(options), monitor_("ReduceLROnPlateau", options.monitor, options.mode, options.min_delta) {
  if (options.factor < 1.0) return;
  throw ConfigError("ReduceLROnPlateau does not support a factor >= 1.0. Received factor=" +
                    Config(options.factor).to_json());
}

void ReduceLROnPlateau::on_train_begin() {
  best_.reset();
  wait_ = cooldown_ = 0;
}

void ReduceLROnPlateau::on_epoch_end(int epoch, Logs& logs) {
  set_log(logs, "learning_rate", control().learning_rate());
  const std::optional<double> value = monitor_.read(logs, control(), parameters().rank);
  if (!value) return;
  if (cooldown_ > 0) {
    --cooldown_;
    wait_ = 0;
  }
  if (monitor_.improves(*value, best_)) {
    best_ = value;
    wait_ = 0;
  } else if (cooldown_ == 0 && ++wait_ >= options_.patience && reduce(epoch)) {
    cooldown_ = options_.cooldown;
    wait_ = 0;
  }
}

bool ReduceLROnPlateau::reduce(int epoch) {
  const double rate = control().learning_rate();
  if (rate <= options_.min_lr) return false;
  const double reduced = std::max(rate * options_.factor, options_.min_lr);
  control().set_learning_rate(reduced);
  print_message(options_.verbose > 0 ? parameters().rank : -1, "\nEpoch " + std::to_string(epoch + 1) +
                                                                   ": ReduceLROnPlateau reducing learning rate to " +
                                                                   Config(reduced).to_json() + ".");
  return true;
}

CallbackState ReduceLROnPlateau::state() const {
  return {"ReduceLROnPlateau",
          Config::object({{"best", optional_config(best_)}, {"wait", wait_}, {"cooldown", cooldown_}}),
          {}};
}

void ReduceLROnPlateau::restore_state(const CallbackState& state) {
  best_ = optional_number(state.values.at("best"));
  wait_ = static_cast<int>(state.values.at("wait").as_int());
  cooldown_ = static_cast<int>(state.values.at("cooldown").as_int());
}

void LearningRateScheduler::on_epoch_begin(int epoch) {
  const double rate = schedule_(epoch, control().learning_rate());
  control().set_learning_rate(rate);
  print_message(verbose_ > 0 ? parameters().rank : -1, "\nEpoch " + std::to_string(epoch + 1) +
                                                           ": LearningRateScheduler setting learning rate to " +
                                                           Config(rate).to_json() + ".");
}

void LearningRateScheduler::on_epoch_end(int, Logs& logs) { set_log(logs, "learning_rate", control().learning_rate()); }

}  // namespace strata::callbacks
