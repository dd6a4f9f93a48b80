// SPDX-License-Identifier: Apache-2.0
// Saving and loading models.
#include <algorithm>
#include <filesystem>

#include "core/base/error.h"
#include "core/training/model_file.h"
#include "core/training/model_state.h"
#include "core/training/saved_weights.h"
#include "core/training/training_config.h"

namespace strata {
namespace {

const ModelFileFormat* file_format = nullptr;

/// Where Keras 3 expects its own layout, of weights alone.
bool names_weights(const std::string& path) { return path.ends_with(".weights.h5"); }

/// Throws ConfigError unless Keras would write HDF5 under this name.
void require_hdf5_name(const std::string& path, const std::string& what) {
  const std::string extension = std::filesystem::path(path).extension().string();
  if (extension == ".h5" || extension == ".hdf5") return;
  throw ConfigError(what + ": expected a path ending with `.h5` or `.hdf5`. Received: filepath=" + path);
}

/// Throws ConfigError unless Keras would write a whole model under this name.
void require_model_name(const std::string& path) {
  require_hdf5_name(path, "save");
  if (!names_weights(path)) return;
  throw ConfigError("save: expected a path without `.weights.h5`, which is for weights alone. Received: filepath=" +
                    path);
}

void write_on_rank_0(Communicator& communicator, const std::string& path, const ModelFile& file) {
  succeed_together(communicator, path, [&] {
    if (communicator.rank() == 0) model_file_format().write(path, file);
  });
}

/// "iter:0" begins the state of optimizers of tf.keras up to 2.10, "iteration:0" that of later ones.
SlotOrder slot_order(const std::vector<NamedArray>& optimizer) {
  const std::string& first = optimizer.front().name;
  if (first.ends_with("/iter:0")) return SlotOrder::by_slot;
  return first.ends_with("iteration:0") ? SlotOrder::keras2 : SlotOrder::by_variable;
}

/// In whose order a file has the weights of layers that are not trained.
ConfigDialect dialect_of(const ModelFile& file) {
  return file.keras_version.starts_with("3") ? ConfigDialect::keras3 : ConfigDialect::keras2;
}

Model make_model(const ModelFile& file, const std::string& path) {
  if (file.model.is_null()) {
    throw IoError(path, "No model config found in the file: it holds weights alone, which load_weights reads.");
  }
  try {
    return model_from_config(file.model);
  } catch (const ConfigError& error) {
    throw IoError(path, std::string("the attribute model_config: ") + error.what());
  }
}

/// Whether the state is of an optimizer that was made and has done no step: without slots.
bool has_not_begun(const std::vector<Tensor>& state) {
  const bool numbers = std::all_of(state.begin(), state.end(), [](const Tensor& t) { return t.rank() == 0; });
  return numbers && (state.empty() || ops::cast(state[0], Dtype::int64).item<std::int64_t>() == 0);
}

/// Compiles as the model of the file was, and goes on where its training stood.
void restore_training(const Model& model, Trainer& trainer, const ModelFile& file, const std::string& path) {
  if (!trainer.is_built() || file.optimizer.empty()) return;
  std::vector<Tensor> values;
  for (const NamedArray& array : file.optimizer) values.push_back(array.value);
  if (has_not_begun(values)) return;
  try {
    trainer.restore_optimizer(values, slot_order(file.optimizer));
    if (!file.position.is_null()) trainer.restore_position(file.position);
  } catch (const Error& error) {
    throw IoError(path, "the optimizer's state does not fit the model " + model.name() + ": " + error.what());
  }
}

const std::string kOptimizerGroup = "optimizer";

/// What the optimizer of a model that has trained remembers, where Keras has it.
void add_optimizer(const Trainer& trainer, std::vector<SavedGroup>& groups) {
  const std::vector<NamedSlot> state = trainer.optimizer_state();
  if (state.empty()) return;
  SavedGroup group{kOptimizerGroup, trainer.optimizer().name(), {}};
  for (const NamedSlot& slot : state) group.variables.push_back(slot.value);
  if (const LossScaleOptions* scaling = trainer.optimizer().loss_scaling()) {
    // Behind iteration, rate and the two numbers of its own Keras repeats what is the inner optimizer's.
    const SavedGroup inner{
        kOptimizerGroup + "/inner_optimizer", group.name, {group.variables.begin() + 4, group.variables.end()}};
    group.name = scaling->name;
    groups.push_back(std::move(group));
    groups.push_back(inner);
    return;
  }
  groups.push_back(std::move(group));
}

/// As Keras, for an optimizer that has begun: one that was only made keeps its rate.
void restore_group(Trainer& trainer, const std::vector<SavedGroup>& groups, bool skip_mismatch,
                   const std::string& path) {
  const auto found =
      std::find_if(groups.begin(), groups.end(), [](const SavedGroup& g) { return g.path == kOptimizerGroup; });
  if (found == groups.end() || has_not_begun(found->variables) || !trainer.has_optimizer_state()) return;
  try {
    trainer.restore_optimizer(found->variables, SlotOrder::by_variable);
  } catch (const Error& error) {
    if (!skip_mismatch) throw IoError(path, std::string("the optimizer's state does not fit: ") + error.what());
  }
}

}  // namespace

void set_model_file_format(const ModelFileFormat* format) { file_format = format; }

const ModelFileFormat& model_file_format() {
  if (file_format == nullptr) throw InternalError("no format of model files is known: include strata/strata.h");
  return *file_format;
}

void Model::save(const std::string& path, const SaveOptions& options) const {
  require_model_name(path);
  if (std::dynamic_pointer_cast<SubclassedModel>(shared()) != nullptr) {
    throw ConfigError(
        "Saving the model to HDF5 format requires the model to be a Functional model or a Sequential model. It does "
        "not "
        "work for subclassed models, because such models are defined via the body of a method, which isn't safely "
        "serializable. Consider using `save_weights`.");
  }
  const ConfigDialectScope dialect(options.dialect);
  ModelFile file;
  file.keras_version = keras_version_of(ConfigDialectScope::current());
  file.model = serialized();
  file.layers = saved_layers(graph());
  if (options.include_optimizer && state_->trainer != nullptr && state_->trainer->compiled()) {
    file.training = training_config(state_->trainer->objective(), state_->trainer->optimizer());
    file.position = state_->trainer->position();
    for (const NamedSlot& slot : state_->trainer->optimizer_state()) file.optimizer.push_back({slot.name, slot.value});
  }
  write_on_rank_0(communicator(), path, file);
}

void Model::save_weights(const std::string& path) const {
  require_hdf5_name(path, "save_weights");
  ModelFile file;
  file.keras_version = keras_version_of(ConfigDialectScope::current());
  if (names_weights(path)) {
    file.groups = saved_groups(*this);
    if (state_->trainer != nullptr) add_optimizer(*state_->trainer, file.groups);
  } else {
    file.layers = saved_layers(graph());
  }
  write_on_rank_0(communicator(), path, file);
}

void Model::load_weights(const std::string& path, const LoadWeightsOptions& options) const {
  const ModelFile file = model_file_format().read(path);
  if (!file.groups.empty()) {
    if (options.by_name) {
      throw ConfigError(
          "load_weights: by_name is for files in Keras' older layout, where layers have their names. "
          "Received: filepath=" +
          path);
    }
    load_groups(*this, file.groups, options.skip_mismatch, path);
    if (state_->trainer != nullptr) restore_group(*state_->trainer, file.groups, options.skip_mismatch, path);
    return;
  }
  const ConfigDialectScope dialect(dialect_of(file));
  load_layers(graph(), file.layers, {options.by_name, options.skip_mismatch}, path);
}

Model load_model(const std::string& path, const LoadOptions& options) {
  const ModelFile file = model_file_format().read(path);
  const CustomObjectScope scope(options.custom_objects);
  Model model = make_model(file, path);
  const ConfigDialectScope dialect(dialect_of(file));
  load_layers(model.graph(), file.layers, {}, path);
  if (!options.compile || file.training.is_null()) return model;
  try {
    CompileOptions compile = compile_options(file.training, model.graph().output_names());
    compile.communicator = options.communicator;
    compile.shard_optimizer = options.shard_optimizer;
    model.compile(compile);
  } catch (const ConfigError& error) {
    throw IoError(path, std::string("the attribute training_config: ") + error.what() +
                            " With `.compile = false` the model is read without it.");
  }
  restore_training(model, *model.state_->trainer, file, path);
  return model;
}

}  // namespace strata
