// SPDX-License-Identifier: Apache-2.0
#include "core/model/session.h"

#include <xxhash.h>

#include "core/base/error.h"
#include "core/base/registered_name.h"

namespace strata {
namespace {

thread_local Session* this_session = nullptr;
Session::WorldFactory world_factory = nullptr;

Session& process_session() {
  static Session session;
  return session;
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool continues_word(char c) { return is_lower(c) || (c >= '0' && c <= '9'); }

/// Parts a capital that begins a word from the character before it: "MaxPooling2D" becomes "Max_Pooling2D". Keras
/// replaces matches of (.)([A-Z][a-z0-9]+) that do not overlap, so a word just parted off does not part the next one.
std::string part_words(const std::string& name) {
  std::string parted;
  for (std::size_t i = 0; i < name.size();) {
    parted += name[i++];
    if (i + 1 >= name.size() || !is_upper(name[i]) || !continues_word(name[i + 1])) continue;
    parted += '_';
    parted += name[i++];
    while (i < name.size() && continues_word(name[i])) parted += name[i++];
  }
  return parted;
}

}  // namespace

Session& Session::current() { return this_session != nullptr ? *this_session : process_session(); }

std::string Session::unique_name(const std::string& base) {
  const int number = counters_[base]++;
  return number == 0 ? base : base + "_" + std::to_string(number);
}

std::string Session::unique_input_name() { return "input_" + std::to_string(++inputs_); }

void Session::clear() {
  counters_.clear();
  weights_.clear();
  inputs_ = 0;
  policy_.reset();
}

void Session::set_seed(std::uint64_t seed) {
  seed_ = seed;
  draws_ = 0;
  weights_.clear();
}

std::uint64_t Session::weight_stream(const std::string& path) {
  const int number = weights_[path]++;
  return hash_name(number == 0 ? path : path + "#" + std::to_string(number));
}

void Session::set_default_dtype(Dtype dtype) {
  if (!is_floating(dtype)) {
    throw DtypeError("set_default_dtype: expected a floating dtype, received " + std::string(to_string(dtype)));
  }
  default_dtype_ = dtype;
}

Communicator& Session::communicator() {
  if (communicator_ == nullptr && this == &process_session() && world_factory != nullptr)
    communicator_ = world_factory();
  if (communicator_ == nullptr) communicator_ = make_single_communicator();
  return *communicator_;
}

void Session::set_world_factory(WorldFactory factory) { world_factory = factory; }

SessionScope::SessionScope(Session& session) : previous_(this_session) { this_session = &session; }
SessionScope::~SessionScope() { this_session = previous_; }

std::string to_snake_case(const std::string& class_name) {
  const std::string parted = part_words(without_package(class_name));
  std::string snake;
  for (std::size_t i = 0; i < parted.size(); ++i) {
    const char c = parted[i];
    if (i > 0 && is_upper(c) && is_lower(parted[i - 1])) snake += '_';
    snake += is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return snake.starts_with('_') ? "private" + snake : snake;
}

std::uint64_t hash_name(const std::string& name) { return XXH64(name.data(), name.size(), 0); }

}  // namespace strata
