// SPDX-License-Identifier: Apache-2.0
#include "distributed/call_stamp.h"

#include <fmt/format.h>

namespace strata {

std::string_view to_string(CallKind kind) {
  constexpr std::string_view kNames[] = {"nothing", "broadcast", "allgather", "gather",  "barrier",
                                         "split",   "prepare",   "block sum", "row sum", "reduce-scatter"};
  const auto index = static_cast<std::size_t>(kind);
  return index < std::size(kNames) ? kNames[index] : "an unknown call";
}

std::string describe(const CallStamp& stamp) {
  std::string text = fmt::format("its call {}, {} of {} bytes", stamp.number, to_string(stamp.kind), stamp.bytes);
  if (stamp.epoch >= 0) text += fmt::format(" in epoch {}, step {}", stamp.epoch, stamp.step);
  else if (stamp.step >= 0) text += fmt::format(" in step {}", stamp.step);
  return text;
}

const CallStamp& CallLog::begin(CallKind kind, std::uint64_t bytes, std::uint64_t detail,
                                const StepPosition& position) {
  ++last_;
  CallStamp& stamp = calls_[last_ % kKept];
  stamp = {last_, position.epoch, position.step, bytes, detail, kind};
  return stamp;
}

const CallStamp* CallLog::find(std::uint64_t number) const {
  const CallStamp& stamp = calls_[number % kKept];
  return number > 0 && stamp.number == number ? &stamp : nullptr;
}

}  // namespace strata
