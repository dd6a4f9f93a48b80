// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/arrays.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/quoted_list.h"

namespace strata {

Arrays::Arrays(const std::vector<Named>& named) {
  for (const auto& [name, tensor] : named) {
    if (find(name) != nullptr) throw ConfigError("Expected every array once, received \"" + name + "\" twice");
    names_.push_back(name);
    tensors_.push_back(tensor);
  }
}

Arrays::Arrays(std::initializer_list<Named> named) : Arrays(std::vector<Named>(named)) {}

const Tensor* Arrays::find(const std::string& name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  return found == names_.end() ? nullptr : &tensors_[static_cast<std::size_t>(found - names_.begin())];
}

const Tensor& Arrays::at(const std::string& name, const std::vector<std::string>& names) const {
  if (const Tensor* tensor = find(name)) return *tensor;
  throw ConfigError("No data provided for \"" + name + "\". Need data for each key in: " + quoted_list(names));
}

std::vector<Tensor> Arrays::in_order(const std::vector<std::string>& names) const {
  if (!is_named()) return tensors_;
  std::vector<Tensor> ordered;
  for (const std::string& name : names) ordered.push_back(at(name, names));
  return ordered;
}

Arrays Arrays::sorted() const {
  if (!is_named()) return *this;
  std::map<std::string, Tensor> by_name;
  for (std::size_t i = 0; i < names_.size(); ++i) by_name.emplace(names_[i], tensors_[i]);
  return by_name;
}

}  // namespace strata
