// SPDX-License-Identifier: Apache-2.0
// Config: the tree of values that layers and models are described by. Becomes JSON exactly as Python's json.dumps
// writes it.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace strata {

class Shape;

/// null, bool, integer, float, string, list or object (keys in insertion order). A value type.
class Config {
 public:
  using List = std::vector<Config>;
  using Object = std::vector<std::pair<std::string, Config>>;

  Config() = default;                    // null
  Config(std::nullptr_t) {}              // NOLINT(google-explicit-constructor): literals read as JSON
  Config(bool value) : value_(value) {}  // NOLINT(google-explicit-constructor)
  /// Any integer. Throws ConfigError for one of more than 63 bits.
  template <std::integral I>
  Config(I value) : value_(checked_int(value)) {}                 // NOLINT(google-explicit-constructor)
  Config(double value) : value_(value) {}                         // NOLINT(google-explicit-constructor)
  Config(const char* value) : value_(std::string(value)) {}       // NOLINT(google-explicit-constructor)
  Config(std::string value) : value_(std::move(value)) {}         // NOLINT(google-explicit-constructor)
  Config(std::string_view value) : value_(std::string(value)) {}  // NOLINT(google-explicit-constructor)
  Config(List value) : value_(std::move(value)) {}                // NOLINT(google-explicit-constructor)
  /// A list of dimensions, null where unknown.
  Config(const Shape& shape);  // NOLINT(google-explicit-constructor)
  static Config object(Object members = {}) { return Config(Members{}, std::move(members)); }

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_int() const { return std::holds_alternative<std::int64_t>(value_); }
  bool is_double() const { return std::holds_alternative<double>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_list() const { return std::holds_alternative<List>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }
  // Each throws ConfigError when the value is of another kind. A whole number also reads as a double. Lists and objects
  // of temporaries are returned by value, so that loops over them are safe.
  bool as_bool() const;
  std::int64_t as_int() const;
  double as_double() const;
  const std::string& as_string() const;
  const List& as_list() const&;
  List as_list() && { return std::as_const(*this).as_list(); }
  const Object& as_object() const&;
  Object as_object() && { return std::as_const(*this).as_object(); }
  /// A list of dimensions; null and -1 are unknown ones.
  Shape as_shape() const;

  /// The member of an object. Throws ConfigError naming the key when it is absent.
  const Config& at(std::string_view key) const;
  bool contains(std::string_view key) const;
  /// The member of an object, null when it is absent.
  const Config& get(std::string_view key) const;
  /// Adds or replaces a member; returns *this.
  Config& set(std::string key, Config value);

  /// With separators ", " and ": " and floats in shortest form ("1e-07"), as Python's json.dumps.
  std::string to_json() const;
  /// Throws ConfigError on malformed text.
  static Config from_json(std::string_view text);

  friend bool operator==(const Config&, const Config&) = default;

 private:
  struct Members {};
  template <std::integral I>
  static std::int64_t checked_int(I value) {
    if constexpr (std::unsigned_integral<I> && sizeof(I) >= sizeof(std::int64_t)) {
      if (value > static_cast<I>(std::numeric_limits<std::int64_t>::max())) throw_too_large(value);
    }
    return static_cast<std::int64_t>(value);
  }
  [[noreturn]] static void throw_too_large(std::uint64_t value);
  Config(Members, Object members) : value_(std::move(members)) {}
  std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Object> value_;
};

}  // namespace strata
