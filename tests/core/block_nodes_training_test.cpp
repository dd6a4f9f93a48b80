// SPDX-License-Identifier: Apache-2.0
// Training in which blocks go through their programs together gives the bits of each block on its own and a plain sum.
#include <gtest/gtest.h>

#include "core/training/step_engine.h"
#include "strata/strata.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

/// Layers that are large for few samples: their products run for several blocks at once.
Model wide_model() {
  auto input = Input({300});
  auto x = layers::Dense(450, {.activation = "relu"})(input);
  x = layers::BatchNormalization()(layers::Dropout(0.2)(x));
  return {input, layers::Dense(5)(x), "wide"};
}

std::size_t block_kernels(const Program& program) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < program.instruction_count(); ++i) count += program.block_kernel(i) != nullptr ? 1 : 0;
  return count;
}

struct Outcome {
  std::uint64_t weights = 0;
  std::vector<double> sums;  // of all steps
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome train(Communicator& communicator, const EngineOptions& options, Dim samples) {
  clear_session();
  Model model = wide_model();
  const Objective objective =
      make_objective({"output"}, losses::SparseCategoricalCrossentropy({.from_logits = true}), {}, {"accuracy"}, {});
  FlatState state(model.layer().trainable_weights(), {}, {}, cpu_device());
  const Optimizer optimizer = optimizers::RMSprop();
  state.create_slots(optimizer);
  state.adopt();
  const Tensor x = ops::random_normal({constant<std::int64_t>({5, 0, 0}, {3}), 1}, {samples, 300});
  const std::vector<HostArray> arrays{HostArray(x), HostArray(ops::argmax(ops::slice(x, {0, 0}, {None, 5})))};
  StepEngine engine(StepKind::train, std::static_pointer_cast<Functional>(model.shared()), objective,
                    {{{{300}, Dtype::float32}}, {{{}, Dtype::int64}}, {}}, state, communicator, options);
  Outcome result;
  for (int step = 0; step < 3; ++step) {
    engine.run({arrays, nullptr, 0, samples, 0, step, 0}, &optimizer, step);
    result.sums.insert(result.sums.end(), engine.sums().begin(), engine.sums().end());
  }
  result.weights = model.weights_hash();
  return result;
}

Outcome train(const EngineOptions& options, Dim samples, int ranks) {
  std::vector<Outcome> runs(static_cast<std::size_t>(ranks));
  testing::run_ranks(ranks, [&](Communicator& communicator) {
    runs[static_cast<std::size_t>(communicator.rank())] = train(communicator, options, samples);
  });
  for (const Outcome& run : runs) EXPECT_EQ(run, runs[0]);
  return runs[0];
}

TEST(BlockNodesTraining, GivesTheBitsOfBlockByBlock) {
  for (const Dim blocks : {8, 7}) {
    for (const Dim samples : {64, 61, 5}) {  // equal programs, others, and empty blocks
      const Outcome expected = train({.blocks = blocks, .threads = 1, .order = BlockOrder::block_by_block}, samples, 1);
      for (const int ranks : {1, 2, 3}) {
        for (const int threads : {1, 3}) {
          for (const BlockOrder order : {BlockOrder::node_by_node, BlockOrder::op_by_op}) {
            const EngineOptions options{.blocks = blocks, .threads = threads, .order = order, .bucket_bytes = 1 << 10};
            EXPECT_EQ(train(options, samples, ranks), expected)
                << blocks << " blocks, " << samples << " samples, " << ranks << " ranks, " << threads << " threads";
          }
        }
      }
    }
  }
}

TEST(BlockNodesTraining, RunsProductsForSeveralBlocks) {
  const std::vector<TensorSpec> inputs{{{8, 300}, Dtype::float32}, {{300, 450}, Dtype::float32}};
  const Tensor product = ops::matmul(placeholder(inputs[0]), placeholder(inputs[1]));
  const bool thin =
      choose_kernel({product.node()->op(), inputs, product.node()->outputs()}, cpu_device()).candidate == "xsmm_thin";
  Model model = wide_model();
  const auto graph = std::static_pointer_cast<Functional>(model.shared());
  const Objective objective =
      make_objective({"output"}, losses::SparseCategoricalCrossentropy({.from_logits = true}), {}, {}, {});
  const StepProgram step =
      compile_step(StepKind::train, *graph, objective, {{{{300}, Dtype::float32}}, {{{}, Dtype::int64}}, {}}, 8,
                   graph->trainable_weights(), cpu_device());
  // The product with the large kernel, its gradient, and the product with the small kernel transposed; without libxsmm
  // there are no such kernels.
  EXPECT_EQ(block_kernels(*step.program), thin ? 3u : 0u);
}

}  // namespace
}  // namespace strata
