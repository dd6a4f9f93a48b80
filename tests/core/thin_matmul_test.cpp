// SPDX-License-Identifier: Apache-2.0
// Products that serve several blocks at once: the bits of a block do not depend on what goes beside it.
#include <gtest/gtest.h>

#include <cstring>

#include "core/ops/block_kernel.h"
#include "core/program/program.h"
#include "strata/strata.h"

namespace strata {
namespace {

using Values = std::vector<float>;

constexpr std::size_t kBlocks = BlockKernel::kMostBlocks;

/// A product of some shapes as its kernel computes it, with operands of each block; b may be the same for all.
class ThinProduct {
 public:
  ThinProduct(const Shape& a, const Shape& b, bool transpose_a, bool transpose_b, bool shared_b) {
    const std::vector<TensorSpec> inputs{{a, Dtype::float32}, {b, Dtype::float32}};
    const Tensor product = ops::matmul(placeholder(inputs[0]), placeholder(inputs[1]), transpose_a, transpose_b);
    chosen_ = choose_kernel({product.node()->op(), inputs, product.node()->outputs()}, cpu_device());
    const RandomKey key{constant<std::int64_t>({7, 0, 0}, {3}), 1};
    for (std::size_t i = 0; i < kBlocks; ++i) {
      a_.push_back(ops::random_normal({key.state, 2 * i}, a).to_vector<float>());
      b_.push_back(shared_b && i > 0 ? b_[0] : ops::random_normal({key.state, 2 * i + 1}, b).to_vector<float>());
      c_.emplace_back(static_cast<std::size_t>(product.shape().elements()), 0.0F);
    }
    for (std::size_t i = 0; i < kBlocks; ++i) {
      pointers_.push_back({a_[i].data(), b_[shared_b ? 0 : i].data(), c_[i].data()});
    }
    scratch_ = std::make_unique<Storage>(cpu_device(), chosen_.kernel->scratch_bytes() + 64);
  }

  const std::string& candidate() const { return chosen_.candidate; }
  const BlockKernel* block_kernel() const { return dynamic_cast<const BlockKernel*>(chosen_.kernel.get()); }

  /// Every block's output, each computed by itself.
  const std::vector<Values>& alone() {
    const auto stream = cpu_device().make_stream();
    for (std::size_t i = 0; i < kBlocks; ++i) chosen_.kernel->run(arguments(i), *stream);
    return c_;
  }
  /// The outputs of the first `blocks`.
  const std::vector<Values>& together(std::size_t blocks) {
    for (Values& c : c_) std::fill(c.begin(), c.end(), -1.0F);
    std::vector<KernelArgs> all;
    for (std::size_t i = 0; i < blocks; ++i) all.push_back(arguments(i));
    block_kernel()->run_blocks(all);
    return c_;
  }

 private:
  struct Pointers {
    const void* a;
    const void* b;
    void* c;
  };
  KernelArgs arguments(std::size_t block) {
    return {&pointers_[block].a, &pointers_[block].c, scratch_->data(), nullptr};
  }

  ChosenKernel chosen_;
  std::vector<Values> a_, b_, c_;
  std::vector<Pointers> pointers_;
  std::unique_ptr<Storage> scratch_;
};

/// In the tree of BlockSumSpec, from the definition.
Values tree_sum(std::vector<Values> partials) {
  while (partials.size() > 1) {
    std::vector<Values> next;
    for (std::size_t i = 0; i < partials.size(); i += 2) {
      next.push_back(partials[i]);
      if (i + 1 == partials.size()) continue;
      for (std::size_t k = 0; k < next.back().size(); ++k) next.back()[k] += partials[i + 1][k];
    }
    partials = std::move(next);
  }
  return partials[0];
}

bool equal_bits(const Values& x, const Values& y) {
  return x.size() == y.size() && std::memcmp(x.data(), y.data(), x.size() * sizeof(float)) == 0;
}

void expect_own_bits(ThinProduct& product) {
  ASSERT_NE(product.block_kernel(), nullptr);
  ASSERT_FALSE(product.block_kernel()->adds());
  const std::vector<Values> alone = product.alone();
  for (const std::size_t blocks : {std::size_t{1}, std::size_t{2}, std::size_t{3}, kBlocks}) {
    const auto& together = product.together(blocks);
    for (std::size_t i = 0; i < blocks; ++i) {
      EXPECT_TRUE(equal_bits(together[i], alone[i])) << "block " << i << " of " << blocks;
    }
  }
}

TEST(ThinMatmul, ABlockHasItsOwnBitsWhateverGoesBesideIt) {
  for (const Dim rows : {1, 4, 8, 13, 16}) {
    for (const bool shared : {false, true}) {
      SCOPED_TRACE(std::to_string(rows) + " rows" + (shared ? " times one matrix" : " times matrices of their own"));
      ThinProduct large({rows, 333}, {333, 521}, false, false, shared);
      ASSERT_EQ(large.candidate(), "xsmm_thin");
      expect_own_bits(large);
      ThinProduct transposed({rows, 67}, {35, 67}, false, true, shared);
      expect_own_bits(transposed);
    }
  }
}

TEST(ThinMatmul, GradientsOfWeightsAreAddedInTheTreeOverBlocks) {
  for (const Dim rows : {1, 8, 13}) {
    ThinProduct product({rows, 167}, {rows, 301}, true, false, false);
    ASSERT_EQ(product.candidate(), "xsmm_thin");
    ASSERT_TRUE(product.block_kernel()->adds());
    const std::vector<Values> alone = product.alone();
    for (std::size_t blocks = 1; blocks <= kBlocks; ++blocks) {
      const Values expected = tree_sum({alone.begin(), alone.begin() + static_cast<std::ptrdiff_t>(blocks)});
      const auto& together = product.together(blocks);
      EXPECT_TRUE(equal_bits(together[0], expected)) << rows << " rows, " << blocks << " blocks";
      for (std::size_t i = 1; i < blocks; ++i) EXPECT_EQ(together[i], Values(expected.size(), -1.0F)) << "untouched";
    }
  }
}

TEST(ThinMatmul, ProductsAreThoseOfTheReference) {
  const RandomKey key{constant<std::int64_t>({7, 0, 0}, {3}), 1};
  const auto expect_reference = [&](const Shape& a, const Shape& b, bool transpose_a) {
    const std::vector<Tensor> x{placeholder({a, Dtype::float32}), placeholder({b, Dtype::float32}),
                                placeholder({{b.back()}, Dtype::float32})};
    const Tensor y = ops::matmul(x[0], x[1], transpose_a);
    const Tensor z = transpose_a ? y : ops::relu(y + x[2]);
    const std::vector<Tensor> values{ops::random_normal({key.state, 2}, a), ops::random_normal({key.state, 3}, b),
                                     ops::random_normal({key.state, 4}, {b.back()})};
    const auto run = [&](bool reference_only) {
      RunState state(Program::compile(x, {z}, cpu_device(), {.aliases = {}, .reference_only = reference_only}));
      for (int i = 0; i < 3; ++i) state.bind_input(i, values[static_cast<std::size_t>(i)].eval().data());
      Values result(static_cast<std::size_t>(z.shape().elements()));
      state.bind_output(0, result.data());
      state.run(*cpu_device().make_stream());
      return result;
    };
    const Values actual = run(false), expected = run(true);
    for (std::size_t i = 0; i < actual.size(); ++i) ASSERT_NEAR(actual[i], expected[i], 1e-4) << i;
  };
  expect_reference({8, 333}, {333, 521}, false);
  expect_reference({16, 64}, {64, 2049}, false);
  expect_reference({8, 167}, {8, 301}, true);
  expect_reference({16, 784}, {16, 64}, true);
}

}  // namespace
}  // namespace strata
