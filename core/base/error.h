// SPDX-License-Identifier: Apache-2.0
// The typed exceptions of Strata. Each message says what was expected and what was received.
// Libraries throw; only a program's main decides how to exit.
#pragma once

#include <stdexcept>
#include <string>

namespace strata {

/// Base of every exception Strata throws on purpose.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Shapes that do not fit together.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// A data type that an operation does not take.
class DtypeError : public Error {
 public:
  using Error::Error;
};

/// A malformed graph of layers: disconnected, cyclic, or with names used twice.
class GraphError : public Error {
 public:
  using Error::Error;
};

/// An option, argument or call order that cannot be honoured.
class ConfigError : public Error {
 public:
  using Error::Error;
};

/// A file that is missing, unreadable or malformed.
class IoError : public Error {
 public:
  IoError(std::string path, const std::string& what) : Error(path + ": " + what), path_(std::move(path)) {}
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Numbers that are not finite where training cannot go on with them.
class NumericError : public Error {
 public:
  using Error::Error;
};

/// A message between ranks that failed or did not come in time.
class CommError : public Error {
 public:
  /// `peer` is the rank waited for, or -1 when it is not known.
  CommError(int rank, int peer, std::string operation, const std::string& what)
      : Error(what), rank_(rank), peer_(peer), operation_(std::move(operation)) {}
  int rank() const { return rank_; }
  int peer() const { return peer_; }
  const std::string& operation() const { return operation_; }

 private:
  int rank_;
  int peer_;
  std::string operation_;
};

/// A broken invariant of Strata itself: always a bug.
class InternalError : public Error {
 public:
  using Error::Error;
};

}  // namespace strata
