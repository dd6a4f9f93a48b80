// SPDX-License-Identifier: Apache-2.0
#include "core/training/flat_state.h"

#include <algorithm>

#include "core/ops/ops.h"

namespace strata {
namespace {

constexpr std::size_t kAlignment = 64;

Dim rounded(Dim elements, Dtype dtype) {
  const Dim step = static_cast<Dim>(kAlignment / size_of(dtype));
  return (elements + step - 1) / step * step;
}

Buffer zeroed(Device& device, std::size_t bytes) {
  Buffer buffer{std::make_shared<Storage>(device, bytes), 0};
  const auto stream = device.make_stream();
  device.zero(buffer.data(), bytes, *stream);
  stream->synchronize();
  return buffer;
}

std::vector<FlatSet> make_sets(const std::vector<Variable>& variables, Device& device) {
  std::vector<FlatSet> sets;
  for (FlatLayout& layout : make_layouts(variables)) {
    Buffer values = zeroed(device, layout.bytes());
    sets.push_back({std::move(layout), std::move(values), {}, {}});
  }
  return sets;
}

bool adopt_set(const FlatSet& set) {
  bool moved = false;
  for (std::size_t i = 0; i < set.layout.variables.size(); ++i) {
    const Variable& variable = set.layout.variables[i];
    const std::size_t offset = set.layout.byte_offset(i);
    if (variable.buffer().storage == set.values.storage && variable.buffer().offset == offset) continue;
    variable.adopt({set.values.storage, offset});
    moved = true;
  }
  return moved;
}

}  // namespace

std::vector<FlatLayout> make_layouts(const std::vector<Variable>& variables) {
  std::vector<FlatLayout> layouts;
  for (const Variable& variable : variables) {
    const Dtype dtype = variable.spec().dtype;
    auto layout = std::find_if(layouts.begin(), layouts.end(), [&](const FlatLayout& l) { return l.dtype == dtype; });
    if (layout == layouts.end()) {
      layouts.push_back({dtype, {}, {}, 0});
      layout = layouts.end() - 1;
    }
    layout->variables.push_back(variable);
    layout->offsets.push_back(layout->elements);
    layout->elements += rounded(variable.shape().elements(), dtype);
  }
  return layouts;
}

FlatState::FlatState(const std::vector<Variable>& trainable, const std::vector<Variable>& others,
                     const std::vector<WeightRule>& rules, Device& device)
    : device_(device), trainable_(make_sets(trainable, device)), others_(make_sets(others, device)) {
  for (FlatSet& set : trainable_) {
    for (const Variable& variable : set.layout.variables) {
      const auto rule =
          std::find_if(rules.begin(), rules.end(), [&](const WeightRule& r) { return r.variable == variable; });
      set.rules.push_back(rule == rules.end() ? WeightRule{.variable = variable} : *rule);
    }
  }
}

void FlatState::create_slots(const std::vector<SlotSpec>& specs) {
  const DeviceScope scope(device_);
  for (FlatSet& set : trainable_) {
    for (const SlotSpec& spec : specs) {
      set.slots.push_back(ops::full({set.layout.elements}, spec.initial, set.layout.dtype).eval());
    }
  }
}

bool FlatState::adopt() {
  bool moved = false;
  for (const FlatSet& set : trainable_) moved = adopt_set(set) || moved;
  for (const FlatSet& set : others_) moved = adopt_set(set) || moved;
  return moved;
}

}  // namespace strata
