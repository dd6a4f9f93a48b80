// SPDX-License-Identifier: Apache-2.0
#include "core/training/run_snapshot.h"

#include <algorithm>
#include <set>

#include "core/base/error.h"
#include "core/model/config_dialect.h"
#include "core/training/training_config.h"

namespace strata {
namespace {

const std::string kWeights = "weights/", kOptimizer = "optimizer/", kCallbacks = "callbacks/";

std::size_t bytes_of(Dim elements, Dtype dtype) { return static_cast<std::size_t>(elements) * size_of(dtype); }

/// Adds tensors, and parts of them, one after the other.
class SnapshotMaker {
 public:
  explicit SnapshotMaker(RunSnapshot& snapshot) : snapshot_(snapshot) {}

  /// Names of variables and callbacks may repeat: the second "dense/kernel" is "dense/kernel#2".
  std::size_t add(const std::string& name, const TensorSpec& spec) {
    std::string unique = name;
    for (int i = 2; !names_.insert(unique).second; ++i) unique = name + "#" + std::to_string(i);
    snapshot_.tensors.push_back({unique, spec});
    return snapshot_.tensors.size() - 1;
  }
  void add_part(std::size_t tensor, Dim first, Dim count, const Buffer& source) {
    if (count > 0) snapshot_.parts.push_back({tensor, first, count, source});
  }
  /// What every rank has; who writes it is settled by share_out().
  void add_common(const std::string& name, const TensorSpec& spec, const Buffer& source) {
    common_.push_back({add(name, spec), 0, spec.shape.elements(), source});
  }
  void add_common(const std::string& name, const Tensor& value) {
    add_common(name, value.spec(), value.eval());
    snapshot_.held.push_back(value);
  }

  /// Each writer gets a stretch of what all have, as if it lay in one piece.
  void share_out(int writers, int writer) {
    std::size_t total = 0;
    for (const StatePart& part : common_) total += bytes_of(part.count, dtype(part));
    const IndexRange own = even_part(static_cast<Dim>(total), writers, writer);
    Dim begin = 0;
    for (const StatePart& part : common_) {
      const auto element = static_cast<Dim>(size_of(dtype(part)));
      const auto before = [&](Dim byte) {
        return std::clamp<Dim>((byte - begin + element - 1) / element, 0, part.count);
      };
      const Dim first = before(own.first), last = before(own.last);
      add_part(part.tensor, first, last - first,
               {part.source.storage, part.source.offset + bytes_of(first, dtype(part))});
      begin += part.count * element;
    }
  }

 private:
  Dtype dtype(const StatePart& part) const { return snapshot_.tensors[part.tensor].spec.dtype; }

  RunSnapshot& snapshot_;
  std::set<std::string> names_;
  std::vector<StatePart> common_;
};

void add_optimizer(SnapshotMaker& maker, const Trainer& trainer) {
  for (const NamedSlot& slot : trainer.optimizer_state(SlotExtent::held)) {
    if (slot.value) {
      maker.add_common(kOptimizer + slot.name, slot.value);
      continue;
    }
    const std::size_t tensor = maker.add(kOptimizer + slot.name, slot.spec);
    for (const SlotPart& part : slot.parts) maker.add_part(tensor, part.first, part.count, part.values);
  }
}

/// Weights and optimizer.
void add_training(SnapshotMaker& maker, const Functional& model, const Trainer& trainer) {
  for (const Variable& weight : model.weights()) {
    maker.add_common(kWeights + weight.path(), weight.spec(), weight.buffer());
  }
  add_optimizer(maker, trainer);
}

/// Throws ConfigError naming the first tensor that is another.
void require_same_tensors(const std::string& path, const std::vector<StateTensor>& saved,
                          const std::vector<StateTensor>& now) {
  const auto text = [](const std::vector<StateTensor>& tensors, std::size_t i) {
    return i < tensors.size() ? tensors[i].name + " " + tensors[i].spec.str() : "none more";
  };
  for (std::size_t i = 0; i < std::max(saved.size(), now.size()); ++i) {
    if (i < saved.size() && i < now.size() && saved[i] == now[i]) continue;
    throw ConfigError(path + ": the checkpoint is of another model: as tensor " + std::to_string(i) + " it has " +
                      text(saved, i) + ", this model " + text(now, i) + ".");
  }
}

}  // namespace

ModelDescription describe_model(const Model& model, const Trainer& trainer) {
  const ConfigDialectScope dialect(ConfigDialect::keras3);
  ModelDescription described;
  try {
    described.model = Config::object({{"class_name", model.layer().class_name()}, {"config", model.get_config()}});
  } catch (const ConfigError&) {
    // Subclassed models have no description: then only the weights are compared.
  }
  if (trainer.objective().losses.empty()) return described;
  const Config all = training_config(trainer.objective(), trainer.optimizer());
  described.training = Config::object();
  for (const auto& [name, value] : all.as_object()) {
    if (name != "optimizer_config") described.training.set(name, value);  // the plan has what must not change of it
  }
  return described;
}

RunSnapshot take_snapshot(const Functional& model, const Trainer& trainer, const RunProgress& run,
                          const ModelDescription& described, const Config& provenance, const ShardPlace& place) {
  RunSnapshot snapshot;
  SnapshotMaker maker(snapshot);
  add_training(maker, model, trainer);
  if (place.writes) maker.share_out(place.count, place.number);
  // Callbacks may act on rank 0 alone.
  for (const CallbackState& state : run.callbacks) {
    for (const Tensor& value : state.tensors) {
      const std::size_t tensor = maker.add(kCallbacks + state.callback, value.spec());
      if (trainer.communicator().rank() == 0) maker.add_part(tensor, 0, value.shape().elements(), value.eval());
      snapshot.held.push_back(value);
    }
  }
  snapshot.description = Config::object({{"position", trainer.position()},
                                         {"run", progress_config(run)},
                                         {"model", described.model},
                                         {"training", described.training},
                                         {"provenance", provenance}});
  return snapshot;
}

LoadedRun load_run(const SavedCheckpoint& saved, const Functional& model, const Trainer& trainer, const Config& plan,
                   const ModelDescription& described) {
  const Config& description = saved.description();
  for (const auto& [name, value] : plan.as_object()) {
    require_same(saved.path(), name, description.at("run").at("plan").get(name), value);
  }
  require_same(saved.path(), "model", description.at("model"), described.model);
  require_same(saved.path(), "compile", description.at("training"), described.training);
  RunSnapshot now;
  SnapshotMaker maker(now);
  add_training(maker, model, trainer);
  std::vector<StateTensor> of_model = saved.tensors();
  std::erase_if(of_model, [](const StateTensor& tensor) { return tensor.name.starts_with(kCallbacks); });
  require_same_tensors(saved.path(), of_model, now.tensors);
  LoadedRun run;
  std::vector<Tensor> callbacks;
  for (std::size_t i = 0; i < saved.tensors().size(); ++i) {
    const std::string& name = saved.tensors()[i].name;
    auto& kind = name.starts_with(kWeights) ? run.weights : name.starts_with(kOptimizer) ? run.optimizer : callbacks;
    kind.push_back(saved.read(i));
  }
  run.position = description.at("position");
  run.progress = progress_of(description.at("run"), callbacks);
  return run;
}

void put_in_place(const LoadedRun& run, const Functional& model, Trainer& trainer) {
  const std::vector<Variable> weights = model.weights();
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i].assign(run.weights.at(i));
  if (!run.optimizer.empty()) trainer.restore_optimizer(run.optimizer, SlotOrder::by_variable);
  trainer.restore_position(run.position);
}

}  // namespace strata
