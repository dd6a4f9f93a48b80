// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "core/base/error.h"
#include "core/training/callbacks/callbacks.h"
#include "core/training/callbacks/file_name.h"
#include "core/training/model.h"

namespace strata::callbacks {

ModelCheckpoint::ModelCheckpoint(std::string filepath, const ModelCheckpointOptions& options)
    : filepath_(std::move(filepath)),
      options_(options),
      monitor_("ModelCheckpoint", options.monitor, options.mode, 0.0),
      best_(options.initial_value_threshold) {
  if (options.save_freq < 0) {
    throw ConfigError("ModelCheckpoint: expected a save_freq of at least 0, received " +
                      std::to_string(options.save_freq));
  }
  const bool hdf5 = filepath_.ends_with(".h5") || filepath_.ends_with(".hdf5");
  if (hdf5 && (options.save_weights_only || !filepath_.ends_with(".weights.h5"))) return;
  throw ConfigError(
      "ModelCheckpoint: expected a filepath that ends with `.h5` or `.hdf5`" +
      std::string(options.save_weights_only ? "" : ", but not with `.weights.h5`, which holds weights alone") +
      ". Received: filepath=" + filepath_);
}

void ModelCheckpoint::on_train_batch_end(Dim batch, const Logs& logs) {
  if (options_.save_freq == 0 || ++steps_ < options_.save_freq) return;
  steps_ = 0;
  save(batch, logs);
}

void ModelCheckpoint::on_epoch_end(int epoch, Logs& logs) {
  epoch_ = epoch;
  if (options_.save_freq == 0) save({}, logs);
}

void ModelCheckpoint::save(std::optional<Dim> batch, const Logs& logs) {
  const std::string path = file_name(filepath_, epoch_ + 1, batch ? std::optional(*batch + 1) : std::nullopt, logs);
  if (!should_save(logs, path)) return;
  if (options_.save_weights_only) control().model().save_weights(path);
  else control().model().save(path);
  say("finished saving model to " + path);
}

bool ModelCheckpoint::should_save(const Logs& logs, const std::string& path) {
  if (!options_.save_best_only) {
    say("saving model to " + path);
    return true;
  }
  if (find_log(logs, monitor_.log()) == nullptr) {
    print_message(parameters().rank, "Can save best model only with " + monitor_.log() + " available.");
    return true;
  }
  const double value = *monitor_.read(logs, control(), parameters().rank);
  const std::string before = best_ ? fmt::format("{:.5f}", *best_) : "None";
  if (!monitor_.improves(value, best_)) {
    say(monitor_.log() + " did not improve from " + before);
    return false;
  }
  say(fmt::format("{} improved from {} to {:.5f}, saving model to {}", monitor_.log(), before, value, path));
  best_ = value;
  return true;
}

void ModelCheckpoint::say(const std::string& what) const {
  if (options_.verbose > 0) print_message(parameters().rank, fmt::format("\nEpoch {}: {}", epoch_ + 1, what));
}

CallbackState ModelCheckpoint::state() const {
  return {"ModelCheckpoint", Config::object({{"best", optional_config(best_)}, {"steps", steps_}}), {}};
}

void ModelCheckpoint::restore_state(const CallbackState& state) {
  best_ = optional_number(state.values.at("best"));
  steps_ = state.values.at("steps").as_int();
}

}  // namespace strata::callbacks
