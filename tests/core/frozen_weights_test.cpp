// SPDX-License-Identifier: Apache-2.0
// Frozen weights cost no gradient, no slot and no byte on the wire.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/ops/ops.h"
#include "core/training/step_engine.h"
#include "strata/strata.h"
#include "tests/support/recording_communicator.h"

namespace strata {
namespace {

/// What a step of a model costs.
struct Cost {
  std::size_t sent = 0;   // bytes of gradients of one block
  std::size_t slots = 0;  // bytes
  Dim products = 0;       // forward and backward
};

Cost cost_of(Model& model) {
  const auto single = make_single_communicator();
  testing::RecordingCommunicator recording(*single);
  FlatState state(model.layer().trainable_weights(), model.layer().non_trainable_weights(), {}, cpu_device());
  const Optimizer adam = optimizers::Adam();
  state.create_slots(adam);
  state.adopt();
  StepEngine engine(StepKind::train, std::static_pointer_cast<Functional>(model.shared()),
                    make_objective({"output"}, "mse", {}, {}, {}),
                    {{{{20}, Dtype::float32}}, {{{16}, Dtype::float32}}, {}}, state, recording, {});
  engine.prepare(8);
  Cost cost;
  for (const auto& sum : recording.prepared()) cost.sent += sum.bytes;
  cost.sent -= 64;  // the sums of losses
  for (const FlatSet& set : state.trainable()) {
    for (const FlatSlot& slot : set.slots) cost.slots += slot.values.storage->bytes();
  }
  const auto kernels = engine.program(8).kernel_list();
  cost.products =
      std::count_if(kernels.begin(), kernels.end(), [](const std::string& k) { return k.starts_with("matmul"); });
  return cost;
}

TEST(FrozenWeights, CostNothingInAStep) {
  clear_session();
  auto input = Input({20});
  const LayerRef first = layers::Dense(48, {.activation = "relu"}), middle = layers::Dense(32, {.activation = "relu"});
  Model model(input, layers::Dense(16)(middle(first(input))));
  const std::size_t of_first = (20 * 48 + 48) * sizeof(float), of_middle = (48 * 32 + 32) * sizeof(float),
                    of_last = (32 * 16 + 16) * sizeof(float);
  const Cost all = cost_of(model);
  EXPECT_EQ(all.sent, of_first + of_middle + of_last);
  EXPECT_EQ(all.slots, 2 * all.sent) << "two averages of Adam";
  EXPECT_EQ(all.products, 3 + 3 + 2) << "forward, weights, what they read";

  first.set_trainable(false);
  const Cost later = cost_of(model);
  EXPECT_EQ(later.sent, of_middle + of_last);
  EXPECT_EQ(later.slots, 2 * later.sent);
  EXPECT_EQ(later.products, 3 + 2 + 1) << "backward ends behind the frozen layer";

  first.set_trainable(true);
  middle.set_trainable(false);
  const Cost between = cost_of(model);
  EXPECT_EQ(between.sent, of_first + of_last);
  EXPECT_EQ(between.slots, 2 * between.sent);
  EXPECT_EQ(between.products, 3 + 2 + 2) << "backward passes through the frozen layer";
}

}  // namespace
}  // namespace strata
