// SPDX-License-Identifier: Apache-2.0
#include "core/base/config.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/shape.h"

namespace strata {
namespace {

// Deeper than any model, shallow enough for the recursion that prints, compares and destroys a Config.
constexpr std::size_t kMaxDepth = 500;

[[noreturn]] void throw_kind(const char* expected, const Config& received) {
  throw ConfigError(std::string("Config: expected ") + expected + ", received " + received.to_json());
}

/// repr() of a Python float: the shortest digits that read back as the same number.
void append_float(double value, std::string& out) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::isinf(value)) {
    out += value < 0 ? "-Infinity" : "Infinity";
    return;
  }
  std::array<char, 32> buffer{};
  const auto scientific =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  const std::string_view text(buffer.data(), static_cast<std::size_t>(scientific.ptr - buffer.data()));
  const int exponent = std::atoi(text.substr(text.find('e') + 1).data());
  if (exponent < -4 || exponent >= 16) {
    out += text;
    return;
  }
  std::array<char, 64> plain;
  const auto fixed = std::to_chars(plain.data(), plain.data() + plain.size(), value, std::chars_format::fixed);
  const std::string_view digits(plain.data(), static_cast<std::size_t>(fixed.ptr - plain.data()));
  out += digits;
  if (digits.find('.') == std::string_view::npos) out += ".0";
}

void append_unit(std::uint32_t unit, std::string& out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kHex[(unit >> shift) & 15];
}

/// The code point that starts at text[i]; moves i behind it. Throws ConfigError on malformed UTF-8.
std::uint32_t next_code_point(std::string_view text, std::size_t& i) {
  const auto byte = [&](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u; };
  const std::uint32_t lead = byte(i);
  const std::size_t length = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
  std::uint32_t point = length == 1 ? lead : lead & (0x7Fu >> length);
  bool valid = length > 0;
  for (std::size_t k = 1; k < length; ++k) {
    valid = valid && byte(i + k) >> 6 == 2;
    point = point << 6 | (byte(i + k) & 0x3F);
  }
  constexpr std::array<std::uint32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  valid = valid && point >= kSmallest[length] && point <= 0x10FFFF && !(point >= 0xD800 && point < 0xE000);
  if (!valid) throw ConfigError("Config: a string is not valid UTF-8 at byte " + std::to_string(i));
  i += length;
  return point;
}

void append_string(std::string_view text, std::string& out) {
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const std::uint32_t point = next_code_point(text, i);
    switch (point) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (point >= 0x10000) {
          append_unit(0xD800 + ((point - 0x10000) >> 10), out);
          append_unit(0xDC00 + ((point - 0x10000) & 0x3FF), out);
        } else if (point < 0x20 || point > 0x7E) {
          append_unit(point, out);
        } else {
          out += static_cast<char>(point);
        }
    }
  }
  out += '"';
}

void append_json(const Config& value, std::string& out);

void append_list(const Config::List& list, std::string& out) {
  out += '[';
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0) out += ", ";
    append_json(list[i], out);
  }
  out += ']';
}

void append_object(const Config::Object& object, std::string& out) {
  out += '{';
  for (std::size_t i = 0; i < object.size(); ++i) {
    if (i > 0) out += ", ";
    append_string(object[i].first, out);
    out += ": ";
    append_json(object[i].second, out);
  }
  out += '}';
}

void append_json(const Config& value, std::string& out) {
  if (value.is_null()) out += "null";
  else if (value.is_bool()) out += value.as_bool() ? "true" : "false";
  else if (value.is_int()) out += std::to_string(value.as_int());
  else if (value.is_double()) append_float(value.as_double(), out);
  else if (value.is_string()) append_string(value.as_string(), out);
  else if (value.is_list()) append_list(value.as_list(), out);
  else append_object(value.as_object(), out);
}

// Python's words for numbers that are not finite, which JSON does not have, stand for these while it is parsed: zeros
// that nobody writes.
constexpr std::string_view kInfinity = "0e-77001", kMinusInfinity = "-0e-77001", kNan = "0e-77002";

/// With numbers in place of the words NaN and Infinity that are not in strings.
std::string with_numbers(std::string_view text) {
  std::string out;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = text.substr(i);
    if (in_string && text[i] == '\\' && i + 1 < text.size()) {
      out += text[i++];
    } else if (text[i] == '"') {
      in_string = !in_string;
    } else if (!in_string && rest.starts_with("Infinity")) {
      if (!out.ends_with('-')) out += ' ';  // 1Infinity is no number
      out += kInfinity;
      i += 7;
      continue;
    } else if (!in_string && rest.starts_with("NaN")) {
      out += ' ';
      out += kNan;
      i += 2;
      continue;
    }
    out += text[i];
  }
  return out;
}

/// Builds a Config from the parser's events, without recursion.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return put(Config()); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(std::int64_t value) override { return put(value); }
  bool number_unsigned(std::uint64_t value) override { return put(value); }
  bool number_float(double value, const std::string& text) override {
    if (text == kInfinity) value = std::numeric_limits<double>::infinity();
    if (text == kMinusInfinity) value = -std::numeric_limits<double>::infinity();
    if (text == kNan) value = std::numeric_limits<double>::quiet_NaN();
    return put(value);
  }
  bool string(std::string& value) override { return put(std::move(value)); }
  bool binary(nlohmann::json::binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Config::object()); }
  bool start_array(std::size_t) override { return open(Config::List()); }
  bool key(std::string& value) override {
    open_.back().key = std::move(value);
    return true;
  }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t at, const std::string&, const nlohmann::json::exception& error) override {
    throw ConfigError("Config: malformed JSON at byte " + std::to_string(at) + ": " + error.what());
  }

  Config result() { return std::move(result_); }

 private:
  struct Open {
    Config container;
    Config::List items;
    std::string key;
  };

  bool open(Config container) {
    if (open_.size() == kMaxDepth) {
      throw ConfigError("Config: expected at most " + std::to_string(kMaxDepth) + " nested values in JSON text");
    }
    open_.push_back({std::move(container), {}, {}});
    return true;
  }
  bool close() {
    Open closed = std::move(open_.back());
    open_.pop_back();
    return put(closed.container.is_object() ? std::move(closed.container) : Config(std::move(closed.items)));
  }
  bool put(Config value) {
    if (open_.empty()) result_ = std::move(value);
    else if (open_.back().container.is_object()) open_.back().container.set(open_.back().key, std::move(value));
    else open_.back().items.push_back(std::move(value));
    return true;
  }

  std::vector<Open> open_;
  Config result_;
};

}  // namespace

Config::Config(const Shape& shape) {
  List dims;
  for (const Dim dim : shape) dims.push_back(dim == None ? Config() : Config(dim));
  value_ = std::move(dims);
}

void Config::throw_too_large(std::uint64_t value) {
  throw ConfigError("Config: expected an integer of at most 63 bits, received " + std::to_string(value));
}

bool Config::as_bool() const {
  if (!is_bool()) throw_kind("true or false", *this);
  return std::get<bool>(value_);
}

std::int64_t Config::as_int() const {
  if (!is_int()) throw_kind("an integer", *this);
  return std::get<std::int64_t>(value_);
}

double Config::as_double() const {
  if (is_int()) return static_cast<double>(std::get<std::int64_t>(value_));
  if (!is_double()) throw_kind("a number", *this);
  return std::get<double>(value_);
}

const std::string& Config::as_string() const {
  if (!is_string()) throw_kind("a string", *this);
  return std::get<std::string>(value_);
}

const Config::List& Config::as_list() const& {
  if (!is_list()) throw_kind("a list", *this);
  return std::get<List>(value_);
}

const Config::Object& Config::as_object() const& {
  if (!is_object()) throw_kind("an object", *this);
  return std::get<Object>(value_);
}

Shape Config::as_shape() const {
  std::vector<Dim> dims;
  for (const Config& dim : as_list()) dims.push_back(dim.is_null() ? None : dim.as_int());
  return Shape(std::move(dims));
}

const Config& Config::at(std::string_view key) const {
  for (const auto& [name, value] : as_object()) {
    if (name == key) return value;
  }
  throw ConfigError("Config: expected a member '" + std::string(key) + "', received " + to_json());
}

const Config& Config::get(std::string_view key) const {
  static const Config absent;
  return contains(key) ? at(key) : absent;
}

bool Config::contains(std::string_view key) const {
  for (const auto& member : as_object()) {
    if (member.first == key) return true;
  }
  return false;
}

Config& Config::set(std::string key, Config value) {
  if (!is_object()) throw_kind("an object", *this);
  for (auto& [name, old] : std::get<Object>(value_)) {
    if (name == key) {
      old = std::move(value);
      return *this;
    }
  }
  std::get<Object>(value_).emplace_back(std::move(key), std::move(value));
  return *this;
}

std::string Config::to_json() const {
  std::string out;
  append_json(*this, out);
  return out;
}

Config Config::from_json(std::string_view text) {
  Builder builder;
  const bool finite = text.find("NaN") == std::string_view::npos && text.find("Infinity") == std::string_view::npos;
  nlohmann::json::sax_parse(finite ? std::string(text) : with_numbers(text), &builder);
  return builder.result();
}

}  // namespace strata
