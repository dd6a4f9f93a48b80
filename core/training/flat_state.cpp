// SPDX-License-Identifier: Apache-2.0
#include "core/training/flat_state.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/tensor/host_copy.h"
#include "core/training/optimizer_shares.h"
#include "core/training/share_gather.h"

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
    const Dim elements = layout.elements;
    sets.push_back({std::move(layout), std::move(values), {}, {}, {}, {1, {0, elements}}, {{0, elements}}});
  }
  return sets;
}

/// "dense/kernel" as it begins the names of slots.
std::string slot_base_name(std::string path) {
  std::replace(path.begin(), path.end(), '/', '_');
  return path;
}

/// Without values.
FlatSlot place_slot(const FlatLayout& layout, const SlotSpec& spec) {
  FlatSlot slot;
  for (const Variable& variable : layout.variables) {
    slot.shapes.push_back(spec.shape ? spec.shape(variable) : variable.shape());
    slot.offsets.push_back(slot.elements);
    if (slot.shapes.back()) slot.elements += rounded(slot.shapes.back()->elements(), layout.dtype);
  }
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

std::byte* FlatSet::slot_data(const FlatSlot& slot, Dim element) const {
  Dim before = 0;
  for (const IndexRange held : slot.held) {
    if (element < held.last) {
      before += element - held.first;
      break;
    }
    before += held.size();
  }
  return slot.values.data() + before * static_cast<Dim>(size_of(layout.dtype));
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

void FlatState::create_slots(const Optimizer& optimizer, Communicator* shared_by) {
  const std::vector<SlotSpec> specs = optimizer.slots();
  if (shared_by != nullptr && shared_by->size() > 1 && !specs.empty()) shared_by_ = shared_by;
  const int rank = shared_by_ != nullptr ? shared_by_->rank() : 0;
  const DeviceScope scope(device_);
  for (FlatSet& set : trainable_) {
    for (const SlotSpec& spec : specs) set.slots.push_back(place_slot(set.layout, spec));
    if (shared_by_ != nullptr) {
      set.shares = share_out(optimizer, set, shared_by_->size());
      set.values = {shared_by_->allocate(device_, set.layout.bytes()), 0};
    }
    set.own = set.shares.of(rank);
    for (std::size_t s = 0; s < specs.size(); ++s) {
      FlatSlot& slot = set.slots[s];
      slot.shares.ranks = set.shares.ranks;
      for (const Dim cut : set.shares.cuts) slot.shares.cuts.push_back(slot_element(set.layout, slot, cut));
      slot.held = slot.shares.of(rank);
      Dim held = 0;
      for (const IndexRange range : slot.held) held += range.size();
      slot.values = ops::full({held}, specs[s].initial, set.layout.dtype).eval();
    }
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

std::vector<FlatState::Place> FlatState::places(const Optimizer& optimizer, SlotOrder order) const {
  std::vector<Place> all;
  std::string prefix = optimizer.name() + "/";
  if (const LossScaleOptions* scaling = optimizer.loss_scaling()) {
    all.push_back({scaling->name + "/step_counter", {{}, Dtype::int64}});
    all.push_back({scaling->name + "/dynamic_scale", {{}, Dtype::float32}});
    prefix = scaling->name + "/" + prefix;
  }
  const auto specs = optimizer.slots();
  for_each_slot(trainable_, specs, order, [&](const FlatSet& set, std::size_t v, std::size_t s) {
    all.push_back(
        {prefix + set.names[v] + "_" + specs[s].name, {*set.slots[s].shapes[v], set.layout.dtype}, &set, s, v});
  });
  for (const ScalarSpec& spec : optimizer->scalars()) all.push_back({prefix + spec.name, {{}, Dtype::float64}});
  return all;
}

/// What is in the places of numbers, in their order.
std::vector<double> FlatState::numbers(const Optimizer& optimizer) const {
  std::vector<double> all;
  if (optimizer.loss_scaling() != nullptr) all = {static_cast<double>(loss_scale_.finite_steps), loss_scale_.scale};
  all.insert(all.end(), scalars_.begin(), scalars_.end());
  return all;
}

void FlatState::set_numbers(const Optimizer& optimizer, const std::vector<double>& numbers) {
  const auto of_the_rule = numbers.end() - static_cast<std::ptrdiff_t>(scalars_.size());
  if (optimizer.loss_scaling() != nullptr) {
    loss_scale_.finite_steps = static_cast<std::int64_t>(numbers[0]);
    loss_scale_.scale = numbers[1];
  }
  std::copy(of_the_rule, numbers.end(), scalars_.begin());
}

/// The slot itself where this rank has all of it, else a copy that is put together from all ranks.
Buffer FlatState::whole_slot(const FlatSet& set, const FlatSlot& slot, Stream& stream) const {
  if (!set.sharded()) return slot.values;
  const auto bytes = [&](Dim elements) { return static_cast<std::size_t>(elements) * size_of(set.layout.dtype); };
  Buffer whole{std::make_shared<Storage>(device_, bytes(slot.elements)), 0};
  for (const IndexRange held : slot.held) {
    device_.copy(whole.data() + bytes(held.first), set.slot_data(slot, held.first), bytes(held.size()), stream);
  }
  ShareGather gather(*shared_by_, device_);
  gather.add_shares(whole.data(), size_of(set.layout.dtype), slot.shares);
  gather.run(stream);
  return whole;
}

/// What of it this rank holds.
NamedSlot FlatState::held_slot(const Place& place) const {
  const FlatSlot& slot = place.set->slots[place.slot];
  const Dim begin = slot.offsets[place.variable];
  NamedSlot named{place.name, {}, place.spec, {}};
  for (const IndexRange held : slot.held) {
    const Dim first = std::max(begin, held.first);
    const Dim last = std::min(begin + place.spec.shape.elements(), held.last);
    if (first >= last) continue;
    const auto offset = static_cast<std::size_t>(place.set->slot_data(slot, first) - slot.values.data());
    named.parts.push_back({first - begin, last - first, {slot.values.storage, slot.values.offset + offset}});
  }
  return named;
}

std::vector<NamedSlot> FlatState::named_slots(const Optimizer& optimizer, SlotOrder order, SlotExtent extent) const {
  const auto stream = device_.make_stream();
  std::vector<std::vector<Buffer>> wholes;  // by set and slot
  for (const FlatSet& set : trainable_) {
    wholes.emplace_back();
    for (const FlatSlot& slot : set.slots) {
      const bool held_alone = extent == SlotExtent::held && set.sharded();
      wholes.back().push_back(held_alone ? Buffer{} : whole_slot(set, slot, *stream));
    }
  }
  const std::vector<double> numbers = this->numbers(optimizer);
  std::size_t next = 0;
  std::vector<NamedSlot> named;
  for (const Place& place : places(optimizer, order)) {
    if (place.set == nullptr) {
      named.push_back({place.name, scalar(numbers[next++], place.spec.dtype)});
      continue;
    }
    const Buffer& whole = wholes[static_cast<std::size_t>(place.set - trainable_.data())][place.slot];
    if (!whole) {
      named.push_back(held_slot(place));
      continue;
    }
    const Dim offset = place.set->slots[place.slot].offsets[place.variable];
    const std::size_t bytes = static_cast<std::size_t>(offset) * size_of(place.spec.dtype);
    named.push_back({place.name, constant_buffer({whole.storage, whole.offset + bytes}, place.spec)});
  }
  return named;
}

void FlatState::set_slots(const Optimizer& optimizer, const std::vector<Tensor>& values, SlotOrder order) {
  const std::vector<Place> all = places(optimizer, order);
  if (all.size() != values.size()) {
    throw ConfigError("the optimizer " + optimizer.name() + " has " + std::to_string(all.size()) +
                      " arrays of state, received " + std::to_string(values.size()));
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].spec.shape == values[i].shape()) continue;
    throw ShapeError("the optimizer's " + all[i].name + " has shape " + all[i].spec.shape.str() + ", received " +
                     values[i].shape().str());
  }
  const auto stream = device_.make_stream();
  std::vector<double> numbers;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].set != nullptr) set_slot(all[i], values[i], *stream);
    else numbers.push_back(ops::cast(values[i], Dtype::float64).item<double>());
  }
  set_numbers(optimizer, numbers);
}

/// What of it this rank holds.
void FlatState::set_slot(const Place& place, const Tensor& value, Stream& stream) {
  const FlatSlot& slot = place.set->slots[place.slot];
  const Dim begin = slot.offsets[place.variable];
  const auto bytes = [&](Dim elements) { return static_cast<std::size_t>(elements) * size_of(place.spec.dtype); };
  const std::string host = host_copy(ops::cast(value, place.spec.dtype).eval(), place.spec.bytes());
  for (const IndexRange held : slot.held) {
    const Dim first = std::max(begin, held.first);
    const Dim last = std::min(begin + place.spec.shape.elements(), held.last);
    if (first >= last) continue;
    device_.copy_from_host(place.set->slot_data(slot, first), host.data() + bytes(first - begin), bytes(last - first),
                           stream);
  }
  stream.synchronize();
}

void FlatState::finalize_variable_values(const Optimizer& optimizer) {
  if (!optimizer.options().use_ema) return;
  const auto stream = device_.make_stream();
  for (const FlatSet& set : trainable_) {
    for (const Variable& variable : set.layout.variables) variable.keep_reads();
    const FlatSlot& averages = set.slots[0];
    const std::size_t element = size_of(set.layout.dtype);
    for (const IndexRange own : set.own) {
      device_.copy(set.values.data() + static_cast<std::size_t>(own.first) * element,
                   set.slot_data(averages, own.first), static_cast<std::size_t>(own.size()) * element, *stream);
    }
    if (set.sharded()) {
      ShareGather gather(*shared_by_, device_);
      gather.add_shares(set.values.data(), element, set.shares);
      gather.run(*stream);
    }
    stream->synchronize();
  }
}

bool FlatState::adopt() {
  bool moved = false;
  for (const FlatSet& set : trainable_) moved = adopt_set(set) || moved;
  for (const FlatSet& set : others_) moved = adopt_set(set) || moved;
  return moved;
}

}  // namespace strata
