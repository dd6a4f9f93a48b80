// SPDX-License-Identifier: Apache-2.0
#include "layers/moments.h"

#include "core/ops/ops.h"
#include "core/ops/reduction.h"

namespace strata {
namespace {

constexpr double kKerasEpsilon = 1e-7;

struct Total {
  Tensor sum;
  Tensor count;  // of elements, broadcasts to sum
};

/// Both over all blocks, in one sum, so that ranks meet once.
Total over_blocks(const Total& own) {
  const Tensor both = ops::block_sum(ops::stack({own.sum, ops::zeros_like(own.sum) + own.count}));
  const auto part = [&](Dim i) {
    std::vector<Dim> begin(static_cast<std::size_t>(both.rank()), 0), end(begin.size(), None);
    begin[0] = i;
    end[0] = i + 1;
    return ops::squeeze(ops::slice(both, begin, end), {0});
  };
  return {part(0), ops::stop_gradient(part(1))};
}

}  // namespace

Moments moments(const Tensor& x, const std::vector<int>& axes, const MomentsOptions& options) {
  const auto counting = [&](const Tensor& t) {
    return options.mask ? ops::select(options.mask, t, scalar(0, t.dtype())) : t;
  };
  const auto sum = [&](const Tensor& t) { return ops::sum(counting(t), axes, true); };
  Total total{sum(x), options.mask ? sum(ops::ones_like(x)) : reduced_count(x, axes)};
  if (options.synchronized) total = over_blocks(total);
  if (options.mask) total.count = total.count + kKerasEpsilon;
  const Tensor mean = total.sum / total.count;
  const Tensor centered = x - mean;
  const Tensor squares = sum(ops::square(centered));
  return {mean, (options.synchronized ? ops::block_sum(squares) : squares) / total.count, centered};
}

}  // namespace strata
