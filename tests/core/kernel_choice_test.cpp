// SPDX-License-Identifier: Apache-2.0
// Which kernels run: pinned, since a slower choice would still give right results.
#include <gtest/gtest.h>

#include "core/training/step_program.h"
#include "strata/strata.h"

namespace strata {
namespace {

std::string candidate_for(const Shape& a, const Shape& b, bool transpose_a = false, bool transpose_b = false,
                          Dtype dtype = Dtype::float32) {
  const Tensor product = ops::matmul(placeholder({a, dtype}), placeholder({b, dtype}), transpose_a, transpose_b);
  const std::vector<TensorSpec> inputs{{a, dtype}, {b, dtype}};
  return choose_kernel({product.node()->op(), inputs, product.node()->outputs()}, cpu_device()).candidate;
}

TEST(KernelChoice, LargeProductsRunOnOnednnAndSmallOnesOnXsmm) {
  EXPECT_EQ(candidate_for({64, 4000}, {4000, 2800}), "onednn");
  EXPECT_EQ(candidate_for({1024, 1024}, {1024, 1024}), "onednn");
  EXPECT_EQ(candidate_for({50176, 288}, {288, 64}), "onednn");
  EXPECT_EQ(candidate_for({50176, 288}, {50176, 64}, true), "onednn");
  EXPECT_EQ(candidate_for({4, 25088}, {4096, 25088}, false, true), "onednn");
  EXPECT_EQ(candidate_for({8, 512, 512}, {512, 512}), "onednn");
  EXPECT_EQ(candidate_for({8, 512, 512}, {8, 512, 512}), "onednn");
  EXPECT_NE(candidate_for({64, 784}, {784, 64}), "reference");
  EXPECT_NE(candidate_for({64, 64}, {64, 64}, false, true), "reference");
  EXPECT_EQ(candidate_for({64, 64}, {64, 64}, false, false, Dtype::float64), "reference");
}

TEST(KernelChoice, DoesNotDependOnThreadsOrHistory) {
  const std::string first = candidate_for({64, 784}, {784, 64});
  candidate_for({1024, 1024}, {1024, 1024});
  EXPECT_EQ(candidate_for({64, 784}, {784, 64}), first);
}

// One training step of the guide's model: bias and activation inside the products, no copies, one pass a chain, and the
// last layer's gradients before the first's.
TEST(KernelChoice, OneStepOfTheGuidesModel) {
  auto inputs = Input({784});
  auto x = layers::Dense(64, {.activation = "relu"})(inputs);
  x = layers::Dense(64, {.activation = "relu"})(x);
  Model model(inputs, layers::Dense(10)(x), "mnist_model");
  auto graph = std::static_pointer_cast<Functional>(model.shared());
  const Objective objective =
      make_objective({"dense_2"}, losses::SparseCategoricalCrossentropy({.from_logits = true}), {}, {"accuracy"}, {});
  const DataSpecs data{{{{784}, Dtype::float32}}, {{{}, Dtype::uint8}}, {}};
  const StepProgram step =
      compile_step(StepKind::train, *graph, objective, data, 64, graph->trainable_weights(), cpu_device());
  std::vector<std::string> kernels;
  for (const std::string& line : step.program->kernel_list()) {
    // The candidate depends on what the build has; the op, its attributes and shapes do not.
    kernels.push_back(line.substr(0, line.rfind(':')));
  }
  const std::vector<std::string> expected{
      "matmul transpose=NN bias relu float32 (64, 784) float32 (784, 64) float32 (64,)",
      "matmul transpose=NN bias relu float32 (64, 64) float32 (64, 64) float32 (64,)",
      "matmul transpose=NN bias float32 (64, 64) float32 (64, 10) float32 (10,)",
      "softmax float32 (64, 10)",
      "cast dtype=int64 uint8 (64,)",
      "fused_elementwise cast[dtype=float32](0) divide(1,3) multiply(4,2) -> 5 float64 () float32 () float32 ()",
      "broadcast_to shape=(64,) float32 (1,)",
      "fused_elementwise equal(0,1) cast[dtype=float32](4) subtract(2,5) multiply(6,3) -> 7 int64 (64, 1) int64 (10,) "
      "float32 (64, 10) float32 (64, 1)",
      "sum axes=[0] keepdims=0 float32 (64, 10)",
      "matmul transpose=TN float32 (64, 64) float32 (64, 10)",
      "matmul transpose=NT float32 (64, 10) float32 (64, 10)",
      "fused_elementwise greater(0,1) select(3,2,1) -> 4 float32 (64, 64) float32 () float32 (64, 64)",
      "sum axes=[0] keepdims=0 float32 (64, 64)",
      "matmul transpose=TN float32 (64, 64) float32 (64, 64)",
      "matmul transpose=NT float32 (64, 64) float32 (64, 64)",
      "fused_elementwise greater(0,1) select(3,2,1) -> 4 float32 (64, 64) float32 () float32 (64, 64)",
      "sum axes=[0] keepdims=0 float32 (64, 64)",
      "matmul transpose=TN float32 (64, 784) float32 (64, 64)",
      "sparse_softmax_cross_entropy float32 (64, 10) int64 (64,)",
      "sum axes=[] keepdims=0 float32 (64,)",
      "cast dtype=float64 float32 ()",
      "argmax axis=-1 float32 (64, 10)",
      "fused_elementwise equal(0,1) cast[dtype=float32](2) -> 3 int64 (64,) int64 (64,)",
      "sum axes=[] keepdims=0 float32 (64,)",
      "cast dtype=float64 float32 ()",
      "concatenate axis=0 float64 (1,) float64 (1,)",
  };
  EXPECT_EQ(kernels, expected);
}

}  // namespace
}  // namespace strata
