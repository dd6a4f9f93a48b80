// SPDX-License-Identifier: Apache-2.0
// Reading a layer's arguments from a config, for the from_config functions of the catalogue.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/model/layer.h"

namespace strata {

/// The arguments of one layer. What a layer does not ask for and is not null is an error, so that no argument is
/// silently dropped.
class LayerConfig {
 public:
  /// `arguments` are the keys that the layer knows, besides name, trainable, dtype and batch_input_shape.
  /// Throws ConfigError for any other key whose value is not null.
  LayerConfig(std::string class_name, const Config& config, const std::vector<std::string>& arguments);

  /// name, trainable and dtype.
  LayerOptions options() const;

  /// Null when the argument is absent.
  const Config& get(const std::string& key) const { return config_.get(key); }
  bool has(const std::string& key) const { return !get(key).is_null(); }
  /// Throws ConfigError naming the layer when the argument is absent.
  const Config& required(const std::string& key) const;
  // Each throws ConfigError naming the layer when the value is of another kind; the first form also when it is absent.
  Dim integer(const std::string& key) const;
  double number(const std::string& key) const;
  Dim integer(const std::string& key, Dim otherwise) const { return has(key) ? integer(key) : otherwise; }
  double number(const std::string& key, double otherwise) const { return has(key) ? number(key) : otherwise; }
  bool flag(const std::string& key, bool otherwise) const { return has(key) ? get(key).as_bool() : otherwise; }
  std::string text(const std::string& key, const std::string& otherwise) const {
    return has(key) ? get(key).as_string() : otherwise;
  }
  Initializer initializer(const std::string& key, Initializer otherwise) const {
    return has(key) ? Initializer::from_config(get(key)) : std::move(otherwise);
  }
  /// A layer within the layer: {"class_name", "config"}.
  LayerRef layer(const std::string& key) const { return layer_from(required(key)); }
  /// Several of them.
  std::vector<LayerRef> layers(const std::string& key) const;
  // None when absent.
  Regularizer regularizer(const std::string& key) const { return Regularizer::from_config(get(key)); }
  Constraint constraint(const std::string& key) const { return Constraint::from_config(get(key)); }

 private:
  LayerRef layer_from(const Config& config) const;

  std::string class_name_;
  const Config& config_;
};

/// Sets `<weight>_initializer`, `<weight>_regularizer` and `<weight>_constraint`.
void set_weight_config(Config& config, const std::string& weight, const WeightOptions& options);

}  // namespace strata
