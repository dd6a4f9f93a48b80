// SPDX-License-Identifier: Apache-2.0
// Internal to OptimizerUpdate: the numbers of a step, on the device.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/dtype.h"
#include "core/tensor/device.h"

namespace strata {

/// The learning rate and the scalars of the rule, in the dtype of the variables; the factor of the loss, which can be
/// more than 16 bits hold, in that dtype widened; and the number of the step.
class UpdateNumbers {
 public:
  UpdateNumbers(Device& device, Dtype dtype, std::size_t scalars);
  /// To be called before each step's updates. Allocates nothing.
  void set(double learning_rate, std::int64_t steps, double loss_scale, std::span<const double> scalars,
           Stream& stream);

  void* learning_rate() const { return at(0); }
  void* steps() const { return at(1); }
  void* loss_scale() const { return at(2); }
  std::size_t scalars() const { return host_.size() / kBytes - kFixed; }
  void* scalar(std::size_t i) const { return at(kFixed + i); }

 private:
  static constexpr std::size_t kBytes = 8;  // of a number, whatever its dtype
  static constexpr std::size_t kFixed = 3;  // numbers that every rule has
  std::byte* at(std::size_t i) const { return storage_->data() + i * kBytes; }

  Device& device_;
  Dtype dtype_;
  std::vector<std::byte> host_;
  std::shared_ptr<Storage> storage_;
};

}  // namespace strata
