// SPDX-License-Identifier: Apache-2.0
// What Dataset::map can do to samples while they are read:
//     auto data = loaders::cifar10(files).map(transforms::random_crop({.height = 32, .width = 32, .padding = 4}))
//                     .map(transforms::random_flip("horizontal")).map(transforms::normalize({.scale = 1 / 255.0}));
// Random ones are drawn with the seed of the run and the global sample index of every sample (Philox): equal on any
// ranks and threads, after any interruption, and new in every epoch. All options are checked at once: ConfigError;
// samples when they meet a transform in Dataset::map: ShapeError or DtypeError.
#pragma once

#include <string>

#include "core/training/sample_transform.h"

namespace strata::transforms {

using TransformRef = std::shared_ptr<const SampleTransform>;

struct NormalizeOptions {
  double scale = 1.0;
  double offset = 0.0;
  std::vector<double> mean = {};    // of the last axis, or one for all; empty = 0
  std::vector<double> stddev = {};  // likewise; empty = 1
};
/// ((x scale + offset) - mean) / stddev in float32, from elements of any type but halves. Shape as before.
TransformRef normalize(const NormalizeOptions& options);

struct RandomCropOptions {
  Dim height = 0;
  Dim width = 0;
  Dim padding = 0;         // zeros on all sides, before cropping
  std::uint64_t seed = 0;  // two crops of one seed, of an image and its mask, say, take the same place
};
/// (h, w, ...) to (height, width, ...).
TransformRef random_crop(const RandomCropOptions& options);

/// "horizontal", "vertical" or "horizontal_and_vertical", each with probability 1/2: (h, w, ...) as before.
TransformRef random_flip(const std::string& mode = "horizontal_and_vertical", std::uint64_t seed = 0);

/// A whole number, () or (1,), to (classes,) float32. A number that is no class is a ConfigError when it is read.
TransformRef one_hot(Dim classes);

struct PadOptions {
  Dim maxlen = 0;
  std::string padding = "pre";     // or "post": where the value goes
  std::string truncating = "pre";  // or "post": where longer ones lose
  double value = 0.0;
};
/// (n, ...) to (maxlen, ...).
TransformRef pad_sequences(const PadOptions& options);

}  // namespace strata::transforms

namespace strata {

/// Keras' pad_sequences: sequences of different lengths as int32 (n, maxlen); maxlen 0 = that of the longest. Throws
/// ConfigError for options that it does not know.
Tensor pad_sequences(const std::vector<std::vector<std::int32_t>>& sequences,
                     const transforms::PadOptions& options = {});

}  // namespace strata
