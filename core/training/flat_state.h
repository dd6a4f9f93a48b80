// SPDX-License-Identifier: Apache-2.0
// The flat buffers of a compiled model: per dtype one for the values of the trainable variables and one for each
// optimizer slot, all with the same offsets; and one for the variables without gradients. With a sharded optimizer a
// rank has its share of the slots only.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/model/layer.h"
#include "core/program/communicator.h"
#include "core/training/optimizer.h"

namespace strata {

/// Variables of one dtype laid out one after the other, each beginning at a multiple of 64 bytes.
struct FlatLayout {
  Dtype dtype = Dtype::float32;
  std::vector<Variable> variables;
  std::vector<Dim> offsets;  // elements
  Dim elements = 0;          // a multiple of 64 bytes; what lies between variables stays zero

  std::size_t bytes() const { return static_cast<std::size_t>(elements) * size_of(dtype); }
  /// Variables [first, last) alone, the first of them at offset 0.
  FlatLayout part(std::size_t first, std::size_t last) const;
  std::size_t byte_offset(std::size_t i) const { return static_cast<std::size_t>(offsets[i]) * size_of(dtype); }
};

/// One layout a dtype, variables in the given order, layouts in order of first appearance.
std::vector<FlatLayout> make_layouts(const std::vector<Variable>& variables);

/// One slot of the variables of a set. Each variable's part begins at a multiple of 64 bytes; slots in the variables'
/// shapes have the offsets of the layout.
struct FlatSlot {
  Buffer values;                             // of the elements that are held
  std::vector<Dim> offsets;                  // elements, one a variable
  std::vector<std::optional<Shape>> shapes;  // one a variable; none when it has no such slot
  Dim elements = 0;                          // of all variables
  std::vector<Dim> cuts;                     // rank r holds elements [cuts[r], cuts[r + 1])
  IndexRange held;                           // by this rank
};

/// Values and slots of one dtype.
struct FlatSet {
  FlatLayout layout;
  Buffer values;
  std::vector<FlatSlot> slots;
  std::vector<WeightRule> rules;   // one a variable
  std::vector<std::string> names;  // likewise: "dense_kernel"
  std::vector<Dim> cuts;           // rank r updates elements [cuts[r], cuts[r + 1]); of one rank when all update all
  IndexRange own;                  // that this rank updates

  bool sharded() const { return cuts.size() > 2; }
  /// Where an element of a slot is, among those of all variables. Only what is held may be touched.
  std::byte* slot_data(const FlatSlot& slot, Dim element) const {
    return slot.values.data() + (element - slot.held.first) * static_cast<Dim>(size_of(layout.dtype));
  }
};

/// What the loss is multiplied by before gradients are taken.
struct LossScale {
  double scale = 1.0;
  std::int64_t finite_steps = 0;  // in a row, since the scale was changed

  /// After a step of a LossScaleOptimizer.
  void update(const LossScaleOptions& options, bool finite) {
    if (finite && ++finite_steps < options.dynamic_growth_steps) return;
    scale *= finite ? 2.0 : 0.5;
    finite_steps = 0;
  }
};

/// Elements of a slot, row-major from `first` on.
struct SlotPart {
  Dim first = 0;
  Dim count = 0;
  Buffer values = {};  // shares the memory
};

/// A part of an optimizer's state under the name that Keras gives it.
struct NamedSlot {
  std::string name;                  // "adam/dense_kernel_momentum"
  Tensor value;                      // shares the memory; none where only parts were asked for
  TensorSpec spec = {};              // likewise of what has no value
  std::vector<SlotPart> parts = {};  // likewise: what this rank holds of it
};

/// What to return of slots that ranks share: copies that are put together from all ranks, or what this one holds.
enum class SlotExtent { whole, held };

/// In which order Keras lists slots.
enum class SlotOrder {
  by_variable,  // all slots of a variable, then those of the next, a group of slots at a time
  by_slot,      // a slot of all variables, then the next slot: tf.keras up to 2.10
  keras2,       // by variable, without the numbers that Keras 3 lists for slots that a variable does not have
};

/// Owned by one compiled model. Not thread-safe.
class FlatState {
 public:
  /// Zero values; nothing is adopted yet. Variables that `rules` does not name follow their gradient alone.
  FlatState(const std::vector<Variable>& trainable, const std::vector<Variable>& others,
            const std::vector<WeightRule>& rules, Device& device);

  /// What slots are named after: as NamedSlot says. The variables' paths, which may repeat, unless this is called.
  void set_names(const std::vector<NamedVariable>& names);
  /// Creates the slots and scalars of an optimizer, each at its initial value. With `shared_by`, which must outlive
  /// this, each of these ranks keeps and updates a share of them; an optimizer without slots has nothing to share.
  void create_slots(const Optimizer& optimizer, Communicator* shared_by = nullptr);
  /// The slots, then the scalars, in the order of Keras' optimizer.variables, which begins with the iteration and the
  /// learning rate. Before all of them the state of a LossScaleOptimizer. Collective when ranks share the slots, whole
  /// copies of which it then makes, unless only what is held is asked for.
  std::vector<NamedSlot> named_slots(const Optimizer& optimizer, SlotOrder order = SlotOrder::by_variable,
                                     SlotExtent extent = SlotExtent::whole) const;
  /// How many named_slots() returns.
  std::size_t slot_count(const Optimizer& optimizer, SlotOrder order) const { return places(optimizer, order).size(); }
  /// Sets what named_slots() returns, in its order. Throws ConfigError when there are more or fewer values, ShapeError
  /// naming the slot that has another shape; then nothing is changed.
  void set_slots(const Optimizer& optimizer, const std::vector<Tensor>& values, SlotOrder order);
  /// What Keras does at the end of fit: with use_ema the variables take the values of their averages. Collective when
  /// ranks share the slots.
  void finalize_variable_values(const Optimizer& optimizer);
  /// Moves every variable that lives elsewhere into the flat buffers. Cheap when all are here already; needed before
  /// every run, since another compiled model may have taken a shared variable over. Returns whether any moved.
  bool adopt();

  const std::vector<FlatSet>& trainable() const { return trainable_; }
  const std::vector<FlatSet>& others() const { return others_; }
  /// One a ScalarSpec of the optimizer.
  std::span<double> scalars() { return scalars_; }
  LossScale& loss_scale() { return loss_scale_; }
  Device& device() const { return device_; }
  /// Those that share the slots; null when each has all.
  Communicator* shared_by() const { return shared_by_; }

 private:
  /// A part of an optimizer's state: a slot of a variable, or a number.
  struct Place {
    std::string name;
    TensorSpec spec;
    const FlatSet* set = nullptr;  // null for a number
    std::size_t slot = 0;
    std::size_t variable = 0;
  };
  std::vector<Place> places(const Optimizer& optimizer, SlotOrder order) const;
  std::vector<double> numbers(const Optimizer& optimizer) const;
  void set_numbers(const Optimizer& optimizer, const std::vector<double>& numbers);
  Buffer whole_slot(const FlatSet& set, const FlatSlot& slot, Stream& stream) const;
  void set_slot(const Place& place, const Tensor& value, Stream& stream);
  NamedSlot held_slot(const Place& place) const;

  Device& device_;
  std::vector<FlatSet> trainable_;
  std::vector<FlatSet> others_;
  std::vector<double> scalars_;
  LossScale loss_scale_;
  Communicator* shared_by_ = nullptr;
};

}  // namespace strata
