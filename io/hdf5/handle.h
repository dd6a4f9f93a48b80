// SPDX-License-Identifier: Apache-2.0
// Internal: identifiers of the HDF5 library that close themselves, and its errors as exceptions.
#pragma once

#include <hdf5.h>

#include <mutex>
#include <string>
#include <utility>

namespace strata {

/// One thread at a time uses the library, which may be one that is not safe for threads: data sets are read by threads
/// of their own. Never destroyed, since identifiers may be closed at the end of the program.
inline std::recursive_mutex& hdf5_mutex() {
  static auto& mutex = *new std::recursive_mutex;
  return mutex;
}

/// For as long as a call of ours lasts: other threads wait, and the library prints no errors, which are a program's.
class QuietHdf5 {
 public:
  QuietHdf5() {
    H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~QuietHdf5() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }
  QuietHdf5(const QuietHdf5&) = delete;
  QuietHdf5& operator=(const QuietHdf5&) = delete;

 private:
  std::unique_lock<std::recursive_mutex> lock_{hdf5_mutex()};
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

/// Owns an identifier of any kind.
class Hdf5Id {
 public:
  explicit Hdf5Id(hid_t id = -1) : id_(id) {}
  ~Hdf5Id() { reset(); }
  Hdf5Id(Hdf5Id&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
  Hdf5Id& operator=(Hdf5Id&& other) noexcept {
    if (this != &other) {
      reset();
      id_ = std::exchange(other.id_, -1);
    }
    return *this;
  }
  operator hid_t() const { return id_; }  // NOLINT(google-explicit-constructor): passed to C functions

 private:
  void reset() {
    if (id_ < 0) return;
    const std::lock_guard lock(hdf5_mutex());
    H5Idec_ref(id_);
  }
  hid_t id_;
};

/// What the library says of its last error, the innermost cause.
std::string hdf5_error();

/// Throws IoError "<path>: <what>: <the library's words>".
[[noreturn]] void throw_hdf5_error(const std::string& path, const std::string& what);

inline hid_t checked_id(hid_t id, const std::string& path, const std::string& what) {
  if (id < 0) throw_hdf5_error(path, what);
  return id;
}
inline void check_hdf5(herr_t status, const std::string& path, const std::string& what) {
  if (status < 0) throw_hdf5_error(path, what);
}

}  // namespace strata
