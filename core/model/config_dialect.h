// SPDX-License-Identifier: Apache-2.0
// For which readers models describe themselves.
#pragma once

namespace strata {

/// Both read models whose calls take their tensors in order and hold no models: those are described in the older form.
/// They differ in calls with keyword tensors, and in how they count the calls of a model within a model.
enum class ConfigDialect {
  keras3,
  keras2,  // tf.keras of TensorFlow 2.0 to 2.15, the package tf_keras; with the optimizers since 2.11
};

/// The version that descriptions and files name as their writer's.
constexpr const char* keras_version_of(ConfigDialect dialect) {
  return dialect == ConfigDialect::keras3 ? "3.15.1" : "2.15.0";
}

/// What get_config() writes on this thread until the end of the scope; keras3 outside of any.
class ConfigDialectScope {
 public:
  explicit ConfigDialectScope(ConfigDialect dialect) : outer_(current_) { current_ = dialect; }
  ~ConfigDialectScope() { current_ = outer_; }
  ConfigDialectScope(const ConfigDialectScope&) = delete;
  ConfigDialectScope& operator=(const ConfigDialectScope&) = delete;

  static ConfigDialect current() { return current_; }

 private:
  static thread_local ConfigDialect current_;
  ConfigDialect outer_;
};

}  // namespace strata
