// SPDX-License-Identifier: Apache-2.0
#include "core/training/update_numbers.h"

#include <cstring>

namespace strata {

UpdateNumbers::UpdateNumbers(Device& device, Dtype dtype, std::size_t scalars)
    : device_(device),
      dtype_(dtype),
      host_((kFixed + scalars) * kBytes),
      storage_(std::make_shared<Storage>(device, host_.size())) {}

void UpdateNumbers::set(double learning_rate, std::int64_t steps, double loss_scale, std::span<const double> scalars,
                        Stream& stream) {
  std::byte* to = host_.data();
  const auto write = [&](const auto& number) {
    std::memcpy(to, &number, sizeof(number));
    to += kBytes;
  };
  const auto write_in_dtype = [&](double number) {
    visit_element(dtype_, [&]<class T>(TypeTag<T>) { write(static_cast<T>(static_cast<Widened<T>>(number))); });
  };
  write_in_dtype(learning_rate);
  write(steps);
  visit_element(widened(dtype_), [&]<class T>(TypeTag<T>) { write(static_cast<Widened<T>>(loss_scale)); });
  for (const double number : scalars) write_in_dtype(number);
  device_.copy_from_host(storage_->data(), host_.data(), host_.size(), stream);
  stream.synchronize();
}

}  // namespace strata
