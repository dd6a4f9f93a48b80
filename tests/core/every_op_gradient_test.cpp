// SPDX-License-Identifier: Apache-2.0
// The gradients of every registered op, and the gradients of those, against finite differences in float64.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "core/ops/ops.h"
#include "core/program/autodiff.h"
#include "tests/support/op_examples.h"

namespace strata {
namespace {

using testing::all_op_cases;
using testing::draw_inputs;
using testing::make_inputs;
using testing::make_tensor;
using testing::OpCase;
using testing::spec_of;
using testing::Values;
using testing::values_of;
using testing::Width;

/// A function of the values of the floating inputs, and its gradient by reverse mode.
class Differentiated {
 public:
  Differentiated(const OpExample& example, std::vector<Values> values) : example_(example), values_(std::move(values)) {
    std::mt19937_64 generator(7);
    std::uniform_real_distribution<double> uniform(-1, 1);
    for (const Tensor& output : build().outputs) {
      seeds_.emplace_back(static_cast<std::size_t>(output.shape().elements()));
      for (double& v : seeds_.back()) v = uniform(generator);
    }
    for (const Values& v : values_) {
      directions_.emplace_back(v.size());
      for (double& d : directions_.back()) d = uniform(generator);
    }
  }

  Values& values(std::size_t input) { return values_[input]; }
  bool is_source(std::size_t input) const { return is_floating(spec_of(example_.inputs[input], Width::float64).dtype); }
  /// The sum of outputs times random seeds.
  double first_order_value() const {
    const std::vector<Tensor> outputs = build().outputs;
    double sum = 0;
    for (std::size_t o = 0; o < outputs.size(); ++o) sum += dot(values_of(outputs[o]), seeds_[o]);
    return sum;
  }
  std::vector<Values> first_order_gradient() const {
    const Graph graph = build();
    return evaluated(gradients(graph.outputs, graph.sources(*this), seeds(graph)), graph);
  }

  /// The sum of a gradient times random directions. The outputs go through sin, so that what flows back into the op
  /// depends on the inputs and that dependence is differentiated too.
  double second_order_value() const {
    const Graph graph = build();
    const std::vector<Values> gradient = evaluated(bent_gradients(graph), graph);
    double sum = 0;
    for (std::size_t i = 0; i < gradient.size(); ++i) sum += dot(gradient[i], directions_[i]);
    return sum;
  }
  std::vector<Values> second_order_gradient() const {
    const Graph graph = build();
    const std::vector<Gradient> first = bent_gradients(graph);
    std::vector<Tensor> targets;
    std::vector<Tensor> weights;
    std::size_t s = 0;
    for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
      if (!is_source(i)) continue;
      targets.push_back(dense(first[s++], graph.inputs[i]));
      weights.push_back(make_tensor(directions_[i], graph.inputs[i].spec()));
    }
    return evaluated(gradients(targets, graph.sources(*this), weights), graph);
  }

 private:
  struct Graph {
    std::vector<Tensor> inputs;
    std::vector<Tensor> outputs;
    std::vector<Tensor> sources(const Differentiated& of) const {
      std::vector<Tensor> result;
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (of.is_source(i)) result.push_back(inputs[i]);
      }
      return result;
    }
  };

  Graph build() const {
    Graph graph{make_inputs(example_, values_, Width::float64), {}};
    graph.outputs = example_.build(graph.inputs);
    return graph;
  }
  std::vector<Gradient> bent_gradients(const Graph& graph) const {
    std::vector<Tensor> bent;
    for (const Tensor& output : graph.outputs) bent.push_back(ops::sin(output));
    return gradients(bent, graph.sources(*this), seeds(graph));
  }
  std::vector<Tensor> seeds(const Graph& graph) const {
    std::vector<Tensor> result;
    for (std::size_t o = 0; o < seeds_.size(); ++o) result.push_back(make_tensor(seeds_[o], graph.outputs[o].spec()));
    return result;
  }
  /// One entry an input, empty where it is not a source.
  std::vector<Values> evaluated(const std::vector<Gradient>& result, const Graph& graph) const {
    std::vector<Values> all(graph.inputs.size());
    std::size_t s = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!is_source(i)) continue;
      const Tensor gradient = dense(result[s++], graph.inputs[i]);
      EXPECT_EQ(gradient.spec(), graph.inputs[i].spec());
      all[i] = values_of(gradient);
    }
    return all;
  }
  static double dot(const Values& a, const Values& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
  }

  const OpExample& example_;
  std::vector<Values> values_;
  std::vector<Values> seeds_;       // one an output
  std::vector<Values> directions_;  // one an input
};

constexpr std::size_t kMaxChecked = 40;  // elements of one input whose derivative is also taken numerically

/// Central differences with h = 1e-6 in float64 are good to about 1e-8 of the function's value; 1e-6 is asked for.
void expect_derivatives(Differentiated& function, const std::vector<Values>& analytic,
                        double (Differentiated::*value)() const) {
  constexpr double h = 1e-6;
  for (std::size_t i = 0; i < analytic.size(); ++i) {
    if (!function.is_source(i)) continue;
    const std::size_t n = analytic[i].size();
    const std::size_t stride = std::max<std::size_t>(n / kMaxChecked, 1);
    for (std::size_t e = 0; e < n; e += stride) {
      double& x = function.values(i)[e];
      const double at = x;
      x = at + h;
      const double above = (function.*value)();
      x = at - h;
      const double below = (function.*value)();
      x = at;
      const double numeric = (above - below) / (2 * h);
      ASSERT_NEAR(analytic[i][e], numeric, 1e-6 * std::max(1.0, std::fabs(numeric)))
          << "input " << i << ", element " << e;
    }
  }
}

/// Whether finite differences say anything: all results floating ones of full width.
bool results_are_float64(const OpExample& example) {
  std::vector<Tensor> inputs;
  for (const ExampleInput& input : example.inputs) {
    const bool widened = input.spec.dtype == Dtype::float32;
    inputs.push_back(placeholder({input.spec.shape, widened ? Dtype::float64 : input.spec.dtype}));
  }
  const auto outputs = example.build(inputs);
  return std::all_of(outputs.begin(), outputs.end(), [](const Tensor& t) { return t.dtype() == Dtype::float64; });
}

/// The differentiable examples of all ops with at most so many input elements.
std::vector<OpCase> differentiable_cases(Dim most_elements) {
  std::vector<OpCase> cases;
  for (const OpCase& c : all_op_cases()) {
    Dim elements = 0;
    for (const ExampleInput& input : c.example->inputs) elements += input.spec.shape.elements();
    if (c.example->differentiable && elements <= most_elements && results_are_float64(*c.example)) cases.push_back(c);
  }
  return cases;
}

class EveryOpGradient : public ::testing::TestWithParam<OpCase> {};

TEST_P(EveryOpGradient, IsThatOfFiniteDifferences) {
  Differentiated function(*GetParam().example, draw_inputs(*GetParam().example));
  expect_derivatives(function, function.first_order_gradient(), &Differentiated::first_order_value);
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryOpGradient, ::testing::ValuesIn(differentiable_cases(1'000'000)),
                         [](const auto& test) { return test.param.name; });

class EveryOpSecondGradient : public ::testing::TestWithParam<OpCase> {};

TEST_P(EveryOpSecondGradient, IsThatOfFiniteDifferences) {
  Differentiated function(*GetParam().example, draw_inputs(*GetParam().example));
  expect_derivatives(function, function.second_order_gradient(), &Differentiated::second_order_value);
}

// Small examples are enough here: every op has one.
INSTANTIATE_TEST_SUITE_P(Registry, EveryOpSecondGradient, ::testing::ValuesIn(differentiable_cases(200)),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace strata
