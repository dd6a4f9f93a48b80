// SPDX-License-Identifier: Apache-2.0
#include "layers/numbers.h"

#include "core/base/error.h"
#include "core/ops/ops.h"

namespace strata {
namespace {

Config nested(const Shape& shape, const double* values) {
  if (shape.rank() == 0) return *values;
  const Shape inner = shape.slice(1, shape.rank());
  Config::List list;
  for (Dim i = 0; i < shape[0]; ++i) list.push_back(nested(inner, values + i * inner.elements()));
  return list;
}

/// Appends the numbers of a nested list and returns its shape.
Shape flatten(const Config& config, std::vector<double>& values) {
  if (!config.is_list()) {
    values.push_back(config.as_double());
    return {};
  }
  Shape inner;
  for (std::size_t i = 0; i < config.as_list().size(); ++i) {
    const Shape shape = flatten(config.as_list()[i], values);
    if (i > 0 && shape != inner) throw ConfigError("expected lists of equal lengths, received " + config.to_json());
    inner = shape;
  }
  return Shape{static_cast<Dim>(config.as_list().size())}.concat(inner);
}

}  // namespace

Numbers::Numbers(const Tensor& values)
    : shape_(values.shape()), values_(ops::cast(values, Dtype::float64).to_vector<double>()) {}

Tensor Numbers::tensor(Dtype dtype) const { return ops::cast(constant(values_, shape_), dtype); }

Config Numbers::config() const { return empty() ? Config() : nested(shape_, values_.data()); }

Numbers Numbers::from_config(const Config& config) {
  if (config.is_null()) return {};
  if (config.is_object()) return from_config(config.at("config").at("value"));
  std::vector<double> values;
  Shape shape = flatten(config, values);
  return {std::move(shape), std::move(values)};
}

}  // namespace strata
