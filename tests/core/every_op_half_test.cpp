// SPDX-License-Identifier: Apache-2.0
// Every example of every registered op on float16 and bfloat16: each node computes what it computes in float32 of the
// same elements, rounded once.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "core/ops/elementwise.h"
#include "core/ops/ops.h"
#include "core/program/program.h"
#include "core/program/scan.h"
#include "tests/support/op_examples.h"

namespace strata {
namespace {

using testing::bytes_of;
using testing::draw_inputs;
using testing::make_inputs;
using testing::OpCase;
using testing::Width;

class EveryOpOnHalves : public ::testing::TestWithParam<OpCase> {};

std::vector<Tensor> widened_inputs(const Node& node) {
  std::vector<Tensor> wide;
  for (const Tensor& input : node.inputs()) wide.push_back(ops::cast(input, widened(input.dtype())));
  return wide;
}

/// Ops that hold other ops, which say their dtypes, cannot be applied to others. They are the sum of those ops.
bool holds_ops(const Node& node, const std::vector<Tensor>& wide) {
  return dynamic_cast<const ElementwiseOp*>(&node.op()) == nullptr &&
         std::any_of(wide.begin(), wide.end(), [](const Tensor& t) { return is_half(t.dtype()); });
}

void expect_float32_rounded(const std::shared_ptr<Node>& node) {
  const std::vector<Tensor> wide = apply_op(node->shared_op(), widened_inputs(*node));
  if (holds_ops(*node, wide)) return;
  for (std::size_t i = 0; i < wide.size(); ++i) {
    const Tensor half(node, static_cast<int>(i));
    EXPECT_EQ(bytes_of(half), bytes_of(ops::cast(wide[i], half.dtype())))
        << node->op().name() << " " << node->op().attributes() << ", output " << i;
  }
}

TEST_P(EveryOpOnHalves, IsThatOfFloat32Rounded) {
  const OpExample& example = *GetParam().example;
  for (const Width width : {Width::float16, Width::bfloat16}) {
    const std::vector<Tensor> inputs = make_inputs(example, draw_inputs(example), width);
    for (const auto& node : topological_order(example.build(inputs))) {
      if (!node->inputs().empty()) expect_float32_rounded(node);
    }
  }
}

std::vector<OpCase> cases_with_floats() {
  std::vector<OpCase> cases = testing::all_op_cases();
  std::erase_if(cases, [](const OpCase& c) {
    const auto& inputs = c.example->inputs;
    return std::none_of(inputs.begin(), inputs.end(),
                        [](const ExampleInput& input) { return input.spec.dtype == Dtype::float32; });
  });
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryOpOnHalves, ::testing::ValuesIn(cases_with_floats()),
                         [](const auto& test) { return test.param.name; });

class Halves : public ::testing::TestWithParam<Dtype> {
 protected:
  Tensor draw(const Shape& shape, std::uint64_t stream) const {
    return ops::random_normal({constant<std::int64_t>({4, 0, 0}, {3}), stream}, shape, 0.0, 1.0, GetParam());
  }
};

std::vector<std::byte> run(const std::shared_ptr<const Program>& program, const std::vector<Tensor>& inputs) {
  RunState state(program);
  for (std::size_t i = 0; i < inputs.size(); ++i) state.bind_input(static_cast<int>(i), inputs[i].eval().data());
  std::vector<std::byte> result(program->outputs()[0].bytes());
  state.bind_output(0, result.data());
  const auto stream = cpu_device().make_stream();
  state.run(*stream);
  stream->synchronize();
  return result;
}

TEST_P(Halves, FusedChainsComputeWhatTheirOpsCompute) {
  const std::vector<Tensor> x{draw({70, 33}, 1), draw({33}, 2), draw({50, 70}, 3)};
  const auto build = [](const std::vector<Tensor>& in) {
    const Tensor product = ops::matmul(in[2], in[0]);
    const Tensor y = ops::relu(product + in[1]) * 0.3 + ops::tanh(product) / 3.0;
    return ops::select(ops::greater(y, in[1]), ops::exp(y) * y, ops::cast(ops::cast(y, Dtype::float32), y.dtype()));
  };
  std::vector<Tensor> inputs;
  for (const Tensor& t : x) inputs.push_back(placeholder(t.spec()));
  const Tensor symbolic = build(inputs);
  const auto fused = Program::compile(inputs, {symbolic}, cpu_device());
  ProgramOptions unfused;
  unfused.fuse = false;
  const auto plain = Program::compile(inputs, {symbolic}, cpu_device(), unfused);
  EXPECT_LT(fused->kernel_list().size(), plain->kernel_list().size());
  EXPECT_EQ(run(fused, x), bytes_of(build(x)));
  EXPECT_EQ(run(plain, x), bytes_of(build(x)));
}

TEST_P(Halves, ScansComputeWhatTheirStepsCompute) {
  const Tensor h = draw({2, 3}, 1), x = draw({2, 2, 5}, 2), w = draw({5, 3}, 3), u = draw({3, 3}, 4);
  const auto step = [&](const Tensor& state, const Tensor& input) {
    return ops::tanh(ops::matmul(input, w) + ops::matmul(state, u));
  };
  const auto at = [&](Dim t) { return ops::squeeze(ops::slice(x, {t, 0, 0}, {t + 1, None, None}), {0}); };
  const ScanResult scanned = scan(
      [&](const std::vector<Tensor>& state, const std::vector<Tensor>& in) -> ScanStep {
        const Tensor next = step(state[0], in[0]);
        return {{next}, {next}};
      },
      {h}, {x});
  const Tensor first = step(h, at(0)), second = step(first, at(1));
  EXPECT_EQ(bytes_of(scanned.carries[0]), bytes_of(second));
  EXPECT_EQ(bytes_of(scanned.outputs[0]), bytes_of(ops::stack({first, second})));
}

TEST_P(Halves, MoveBitwise) {
  std::vector<std::uint16_t> patterns(65536);
  for (std::size_t i = 0; i < patterns.size(); ++i) patterns[i] = static_cast<std::uint16_t>(i);
  const TensorSpec spec{{256, 256}, GetParam()};
  const Tensor x = constant_bytes(patterns.data(), spec.bytes(), spec);
  const std::vector<std::byte> bytes = bytes_of(x);
  EXPECT_EQ(bytes_of(ops::reshape(x, {65536})), bytes);
  EXPECT_EQ(bytes_of(ops::broadcast_to(ops::reshape(x, {1, 65536}), {1, 65536})), bytes);
  EXPECT_EQ(bytes_of(ops::transpose(ops::transpose(x, {1, 0}), {1, 0})), bytes);
  EXPECT_EQ(bytes_of(ops::flip(ops::flip(x, {0, 1}), {0, 1})), bytes);
  EXPECT_EQ(bytes_of(ops::concatenate({ops::slice(x, {0, 0}, {7, None}), ops::slice(x, {7, 0}, {None, None})}, 0)),
            bytes);
}

// In the environment of kernels, which flushes subnormal floats to zero.
TEST_P(Halves, EveryPatternIsCastToItsNumberAndBack) {
  std::vector<std::uint16_t> patterns;
  for (unsigned bits = 0; bits < 0x10000u; ++bits) patterns.push_back(static_cast<std::uint16_t>(bits));
  const TensorSpec spec{{65536}, GetParam()};
  const Tensor x = constant_bytes(patterns.data(), spec.bytes(), spec), wide = ops::cast(x, Dtype::float32);
  const auto numbers = wide.to_vector<float>();
  const auto back = bytes_of(ops::cast(wide, GetParam()));
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    Float16 narrow;
    Bfloat16 brain;
    narrow.bits = brain.bits = patterns[i];
    const float expected = GetParam() == Dtype::float16 ? static_cast<float>(narrow) : static_cast<float>(brain);
    ASSERT_EQ(std::bit_cast<std::uint32_t>(numbers[i]), std::bit_cast<std::uint32_t>(expected)) << i;
    if (std::isnan(expected)) continue;
    std::uint16_t bits;
    std::memcpy(&bits, back.data() + 2 * i, sizeof(bits));
    ASSERT_EQ(bits, patterns[i]);
  }
}

TEST_P(Halves, UniformNumbersStayBelowTheirBound) {
  const RandomKey key{constant<std::int64_t>({1, 0, 0}, {3}), 1};
  for (const auto& [low, high] : {std::pair{0.0, 1.0}, {-1.0, 0.0}, {-2.0, -1.0}}) {
    const Tensor drawn = ops::cast(ops::random_uniform(key, {100000}, low, high, GetParam()), Dtype::float32);
    EXPECT_GE(ops::min(drawn).item<float>(), low);
    EXPECT_LT(ops::max(drawn).item<float>(), high);
  }
}

INSTANTIATE_TEST_SUITE_P(Types, Halves, ::testing::Values(Dtype::float16, Dtype::bfloat16),
                         [](const auto& test) { return std::string(to_string(test.param)); });

TEST(Half, NumbersAndConstants) {
  EXPECT_EQ(scalar(1.0 / 3.0, Dtype::bfloat16).item<Bfloat16>(), Bfloat16(1.0f / 3.0f));
  EXPECT_EQ(constant({Float16(0.1f), Float16(2.0f)}, {2}).to_vector<Float16>()[0], Float16(0.1f));
  EXPECT_EQ(ops::cast(scalar(65504.0, Dtype::float16), Dtype::int32).item<std::int32_t>(), 65504);
  EXPECT_EQ((scalar(1.0, Dtype::bfloat16) + 0.00390625).item<Bfloat16>(), 1.0f) << "a tie, which goes to even";
}

}  // namespace
}  // namespace strata
