// SPDX-License-Identifier: Apache-2.0
#include "core/program/scan.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/model/functional.h"
#include "core/ops/ops.h"
#include "core/program/autodiff.h"
#include "core/program/program.h"

namespace strata {
namespace {

/// Running sums along axis 0, scaled by a tensor from outside.
ScanResult running_sums(const Tensor& x, const Tensor& scale, bool reverse = false) {
  return scan(
      [&](const std::vector<Tensor>& sum, const std::vector<Tensor>& in) -> ScanStep {
        const Tensor next = sum[0] + in[0] * scale;
        return {{next}, {next}};
      },
      {ops::zeros({2}, x.dtype())}, {x}, reverse);
}

TEST(Scan, RunsForwardsAndBackwards) {
  const Tensor x = constant<float>({1, 2, 3, 4, 5, 6}, {3, 2});
  const auto forward = running_sums(x, scalar(10));
  EXPECT_EQ(forward.carries[0].to_vector<float>(), (std::vector<float>{90, 120}));
  EXPECT_EQ(forward.outputs[0].to_vector<float>(), (std::vector<float>{10, 20, 40, 60, 90, 120}));
  const auto backward = running_sums(x, scalar(10), true);
  EXPECT_EQ(backward.outputs[0].to_vector<float>(), (std::vector<float>{90, 120, 80, 100, 50, 60}));
}

TEST(Scan, NoStepsLeaveTheCarryAsItWas) {
  const auto result = running_sums(ops::zeros({0, 2}), scalar(1));
  EXPECT_EQ(result.carries[0].to_vector<float>(), (std::vector<float>{0, 0}));
  EXPECT_EQ(result.outputs[0].shape(), (Shape{0, 2}));
}

TEST(Scan, GradientsReachSequencesCarriesAndCapturedTensors) {
  const Variable scale("scale", scalar(3, Dtype::float64));
  const Tensor x = constant<double>({1, 2, 3, 4, 5, 6}, {3, 2});
  const auto result = running_sums(x, scale);
  const auto found = gradients({ops::sum(result.outputs[0])}, {x, scale.value()});
  EXPECT_EQ(found[0].values.to_vector<double>(), (std::vector<double>{9, 9, 6, 6, 3, 3}));
  EXPECT_EQ(found[1].values.item<double>(), 3 * 1 + 3 * 2 + 2 * 3 + 2 * 4 + 5 + 6);
}

TEST(Scan, GradientsOfGradients) {
  // c_3 = x^3 c_0 for a constant sequence x: d2/dx2 = 6 x c_0, with x captured.
  const Tensor x = scalar(2, Dtype::float64);
  const auto result = scan(
      [&](const std::vector<Tensor>& c, const std::vector<Tensor>&) -> ScanStep {
        return {{c[0] * x}, {}};
      },
      {scalar(5, Dtype::float64)}, {ops::zeros({3}, Dtype::float64)});
  const Tensor first = gradients({result.carries[0]}, {x})[0].values;
  EXPECT_EQ(first.item<double>(), 3 * 4 * 5);
  EXPECT_EQ(gradients({first}, {x})[0].values.item<double>(), 6 * 2 * 5);
}

TEST(Scan, CompilesIntoAProgramAndUnknownLengthsInfer) {
  const Tensor open = placeholder({{None, 2}, Dtype::float32});
  EXPECT_EQ(running_sums(open, scalar(1)).outputs[0].shape(), (Shape{None, 2}));
  const Tensor x = placeholder({{3, 2}, Dtype::float32});
  const auto program = Program::compile({x}, {running_sums(x, scalar(10)).outputs[0]}, cpu_device());
  const std::vector<float> in{1, 2, 3, 4, 5, 6};
  std::vector<float> out(6);
  RunState state(program);
  state.bind_input(0, in.data());
  state.bind_output(0, out.data());
  const auto stream = cpu_device().make_stream();
  state.run(*stream);
  EXPECT_EQ(out, (std::vector<float>{10, 20, 40, 60, 90, 120}));
}

/// h' = tanh(x w + h u), with its gradients in w and u, as a program; the lines of its kernels.
std::vector<std::string> kernels_of_training(bool with_mask) {
  const Tensor x = placeholder({{3, 2, 5}, Dtype::float32}), mask = placeholder({{2, 4}, Dtype::float32});
  const Tensor w = placeholder({{5, 4}, Dtype::float32}), u = placeholder({{4, 4}, Dtype::float32});
  const auto result = scan(
      [&](const std::vector<Tensor>& h, const std::vector<Tensor>& in) -> ScanStep {
        const Tensor seen = with_mask ? h[0] * mask : h[0];
        const Tensor next = ops::tanh(ops::matmul(in[0], w) + ops::matmul(seen, u));
        return {{next, next}, {}};
      },
      {ops::zeros({2, 4}), ops::zeros({2, 4})}, {x});
  const auto found = gradients({result.carries[1]}, {w, u});
  return Program::compile({x, mask, w, u}, {result.carries[1], found[0].values, found[1].values}, cpu_device())
      ->kernel_list();
}

TEST(Scan, TrainingRunsOneLoopForwardsAndOneBackwards) {
  for (const bool with_mask : {false, true}) {
    std::vector<std::string> loops, sums;
    for (const std::string& line : kernels_of_training(with_mask)) {
      if (line.starts_with("scan")) loops.push_back(line);
      if (line.starts_with("matmul transpose=TN")) sums.push_back(line);
    }
    ASSERT_EQ(loops.size(), 2u) << "what the gradient reads is kept by the one forward loop";
    EXPECT_EQ(loops[0].find("tanh", loops[0].find("tanh") + 1), std::string::npos) << loops[0];
    EXPECT_EQ(loops[1].find("tanh"), std::string::npos) << "nothing is computed again: " << loops[1];
    EXPECT_EQ(loops[1].find("transpose=TN"), std::string::npos) << "weight gradients come after the loop: " << loops[1];
    EXPECT_EQ(sums.size(), 2u);
    EXPECT_EQ(loops[1].find("sum["), std::string::npos) << "no gradient of the mask, which nobody reads: " << loops[1];
  }
}

TEST(Scan, DoubledCarriesKeepTheirFirstValuesWithoutSteps) {
  const auto finals = [](Dim steps) {
    const auto result = scan(
        [](const std::vector<Tensor>& c, const std::vector<Tensor>& in) -> ScanStep {
          const Tensor next = c[0] + in[0];
          return {{next, next}, {}};
        },
        {scalar(1), scalar(5)}, {ops::ones({steps})});
    return std::vector<float>{result.carries[0].item<float>(), result.carries[1].item<float>()};
  };
  EXPECT_EQ(finals(0), (std::vector<float>{1, 5}));
  EXPECT_EQ(finals(2), (std::vector<float>{3, 3}));
}

TEST(Scan, RefusesWhatDoesNotFit) {
  const auto body = [](const std::vector<Tensor>& c, const std::vector<Tensor>& in) -> ScanStep {
    return {{ops::concatenate({c[0], in[0]}, 0)}, {}};
  };
  EXPECT_THROW(scan(body, {ops::zeros({2})}, {ops::zeros({3, 2})}), ShapeError);
  EXPECT_THROW(scan(body, {ops::zeros({2})}, {}), ConfigError);
  EXPECT_THROW(scan(body, {ops::zeros({2})}, {ops::zeros({3, 2}), ops::zeros({4, 2})}), ShapeError);
}

}  // namespace
}  // namespace strata
