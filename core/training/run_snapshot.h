// SPDX-License-Identifier: Apache-2.0
// Internal: all that a run is between two steps, as a checkpoint has it, and a run made such again.
#pragma once

#include "core/training/checkpoint_store.h"
#include "core/training/run_progress.h"
#include "core/training/shard_writers.h"
#include "core/training/trainer.h"
#include "core/training/transfer_errors.h"

namespace strata {

/// The weights in the order of model.weights, then the optimizer's state, then the states of layers, then what
/// callbacks remember. Nothing of that depends on the number of ranks; only who writes which parts does. Last of all
/// what compressed transfers owe, which does.
struct RunSnapshot {
  Config description;
  std::vector<StateTensor> tensors;
  std::vector<StatePart> parts;  // what this rank writes
  std::vector<Tensor> held;      // keep the parts' memory
};

/// What the model and what it was compiled with are, for comparison; null where they cannot be described.
struct ModelDescription {
  Config model;
  Config training;
};

/// What a run works on.
struct RunParts {
  const Functional& model;
  Trainer& trainer;
  std::vector<Variable> layer_states;  // of stateful layers
};

ModelDescription describe_model(const Model& model, const Trainer& trainer);

/// Not collective. The parts of all ranks are everything, once: of what ranks share out among them each has its own, of
/// what all have those that write files have about the same number of bytes.
/// `transfers` of a run that compresses them.
RunSnapshot take_snapshot(const RunParts& parts, const TransferErrors* transfers, const RunProgress& run,
                          const ModelDescription& described, const Config& provenance, const ShardPlace& place);

/// A run read from a checkpoint, not yet in place.
struct LoadedRun {
  std::vector<Tensor> weights;
  std::vector<Tensor> optimizer;
  std::vector<Tensor> layer_states;
  Config position;
  RunProgress progress;
  Config transfers;        // TransferErrors::layout()
  Tensor transfer_errors;  // of the rank with this one's number; none where there was none
};

/// Reads and checks the tensors; changes nothing. Not collective. Throws ConfigError naming what of plan or model is
/// another, IoError for what is damaged.
LoadedRun load_run(const SavedCheckpoint& saved, const RunParts& parts, const Config& plan,
                   const ModelDescription& described);

/// Sets weights, optimizer, states of layers and position of the run.
void put_in_place(const LoadedRun& run, const RunParts& parts);

}  // namespace strata
