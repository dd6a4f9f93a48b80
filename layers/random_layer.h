// SPDX-License-Identifier: Apache-2.0
// What the layers that change their inputs at random while training have in common.
#pragma once

#include <optional>

#include "core/model/layer.h"
#include "layers/layer_config.h"

namespace strata {
namespace layers {

/// Options of the layers that take no other ones.
struct RandomLayerOptions {
  /// Instead of the session's seed.
  std::optional<std::int64_t> seed = {};
  std::string name = {};
  bool trainable = true;
  std::optional<DtypePolicy> dtype = {};
};

}  // namespace layers

/// Base of layers with one number between 0 and 1 and a seed. In training they change the input as a function of seed,
/// step, layer call and global sample index only; otherwise, and when the number is 0, they are the identity. Masks
/// pass through.
class RandomLayer : public Layer {
 public:
  /// `argument` names the number: "rate". Throws ConfigError unless 0 <= value <= 1.
  RandomLayer(std::string argument, double value, std::optional<std::int64_t> seed, const LayerOptions& options);

  Config config() const override;
  Tensor call(const Tensor& input, CallContext& context) final;

 protected:
  virtual Tensor change(const Tensor& input, const RandomKey& key) const = 0;
  double value() const { return value_; }
  /// Throws ConfigError where the number is 1, for layers that Keras lets divide by zero then.
  void require_below_one() const;

 private:
  std::string argument_;
  double value_;
  std::optional<std::int64_t> seed_;
};

/// The options that all of them take, from a config.
template <class Options>
Options random_options(const LayerConfig& arguments) {
  const LayerOptions common = arguments.options();
  Options options;
  if (arguments.has("seed")) options.seed = arguments.integer("seed");
  options.name = common.name;
  options.trainable = common.trainable;
  options.dtype = common.dtype;
  return options;
}

}  // namespace strata
