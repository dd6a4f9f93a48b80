// SPDX-License-Identifier: Apache-2.0
#include "core/training/callbacks/callbacks.h"
#include "core/training/model.h"

namespace strata::callbacks {

EarlyStopping::EarlyStopping(const EarlyStoppingOptions& options)
    : options_(options), monitor_("EarlyStopping", options.monitor, options.mode, options.min_delta) {}

void EarlyStopping::on_train_begin() {
  wait_ = stopped_epoch_ = best_epoch_ = 0;
  best_.reset();
  best_weights_.clear();
}

void EarlyStopping::on_epoch_end(int epoch, Logs& logs) {
  const std::optional<double> value = monitor_.read(logs, control(), parameters().rank);
  if (!value || epoch < options_.start_from_epoch) return;
  ++wait_;
  if (monitor_.improves(*value, best_)) {
    best_ = value;
    best_epoch_ = epoch;
    keep_weights();
    if (monitor_.improves(*value, options_.baseline)) wait_ = 0;
    return;
  }
  if (wait_ >= options_.patience && epoch > 0) {
    stopped_epoch_ = epoch;
    control().stop_training();
  }
}

void EarlyStopping::keep_weights() {
  if (options_.restore_best_weights) best_weights_ = control().model().get_weights();
}

void EarlyStopping::on_train_end(const Logs&) {
  const int rank = options_.verbose > 0 ? parameters().rank : -1;
  if (stopped_epoch_ > 0) print_message(rank, "Epoch " + std::to_string(stopped_epoch_ + 1) + ": early stopping");
  if (best_weights_.empty()) return;
  print_message(rank,
                "Restoring model weights from the end of the best epoch: " + std::to_string(best_epoch_ + 1) + ".");
  control().model().set_weights(best_weights_);
}

CallbackState EarlyStopping::state() const {
  return {"EarlyStopping",
          Config::object({{"wait", wait_},
                          {"stopped_epoch", stopped_epoch_},
                          {"best_epoch", best_epoch_},
                          {"best", optional_config(best_)}}),
          best_weights_};
}

void EarlyStopping::restore_state(const CallbackState& state) {
  wait_ = static_cast<int>(state.values.at("wait").as_int());
  stopped_epoch_ = static_cast<int>(state.values.at("stopped_epoch").as_int());
  best_epoch_ = static_cast<int>(state.values.at("best_epoch").as_int());
  best_ = optional_number(state.values.at("best"));
  best_weights_ = state.tensors;
}

}  // namespace strata::callbacks
