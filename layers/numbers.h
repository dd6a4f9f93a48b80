// SPDX-License-Identifier: Apache-2.0
// Arguments that are one number or an array of them.
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <vector>

#include "core/base/config.h"
#include "core/tensor/tensor.h"

namespace strata {

/// `0.5`, `{0.5, 2.0}`, a tensor with a value, or nothing (Keras' None). A value type.
class Numbers {
 public:
  Numbers() = default;
  template <class T>
    requires std::integral<T> || std::floating_point<T>
  Numbers(T value) : values_{static_cast<double>(value)} {}  // NOLINT(google-explicit-constructor)
  Numbers(std::initializer_list<double> values)              // NOLINT(google-explicit-constructor)
      : shape_{static_cast<Dim>(values.size())}, values_(values) {}
  Numbers(const Tensor& values);  // NOLINT(google-explicit-constructor)

  /// Whether nothing was given.
  bool empty() const { return values_.empty(); }
  const Shape& shape() const { return shape_; }
  Tensor tensor(Dtype dtype) const;
  /// A number, or lists in lists; null when empty.
  Config config() const;
  /// As Python prints it: "0.5", "[0.5, 2.0]", "None".
  std::string text() const { return empty() ? "None" : config().to_json(); }
  /// What config() wrote, or what Keras writes for an array of NumPy. Throws ConfigError for anything else, and for
  /// lists of unequal lengths.
  static Numbers from_config(const Config& config);

 private:
  Numbers(Shape shape, std::vector<double> values) : shape_(std::move(shape)), values_(std::move(values)) {}

  Shape shape_;
  std::vector<double> values_;
};

}  // namespace strata
