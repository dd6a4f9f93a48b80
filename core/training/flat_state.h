// SPDX-License-Identifier: Apache-2.0
// The flat buffers of a compiled model: per dtype one for the values of the trainable variables and one for each
// optimizer slot, all with the same offsets; and one for the variables without gradients.
#pragma once

#include <string>
#include <vector>

#include "core/model/layer.h"
#include "core/training/optimizer.h"

namespace strata {

/// Variables of one dtype laid out one after the other, each beginning at a multiple of 64 bytes.
struct FlatLayout {
  Dtype dtype = Dtype::float32;
  std::vector<Variable> variables;
  std::vector<Dim> offsets;  // elements
  Dim elements = 0;          // a multiple of 64 bytes; what lies between variables stays zero

  std::size_t bytes() const { return static_cast<std::size_t>(elements) * size_of(dtype); }
  std::size_t byte_offset(std::size_t i) const { return static_cast<std::size_t>(offsets[i]) * size_of(dtype); }
};

/// One layout a dtype, variables in the given order, layouts in order of first appearance.
std::vector<FlatLayout> make_layouts(const std::vector<Variable>& variables);

/// Values and slots of one dtype.
struct FlatSet {
  FlatLayout layout;
  Buffer values;
  std::vector<Buffer> slots;
  std::vector<WeightRule> rules;  // one a variable
};

/// Owned by one compiled model. Not thread-safe.
class FlatState {
 public:
  /// Zero values; nothing is adopted yet. Variables that `rules` does not name follow their gradient alone.
  FlatState(const std::vector<Variable>& trainable, const std::vector<Variable>& others,
            const std::vector<WeightRule>& rules, Device& device);

  /// Creates the slots, each at its initial value.
  void create_slots(const std::vector<SlotSpec>& specs);
  /// Moves every variable that lives elsewhere into the flat buffers. Cheap when all are here already; needed before
  /// every run, since another compiled model may have taken a shared variable over. Returns whether any moved.
  bool adopt();

  const std::vector<FlatSet>& trainable() const { return trainable_; }
  const std::vector<FlatSet>& others() const { return others_; }
  Device& device() const { return device_; }

 private:
  Device& device_;
  std::vector<FlatSet> trainable_;
  std::vector<FlatSet> others_;
};

}  // namespace strata
