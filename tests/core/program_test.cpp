// SPDX-License-Identifier: Apache-2.0
// Programs: passes, memory, in-place updates, concurrency.
#include "core/program/program.h"

#include <gtest/gtest.h>

#include <thread>

#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/program/autodiff.h"
#include "core/program/graph.h"

namespace strata {
namespace {

std::vector<float> values_like(const TensorSpec& spec, float first) {
  std::vector<float> values(static_cast<std::size_t>(spec.shape.elements()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = first + 0.37f * static_cast<float>(i % 7) - 1.0f;
  return values;
}

/// Runs a float32 program on made-up inputs; returns its outputs.
std::vector<std::vector<float>> run(const std::shared_ptr<const Program>& program) {
  std::vector<std::vector<float>> inputs, outputs;
  RunState state(program);
  for (std::size_t i = 0; i < program->inputs().size(); ++i) {
    inputs.push_back(values_like(program->inputs()[i], 0.1f * static_cast<float>(i)));
    state.bind_input(static_cast<int>(i), inputs.back().data());
  }
  for (std::size_t i = 0; i < program->outputs().size(); ++i) {
    outputs.emplace_back(static_cast<std::size_t>(program->outputs()[i].shape.elements()));
    state.bind_output(static_cast<int>(i), outputs.back().data());
  }
  const auto stream = cpu_device().make_stream();
  state.run(*stream);
  return outputs;
}

Tensor input(const Shape& shape) { return placeholder({shape, Dtype::float32}); }

TEST(Program, FusesBiasAndActivationIntoTheProduct) {
  const Tensor x = input({8, 5}), w = input({5, 4}), b = input({4});
  const Tensor y = ops::relu(ops::matmul(x, w) + b);
  const auto fused = Program::compile({x, w, b}, {y}, cpu_device());
  EXPECT_EQ(fused->kernel_list().size(), 1u);
  const auto plain =
      Program::compile({x, w, b}, {y}, cpu_device(), {.fuse = false, .aliases = {}, .reference_only = true});
  EXPECT_EQ(plain->kernel_list().size(), 3u);
  const auto a = run(fused)[0], c = run(plain)[0];
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], c[i], 1e-5f);
}

// An engine sums a gradient in place once it is ready.
TEST(Program, AnOutputIsReadyWhenNothingReadsItAnyMore) {
  const Tensor x = input({8, 5}), w = input({5, 4}), v = input({4, 3});
  const Tensor y = ops::matmul(x, w);
  const auto program = Program::compile({x, w, v}, {y, ops::matmul(y, v)}, cpu_device());
  ASSERT_EQ(program->instruction_count(), 2u);
  EXPECT_EQ(program->ready_after(0), 1u);
}

TEST(Program, KeepsAPreActivationThatIsStillNeeded) {
  const Tensor x = input({8, 5}), w = input({5, 4}), b = input({4});
  const Tensor z = ops::matmul(x, w) + b;
  const auto program = Program::compile({x, w, b}, {ops::relu(z), z}, cpu_device());
  EXPECT_EQ(program->kernel_list().size(), 2u);
  const auto outputs = run(program);
  for (std::size_t i = 0; i < outputs[0].size(); ++i) EXPECT_EQ(outputs[0][i], std::max(outputs[1][i], 0.0f));
}

TEST(Program, JoinsElementwiseChainsIntoOnePass) {
  const Tensor x = input({6, 7}), row = input({7});
  const Tensor y = ops::exp(x * row + 1.0) / (x - row);
  const Tensor z = ops::tanh(y) * y;
  const auto fused = Program::compile({x, row}, {z, y}, cpu_device());
  EXPECT_EQ(fused->kernel_list().size(), 1u);
  EXPECT_EQ(run(fused), run(Program::compile({x, row}, {z, y}, cpu_device(), {.fuse = false, .aliases = {}})));
}

TEST(Program, DoesNotFuseAroundAnInstructionInBetween) {
  const Tensor x = input({4, 4});
  const Tensor a = x * 2.0;
  const Tensor b = ops::matmul(a, x);
  const Tensor c = a + b;  // must run after the product, which reads a
  const auto fused = Program::compile({x}, {c}, cpu_device());
  EXPECT_EQ(run(fused), run(Program::compile({x}, {c}, cpu_device(), {.fuse = false, .aliases = {}})));
}

TEST(Program, DoesNotFuseAcrossAViewOfItsOwnResult) {
  const Tensor x = input({3, 4});
  const Tensor a = ops::exp(x);
  const Tensor twisted = ops::reshape(ops::reshape(a, {12}), {3, 4});
  const Tensor c = a * twisted + a;
  const auto fused = Program::compile({x}, {c}, cpu_device());
  EXPECT_EQ(run(fused), run(Program::compile({x}, {c}, cpu_device(), {.fuse = false, .aliases = {}})));
}

TEST(Program, ComputesCommonSubexpressionsOnceAndConstantsNever) {
  const Tensor x = input({5});
  const Tensor constant_part = ops::exp(ops::full({5}, 2.0)) + 1.0;
  const Tensor y = ops::matmul(ops::reshape(x, {1, 5}), ops::reshape(x, {5, 1})) +
                   ops::matmul(ops::reshape(x, {1, 5}), ops::reshape(x, {5, 1}));
  const auto program = Program::compile({x}, {y, x * constant_part}, cpu_device());
  int products = 0;
  for (const std::string& line : program->kernel_list()) {
    products += line.starts_with("matmul") ? 1 : 0;
    EXPECT_EQ(line.find("exp"), std::string::npos) << line;
  }
  EXPECT_EQ(products, 1);
}

TEST(Program, LeavesOutWhatNoOutputNeeds) {
  const Tensor x = input({5});
  const Tensor unused = ops::exp(x);
  const auto program = Program::compile({x}, {ops::sum(x)}, cpu_device());
  EXPECT_EQ(program->kernel_list().size(), 1u);
}

TEST(Program, OutputsMayBeInputsConstantsViewsOrTwiceTheSame) {
  const Tensor x = input({2, 3});
  const Tensor y = ops::exp(x);
  const auto program = Program::compile({x}, {x, ops::full({2}, 3.0), ops::reshape(y, {6}), y, y}, cpu_device());
  const auto outputs = run(program);
  EXPECT_EQ(outputs[0], values_like(x.spec(), 0.0f));
  EXPECT_EQ(outputs[1], (std::vector<float>{3, 3}));
  EXPECT_EQ(outputs[2], outputs[3]);
  EXPECT_EQ(outputs[3], outputs[4]);
}

TEST(Program, UpdatesInPlaceAlsoWhereALaterInstructionReadsTheOldValue) {
  const Tensor w = input({300}), g = input({300});
  const Tensor next = w - g * 0.5;
  const Tensor other = g + ops::sum(w);  // the sum needs the old w
  ProgramOptions options;
  options.aliases = {{0, 0}, {1, 1}};
  const auto in_place = Program::compile({w, g}, {next, other}, cpu_device(), options);
  const auto apart = run(Program::compile({w, g}, {next, other}, cpu_device()));
  std::vector<float> w_data = values_like(w.spec(), 0.0f), g_data = values_like(g.spec(), 0.1f);
  RunState state(in_place);
  state.bind_input(0, w_data.data());
  state.bind_output(0, w_data.data());
  state.bind_input(1, g_data.data());
  state.bind_output(1, g_data.data());
  const auto stream = cpu_device().make_stream();
  state.run(*stream);
  EXPECT_EQ(w_data, apart[0]);
  EXPECT_EQ(g_data, apart[1]);
}

TEST(Program, RefusesUnknownShapesAndForeignPlaceholders) {
  const Tensor open = input({None, 3});
  EXPECT_THROW(Program::compile({open}, {ops::exp(open)}, cpu_device()), ShapeError);
  const Tensor x = input({3}), stranger = input({3});
  EXPECT_THROW(Program::compile({x}, {x + stranger}, cpu_device()), GraphError);
}

TEST(Program, ReadsVariablesWhereTheyAre) {
  const Variable w("w", constant<float>({1, 2, 3}, {3}));
  const auto program = Program::compile({}, {w * 2.0}, cpu_device());
  std::vector<float> out(3);
  RunState state(program);
  state.bind_output(0, out.data());
  const auto stream = cpu_device().make_stream();
  state.run(*stream);
  EXPECT_EQ(out, (std::vector<float>{2, 4, 6}));
  w.assign(constant<float>({5, 6, 7}, {3}));
  state.run(*stream);
  EXPECT_EQ(out, (std::vector<float>{10, 12, 14}));
  w.adopt({std::make_shared<Storage>(cpu_device(), 64), 0});
  w.assign(constant<float>({0, 1, 0}, {3}));
  state.bind_variables();
  state.run(*stream);
  EXPECT_EQ(out, (std::vector<float>{0, 2, 0}));
}

TEST(Program, TwoThreadsRunOneProgramAtOnce) {
  const Tensor x = input({32, 32}), w = input({32, 32});
  const Tensor y = ops::softmax(ops::relu(ops::matmul(x, w)) * 0.1);
  const auto program = Program::compile({x, w}, {y, ops::sum(y, {0})}, cpu_device());
  const auto expected = run(program);
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) wrong += run(program) == expected ? 0 : 1;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(MemoryPlan, ValuesAliveTogetherDoNotOverlapAndOthersShare) {
  const std::vector<Lifetime> requests{{100, 0, 1}, {200, 1, 2}, {100, 2, 3}, {64, 0, 3}, {1, 3, 3}};
  std::size_t total = 0;
  const auto offsets = plan_memory(requests, total);
  for (std::size_t a = 0; a < requests.size(); ++a) {
    EXPECT_EQ(offsets[a] % 64, 0u);
    EXPECT_LE(offsets[a] + requests[a].bytes, total);
    for (std::size_t b = 0; b < a; ++b) {
      const bool together = requests[a].first <= requests[b].last && requests[b].first <= requests[a].last;
      const bool apart = offsets[a] + requests[a].bytes <= offsets[b] || offsets[b] + requests[b].bytes <= offsets[a];
      EXPECT_TRUE(!together || apart) << a << " and " << b;
    }
  }
  EXPECT_LT(total, 128u + 256u + 128u + 64u + 64u);
}

TEST(Autodiff, GradientsOfGradients) {
  const Tensor x = constant<double>({0.5, -1.5, 2.0}, {3});
  const Tensor y = ops::sum(x * x * x);
  const Tensor first = gradients({y}, {x})[0].values;
  const Tensor second = gradients({first}, {x})[0].values;
  const auto d1 = first.to_vector<double>(), d2 = second.to_vector<double>();
  const double at[] = {0.5, -1.5, 2.0};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(d1[i], 3 * at[i] * at[i], 1e-12);
    EXPECT_NEAR(d2[i], 6 * at[i], 1e-12);
  }
}

TEST(Autodiff, GradientsByRowsStayRowsUntilMixedWithDenseOnes) {
  const Variable table("table", ops::ones({4, 2}));
  const Tensor ids = constant<std::int64_t>({2, 0, 2}, {3});
  const Tensor looked_up = ops::sum(ops::gather(table, ids) * 3.0);
  const Gradient rows = gradients({looked_up}, {table.value()})[0];
  ASSERT_TRUE(rows.is_rows());
  EXPECT_EQ(dense(rows, table).to_vector<float>(), (std::vector<float>{3, 3, 0, 0, 6, 6, 0, 0}));
  const Gradient both = gradients({looked_up + ops::sum(table)}, {table.value()})[0];
  EXPECT_FALSE(both.is_rows());
  EXPECT_EQ(both.values.to_vector<float>(), (std::vector<float>{4, 4, 1, 1, 7, 7, 1, 1}));
}

TEST(Tensor, ReleasingALongChainDoesNotRecurse) {
  Tensor x = constant<float>({1.0f}, {1});
  for (int i = 0; i < 300'000; ++i) x = x + 1.0;
  EXPECT_EQ(x.item<float>(), 300'001.0f);
  x = Tensor();
}

TEST(Tensor, ReadingASymbolicOrMistypedTensorIsAnError) {
  EXPECT_THROW(input({2}).eval(), GraphError);
  EXPECT_THROW(ops::ones({2}).to_vector<double>(), DtypeError);
  EXPECT_THROW(constant<float>({1, 2}, {3}), ShapeError);
}

}  // namespace
}  // namespace strata
