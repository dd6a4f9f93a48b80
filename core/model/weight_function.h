// SPDX-License-Identifier: Apache-2.0
// What regularizers and constraints have in common: a function of a weight, with what Keras serialises for it.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "core/base/config.h"
#include "core/tensor/tensor.h"

namespace strata {

/// A function of one weight, written in ops, or none. A value type, immutable and thread-safe. See Regularizer and
/// Constraint.
class WeightFunction {
 public:
  using Function = std::function<Tensor(const Tensor&)>;

  explicit operator bool() const { return function_ != nullptr; }
  Tensor operator()(const Tensor& weight) const { return function_(weight); }
  const std::string& class_name() const { return class_name_; }
  /// {"class_name": "L2", "config": {"l2": 0.01}}; null when there is none.
  Config config() const {
    return function_ ? Config::object({{"class_name", class_name_}, {"config", config_}}) : Config();
  }

 protected:
  WeightFunction() = default;
  WeightFunction(std::string class_name, Config config, Function function)
      : class_name_(std::move(class_name)), config_(std::move(config)), function_(std::move(function)) {}

 private:
  std::string class_name_;
  Config config_;
  Function function_;
};

}  // namespace strata
