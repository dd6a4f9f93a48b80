// SPDX-License-Identifier: Apache-2.0
// What Attention and AdditiveAttention have in common: everything but the scores.
#pragma once

#include <optional>

#include "core/model/layer.h"

namespace strata {

/// Inputs: query (batch, ..., Tq, dim), value (batch, ..., Tv, dim_v) and, if it is not the value, key (batch, ..., Tv,
/// dim). Output: softmax(scores) value; the scores after softmax as a second output where the caller wants them.
class SequenceAttention : public Layer {
 public:
  SequenceAttention(double dropout, std::optional<std::int64_t> seed, const LayerOptions& options)
      : Layer(options), dropout_(dropout), seed_(seed) {}

  void build_many(const std::vector<Shape>& inputs) override;
  std::vector<Tensor> call_many(const std::vector<Tensor>& inputs, CallContext& context) override;
  /// That of the query.
  std::vector<Tensor> compute_mask(const std::vector<Tensor>& inputs, const std::vector<Tensor>& masks,
                                   CallContext& context) override;

 protected:
  virtual void build_weights(const Shape& query) = 0;
  /// (batch, ..., Tq, Tv).
  virtual Tensor scores(const Tensor& query, const Tensor& key) const = 0;
  double dropout() const { return dropout_; }
  const std::optional<std::int64_t>& seed() const { return seed_; }

 private:
  void check_count(std::size_t inputs) const;
  Tensor masked(const Tensor& scores, CallContext& context) const;

  double dropout_;
  std::optional<std::int64_t> seed_;
};

}  // namespace strata
