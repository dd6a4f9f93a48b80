// SPDX-License-Identifier: Apache-2.0
#include "core/training/loss.h"

#include <array>

#include "core/base/error.h"
#include "core/training/crossentropy.h"

namespace strata {
namespace {

struct NamedLoss {
  std::array<std::string_view, 4> names;  // class, function, then short forms
  Loss (*make)();
};

constexpr std::array<NamedLoss, 4> kLosses = {{
    {{"SparseCategoricalCrossentropy", "sparse_categorical_crossentropy"},
     [] { return losses::SparseCategoricalCrossentropy(); }},
    {{"CategoricalCrossentropy", "categorical_crossentropy"}, [] { return losses::CategoricalCrossentropy(); }},
    {{"BinaryCrossentropy", "binary_crossentropy", "bce", "BCE"}, [] { return losses::BinaryCrossentropy(); }},
    {{"MeanSquaredError", "mean_squared_error", "mse", "MSE"}, [] { return losses::MeanSquaredError(); }},
}};

}  // namespace

Loss find_loss(const std::string& name) {
  for (const NamedLoss& loss : kLosses) {
    for (const std::string_view known : loss.names) {
      if (!known.empty() && known == name) return loss.make();
    }
  }
  return {};
}

Loss::Loss(const std::string& name) : Loss(find_loss(name)) {
  if (function_) return;
  std::string known;
  for (const NamedLoss& loss : kLosses) known += (known.empty() ? "" : ", ") + std::string(loss.names[1]);
  throw ConfigError("Unknown loss function: " + name + ". Expected one of: " + known + ".");
}

void check_label_smoothing(const std::string& loss, double smoothing) {
  if (smoothing >= 0.0 && smoothing <= 1.0) return;
  throw ConfigError(loss + ": expected label_smoothing in [0, 1], received " + Config(smoothing).to_json());
}

}  // namespace strata
