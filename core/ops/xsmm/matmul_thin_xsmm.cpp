// SPDX-License-Identifier: Apache-2.0
// Products of few rows with a large matrix, and the large product of few rows (gradients of weights): tile by tile, for
// several blocks of a batch at once. A tile of the large matrix is read, or written, for all blocks while it is in the
// cache. Every block goes through the same tiles by the same code whatever goes beside it, so that its bits are its
// own.
#include <libxsmm.h>

#include <algorithm>
#include <array>

#include "core/base/simd.h"
#include "core/ops/block_kernel.h"
#include "core/ops/matmul.h"
#include "core/ops/xsmm/xsmm.h"

namespace strata {
namespace {

constexpr Dim kMostRows = 16;                 // more of them make the large matrix worth a pass of its own
constexpr Dim kSmallestSum = Dim{64} * 1024;  // bytes of a gradient; smaller ones are added as they are

using Code = libxsmm_smmfunction;

/// Code for row-major c (rows, columns) = a (rows, k) b (k, columns), whose rows are so far apart. libxsmm is
/// column-major: it computes c' = b' a'.
struct Strides {
  Dim a, b, c;
};
Code code(Dim rows, Dim columns, Dim k, const Strides& strides, bool transpose_a, bool add) {
  const auto m = static_cast<libxsmm_blasint>(columns), n = static_cast<libxsmm_blasint>(rows);
  const auto lda = static_cast<libxsmm_blasint>(strides.b), ldb = static_cast<libxsmm_blasint>(strides.a);
  const auto ldc = static_cast<libxsmm_blasint>(strides.c);
  const float alpha = 1, beta = add ? 1 : 0;
  const int flags = transpose_a ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE;
  return libxsmm_smmdispatch(m, n, static_cast<libxsmm_blasint>(k), &lda, &ldb, &ldc, &alpha, &beta, &flags, nullptr);
}

/// Tiles of a matrix (rows, columns), the last ones smaller.
struct Tiles {
  Dim rows, columns;            // of the matrix
  Dim tile_rows, tile_columns;  // of a tile
  template <class F>
  void for_each(const F& f) const {
    for (Dim j = 0; j < columns; j += tile_columns) {
      for (Dim i = 0; i < rows; i += tile_rows) {
        f(i, j, std::min(tile_rows, rows - i), std::min(tile_columns, columns - j));
      }
    }
  }
};

/// The code for every size of tile; with `adds` also that which adds to what is there.
class TileCodes {
 public:
  template <class Make>  // (rows, columns, add) of a tile
  TileCodes(const Tiles& tiles, bool adds, const Make& make) : tiles_(tiles) {
    tiles.for_each([&](Dim, Dim, Dim rows, Dim columns) {
      for (const bool add : {false, true}) {
        if (add && !adds) continue;
        Code& place = codes_[index(rows, columns, add)];
        if (place == nullptr) place = make(rows, columns, add);
        complete_ = complete_ && place != nullptr;
      }
    });
  }
  bool complete() const { return complete_; }
  Code at(Dim rows, Dim columns, bool add) const { return codes_[index(rows, columns, add)]; }

 private:
  std::size_t index(Dim rows, Dim columns, bool add) const {
    return (rows == tiles_.tile_rows ? 4u : 0u) + (columns == tiles_.tile_columns ? 2u : 0u) + (add ? 1u : 0u);
  }
  Tiles tiles_;
  std::array<Code, 8> codes_{};
  bool complete_ = true;
};

class ThinKernel : public Kernel, public BlockKernel {
 public:
  void run(const KernelArgs& args, Stream&) const override { run_blocks({&args, 1}); }
};

/// Few rows c = a w + bias, then an activation.
class RowsKernel final : public ThinKernel {
 public:
  RowsKernel(const Gemm& g, const ProductEpilogue& epilogue)
      : g_(g),
        bias_(epilogue.bias),
        loop_(epilogue.loop(Dtype::float32)),
        tiles_{g.k, g.n, 64, 256},
        codes_(tiles_, true, [&](Dim rows, Dim columns, bool add) {
          return code(g.m, columns, rows, {g.k, g.n, g.n}, false, add);
        }) {}

  bool is_complete() const { return codes_.complete(); }
  bool adds() const override { return false; }
  std::size_t common_bytes() const override { return static_cast<std::size_t>(g_.k * g_.n) * sizeof(float); }

  void run_blocks(std::span<const KernelArgs> blocks) const override {
    tiles_.for_each([&](Dim i, Dim j, Dim rows, Dim columns) {
      const Code product = codes_.at(rows, columns, i > 0);
      for (const KernelArgs& block : blocks) {
        product(block.input<float>(1) + i * g_.n + j, block.input<float>(0) + i, block.output<float>() + j);
      }
    });
    for (const KernelArgs& block : blocks) {
      apply_epilogue(block.output<float>(), bias_ ? block.input<float>(2) : nullptr, loop_, g_.m, g_.n);
    }
  }

 private:
  Gemm g_;
  bool bias_;
  ElementwiseLoop loop_;
  Tiles tiles_;  // of w (k, n)
  TileCodes codes_;
};

/// to = left + right, `rows` rows, those of `to` stride elements apart, those of the others columns.
STRATA_SIMD_CLONES void add_tiles(float* to, Dim stride, const float* left, const float* right, Dim rows, Dim columns) {
  for (Dim i = 0; i < rows; ++i) {
#pragma GCC ivdep
    for (Dim j = 0; j < columns; ++j) to[i * stride + j] = left[i * columns + j] + right[i * columns + j];
  }
}

/// A large c = a' b, both of few rows. Of several blocks the sum: their products of a tile are added as the digits of a
/// binary counter are, so that few tiles wait at once.
class SumKernel final : public ThinKernel {
 public:
  explicit SumKernel(const Gemm& g)
      : g_(g),
        tiles_{g.m, g.n, 16, 256},
        direct_(tiles_, false,
                [&](Dim rows, Dim columns, bool add) {
                  return code(rows, columns, g.k, {g.m, g.n, g.n}, true, add);
                }),
        aside_(tiles_, false, [&](Dim rows, Dim columns, bool add) {
          return code(rows, columns, g.k, {g.m, g.n, columns}, true, add);
        }) {}

  bool is_complete() const { return direct_.complete() && aside_.complete(); }
  bool adds() const override { return true; }
  std::size_t common_bytes() const override { return static_cast<std::size_t>(g_.m * g_.n) * sizeof(float); }
  std::size_t scratch_bytes() const override { return kWaiting * kTileElements * sizeof(float); }

  void run_blocks(std::span<const KernelArgs> blocks) const override {
    tiles_.for_each([&](Dim i, Dim j, Dim rows, Dim columns) {
      float* c = blocks[0].output<float>() + i * g_.n + j;
      const auto multiply = [&](const KernelArgs& block, Code product, float* to) {
        product(block.input<float>(1) + j, block.input<float>(0) + i, to);
      };
      if (blocks.size() == 1) return multiply(blocks[0], direct_.at(rows, columns, false), c);
      const Code product = aside_.at(rows, columns, false);
      std::size_t waiting = 0;  // tiles, each with the sum of a node
      for (std::size_t b = 0; b < blocks.size(); ++b) {
        multiply(blocks[b], product, tile(blocks[0], waiting++));
        const bool last = b + 1 == blocks.size();
        for (std::size_t node = b + 1; waiting > 1 && (node % 2 == 0 || last); node /= 2, --waiting) {
          const bool whole = last && waiting == 2;
          add_tiles(whole ? c : tile(blocks[0], waiting - 2), whole ? g_.n : columns, tile(blocks[0], waiting - 2),
                    tile(blocks[0], waiting - 1), rows, columns);
        }
      }
    });
  }

 private:
  static constexpr std::size_t kTileElements = std::size_t{16} * 256;
  static constexpr std::size_t kWaiting = 5;  // the digits of kMostBlocks
  static float* tile(const KernelArgs& args, std::size_t i) {
    return static_cast<float*>(args.scratch) + i * kTileElements;
  }

  Gemm g_;
  Tiles tiles_;  // of c
  TileCodes direct_, aside_;
};

template <class K>
Prepared complete_or_refuse(std::shared_ptr<K> kernel) {
  if (!kernel->is_complete()) return "libxsmm has no code for this shape";
  return kernel;
}

}  // namespace

Prepared prepare_matmul_thin_xsmm(const KernelRequest& request) {
  const auto& op = dynamic_cast<const MatMulOp&>(request.op);
  if (request.outputs[0].dtype != Dtype::float32) return "only float32";
  const Gemm g = make_gemm(op, request.inputs, request.outputs[0]);
  if (g.m == 0 || g.n == 0 || g.k == 0) return "an empty operand";
  if (g.batches.size() != 1) return "several products";
  if (g.transpose_a) {
    if (g.transpose_b || op.epilogue()) return "not a gradient of weights";
    if (g.k > kMostRows) return "more than few rows";
    if (g.m * g.n * Dim{sizeof(float)} < kSmallestSum) return "a small sum";
    return complete_or_refuse(std::make_shared<SumKernel>(g));
  }
  if (g.transpose_b) return "a transposed matrix, of which oneDNN reads few rows faster";
  if (g.m > kMostRows) return "more than few rows";
  if (g.k * g.n * Dim{sizeof(float)} <= xsmm::kCacheBytes) return "a matrix that stays in the cache";
  return complete_or_refuse(std::make_shared<RowsKernel>(g, op.epilogue()));
}

}  // namespace strata
