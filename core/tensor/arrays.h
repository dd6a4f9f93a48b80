// SPDX-License-Identifier: Apache-2.0
// Arrays: one or several tensors, by order or by name.
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/tensor/tensor.h"

namespace strata {

/// One tensor, a list of tensors, tensors by name as in `{{"title", titles}, {"body", bodies}}`, or nothing: the inputs
/// and outputs of a model, and the data for them, which then has equally many rows in each.
class Arrays {
 public:
  using Named = std::pair<std::string, Tensor>;

  Arrays() = default;
  Arrays(const Tensor& tensor) : tensors_{tensor} {}                     // NOLINT(google-explicit-constructor)
  Arrays(std::vector<Tensor> tensors) : tensors_(std::move(tensors)) {}  // NOLINT(google-explicit-constructor)
  Arrays(std::initializer_list<Tensor> tensors) : tensors_(tensors) {}   // NOLINT(google-explicit-constructor)
  /// Throws ConfigError for a name used twice.
  Arrays(const std::vector<Named>& named);            // NOLINT(google-explicit-constructor)
  Arrays(std::initializer_list<Named> named);         // NOLINT(google-explicit-constructor)
  Arrays(const std::map<std::string, Tensor>& named)  // NOLINT(google-explicit-constructor)
      : Arrays(std::vector<Named>(named.begin(), named.end())) {}

  /// In the order they were given.
  const std::vector<Tensor>& tensors() const { return tensors_; }
  bool empty() const { return tensors_.empty(); }
  bool is_named() const { return !names_.empty(); }
  /// One a tensor; empty for a list.
  const std::vector<std::string>& names() const { return names_; }
  /// Null when no tensor has this name.
  const Tensor* find(const std::string& name) const;
  /// The tensor of this name. Throws ConfigError, listing `names`, when there is none.
  const Tensor& at(const std::string& name, const std::vector<std::string>& names) const;
  /// A list as it is; of named tensors those of `names`. Throws ConfigError when one is missing; more do no harm.
  std::vector<Tensor> in_order(const std::vector<std::string>& names) const;
  /// In the order in which Keras goes through a dictionary: by name. A list as it is.
  Arrays sorted() const;

 private:
  std::vector<Tensor> tensors_;
  std::vector<std::string> names_;
};

}  // namespace strata
