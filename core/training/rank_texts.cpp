// SPDX-License-Identifier: Apache-2.0
#include "core/training/rank_texts.h"

#include <cstdint>

namespace strata {
namespace {

std::vector<std::uint64_t> sizes_of_all(Communicator& communicator, const std::string& own) {
  const std::uint64_t size = own.size();
  std::vector<std::uint64_t> sizes(static_cast<std::size_t>(communicator.size()), size);
  if (communicator.size() > 1) communicator.allgather(&size, sizes.data(), sizeof(size));
  return sizes;
}

std::vector<std::string> gather_sized(Communicator& communicator, const std::string& own,
                                      const std::vector<std::uint64_t>& sizes) {
  std::vector<std::string> texts;
  if (communicator.size() == 1) return {own};
  std::vector<void*> places(sizes.size(), nullptr);
  if (communicator.rank() == 0) {
    for (const std::uint64_t size : sizes) texts.emplace_back(size, '\0');
    for (std::size_t r = 0; r < texts.size(); ++r) places[r] = texts[r].data();
  }
  const std::vector<std::size_t> bytes(sizes.begin(), sizes.end());
  communicator.gather(own.data(), own.size(), places, bytes, 0);
  return texts;
}

}  // namespace

std::vector<std::string> gather_texts(Communicator& communicator, const std::string& own) {
  return gather_sized(communicator, own, sizes_of_all(communicator, own));
}

std::vector<std::string> allgather_texts(Communicator& communicator, const std::string& own) {
  const std::vector<std::uint64_t> sizes = sizes_of_all(communicator, own);
  std::string all;
  for (const std::string& text : gather_sized(communicator, own, sizes)) all += text;
  std::uint64_t total = 0;
  for (const std::uint64_t size : sizes) total += size;
  all.resize(total);
  if (communicator.size() > 1 && total > 0) communicator.broadcast(all.data(), total, 0);
  std::vector<std::string> texts;
  std::size_t at = 0;
  for (const std::uint64_t size : sizes) {
    texts.push_back(all.substr(at, size));
    at += size;
  }
  return texts;
}

std::string broadcast_text(Communicator& communicator, std::string own, int root) {
  if (communicator.size() == 1) return own;
  std::uint64_t size = own.size();
  communicator.broadcast(&size, sizeof(size), root);
  own.resize(size);
  if (size > 0) communicator.broadcast(own.data(), size, root);
  return own;
}

}  // namespace strata
