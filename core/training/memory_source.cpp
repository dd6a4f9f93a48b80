// SPDX-License-Identifier: Apache-2.0
#include "core/training/memory_source.h"

#include "core/base/error.h"
#include "core/training/host_array.h"

namespace strata {
namespace {

class MemorySource final : public SampleSource {
 public:
  explicit MemorySource(const Samples& samples) {
    add(samples.x, specs_.x);
    add(samples.y, specs_.y);
    add(samples.sample_weight, specs_.sample_weight);
  }

  Dim rows() const override { return arrays_.empty() ? 0 : arrays_[0].rows(); }
  const SampleSpecs& specs() const override { return specs_; }
  std::string name() const override { return "arrays in memory"; }
  void read(std::span<const SampleRef> samples, std::span<std::byte* const> to) const override {
    for (std::size_t k = 0; k < arrays_.size(); ++k) {
      if (to[k] == nullptr) continue;
      std::byte* next = to[k];
      for (const SampleRef& sample : samples) {
        arrays_[k].copy_row(sample.row, next);
        next += arrays_[k].row_bytes();
      }
    }
  }

 private:
  void add(const Arrays& arrays, std::vector<SampleArray>& specs) {
    for (std::size_t i = 0; i < arrays.tensors().size(); ++i) {
      HostArray array(arrays.tensors()[i]);
      if (!arrays_.empty() && array.rows() != rows()) {
        throw ConfigError("All arrays should have the same number of samples. Found " + std::to_string(rows()) +
                          " and " + std::to_string(array.rows()) + ".");
      }
      specs.push_back({{array.row_shape(), array.spec().dtype}, arrays.is_named() ? arrays.names()[i] : ""});
      arrays_.push_back(std::move(array));
    }
  }

  SampleSpecs specs_;
  std::vector<HostArray> arrays_;
};

Arrays empty_arrays(const std::vector<SampleArray>& arrays) {
  std::vector<Arrays::Named> named;
  std::vector<Tensor> list;
  for (const SampleArray& array : arrays) {
    list.push_back(constant_bytes(nullptr, 0, {Shape{0}.concat(array.row.shape), array.row.dtype}));
    if (!array.name.empty()) named.emplace_back(array.name, list.back());
  }
  return named.empty() ? Arrays(list) : Arrays(named);
}

}  // namespace

SampleSourceRef make_memory_source(const Samples& samples) { return std::make_shared<MemorySource>(samples); }

Samples empty_arrays(const SampleSpecs& specs) {
  return {empty_arrays(specs.x), empty_arrays(specs.y), empty_arrays(specs.sample_weight)};
}

}  // namespace strata
