// SPDX-License-Identifier: Apache-2.0
// What belongs to one rank: name counters, the seed, the default dtypes, the communicator. Ranks that are threads each
// have their own.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/model/dtype_policy.h"
#include "core/program/communicator.h"

namespace strata {

/// Not thread-safe: one session belongs to one thread at a time.
class Session {
 public:
  /// The session of this thread: the innermost SessionScope's, else the process's own.
  static Session& current();

  Session() = default;
  explicit Session(std::shared_ptr<Communicator> communicator) : communicator_(std::move(communicator)) {}

  /// Keras' automatic names: "dense", "dense_1", ...
  std::string unique_name(const std::string& base);
  /// Keras' names of inputs: "input_1", "input_2", ...
  std::string unique_input_name();
  /// Restarts all counters and forgets the dtype policy.
  void clear();

  /// The seed of initial weights, dropout and shuffling.
  std::uint64_t seed() const { return seed_; }
  /// Also restarts the numbering of draws and of initial weights.
  void set_seed(std::uint64_t seed);
  /// Numbers the eager random draws of this session: 0, 1, ...
  std::int64_t next_draw() { return draws_++; }
  /// The stream of random numbers for the first value of weight `path`: a function of the path, and of how many weights
  /// of the very same path this session has made before, so that two models with equal names start differently.
  std::uint64_t weight_stream(const std::string& path);

  /// The dtype of inputs that are given none: Keras' floatx.
  Dtype default_dtype() const { return default_dtype_; }
  /// Throws DtypeError unless floating.
  void set_default_dtype(Dtype dtype);
  /// The policy of layers that are given none: default_dtype() unless set.
  DtypePolicy dtype_policy() const { return policy_.value_or(default_dtype_); }
  void set_dtype_policy(const DtypePolicy& policy) { policy_ = policy; }

  /// The ranks that train together. Made on first use: by the world factory in a process's own session.
  Communicator& communicator();

  /// Where the process's own session gets its communicator from, unless one process is all there is.
  using WorldFactory = std::shared_ptr<Communicator> (*)();
  static void set_world_factory(WorldFactory factory);

 private:
  std::map<std::string, int> counters_;
  std::map<std::string, int> weights_;
  int inputs_ = 0;
  std::uint64_t seed_ = 0;
  std::int64_t draws_ = 0;
  Dtype default_dtype_ = Dtype::float32;
  std::optional<DtypePolicy> policy_;
  std::shared_ptr<Communicator> communicator_;
};

/// Makes `session` this thread's current one until the end of the scope.
class SessionScope {
 public:
  explicit SessionScope(Session& session);
  ~SessionScope();
  SessionScope(const SessionScope&) = delete;
  SessionScope& operator=(const SessionScope&) = delete;

 private:
  Session* previous_;
};

/// Restarts the automatic names of this thread's session, as tf.keras.backend.clear_session does.
inline void clear_session() { Session::current().clear(); }
/// Sets the seed of this thread's session, as tf.random.set_seed does.
inline void set_seed(std::uint64_t seed) { Session::current().set_seed(seed); }
/// Sets the policy of layers that are given no dtype, as keras.config.set_dtype_policy does: "mixed_bfloat16".
inline void set_dtype_policy(const DtypePolicy& policy) { Session::current().set_dtype_policy(policy); }
/// As keras.config.dtype_policy.
inline DtypePolicy dtype_policy() { return Session::current().dtype_policy(); }

/// Keras' automatic base name of a class: "Conv2DTranspose" becomes "conv2d_transpose".
std::string to_snake_case(const std::string& class_name);

/// A 64-bit hash of a name, the same in every process: streams of random numbers are keyed by it.
std::uint64_t hash_name(const std::string& name);

}  // namespace strata
