// SPDX-License-Identifier: Apache-2.0
#include "core/training/run_backup.h"

#include <algorithm>
#include <filesystem>

#include "core/base/error.h"
#include "core/model/config_dialect.h"
#include "core/training/model_file.h"
#include "core/training/saved_weights.h"

namespace strata {
namespace {

const std::string kRun = "run";

Config run_config(const RunBackup& run) {
  Config::List totals, callbacks;
  for (const double total : run.totals) totals.emplace_back(total);
  for (const CallbackState& state : run.callbacks) {
    callbacks.push_back(
        Config::object({{"callback", state.callback}, {"values", state.values}, {"tensors", state.tensors.size()}}));
  }
  return Config::object({{"plan", run.plan},
                         {"epoch", run.epoch},
                         {"step", run.step},
                         {"stopped", run.stopped},
                         {"learning_rate", run.learning_rate},
                         {"totals", totals},
                         {"samples", run.samples},
                         {"callbacks", callbacks}});
}

/// What run_config() made; `tensors` are those of all callbacks.
RunBackup run_of(const Config& config, const std::vector<NamedArray>& tensors) {
  RunBackup run{.plan = config.at("plan"),
                .epoch = static_cast<int>(config.at("epoch").as_int()),
                .step = config.at("step").as_int(),
                .stopped = config.at("stopped").as_bool(),
                .learning_rate = config.at("learning_rate").as_double(),
                .samples = config.at("samples").as_int()};
  for (const Config& total : config.at("totals").as_list()) run.totals.push_back(total.as_double());
  std::size_t next = 0;
  for (const Config& state : config.at("callbacks").as_list()) {
    CallbackState made{state.at("callback").as_string(), state.at("values"), {}};
    for (std::int64_t i = 0; i < state.at("tensors").as_int(); ++i) made.tensors.push_back(tensors.at(next++).value);
    run.callbacks.push_back(std::move(made));
  }
  return run;
}

void require_plan(const std::string& path, const Config& saved, const Config& plan) {
  for (const auto& [name, value] : plan.as_object()) {
    if (saved.get(name) == value) continue;
    std::string text = path;
    text.append(": the run that made this backup had ").append(name).append(" = ").append(saved.get(name).to_json());
    text.append(", this one has ").append(value.to_json());
    throw ConfigError(text + ". Continue it with the same data and arguments, or remove the backup.");
  }
}

void restore(const std::string& path, const Functional& model, Trainer& trainer, const ModelFile& file) {
  std::vector<Tensor> slots;
  for (const NamedArray& slot : file.optimizer) slots.push_back(slot.value);
  load_layers(model, file.layers, {}, path);
  try {
    trainer.restore_optimizer(slots, SlotOrder::by_variable);
    trainer.restore_position(file.position);
  } catch (const Error& error) {
    throw IoError(path, std::string("the optimizer's state does not fit: ") + error.what());
  }
}

RunBackup read_on_this_rank(const std::string& path, const Functional& model, Trainer& trainer, const Config& plan) {
  const ModelFile file = model_file_format().read(path);
  if (file.position.is_null() || !file.position.contains(kRun)) {
    throw IoError(path, "expected a backup of training, received a file without one");
  }
  RunBackup run;
  try {
    run = run_of(file.position.at(kRun), file.callbacks);
  } catch (const std::exception& error) {
    throw IoError(path, std::string("the backup's description cannot be read: ") + error.what());
  }
  require_plan(path, run.plan, plan);
  restore(path, model, trainer, file);
  return run;
}

/// On no rank or on all.
bool exists_everywhere(const std::string& path, Communicator& communicator) {
  std::error_code failed;
  const char mine = std::filesystem::exists(path, failed) ? 1 : 0;
  std::vector<char> all(static_cast<std::size_t>(communicator.size()), mine);
  if (communicator.size() > 1) communicator.allgather(&mine, all.data(), 1);
  for (std::size_t rank = 1; rank < all.size(); ++rank) {
    if (all[rank] == all[0]) continue;
    const int other = static_cast<int>(rank);
    throw IoError(path, communicator.describe(all[0] != 0 ? other : 0) + " does not find the backup that " +
                            communicator.describe(all[0] != 0 ? 0 : other) +
                            " finds: its directory has to be one that all ranks see");
  }
  return all[0] != 0;
}

}  // namespace

std::vector<CallbackState> states_of(const std::vector<CallbackRef>& callbacks) {
  std::vector<CallbackState> states;
  for (const CallbackRef& callback : callbacks) {
    CallbackState state = callback->state();
    if (!state.callback.empty()) states.push_back(std::move(state));
  }
  return states;
}

void restore_states(const std::vector<CallbackRef>& callbacks, std::vector<CallbackState> states) {
  for (const CallbackRef& callback : callbacks) {
    const std::string name = callback->state().callback;
    const auto found = std::find_if(states.begin(), states.end(), [&](const auto& s) { return s.callback == name; });
    if (found == states.end()) continue;
    callback->restore_state(*found);
    states.erase(found);
  }
}

void write_backup(const std::string& path, const Functional& model, const Trainer& trainer, const RunBackup& run) {
  const ConfigDialectScope dialect(ConfigDialect::keras3);
  ModelFile file;
  file.keras_version = keras_version_of(ConfigDialectScope::current());
  file.layers = saved_layers(model);
  for (const NamedSlot& slot : trainer.optimizer_state()) file.optimizer.push_back({slot.name, slot.value});
  file.position = trainer.position().set(kRun, run_config(run));
  for (std::size_t k = 0; k < run.callbacks.size(); ++k) {
    for (const Tensor& tensor : run.callbacks[k].tensors) {
      file.callbacks.push_back({run.callbacks[k].callback + "/" + std::to_string(file.callbacks.size()), tensor});
    }
  }
  Communicator& communicator = trainer.communicator();
  succeed_together(communicator, path, [&] {
    if (communicator.rank() == 0) model_file_format().write(path, file);
  });
}

std::optional<RunBackup> read_backup(const std::string& path, const Functional& model, Trainer& trainer,
                                     const Config& plan) {
  if (!exists_everywhere(path, trainer.communicator())) return {};
  RunBackup run;
  succeed_together(trainer.communicator(), path, [&] { run = read_on_this_rank(path, model, trainer, plan); });
  return run;
}

}  // namespace strata
