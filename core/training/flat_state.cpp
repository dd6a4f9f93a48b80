// SPDX-License-Identifier: Apache-2.0
#include "core/training/flat_state.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/tensor/host_copy.h"

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
    sets.push_back({std::move(layout), std::move(values), {}, {}, {}});
  }
  return sets;
}

/// "dense/kernel" as it begins the names of slots.
std::string slot_base_name(std::string path) {
  std::replace(path.begin(), path.end(), '/', '_');
  return path;
}

FlatSlot make_slot(const FlatLayout& layout, const SlotSpec& spec, Device& device) {
  FlatSlot slot;
  Dim elements = 0;
  for (const Variable& variable : layout.variables) {
    slot.shapes.push_back(spec.shape ? spec.shape(variable) : variable.shape());
    slot.offsets.push_back(elements);
    if (slot.shapes.back()) elements += rounded(slot.shapes.back()->elements(), layout.dtype);
  }
  const DeviceScope scope(device);
  slot.values = ops::full({elements}, spec.initial, layout.dtype).eval();
  return slot;
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

FlatLayout FlatLayout::part(std::size_t first, std::size_t last) const {
  FlatLayout result;
  result.dtype = dtype;
  result.variables.assign(variables.begin() + static_cast<std::ptrdiff_t>(first),
                          variables.begin() + static_cast<std::ptrdiff_t>(last));
  for (std::size_t v = first; v < last; ++v) result.offsets.push_back(offsets[v] - offsets[first]);
  result.elements = (last < offsets.size() ? offsets[last] : elements) - offsets[first];
  return result;
}

FlatState::FlatState(const std::vector<Variable>& trainable, const std::vector<Variable>& others,
                     const std::vector<WeightRule>& rules, Device& device)
    : device_(device), trainable_(make_sets(trainable, device)), others_(make_sets(others, device)) {
  for (FlatSet& set : trainable_) {
    for (const Variable& variable : set.layout.variables) {
      const auto rule =
          std::find_if(rules.begin(), rules.end(), [&](const WeightRule& r) { return r.variable == variable; });
      set.names.push_back(slot_base_name(variable.path()));
      set.rules.push_back(rule == rules.end() ? WeightRule{.variable = variable} : *rule);
    }
  }
}

void FlatState::create_slots(const Optimizer& optimizer) {
  for (FlatSet& set : trainable_) {
    for (const SlotSpec& spec : optimizer.slots()) set.slots.push_back(make_slot(set.layout, spec, device_));
  }
  for (const ScalarSpec& spec : optimizer->scalars()) scalars_.push_back(spec.initial);
  const LossScaleOptions* scaling = optimizer.loss_scaling();
  loss_scale_.scale = scaling != nullptr ? scaling->initial_scale : optimizer.options().loss_scale_factor.value_or(1.0);
}

void FlatState::set_names(const std::vector<NamedVariable>& names) {
  for (FlatSet& set : trainable_) {
    for (std::size_t v = 0; v < set.names.size(); ++v) {
      const Variable& variable = set.layout.variables[v];
      const auto found =
          std::find_if(names.begin(), names.end(), [&](const NamedVariable& n) { return n.variable == variable; });
      if (found != names.end()) set.names[v] = slot_base_name(found->name);
    }
  }
}

namespace {

/// Calls `use(set, variable's number, slot's number)` for every slot that a variable has.
template <class F>
void for_each_slot(const std::vector<FlatSet>& sets, const std::vector<SlotSpec>& specs, SlotOrder order, F&& use) {
  for (std::size_t first = 0, last = 0; first < specs.size(); first = last) {
    last = first + 1;
    while (order != SlotOrder::by_slot && last < specs.size() && specs[last].group == specs[first].group) ++last;
    for (const FlatSet& set : sets) {
      for (std::size_t v = 0; v < set.layout.variables.size(); ++v) {
        for (std::size_t s = first; s < last; ++s) {
          const std::optional<Shape>& shape = set.slots[s].shapes[v];
          const bool stands_for_none = shape && shape->rank() == 0 && set.layout.variables[v].shape().rank() > 0;
          if (shape && !(stands_for_none && order == SlotOrder::keras2)) use(set, v, s);
        }
      }
    }
  }
}

}  // namespace

std::vector<NamedSlot> FlatState::named_slots(const Optimizer& optimizer, SlotOrder order) const {
  std::vector<NamedSlot> named;
  std::string prefix = optimizer.name() + "/";
  if (const LossScaleOptions* scaling = optimizer.loss_scaling()) {
    const auto steps = static_cast<double>(loss_scale_.finite_steps);
    named.push_back({scaling->name + "/step_counter", scalar(steps, Dtype::int64)});
    named.push_back({scaling->name + "/dynamic_scale", scalar(loss_scale_.scale, Dtype::float32)});
    prefix = scaling->name + "/" + prefix;
  }
  const auto specs = optimizer.slots();
  for_each_slot(trainable_, specs, order, [&](const FlatSet& set, std::size_t v, std::size_t s) {
    const FlatSlot& slot = set.slots[s];
    const std::size_t offset = static_cast<std::size_t>(slot.offsets[v]) * size_of(set.layout.dtype);
    named.push_back({prefix + set.names[v] + "_" + specs[s].name,
                     constant_buffer({slot.values.storage, offset}, {*slot.shapes[v], set.layout.dtype})});
  });
  const auto scalars = optimizer->scalars();
  for (std::size_t i = 0; i < scalars.size(); ++i) {
    named.push_back({prefix + scalars[i].name, scalar(scalars_[i], Dtype::float64)});
  }
  return named;
}

void FlatState::set_slots(const Optimizer& optimizer, const std::vector<Tensor>& values, SlotOrder order) {
  const std::vector<NamedSlot> places = named_slots(optimizer, order);
  if (places.size() != values.size()) {
    throw ConfigError("the optimizer " + optimizer.name() + " has " + std::to_string(places.size()) +
                      " arrays of state, received " + std::to_string(values.size()));
  }
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (places[i].value.shape() == values[i].shape()) continue;
    throw ShapeError("the optimizer's " + places[i].name + " has shape " + places[i].value.shape().str() +
                     ", received " + values[i].shape().str());
  }
  std::size_t next = 0;
  if (optimizer.loss_scaling() != nullptr) {
    loss_scale_.finite_steps = ops::cast(values[next++], Dtype::int64).item<std::int64_t>();
    loss_scale_.scale = ops::cast(values[next++], Dtype::float64).item<double>();
  }
  const auto stream = device_.make_stream();
  for (; next < values.size() - scalars_.size(); ++next) {
    const Tensor& place = places[next].value;
    const std::string host = host_copy(ops::cast(values[next], place.dtype()).eval(), place.spec().bytes());
    device_.copy_from_host(place.eval().data(), host.data(), host.size(), *stream);
    stream->synchronize();
  }
  for (double& number : scalars_) number = ops::cast(values[next++], Dtype::float64).item<double>();
}

void FlatState::finalize_variable_values(const Optimizer& optimizer) {
  if (!optimizer.options().use_ema) return;
  const auto stream = device_.make_stream();
  for (const FlatSet& set : trainable_) {
    for (const Variable& variable : set.layout.variables) variable.keep_reads();
    device_.copy(set.values.data(), set.slots[0].values.data(), set.layout.bytes(), *stream);
  }
  stream->synchronize();
}

bool FlatState::adopt() {
  bool moved = false;
  for (const FlatSet& set : trainable_) moved = adopt_set(set) || moved;
  for (const FlatSet& set : others_) moved = adopt_set(set) || moved;
  return moved;
}

}  // namespace strata
