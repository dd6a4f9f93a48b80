// SPDX-License-Identifier: Apache-2.0
// What the attention layers with several heads have in common.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/model/layer.h"
#include "core/model/stored_parts.h"

namespace strata {

class LayerConfig;

/// The options that MultiHeadAttention and GroupQueryAttention share.
struct MultiHeadOptions {
  double dropout = 0.0;
  bool use_bias = true;
  std::optional<Dim> sliding_window = {};
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint bias_constraint = {};
  bool use_gate = false;
  std::optional<std::int64_t> seed = {};
};

/// Projects query, key and value to heads, lets the derived class compare and combine them, projects back. Inputs:
/// query (batch, T..., in), value (batch, S..., in_v) and, if it is not the value, key (batch, S..., in_k). The weights
/// are called "query/kernel" and so on, as those of the layers that Keras makes these layers of.
class MultiHeadLayer : public Layer, public HasStoredParts {
 public:
  MultiHeadLayer(MultiHeadOptions shared, const LayerOptions& options);

  std::vector<std::string> call_arguments() const override { return {"query", "value", "key"}; }
  void build_many(const std::vector<Shape>& inputs) override;
  std::vector<Tensor> call_many(const std::vector<Tensor>& inputs, CallContext& context) override;
  /// That of the query, and for the scores what they were masked with.
  std::vector<Tensor> compute_mask(const std::vector<Tensor>& inputs, const std::vector<Tensor>& masks,
                                   CallContext& context) override;
  std::vector<StoredPart> stored_parts() const override;

 protected:
  /// Sizes behind the free axes: (heads, size of a head), or the sizes of the output.
  struct Sizes {
    Shape query, key, value, output;
  };
  virtual Sizes sizes(const Shape& query) const = 0;
  virtual void check_shapes(const Shape& query, const Shape& value, const Shape& key);
  /// What Keras' attribute for the projection "query" is called, and likewise the others.
  virtual std::string attribute(const std::string& projection) const { return "_" + projection + "_dense"; }
  /// How many axes are attended over.
  virtual int attended_axes() const { return 1; }
  /// Scores (batch, ..., heads, T..., S...) of projected query and key.
  virtual Tensor compare(const Tensor& query, const Tensor& key) const = 0;
  /// Weights as from compare() times the projected value: (batch, T..., heads, value size).
  virtual Tensor combine(const Tensor& weights, const Tensor& value) const = 0;

  /// The members that config() of both layers ends with.
  Config::Object shared_config() const;
  const MultiHeadOptions& shared() const { return shared_; }

 private:
  struct Projection {
    std::string equation = {};
    Variable kernel = {};
    Variable bias = {};
  };

  Projection add_projection(const std::string& name, const Shape& input, int bound_axes, const Shape& output);
  Tensor project(const Tensor& x, const Projection& projection, CallContext& context) const;
  void penalise(const Tensor& output, CallContext& context) const;
  /// Broadcasts to the scores; an empty handle when every step sees every other.
  Tensor score_mask(const Tensor& query, const Tensor& value, CallContext& context) const;
  Tensor softmax(Tensor scores, const Tensor& mask, bool zero_where_masked) const;
  Tensor wide_scores(const Tensor& query, const Tensor& key) const;

  MultiHeadOptions shared_;
  double scale_ = 1.0;  // 1 / sqrt(size of a head)
  Projection query_, key_, gate_, value_, output_;
};

/// The shared options of a config.
MultiHeadOptions multi_head_options(const LayerConfig& config);
/// The names of `own` and of the shared arguments. `flash_attention` is read too: it chooses how Keras computes, not
/// what; and what tf.keras 2 writes besides: the shapes that a layer was built for, another way to mask.
std::vector<std::string> multi_head_arguments(std::vector<std::string> own);

}  // namespace strata
