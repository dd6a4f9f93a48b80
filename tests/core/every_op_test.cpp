// SPDX-License-Identifier: Apache-2.0
// One harness for all ops: every example of every registered op is checked for its inferred shapes, each kernel
// candidate against the reference, and the same bits on a device whose memory the host cannot read.
// every_op_gradient_test.cpp checks the gradients.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "core/base/thread_environment.h"
#include "core/ops/widened_kernel.h"
#include "tests/support/guarded_device.h"
#include "tests/support/op_examples.h"

namespace strata {
namespace {

using testing::all_op_cases;
using testing::bytes_of;
using testing::draw_inputs;
using testing::GuardedDevice;
using testing::make_inputs;
using testing::OpCase;
using testing::Values;
using testing::Width;

class EveryOp : public ::testing::TestWithParam<OpCase> {
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

/// Host memory aligned as kernels expect it, and behind it bytes that none may touch: the compiler's sanitizers do not
/// see what generated code does.
struct AlignedBytes {
  static constexpr std::size_t kGuard = 512;
  explicit AlignedBytes(std::size_t size) : bytes(size), storage(cpu_device(), size + kGuard) {
    std::memset(storage.data(), 0xFF, size + kGuard);
  }
  bool guard_is_whole() const {
    return std::all_of(storage.data() + bytes, storage.data() + bytes + kGuard,
                       [](std::byte b) { return b == std::byte{0xFF}; });
  }
  std::size_t bytes;
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
  for (const auto& piece : memory) EXPECT_TRUE(piece->guard_is_whole()) << "behind " << piece->bytes << " bytes";
  std::vector<std::vector<std::byte>> results;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto* data = static_cast<const std::byte*>(outputs[i]);
    results.emplace_back(data, data + node.outputs()[i].bytes());
  }
  return results;
}

/// By how much candidates may differ from the reference: of the larger of the value and 1, for sums of a few hundred
/// terms in another order; halves by their last place, where such a difference decides how they are rounded.
template <class T>
constexpr double kTolerance = 2e-5;
template <>
constexpr double kTolerance<double> = 1e-12;
template <>
constexpr double kTolerance<Float16> = 0x1p-10;
template <>
constexpr double kTolerance<Bfloat16> = 0x1p-7;

/// What is not floating must be equal.
void expect_close(const std::vector<std::byte>& got, const std::vector<std::byte>& want, Dtype dtype) {
  visit_element(dtype, [&]<class T>(TypeTag<T>) {
    if constexpr (std::is_floating_point_v<Widened<T>>) {
      const double tolerance = kTolerance<T>;
      for (std::size_t i = 0; i < want.size() / sizeof(T); ++i) {
        T left, right;
        std::memcpy(&left, got.data() + i * sizeof(T), sizeof(T));
        std::memcpy(&right, want.data() + i * sizeof(T), sizeof(T));
        const Widened<T> a = left, b = right;
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
  for (const Width width : {Width::as_declared, Width::float64, Width::float16, Width::bfloat16}) {
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
        const Prepared prepared = prepare(candidate, request);
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
    GuardedDevice device(poison, std::size_t{1} << 26);
    const DeviceScope scope(device);
    const std::vector<Tensor> outputs = build(values, Width::as_declared);
    ASSERT_EQ(outputs.size(), expected.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) EXPECT_EQ(bytes_of(outputs[i]), expected[i]) << "output " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryOp, ::testing::ValuesIn(all_op_cases()),
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
