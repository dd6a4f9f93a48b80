// SPDX-License-Identifier: Apache-2.0
#include "core/training/checked_source.h"

#include <algorithm>
#include <cstring>

#include "core/base/error.h"
#include "core/training/memory_source.h"

namespace strata {
namespace {

/// Where an array of the model comes from.
struct Origin {
  int array = -1;     // of the source; -1 = from nowhere
  double filler = 0;  // then every element is this
  TensorSpec stored;  // as the source has it
  TensorSpec row;     // as the model takes it: of equal bytes, or of another type
  bool converts() const { return array >= 0 && stored.dtype != row.dtype; }
};

/// The elements of halves as float32.
void widen(const TensorSpec& row, Dim rows, const std::byte* from, std::byte* to) {
  visit_element(row.dtype, [&]<class T>(TypeTag<T>) {
    const auto* values = reinterpret_cast<const T*>(from);
    auto* widened_values = reinterpret_cast<float*>(to);
    std::transform(values, values + rows * row.shape.elements(), widened_values,
                   [](T value) { return static_cast<float>(value); });
  });
}

HostArray rows_at(const TensorSpec& row, Dim rows, const std::byte* memory) {
  // The memory is that of a reader for as long as the array is used.
  return {{Shape{rows}.concat(row.shape), row.dtype}, {std::shared_ptr<const std::byte>(), memory}};
}

/// The arrays of a source as the model takes them.
class ModelSource final : public DerivedSource {
 public:
  ModelSource(SampleSourceRef source, std::vector<Origin> origins, const Objective* objective, const Functional& model,
              std::size_t inputs)
      : DerivedSource(std::move(source)), origins_(std::move(origins)), arrays_(specs_.all().size()) {
    specs_ = {};
    for (const Origin& origin : origins_) specs_.x.push_back({origin.row, ""});
    if (objective == nullptr) return;
    for (std::size_t k = 0; k < model.outputs().size(); ++k) {
      if (!objective->losses[k] || origins_[inputs + k].array < 0) continue;
      checks_.push_back({inputs + k, objective->losses[k], model.outputs()[k].spec()});
    }
  }

  void read(std::span<const SampleRef> samples, std::span<std::byte* const> to) const override {
    const Dim count = static_cast<Dim>(samples.size());
    std::vector<std::byte*> places(arrays_, nullptr);
    std::vector<std::vector<std::byte>> converted;  // before that
    for (std::size_t k = 0; k < origins_.size(); ++k) {
      if (origins_[k].array < 0) continue;
      std::byte*& place = places[static_cast<std::size_t>(origins_[k].array)];
      if (place != nullptr) continue;  // read once, copied below
      if (origins_[k].converts()) {
        converted.emplace_back(static_cast<std::size_t>(count) * origins_[k].stored.bytes());
        place = converted.back().data();
      } else {
        place = to[k];
      }
    }
    source_->read(samples, places);
    for (std::size_t k = 0; k < origins_.size(); ++k) complete(origins_[k], count, places, to[k]);
    for (const Check& check : checks_) {
      check.loss->check_targets(rows_at(specs_.x[check.array].row, count, to[check.array]), check.output);
    }
  }

 private:
  struct Check {
    std::size_t array;
    Loss loss;
    TensorSpec output;
  };

  static void complete(const Origin& origin, Dim count, const std::vector<std::byte*>& places, std::byte* to) {
    if (origin.array < 0) {
      std::fill_n(reinterpret_cast<float*>(to), count * origin.row.shape.elements(), static_cast<float>(origin.filler));
      return;
    }
    const std::byte* place = places[static_cast<std::size_t>(origin.array)];
    if (origin.converts()) widen(origin.stored, count, place, to);
    else if (place != to) std::memcpy(to, place, static_cast<std::size_t>(count) * origin.row.bytes());
  }

  std::vector<Origin> origins_;
  std::size_t arrays_;
  std::vector<Check> checks_;
};

class ClassWeightedSource final : public DerivedSource {
 public:
  ClassWeightedSource(SampleSourceRef source, std::map<std::int64_t, double> class_weight)
      : DerivedSource(std::move(source)), class_weight_(std::move(class_weight)) {
    specs_.x.push_back({{{}, Dtype::float32}, ""});
  }

  void read(std::span<const SampleRef> samples, std::span<std::byte* const> to) const override {
    const std::size_t targets = to.size() - 2;
    source_->read(samples, to.first(targets + 1));
    const HostArray y = rows_at(specs_.x[targets].row, static_cast<Dim>(samples.size()), to[targets]);
    const std::vector<float> weights = class_weights_of(y, class_weight_);
    std::memcpy(to.back(), weights.data(), weights.size() * sizeof(float));
  }

 private:
  std::map<std::int64_t, double> class_weight_;
};

/// Which of the examples a selected tensor is.
int place_of(const Tensor& tensor, const Samples& examples) {
  int place = 0;
  for (const Arrays* part : {&examples.x, &examples.y, &examples.sample_weight}) {
    for (const Tensor& example : part->tensors()) {
      if (example.node() == tensor.node()) return place;
      ++place;
    }
  }
  throw InternalError("check_source: an array that is not the source's");
}

}  // namespace

CheckedArrays check_source(const Functional& model, const Objective* objective, const Samples& samples) {
  const Samples examples = empty_arrays(samples.source->specs());
  const SelectedArrays selected = select_arrays(model, objective, examples);
  CheckedArrays checked = check_selected(model, objective, selected, true);
  checked.rows = samples.source->rows();
  if (checked.rows == 0) throw ConfigError("The data holds no samples: " + samples.source->name());

  std::vector<Origin> origins;
  const auto add = [&](const std::vector<Tensor>& tensors, const std::vector<TensorSpec>& rows, double filler) {
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      Origin origin{-1, filler, rows[i], rows[i]};
      if (tensors[i]) {
        origin.array = place_of(tensors[i], examples);
        origin.stored = {rows[i].shape, tensors[i].dtype()};
      }
      origins.push_back(origin);
    }
  };
  add(selected.x, checked.specs.x, 0);
  if (objective != nullptr) {
    add(selected.y, checked.specs.y, 0);
    add(selected.weights, checked.specs.weights, 1);
  }
  checked.arrays.clear();
  checked.source =
      std::make_shared<ModelSource>(samples.source, std::move(origins), objective, model, selected.x.size());
  checked.prefetch = samples.prefetch;
  return checked;
}

SampleSourceRef with_class_weights(SampleSourceRef source, const std::map<std::int64_t, double>& class_weight) {
  return std::make_shared<ClassWeightedSource>(std::move(source), class_weight);
}

}  // namespace strata
