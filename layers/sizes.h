// SPDX-License-Identifier: Apache-2.0
// Arguments with one number for each spatial axis, such as kernel_size and strides.
#pragma once

#include <concepts>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "core/base/config.h"
#include "core/base/shape.h"

namespace strata {

/// One number for all axes, or one for each, or nothing (Keras' None): `3`, `{3, 5}`, `{}`. A value type.
class Sizes {
 public:
  Sizes() = default;
  template <std::integral I>
  Sizes(I value) : values_{static_cast<Dim>(value)}, whole_(true) {}  // NOLINT(google-explicit-constructor)
  Sizes(std::initializer_list<Dim> values) : values_(values) {}       // NOLINT(google-explicit-constructor)
  explicit Sizes(std::vector<Dim> values) : values_(std::move(values)) {}

  /// Whether nothing was given.
  bool empty() const { return values_.empty(); }
  /// The numbers of n axes. Throws ConfigError "The `strides` argument must be a tuple of 2 integers. ..." when there
  /// is another number of them, or one below `smallest` (0 or 1).
  std::vector<Dim> expanded(int n, const std::string& argument, Dim smallest = 1) const;
  /// As Python prints it: "3", "(3, 5)", "None".
  std::string text() const;
  /// A number, a list of numbers or null. Throws ConfigError for anything else.
  static Sizes from_config(const Config& config);

 private:
  std::vector<Dim> values_;
  bool whole_ = false;  // one number for all axes
};

/// A pair of numbers for each spatial axis, such as padding before and after: `1` for all of them, `{1, 2}` for pairs
/// of equal numbers, `{{1, 0}, {2, 3}}`. A value type.
class SizePairs {
 public:
  template <std::integral I>
  SizePairs(I value) : all_(static_cast<Dim>(value)) {}             // NOLINT(google-explicit-constructor)
  SizePairs(std::initializer_list<Sizes> pairs) : pairs_(pairs) {}  // NOLINT(google-explicit-constructor)
  explicit SizePairs(std::vector<Sizes> pairs) : pairs_(std::move(pairs)) {}

  /// The number for all axes, if that was given.
  bool is_one_number() const { return pairs_.empty(); }
  Dim number() const { return all_; }
  const std::vector<Sizes>& pairs() const { return pairs_; }
  /// "1", "((1, 0), (2, 3))".
  std::string text() const;
  /// Throws ConfigError for anything else than a number or a list of numbers and pairs.
  static SizePairs from_config(const Config& config);

 private:
  Dim all_ = 0;
  std::vector<Sizes> pairs_;
};

/// "(3, 5)", "(3,)": as Python prints a tuple.
std::string tuple_text(const std::vector<Dim>& values);
/// "[3 5]": as NumPy prints an array, "None" for unknown dimensions.
std::string array_text(std::span<const Dim> values);

}  // namespace strata
