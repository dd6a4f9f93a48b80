// SPDX-License-Identifier: Apache-2.0
#include "core/model/carried_mask.h"

#include <map>
#include <memory>
#include <unordered_map>

#include "core/tensor/node.h"

namespace strata {
namespace {

struct Carried {
  std::weak_ptr<Node> node;  // tells whether it is still the one that was given the masks
  std::map<int, Tensor> by_output;
  bool kept = false;
};

class CarriedMasks {
 public:
  Tensor find(const Tensor& tensor) const {
    if (all_.empty() || !tensor) return {};
    const auto at = all_.find(tensor.node().get());
    if (at == all_.end() || at->second.node.expired()) return {};
    const auto mask = at->second.by_output.find(tensor.index());
    return mask == at->second.by_output.end() ? Tensor() : mask->second;
  }
  void set(const Tensor& tensor, const Tensor& mask) {
    Carried& carried = all_[tensor.node().get()];
    if (carried.node.expired()) carried = {tensor.node(), {}, false};
    carried.by_output[tensor.index()] = mask;
  }
  void enter() { ++depth_; }
  void keep(const Tensor& tensor) {
    if (depth_ > 1 || tensor.is_symbolic()) return;
    const auto at = all_.find(tensor.node().get());
    if (at != all_.end()) at->second.kept = true;
  }
  void leave() {
    if (--depth_ > 0 || all_.empty()) return;
    std::erase_if(all_, [](const auto& entry) { return !entry.second.kept || entry.second.node.expired(); });
  }

 private:
  std::unordered_map<const Node*, Carried> all_;
  int depth_ = 0;
};

thread_local CarriedMasks masks;

}  // namespace

Tensor carried_mask(const Tensor& tensor) { return masks.find(tensor); }

void carry_mask(const Tensor& tensor, const Tensor& mask) {
  if (mask) masks.set(tensor, mask);
}

CarriedMaskScope::CarriedMaskScope() { masks.enter(); }
CarriedMaskScope::~CarriedMaskScope() { masks.leave(); }

void CarriedMaskScope::keep(const std::vector<Tensor>& tensors) const {
  for (const Tensor& tensor : tensors) masks.keep(tensor);
}

}  // namespace strata
