// SPDX-License-Identifier: Apache-2.0
#include "core/ops/random.h"

#include <algorithm>
#include <cstring>

#include "core/base/error.h"
#include "core/base/simd.h"
#include "core/ops/attributes.h"

namespace strata {
namespace {

constexpr Dim kBlocks = 64;  // made at once

/// words[4 b + i] = word i of the block with counter (samples[b], columns[b], step).
STRATA_SIMD_CLONES void make_blocks(const std::uint64_t* samples, const std::uint32_t* columns, std::uint32_t step,
                                    PhiloxKey key, std::uint32_t* words) {
  std::uint32_t c0[kBlocks], c1[kBlocks], c2[kBlocks], c3[kBlocks];
  for (Dim b = 0; b < kBlocks; ++b) {
    c0[b] = static_cast<std::uint32_t>(samples[b]);
    c1[b] = static_cast<std::uint32_t>(samples[b] >> 32);
    c2[b] = columns[b];
    c3[b] = step;
  }
  // The rounds of philox4x32, each over all blocks so that they fill vectors.
  for (int round = 0; round < 10; ++round) {
    for (Dim b = 0; b < kBlocks; ++b) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0[b];
      const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * c2[b];
      c0[b] = static_cast<std::uint32_t>(p1 >> 32) ^ c1[b] ^ key[0];
      c1[b] = static_cast<std::uint32_t>(p1);
      c2[b] = static_cast<std::uint32_t>(p0 >> 32) ^ c3[b] ^ key[1];
      c3[b] = static_cast<std::uint32_t>(p0);
    }
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  for (Dim b = 0; b < kBlocks; ++b) {
    words[4 * b] = c0[b];
    words[4 * b + 1] = c1[b];
    words[4 * b + 2] = c2[b];
    words[4 * b + 3] = c3[b];
  }
}

class RandomOp final : public Op {
 public:
  RandomOp(const RandomRule& rule, std::uint64_t stream, Shape shape, double first, double second, Dtype dtype)
      : rule_(rule), stream_(stream), shape_(std::move(shape)), first_(first), second_(second), dtype_(dtype) {}
  std::string_view name() const override { return rule_.name; }
  std::string attributes() const override {
    std::string text = "stream=" + std::to_string(stream_) + " shape=" + shape_.str() + " " + rule_.parameters[0] +
                       "=" + number_text(first_);
    if (rule_.parameters[1] != nullptr) text += std::string(" ") + rule_.parameters[1] + "=" + number_text(second_);
    return text;
  }

  std::vector<TensorSpec> infer(std::span<const TensorSpec> inputs) const override {
    const std::string name(rule_.name);
    if (rule_.conversion(dtype_) == nullptr) {
      throw DtypeError(name + ": expected a floating dtype, received " + std::string(to_string(dtype_)));
    }
    if (inputs[0].dtype != Dtype::int64) {
      throw DtypeError(name + ": expected a state of dtype int64, received " + inputs[0].str());
    }
    if (!shapes_fit(inputs[0].shape, Shape{3})) {
      throw ShapeError(name + ": expected a state of shape (3,), received " + inputs[0].shape.str());
    }
    return {{shape_, dtype_}};
  }

  const RandomRule& rule() const { return rule_; }
  std::uint64_t stream() const { return stream_; }
  double first() const { return first_; }
  double second() const { return second_; }

 private:
  const RandomRule& rule_;
  std::uint64_t stream_;
  Shape shape_;
  double first_;
  double second_;
  Dtype dtype_;
};

struct Draw {
  RandomConversion convert;
  std::uint64_t stream;
  double first;
  double second;
  Dim rows;
  Dim columns;
  Dim per_block;
  std::size_t element_bytes;

  void run(const KernelArgs& args) const {
    const auto* state = args.input<std::int64_t>(0);
    const auto step = static_cast<std::uint64_t>(state[1]);
    const PhiloxKey key = random_key(static_cast<std::uint64_t>(state[0]), stream, step);
    const Dim row_blocks = (columns + per_block - 1) / per_block;
    std::uint64_t samples[kBlocks] = {};
    std::uint32_t block_columns[kBlocks] = {};
    std::uint32_t words[4 * kBlocks];
    double values[4 * kBlocks];  // room for any element type
    Dim row = 0;
    Dim column = 0;  // of the next block, in blocks
    for (Dim left = rows * row_blocks; left > 0;) {
      const Dim count = std::min(left, kBlocks);
      const Dim first_row = row;
      const Dim first_column = column;
      for (Dim b = 0; b < count; ++b) {
        samples[b] = static_cast<std::uint64_t>(state[2] + row);
        block_columns[b] = static_cast<std::uint32_t>(column);
        if (++column == row_blocks) column = 0, ++row;
      }
      make_blocks(samples, block_columns, static_cast<std::uint32_t>(step), key, words);
      convert(words, values, count, first, second);
      store(values, count, first_row, first_column, row_blocks, args.output<std::byte>());
      left -= count;
    }
  }

  /// Copies the elements of consecutive blocks to their rows; those beyond the end of a row are dropped.
  void store(const void* values, Dim count, Dim row, Dim column, Dim row_blocks, std::byte* out) const {
    const auto* from = static_cast<const std::byte*>(values);
    while (count > 0) {
      const Dim blocks = std::min(count, row_blocks - column);
      const Dim elements = std::min(blocks * per_block, columns - column * per_block);
      std::memcpy(out + static_cast<std::size_t>(row * columns + column * per_block) * element_bytes, from,
                  static_cast<std::size_t>(elements) * element_bytes);
      from += static_cast<std::size_t>(blocks * per_block) * element_bytes;
      count -= blocks;
      column = 0;
      ++row;
    }
  }
};

Prepared prepare(const KernelRequest& request) {
  const auto& op = dynamic_cast<const RandomOp&>(request.op);
  const TensorSpec& out = request.outputs[0];
  const Dim rows = out.shape.rank() > 0 ? out.shape[0] : 1;
  const Dim columns = out.shape.rank() > 0 ? out.shape.slice(1, out.shape.rank()).elements() : 1;
  const Draw draw{op.rule().conversion(out.dtype), op.stream(),       op.first(), op.second(), rows, columns,
                  elements_per_block(out.dtype),   size_of(out.dtype)};
  return make_kernel([draw](const KernelArgs& args) { draw.run(args); });
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
constexpr std::uint64_t mix(std::uint64_t z) {
  z += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

}  // namespace

PhiloxKey random_key(std::uint64_t seed, std::uint64_t stream, std::uint64_t step) {
  const std::uint64_t key = mix(mix(mix(seed) ^ stream) ^ (step >> 32));
  return {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)};
}

Tensor draw(const RandomRule& rule, const RandomKey& key, const Shape& shape, double first, double second,
            Dtype dtype) {
  return apply_one(std::make_shared<RandomOp>(rule, key.stream, shape, first, second, dtype), {key.state});
}

OpEntry random_entry(const RandomRule& rule, Tensor (*build)(const RandomKey& key, const Shape& shape, Dtype dtype),
                     const std::vector<Dtype>& dtypes) {
  OpEntry entry{std::string(rule.name), {{"reference", "cpu", prepare}}, {}};
  for (Dtype dtype : dtypes) {
    for (const Shape& shape : {Shape{}, Shape{5}, Shape{3, 10}, Shape{2, 7, 31}}) {
      const auto call = [=](const std::vector<Tensor>& t) {
        return std::vector<Tensor>{build({t[0], 7}, shape, dtype)};
      };
      const ExampleInput state{{{3}, Dtype::int64}, 0, 1000};
      entry.examples.push_back({std::string(to_string(dtype)) + " " + shape.str(), {state}, call, false});
    }
  }
  return entry;
}

}  // namespace strata
