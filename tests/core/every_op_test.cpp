// SPDX-License-Identifier: Apache-2.0
// One harness for all ops: every example of every registered op is checked for its inferred shapes, each kernel candidate
// against the reference, its gradients against finite differences, and the same bits on a device the host cannot read.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>

#include "core/base/thread_environment.h"
#include "core/ops/ops.h"
#include "core/ops/registry.h"
#include "core/program/autodiff.h"
#include "tests/support/guarded_device.h"

namespace strata {
namespace {

struct Case {
  const OpEntry* entry;
  const OpExample* example;
  std::string name;  // a legal GoogleTest name
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.entry->name << ": " << c.example->label; }

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const auto& [name, entry] : OpRegistry::instance().entries()) {
    for (std::size_t i = 0; i < entry.examples.size(); ++i) {
      std::string legal = name + "_" + std::to_string(i) + "_" + entry.examples[i].label;
      std::replace_if(legal.begin(), legal.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
      cases.push_back({&entry, &entry.examples[i], legal});
    }
  }
  return cases;
}

using Values = std::vector<double>;  // of one input; exact for every dtype drawn here

/// The values of all inputs of an example: the same ones on every run.
std::vector<Values> draw_inputs(const OpExample& example) {
  std::mt19937_64 generator(example.inputs.size() * 1000 + example.label.size());
  std::vector<Values> all;
  for (const ExampleInput& input : example.inputs) {
    std::uniform_real_distribution<double> uniform(input.low, input.high);
    Values values(static_cast<std::size_t>(input.spec.shape.elements()));
    for (double& v : values) {
      v = uniform(generator);
      v = is_floating(input.spec.dtype) ? static_cast<float>(v) : std::floor(v);
    }
    all.push_back(std::move(values));
  }
  return all;
}

enum class Width { as_declared, float64 };

TensorSpec spec_of(const ExampleInput& input, Width width) {
  const bool widened = width == Width::float64 && input.spec.dtype == Dtype::float32;
  return {input.spec.shape, widened ? Dtype::float64 : input.spec.dtype};
}

Tensor make_tensor(const Values& values, const TensorSpec& spec) {
  return visit_dtype(spec.dtype, [&]<class T>(TypeTag<T>) {
    const auto typed = std::make_unique<T[]>(values.size());
    std::transform(values.begin(), values.end(), typed.get(), [](double v) { return static_cast<T>(v); });
    return constant(std::span<const T>(typed.get(), values.size()), spec.shape);
  });
}

std::vector<Tensor> make_inputs(const OpExample& example, const std::vector<Values>& values, Width width) {
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < values.size(); ++i) {
    inputs.push_back(make_tensor(values[i], spec_of(example.inputs[i], width)));
  }
  return inputs;
}

std::vector<std::byte> bytes_of(const Tensor& tensor) {
  const Buffer& buffer = tensor.eval();
  std::vector<std::byte> bytes(tensor.spec().bytes());
  Device& device = buffer.storage->device();
  const auto stream = device.make_stream();
  device.copy_to_host(bytes.data(), buffer.data(), bytes.size(), *stream);
  stream->synchronize();
  return bytes;
}

Values values_of(const Tensor& tensor) {
  const std::vector<std::byte> bytes = bytes_of(tensor);
  Values values(static_cast<std::size_t>(tensor.shape().elements()));
  visit_dtype(tensor.dtype(), [&]<class T>(TypeTag<T>) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      T value;
      std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
      values[i] = static_cast<double>(value);
    }
  });
  return values;
}

class EveryOp : public ::testing::TestWithParam<Case> {
 protected:
  const OpEntry& entry() const { return *GetParam().entry; }
  const OpExample& example() const { return *GetParam().example; }
  std::vector<Tensor> build(const std::vector<Values>& values, Width width) const {
    return example().build(make_inputs(example(), values, width));
  }
};

TEST_P(EveryOp, InfersWhatIsComputed) {
  const std::vector<Tensor> computed = build(draw_inputs(example()), Width::as_declared);
  std::vector<Tensor> known;
  std::vector<Tensor> unknown;
  for (const ExampleInput& input : example().inputs) {
    known.push_back(placeholder(input.spec));
    const auto rank = static_cast<std::size_t>(input.spec.shape.rank());
    unknown.push_back(placeholder({Shape(std::vector<Dim>(rank, None)), input.spec.dtype}));
  }
  const std::vector<Tensor> from_known = example().build(known);
  const std::vector<Tensor> from_unknown = example().build(unknown);
  ASSERT_EQ(from_known.size(), computed.size());
  ASSERT_EQ(from_unknown.size(), computed.size());
  for (std::size_t i = 0; i < computed.size(); ++i) {
    EXPECT_EQ(from_known[i].spec(), computed[i].spec());
    EXPECT_EQ(from_unknown[i].dtype(), computed[i].dtype());
    EXPECT_TRUE(shapes_fit(from_unknown[i].shape(), computed[i].shape()))
        << from_unknown[i].shape().str() << " from unknown sizes, in truth " << computed[i].shape().str();
    EXPECT_GE(computed[i].eval().storage->bytes(), computed[i].spec().bytes());
  }
}

/// The nodes of the example that apply the op under test.
std::vector<std::shared_ptr<Node>> nodes_of(const std::vector<Tensor>& outputs, const std::string& op) {
  std::vector<std::shared_ptr<Node>> found;
  for (const auto& node : topological_order(outputs)) {
    if (node->op().name() == op) found.push_back(node);
  }
  return found;
}

/// Host memory aligned as kernels expect it.
struct AlignedBytes {
  explicit AlignedBytes(std::size_t bytes) : storage(cpu_device(), bytes) { std::memset(storage.data(), 0xFF, bytes); }
  Storage storage;
};

/// Runs one kernel on the node's inputs; with `overwritten` >= 0 its first output lies on that input.
std::vector<std::vector<std::byte>> run_kernel(const Kernel& kernel, const Node& node, int overwritten = -1) {
  const ThreadEnvironment environment;
  std::vector<std::unique_ptr<AlignedBytes>> memory;
  const auto allocate = [&](std::size_t bytes) {
    memory.push_back(std::make_unique<AlignedBytes>(bytes));
    return memory.back()->storage.data();
  };
  std::vector<const void*> inputs;
  for (const Tensor& input : node.inputs()) {
    const std::vector<std::byte> bytes = bytes_of(input);
    std::byte* copy = allocate(bytes.size());
    std::copy(bytes.begin(), bytes.end(), copy);
    inputs.push_back(copy);
  }
  std::vector<void*> outputs;
  for (const TensorSpec& spec : node.outputs()) outputs.push_back(allocate(spec.bytes()));
  if (overwritten >= 0) outputs[0] = const_cast<void*>(inputs[static_cast<std::size_t>(overwritten)]);
  const auto state = kernel.make_state();
  const KernelArgs args{inputs.data(), outputs.data(), allocate(kernel.scratch_bytes()), state.get()};
  const auto stream = cpu_device().make_stream();
  kernel.run(args, *stream);
  std::vector<std::vector<std::byte>> results;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto* data = static_cast<const std::byte*>(outputs[i]);
    results.emplace_back(data, data + node.outputs()[i].bytes());
  }
  return results;
}

/// float32 candidates may differ from the reference by 2e-5 of the larger of the value and 1 (sums of a few hundred terms
/// in another order), float64 ones by 1e-12; everything else must be equal.
void expect_close(const std::vector<std::byte>& got, const std::vector<std::byte>& want, Dtype dtype) {
  visit_dtype(dtype, [&]<class T>(TypeTag<T>) {
    if constexpr (std::is_floating_point_v<T>) {
      const double tolerance = sizeof(T) == 4 ? 2e-5 : 1e-12;
      for (std::size_t i = 0; i < want.size() / sizeof(T); ++i) {
        T a, b;
        std::memcpy(&a, got.data() + i * sizeof(T), sizeof(T));
        std::memcpy(&b, want.data() + i * sizeof(T), sizeof(T));
        if (std::isnan(a) && std::isnan(b)) continue;
        ASSERT_LE(std::fabs(static_cast<double>(a) - b), tolerance * std::max(1.0, std::fabs(static_cast<double>(b))))
            << "element " << i;
      }
    } else {
      EXPECT_EQ(got, want);
    }
  });
}

TEST_P(EveryOp, CandidatesAgreeWithTheReference) {
  for (const Width width : {Width::as_declared, Width::float64}) {
    const auto nodes = nodes_of(build(draw_inputs(example()), width), entry().name);
    if (width == Width::as_declared) {
      ASSERT_FALSE(nodes.empty()) << "the example does not apply the op";
    }
    for (const auto& node : nodes) {
      if (node->op().is_view()) continue;
      std::vector<TensorSpec> specs;
      for (const Tensor& input : node->inputs()) specs.push_back(input.spec());
      const KernelRequest request{node->op(), specs, node->outputs()};
      const auto reference = run_kernel(*choose_kernel(request, cpu_device(), "reference").kernel, *node);
      for (const Candidate& candidate : entry().candidates) {
        if (candidate.device != "cpu") continue;
        const Prepared prepared = candidate.prepare(request);
        const auto* kernel = std::get_if<std::shared_ptr<const Kernel>>(&prepared);
        if (kernel == nullptr) {
          EXPECT_FALSE(std::get<std::string>(prepared).empty()) << candidate.name << " declined without a reason";
          continue;
        }
        SCOPED_TRACE(candidate.name);
        const auto got = run_kernel(**kernel, *node);
        for (std::size_t o = 0; o < got.size(); ++o) expect_close(got[o], reference[o], node->outputs()[o].dtype);
        for (int i = 0; i < static_cast<int>(specs.size()); ++i) {
          const bool fits = got.size() == 1 && specs[static_cast<std::size_t>(i)].bytes() == node->outputs()[0].bytes();
          if (fits && (*kernel)->may_overwrite(i, 0)) {
            EXPECT_EQ(run_kernel(**kernel, *node, i)[0], got[0]) << "in place of input " << i;
          }
        }
      }
    }
  }
}

TEST_P(EveryOp, SameBitsOnADeviceTheHostCannotRead) {
  const std::vector<Values> values = draw_inputs(example());
  std::vector<std::vector<std::byte>> expected;
  for (const Tensor& output : build(values, Width::as_declared)) expected.push_back(bytes_of(output));
  // What a kernel leaves unwritten, or reads without having written it, shows as a difference between the two poisons.
  for (const unsigned char poison : {0xFF, 0x3E}) {
    testing::GuardedDevice device(poison, std::size_t{1} << 26);
    const DeviceScope scope(device);
    const std::vector<Tensor> outputs = build(values, Width::as_declared);
    ASSERT_EQ(outputs.size(), expected.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) EXPECT_EQ(bytes_of(outputs[i]), expected[i]) << "output " << i;
  }
}

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
  bool results_are_float64() const {
    const std::vector<Tensor> outputs = build().outputs;
    return std::all_of(outputs.begin(), outputs.end(), [](const Tensor& t) { return t.dtype() == Dtype::float64; });
  }

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

  /// The sum of the gradient times random directions.
  double second_order_value() const {
    const std::vector<Values> gradient = first_order_gradient();
    double sum = 0;
    for (std::size_t i = 0; i < gradient.size(); ++i) sum += dot(gradient[i], directions_[i]);
    return sum;
  }
  std::vector<Values> second_order_gradient() const {
    const Graph graph = build();
    const std::vector<Tensor> sources = graph.sources(*this);
    const std::vector<Gradient> first = gradients(graph.outputs, sources, seeds(graph));
    std::vector<Tensor> targets;
    std::vector<Tensor> weights;
    std::size_t s = 0;
    for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
      if (!is_source(i)) continue;
      targets.push_back(dense(first[s++], graph.inputs[i]));
      weights.push_back(make_tensor(directions_[i], graph.inputs[i].spec()));
    }
    return evaluated(gradients(targets, sources, weights), graph);
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

TEST_P(EveryOp, GradientIsThatOfFiniteDifferences) {
  if (!example().differentiable) GTEST_SKIP() << "not differentiable";
  Differentiated function(example(), draw_inputs(example()));
  if (!function.results_are_float64()) GTEST_SKIP() << "the result is too coarse for finite differences";
  expect_derivatives(function, function.first_order_gradient(), &Differentiated::first_order_value);
}

TEST_P(EveryOp, GradientOfTheGradientIsThatOfFiniteDifferences) {
  if (!example().differentiable) GTEST_SKIP() << "not differentiable";
  Differentiated function(example(), draw_inputs(example()));
  if (!function.results_are_float64()) GTEST_SKIP() << "the result is too coarse for finite differences";
  std::size_t elements = 0;
  for (const ExampleInput& input : example().inputs) elements += static_cast<std::size_t>(input.spec.shape.elements());
  if (elements > 200) GTEST_SKIP() << "smaller examples cover it";
  expect_derivatives(function, function.second_order_gradient(), &Differentiated::second_order_value);
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryOp, ::testing::ValuesIn(all_cases()),
                         [](const auto& test) { return test.param.name; });

TEST(OpRegistryTest, EveryOpHasExamplesAndAReference) {
  EXPECT_GE(OpRegistry::instance().entries().size(), 60u);
  for (const auto& [name, entry] : OpRegistry::instance().entries()) {
    EXPECT_FALSE(entry.examples.empty()) << name << " has no example";
    if (entry.candidates.empty()) continue;  // a view: it has no kernel, which the harness sees at its examples
    EXPECT_EQ(entry.candidates.back().name, "reference") << name;
    EXPECT_EQ(entry.candidates.back().device, "cpu") << name;
  }
}

TEST(OpRegistryTest, OnlyViewsHaveNoKernel) {
  for (const auto& [name, entry] : OpRegistry::instance().entries()) {
    if (!entry.candidates.empty()) continue;
    for (const OpExample& example : entry.examples) {
      const std::vector<Tensor> inputs = make_inputs(example, draw_inputs(example), Width::as_declared);
      for (const auto& node : nodes_of(example.build(inputs), name)) EXPECT_TRUE(node->op().is_view()) << name;
    }
  }
}

}  // namespace
}  // namespace strata
