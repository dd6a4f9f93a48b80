// SPDX-License-Identifier: Apache-2.0
#include "core/training/transforms.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/base/error.h"
#include "core/base/philox.h"

namespace strata::transforms {
namespace {

/// Which draws: those of crops and flips of one seed must not depend on each other.
enum class Draw : std::uint32_t { crop = 0x43726F70, flip = 0x466C6970 };

PhiloxCounter draw(const SampleRef& sample, Draw what, std::uint64_t seed) {
  const auto index = static_cast<std::uint64_t>(sample.index);
  const std::uint64_t key = sample.seed ^ (seed * 0x9E3779B97F4A7C15u);
  return philox4x32({static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32),
                     static_cast<std::uint32_t>(what), static_cast<std::uint32_t>(seed)},
                    {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)});
}

/// In [0, count): the bias of 64 bits onto so few is not seen.
Dim below(std::uint32_t word, Dim count) {
  return static_cast<Dim>((static_cast<std::uint64_t>(word) * static_cast<std::uint64_t>(count)) >> 32U);
}

[[noreturn]] void refuse(const std::string& name, const std::string& expected, const TensorSpec& row) {
  throw ShapeError(name + ": expected samples of " + expected + ", received " + row.str());
}

/// Bytes of an element of (h, w, ...), that is of all behind the second axis.
std::size_t pixel_bytes(const TensorSpec& row) {
  return static_cast<std::size_t>(row.shape.slice(2, row.shape.rank()).elements()) * size_of(row.dtype);
}

class Normalize final : public SampleTransform {
 public:
  explicit Normalize(const NormalizeOptions& options) : options_(options) {
    for (const double stddev : options.stddev) {
      if (stddev != 0) continue;
      throw ConfigError("normalize: expected a stddev other than 0");
    }
  }
  std::string name() const override { return "normalize"; }
  TensorSpec infer(const TensorSpec& row) const override {
    if (is_half(row.dtype)) {
      throw DtypeError("normalize: expected whole numbers, float32 or float64, received " + row.str());
    }
    for (const auto* values : {&options_.mean, &options_.stddev}) {
      const bool one = values->size() < 2;
      if (!one && (row.shape.rank() == 0 || static_cast<Dim>(values->size()) != row.shape.back())) {
        refuse(name(), "(..., " + std::to_string(values->size()) + "), as many as means or deviations", row);
      }
    }
    return {row.shape, Dtype::float32};
  }
  void apply(const TensorSpec& row, const std::byte* from, std::byte* to, const SampleRef&) const override {
    const Dim n = row.shape.elements();
    auto* out = reinterpret_cast<float*>(to);
    const auto scale = static_cast<float>(options_.scale), offset = static_cast<float>(options_.offset);
    visit_dtype(row.dtype, [&]<class T>(TypeTag<T>) {
      const auto* in = reinterpret_cast<const T*>(from);
      for (Dim i = 0; i < n; ++i) out[i] = static_cast<float>(in[i]) * scale + offset;
    });
    centre(out, n, options_.mean, [](float x, float mean) { return x - mean; });
    centre(out, n, options_.stddev, [](float x, float stddev) { return x / stddev; });
  }

 private:
  template <class F>
  static void centre(float* values, Dim n, const std::vector<double>& by, const F& f) {
    if (by.empty()) return;
    const auto period = static_cast<Dim>(by.size());
    for (Dim c = 0; c < period; ++c) {
      const auto value = static_cast<float>(by[static_cast<std::size_t>(c)]);
      for (Dim i = c; i < n; i += period) values[i] = f(values[i], value);
    }
  }
  NormalizeOptions options_;
};

class RandomCrop final : public SampleTransform {
 public:
  explicit RandomCrop(const RandomCropOptions& options) : options_(options) {
    if (options.height >= 1 && options.width >= 1 && options.padding >= 0) return;
    throw ConfigError(
        "random_crop: expected a height and a width of at least 1 and a padding of at least 0, received " +
        std::to_string(options.height) + ", " + std::to_string(options.width) + " and " +
        std::to_string(options.padding));
  }
  std::string name() const override { return "random_crop"; }
  TensorSpec infer(const TensorSpec& row) const override {
    const Dim more = 2 * options_.padding;
    if (row.shape.rank() < 2 || row.shape[0] + more < options_.height || row.shape[1] + more < options_.width) {
      refuse(name(),
             "(h, w, ...) with at least " + std::to_string(options_.height - more) + " rows and " +
                 std::to_string(options_.width - more) + " columns",
             row);
    }
    return {row.shape.with(0, options_.height).with(1, options_.width), row.dtype};
  }
  void apply(const TensorSpec& row, const std::byte* from, std::byte* to, const SampleRef& sample) const override {
    const Dim height = row.shape[0], width = row.shape[1], more = 2 * options_.padding;
    const PhiloxCounter words = draw(sample, Draw::crop, options_.seed);
    const Dim top = below(words[0], height + more - options_.height + 1) - options_.padding;
    const Dim left = below(words[1], width + more - options_.width + 1) - options_.padding;
    const std::size_t pixel = pixel_bytes(row), line = static_cast<std::size_t>(options_.width) * pixel;
    const Dim first = std::clamp<Dim>(-left, 0, options_.width),
              last = std::clamp<Dim>(width - left, first, options_.width);
    for (Dim y = 0; y < options_.height; ++y) {
      std::byte* out = to + static_cast<std::size_t>(y) * line;
      const bool inside = top + y >= 0 && top + y < height && last > first;
      if (!inside || last - first < options_.width) std::memset(out, 0, line);
      if (!inside) continue;
      std::memcpy(out + static_cast<std::size_t>(first) * pixel,
                  from + static_cast<std::size_t>((top + y) * width + left + first) * pixel,
                  static_cast<std::size_t>(last - first) * pixel);
    }
  }

 private:
  RandomCropOptions options_;
};

class RandomFlip final : public SampleTransform {
 public:
  RandomFlip(const std::string& mode, std::uint64_t seed)
      : horizontal_(mode != "vertical"), vertical_(mode != "horizontal"), seed_(seed) {
    if (mode == "horizontal" || mode == "vertical" || mode == "horizontal_and_vertical") return;
    throw ConfigError("random_flip: expected \"horizontal\", \"vertical\" or \"horizontal_and_vertical\", received \"" +
                      mode + "\"");
  }
  std::string name() const override { return "random_flip"; }
  TensorSpec infer(const TensorSpec& row) const override {
    if (row.shape.rank() < 2) refuse(name(), "(h, w, ...)", row);
    return row;
  }
  void apply(const TensorSpec& row, const std::byte* from, std::byte* to, const SampleRef& sample) const override {
    const PhiloxCounter words = draw(sample, Draw::flip, seed_);
    const bool across = horizontal_ && (words[0] >> 31U) != 0, down = vertical_ && (words[1] >> 31U) != 0;
    const Dim height = row.shape[0], width = row.shape[1];
    const std::size_t pixel = pixel_bytes(row), line = static_cast<std::size_t>(width) * pixel;
    for (Dim y = 0; y < height; ++y) {
      const std::byte* in = from + static_cast<std::size_t>(down ? height - 1 - y : y) * line;
      std::byte* out = to + static_cast<std::size_t>(y) * line;
      if (!across) {
        std::memcpy(out, in, line);
        continue;
      }
      for (Dim x = 0; x < width; ++x) {
        std::memcpy(out + static_cast<std::size_t>(x) * pixel, in + static_cast<std::size_t>(width - 1 - x) * pixel,
                    pixel);
      }
    }
  }

 private:
  bool horizontal_, vertical_;
  std::uint64_t seed_;
};

class OneHot final : public SampleTransform {
 public:
  explicit OneHot(Dim classes) : classes_(classes) {
    if (classes < 1) throw ConfigError("one_hot: expected at least 1 class, received " + std::to_string(classes));
  }
  std::string name() const override { return "one_hot"; }
  TensorSpec infer(const TensorSpec& row) const override {
    if (row.shape.elements() != 1) refuse(name(), "one number", row);
    if (is_floating(row.dtype)) throw DtypeError("one_hot: expected whole numbers, received " + row.str());
    return {{classes_}, Dtype::float32};
  }
  void apply(const TensorSpec& row, const std::byte* from, std::byte* to, const SampleRef& sample) const override {
    const auto label = visit_dtype(
        row.dtype, [&]<class T>(TypeTag<T>) { return static_cast<std::int64_t>(*reinterpret_cast<const T*>(from)); });
    if (label < 0 || label >= classes_) {
      throw ConfigError("one_hot: expected numbers from 0 to " + std::to_string(classes_ - 1) + ", received " +
                        std::to_string(label) + " in sample " + std::to_string(sample.row));
    }
    auto* out = reinterpret_cast<float*>(to);
    std::fill_n(out, classes_, 0.0F);
    out[label] = 1.0F;
  }

 private:
  Dim classes_;
};

void check(const PadOptions& options, Dim least) {
  for (const std::string& side : {options.padding, options.truncating}) {
    if (side == "pre" || side == "post") continue;
    throw ConfigError("pad_sequences: expected padding and truncating to be \"pre\" or \"post\", received \"" + side +
                      "\"");
  }
  if (options.maxlen < least) {
    throw ConfigError("pad_sequences: expected a maxlen of at least " + std::to_string(least) + ", received " +
                      std::to_string(options.maxlen));
  }
}

/// `n` elements to `maxlen`, each of `width` values.
template <class T>
void pad(const PadOptions& options, const T* from, Dim n, Dim width, T* to) {
  const Dim kept = std::min(n, options.maxlen), space = options.maxlen - kept;
  const T* first = from + (options.truncating == "pre" ? n - kept : 0) * width;
  T* place = to + (options.padding == "pre" ? space : 0) * width;
  std::fill_n(to, options.maxlen * width, static_cast<T>(options.value));
  std::copy_n(first, kept * width, place);
}

class PadSequences final : public SampleTransform {
 public:
  explicit PadSequences(PadOptions options) : options_(std::move(options)) { check(options_, 1); }
  std::string name() const override { return "pad_sequences"; }
  TensorSpec infer(const TensorSpec& row) const override {
    if (row.shape.rank() < 1) refuse(name(), "(n, ...)", row);
    return {row.shape.with(0, options_.maxlen), row.dtype};
  }
  void apply(const TensorSpec& row, const std::byte* from, std::byte* to, const SampleRef&) const override {
    const Dim width = row.shape.slice(1, row.shape.rank()).elements();
    visit_element(row.dtype, [&]<class T>(TypeTag<T>) {
      pad(options_, reinterpret_cast<const T*>(from), row.shape[0], width, reinterpret_cast<T*>(to));
    });
  }

 private:
  PadOptions options_;
};

}  // namespace

TransformRef normalize(const NormalizeOptions& options) { return std::make_shared<Normalize>(options); }
TransformRef random_crop(const RandomCropOptions& options) { return std::make_shared<RandomCrop>(options); }
TransformRef random_flip(const std::string& mode, std::uint64_t seed) {
  return std::make_shared<RandomFlip>(mode, seed);
}
TransformRef one_hot(Dim classes) { return std::make_shared<OneHot>(classes); }
TransformRef pad_sequences(const PadOptions& options) { return std::make_shared<PadSequences>(options); }

}  // namespace strata::transforms

namespace strata {

Tensor pad_sequences(const std::vector<std::vector<std::int32_t>>& sequences, const transforms::PadOptions& options) {
  transforms::PadOptions known = options;
  transforms::check(known, 0);
  if (known.maxlen == 0) {
    for (const auto& sequence : sequences) known.maxlen = std::max(known.maxlen, static_cast<Dim>(sequence.size()));
  }
  const auto rows = static_cast<Dim>(sequences.size());
  std::vector<std::int32_t> all(static_cast<std::size_t>(rows * known.maxlen));
  for (Dim row = 0; row < rows; ++row) {
    const auto& sequence = sequences[static_cast<std::size_t>(row)];
    transforms::pad(known, sequence.data(), static_cast<Dim>(sequence.size()), 1, all.data() + row * known.maxlen);
  }
  return constant(all, {rows, known.maxlen});
}

}  // namespace strata
