// SPDX-License-Identifier: Apache-2.0
// This rank's part of memory that the ranks of its host allocated together, and a view of the others' parts.
#pragma once

#include <memory>
#include <vector>

#include "core/tensor/device.h"
#include "distributed/shared_segment.h"

namespace strata {

/// The parts of others stay mapped, though their ranks may have ended.
class SharedStorage final : public Storage {
 public:
  /// `parts` are those of the host's ranks in their order, `own` is this rank's place among them. `number` tells it
  /// from the others of its communicator, on all ranks alike.
  SharedStorage(Device& device, std::size_t bytes, std::vector<std::shared_ptr<SharedSegment>> parts, std::size_t own,
                std::uint64_t number)
      : Storage(device, parts[own]->data(), bytes), parts_(std::move(parts)), number_(number) {}
  ~SharedStorage() override { release(); }

  std::uint64_t number() const { return number_; }
  /// Where the part of the host's `place`-th rank is in this process.
  std::byte* part(std::size_t place) const { return parts_[place]->data(); }
  bool holds(const void* data) const {
    const auto* at = static_cast<const std::byte*>(data);
    return at >= Storage::data() && at < Storage::data() + bytes();
  }

 private:
  std::vector<std::shared_ptr<SharedSegment>> parts_;
  std::uint64_t number_;
};

}  // namespace strata
