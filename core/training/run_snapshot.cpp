// SPDX-License-Identifier: Apache-2.0
#include "core/training/run_snapshot.h"

#include <algorithm>
#include <set>

#include "core/base/error.h"
#include "core/model/config_dialect.h"
#include "core/training/training_config.h"

namespace strata {
namespace {

const std::string kWeights = "weights/", kOptimizer = "optimizer/", kStates = "states/", kCallbacks = "callbacks/",
                  kTransfers = "transfer_errors/";

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

/// Weights, optimizer and states of layers.
void add_training(SnapshotMaker& maker, const RunParts& parts) {
  for (const Variable& weight : parts.model.weights()) {
    maker.add_common(kWeights + weight.path(), weight.spec(), weight.buffer());
  }
  add_optimizer(maker, parts.trainer);
  for (const Variable& state : parts.layer_states) {
    maker.add_common(kStates + state.path(), state.spec(), state.buffer());
  }
}

std::string transfers_name(int rank) { return kTransfers + "rank-" + std::to_string(rank); }

/// A tensor a rank.
void add_transfers(SnapshotMaker& maker, const TransferErrors& transfers, int own_rank) {
  if (transfers.layout().is_null()) return;
  const Config::List& ranks = transfers.layout().at("ranks").as_list();
  for (int rank = 0; rank < static_cast<int>(ranks.size()); ++rank) {
    const Dim elements = ranks[static_cast<std::size_t>(rank)].at("elements").as_int();
    const std::size_t tensor = maker.add(transfers_name(rank), {{elements}, Dtype::float32});
    if (rank != own_rank) continue;
    Dim first = 0;
    for (const RoundingErrors& errors : transfers.own()) {
      const auto count = static_cast<Dim>(errors.values->bytes() / sizeof(float));
      maker.add_part(tensor, first, count, {errors.values, 0});
      first += count;
    }
  }
}

/// Where a tensor of that name belongs.
std::vector<Tensor>& list_for(const std::string& name, LoadedRun& run, std::vector<Tensor>& callbacks) {
  if (name.starts_with(kWeights)) return run.weights;
  if (name.starts_with(kOptimizer)) return run.optimizer;
  return name.starts_with(kStates) ? run.layer_states : callbacks;
}

/// Whether it is not compared with what this run has.
bool is_besides(const StateTensor& tensor) {
  return tensor.name.starts_with(kCallbacks) || tensor.name.starts_with(kTransfers);
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

RunSnapshot take_snapshot(const RunParts& parts, const TransferErrors* transfers, const RunProgress& run,
                          const ModelDescription& described, const Config& provenance, const ShardPlace& place) {
  const Trainer& trainer = parts.trainer;
  RunSnapshot snapshot;
  SnapshotMaker maker(snapshot);
  add_training(maker, parts);
  if (place.writes) maker.share_out(place.count, place.number);
  // Callbacks may act on rank 0 alone.
  for (const CallbackState& state : run.callbacks) {
    for (const Tensor& value : state.tensors) {
      const std::size_t tensor = maker.add(kCallbacks + state.callback, value.spec());
      if (trainer.communicator().rank() == 0) maker.add_part(tensor, 0, value.shape().elements(), value.eval());
      snapshot.held.push_back(value);
    }
  }
  if (transfers != nullptr) add_transfers(maker, *transfers, trainer.communicator().rank());
  snapshot.description = Config::object({{"position", trainer.position()},
                                         {"run", progress_config(run)},
                                         {"model", described.model},
                                         {"training", described.training},
                                         {"transfers", transfers != nullptr ? transfers->layout() : Config()},
                                         {"provenance", provenance}});
  return snapshot;
}

LoadedRun load_run(const SavedCheckpoint& saved, const RunParts& parts, const Config& plan,
                   const ModelDescription& described) {
  const Config& description = saved.description();
  for (const auto& [name, value] : plan.as_object()) {
    require_same(saved.path(), name, description.at("run").at("plan").get(name), value);
  }
  require_same(saved.path(), "model", description.at("model"), described.model);
  require_same(saved.path(), "compile", description.at("training"), described.training);
  RunSnapshot now;
  SnapshotMaker maker(now);
  add_training(maker, parts);
  std::vector<StateTensor> of_model = saved.tensors();
  std::erase_if(of_model, is_besides);
  require_same_tensors(saved.path(), of_model, now.tensors);
  const std::string own_transfers = transfers_name(parts.trainer.communicator().rank());
  std::vector<bool> wanted;
  for (const StateTensor& tensor : saved.tensors()) {
    wanted.push_back(!tensor.name.starts_with(kTransfers) || tensor.name == own_transfers);
  }
  LoadedRun run;
  std::vector<Tensor> callbacks;
  std::vector<Tensor> values = saved.read_all(wanted);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!wanted[i]) continue;
    const std::string& name = saved.tensors()[i].name;
    if (name == own_transfers) run.transfer_errors = values[i];
    else list_for(name, run, callbacks).push_back(values[i]);
  }
  run.position = description.at("position");
  run.progress = progress_of(description.at("run"), callbacks);
  run.transfers = description.get("transfers");
  return run;
}

void put_in_place(const LoadedRun& run, const RunParts& parts) {
  const std::vector<Variable> weights = parts.model.weights();
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i].assign(run.weights.at(i));
  for (std::size_t i = 0; i < parts.layer_states.size(); ++i) parts.layer_states[i].assign(run.layer_states.at(i));
  if (!run.optimizer.empty()) parts.trainer.restore_optimizer(run.optimizer, SlotOrder::by_variable);
  parts.trainer.restore_position(run.position);
}

}  // namespace strata
