// SPDX-License-Identifier: Apache-2.0
// Internal to Trainer: sources of samples, checked against a model.
#pragma once

#include "core/training/trainer.h"

namespace strata {

/// The arrays that a model takes, in its order.
struct SelectedArrays {
  std::vector<Tensor> x;
  std::vector<Tensor> y;        // an empty handle where nothing reads them
  std::vector<Tensor> weights;  // an empty handle where every sample counts alike; none at all when all do
};

/// Throws ConfigError for what is missing, unknown or too much.
SelectedArrays select_arrays(const Functional& model, const Objective* objective, const Samples& samples);
/// See check_arrays.
CheckedArrays check_selected(const Functional& model, const Objective* objective, const SelectedArrays& selected,
                             bool may_be_empty);

/// `samples.source` as a source of the model's arrays, under equal checks; the values of targets are checked whenever
/// they are read.
CheckedArrays check_source(const Functional& model, const Objective* objective, const Samples& samples);

/// Throws ConfigError unless data of these specs can have class weights.
void require_class_weights_fit(const DataSpecs& specs);
/// That of the label of every target.
std::vector<float> class_weights_of(const HostArray& y, const std::map<std::int64_t, double>& class_weight);
/// The arrays of `source`, the last of which are the targets, and behind them the weights of their labels.
SampleSourceRef with_class_weights(SampleSourceRef source, const std::map<std::int64_t, double>& class_weight);

}  // namespace strata
