// SPDX-License-Identifier: Apache-2.0
#include "core/ops/elementwise_kernel.h"

#include <algorithm>
#include <cstring>

namespace strata {
namespace {

constexpr std::size_t kChunkBytes = 4096;  // of one value; eight of them fit a 32 KB first-level cache

/// How an input is laid over the output: collapsed axes, innermost last, each (size, stride in elements).
struct Axis {
  Dim size;
  Dim stride;
};

enum class Access { direct, single, strided };

struct InputView {
  Access access = Access::direct;
  std::vector<Axis> axes;
};

InputView make_view(const Shape& input, const Shape& output) {
  InputView view;
  if (input.elements() == output.elements()) return view;
  if (input.elements() == 1) {
    view.access = Access::single;
    return view;
  }
  view.access = Access::strided;
  Dim stride = 1;
  for (int i = 1; i <= output.rank(); ++i) {
    const Dim size = output[output.rank() - i];
    const Dim own = i <= input.rank() ? input[input.rank() - i] : 1;
    const Dim step = own == 1 ? 0 : stride;
    stride *= own;
    if (size == 1) continue;
    if (!view.axes.empty() && step == view.axes.back().stride * view.axes.back().size) {
      view.axes.back().size *= size;
    } else {
      view.axes.push_back({size, step});
    }
  }
  std::reverse(view.axes.begin(), view.axes.end());
  return view;
}

template <class T>
void fill(void* to, const void* value, Dim n) {
  T typed;
  std::memcpy(&typed, value, sizeof(T));
  std::fill_n(static_cast<T*>(to), n, typed);
}

void repeat(std::byte* to, const std::byte* value, Dim n, std::size_t size) {
  if (size == 1) fill<std::uint8_t>(to, value, n);
  else if (size == 2) fill<std::uint16_t>(to, value, n);
  else if (size == 4) fill<std::uint32_t>(to, value, n);
  else fill<std::uint64_t>(to, value, n);
}

/// Writes elements [first, first + n) of the broadcast input to `to`.
void expand(const InputView& view, const std::byte* from, std::byte* to, Dim first, Dim n, std::size_t size) {
  const Axis inner = view.axes.back();
  while (n > 0) {
    Dim rest = first / inner.size;
    const Dim column = first % inner.size;
    Dim offset = column * inner.stride;
    for (std::size_t a = view.axes.size() - 1; a-- > 0;) {
      offset += rest % view.axes[a].size * view.axes[a].stride;
      rest /= view.axes[a].size;
    }
    const Dim run = std::min(n, inner.size - column);
    const std::byte* source = from + static_cast<std::size_t>(offset) * size;
    const std::size_t bytes = static_cast<std::size_t>(run) * size;
    if (inner.stride == 0) repeat(to, source, run, size);
    else std::memcpy(to, source, bytes);  // a collapsed innermost axis has stride 0 or 1
    to += bytes;
    first += run;
    n -= run;
  }
}

class ElementwiseKernel final : public Kernel {
 public:
  ElementwiseKernel(ElementwiseChain chain, std::span<const TensorSpec> inputs, const Shape& shape)
      : chain_(std::move(chain)), elements_(shape.elements()) {
    std::size_t widest = 1;
    for (Dtype d : chain_.dtypes) widest = std::max(widest, size_of(d));
    chunk_ = static_cast<Dim>(kChunkBytes / widest);
    for (const TensorSpec& input : inputs) views_.push_back(make_view(input.shape, shape));
    assign_slots();
  }

  std::size_t scratch_bytes() const override { return static_cast<std::size_t>(slots_) * kChunkBytes; }

  // In place is safe when nothing reads the input after the step that writes the output.
  bool may_overwrite(int input, int output) const override {
    if (views_[static_cast<std::size_t>(input)].access != Access::direct) return false;
    const int value = chain_.outputs[static_cast<std::size_t>(output)];
    if (size_of(dtype(input)) != size_of(dtype(value))) return false;
    for (std::size_t s = static_cast<std::size_t>(value - chain_.inputs) + 1; s < chain_.steps.size(); ++s) {
      const auto& operands = chain_.steps[s].operands;
      if (std::find(operands.begin(), operands.end(), input) != operands.end()) return false;
    }
    return true;
  }

  void run(const KernelArgs& args, Stream&) const override {
    auto* scratch = static_cast<std::byte*>(args.scratch);
    for (int i = 0; i < chain_.inputs; ++i) {
      if (view(i).access != Access::single) continue;
      repeat(slot(scratch, i), args.input<std::byte>(i), std::min(chunk_, elements_), size_of(dtype(i)));
    }
    for (Dim first = 0; first < elements_; first += chunk_) {
      run_chunk(args, scratch, first, std::min(chunk_, elements_ - first));
    }
  }

 private:
  void run_chunk(const KernelArgs& args, std::byte* scratch, Dim first, Dim n) const {
    for (int i = 0; i < chain_.inputs; ++i) {
      if (view(i).access == Access::strided) {
        expand(view(i), args.input<std::byte>(i), slot(scratch, i), first, n, size_of(dtype(i)));
      }
    }
    for (std::size_t s = 0; s < chain_.steps.size(); ++s) {
      const ElementwiseStep& step = chain_.steps[s];
      const void* operands[3] = {};
      for (std::size_t k = 0; k < 3 && step.operands[k] >= 0; ++k) {
        operands[k] = place(args, scratch, step.operands[k], first);
      }
      step.loop(operands, place(args, scratch, chain_.inputs + static_cast<int>(s), first), n);
    }
  }

  /// Where value `v` of the chunk beginning at element `first` lies.
  std::byte* place(const KernelArgs& args, std::byte* scratch, int v, Dim first) const {
    const Place& p = places_[static_cast<std::size_t>(v)];
    const std::size_t offset = static_cast<std::size_t>(first) * size_of(dtype(v));
    switch (p.kind) {
      case Place::input: return static_cast<std::byte*>(const_cast<void*>(args.inputs[p.index])) + offset;
      case Place::output: return static_cast<std::byte*>(args.outputs[p.index]) + offset;
      case Place::scratch: break;
    }
    return scratch + static_cast<std::size_t>(p.index) * kChunkBytes;
  }

  std::byte* slot(std::byte* scratch, int v) const {
    return scratch + static_cast<std::size_t>(places_[static_cast<std::size_t>(v)].index) * kChunkBytes;
  }

  /// Chunk-sized scratch slots for broadcast inputs and for results that are not outputs, reused after their last
  /// reader.
  void assign_slots() {
    const auto values = chain_.dtypes.size();
    std::vector<std::size_t> last_use(values, 0);
    for (std::size_t s = 0; s < chain_.steps.size(); ++s) {
      for (int v : chain_.steps[s].operands) {
        if (v >= 0) last_use[static_cast<std::size_t>(v)] = s;
      }
    }
    places_.resize(values);
    std::vector<int> free;
    for (std::size_t v = 0; v < values; ++v) {
      const int number = static_cast<int>(v);
      const auto output = std::find(chain_.outputs.begin(), chain_.outputs.end(), number);
      if (output != chain_.outputs.end()) {
        places_[v] = {Place::output, static_cast<int>(output - chain_.outputs.begin())};
      } else if (number < chain_.inputs && view(number).access == Access::direct) {
        places_[v] = {Place::input, number};
      } else {
        if (free.empty()) free.push_back(slots_++);
        places_[v] = {Place::scratch, free.back()};
        free.pop_back();
      }
      if (number < chain_.inputs) continue;
      const std::size_t step = v - static_cast<std::size_t>(chain_.inputs);
      for (std::size_t u = static_cast<std::size_t>(chain_.inputs); u < v; ++u) {
        if (places_[u].kind == Place::scratch && last_use[u] == step) free.push_back(places_[u].index);
      }
    }
  }

  struct Place {
    enum Kind { input, output, scratch } kind = input;
    int index = 0;
  };

  const InputView& view(int i) const { return views_[static_cast<std::size_t>(i)]; }
  Dtype dtype(int v) const { return chain_.dtypes[static_cast<std::size_t>(v)]; }

  ElementwiseChain chain_;
  Dim elements_;
  Dim chunk_ = 0;
  int slots_ = 0;
  std::vector<InputView> views_;
  std::vector<Place> places_;
};

int push(ElementwiseChain& chain, ElementwiseStep step, Dtype dtype) {
  chain.steps.push_back(std::move(step));
  chain.dtypes.push_back(dtype);
  return static_cast<int>(chain.dtypes.size()) - 1;
}

/// Value `v` as `to`: what a step before has made of it, or a step of its own.
int converted(ElementwiseChain& chain, int v, Dtype to) {
  const Dtype from = chain.dtypes[static_cast<std::size_t>(v)];
  if (from == to) return v;
  const ElementwiseLoop loop = cast_loop(from, to);
  for (std::size_t s = 0; s < chain.steps.size(); ++s) {
    if (chain.steps[s].loop == loop && chain.steps[s].operands[0] == v) return chain.inputs + static_cast<int>(s);
  }
  return push(chain, {loop, {v, -1, -1}, "cast[dtype=" + std::string(to_string(to)) + "]"}, to);
}

}  // namespace

int append_step(ElementwiseChain& chain, const ElementwiseOp& op, std::string name, const std::vector<int>& operands,
                Dtype result) {
  ElementwiseStep step{nullptr, {-1, -1, -1}, std::move(name)};
  std::vector<Dtype> dtypes;
  for (std::size_t k = 0; k < operands.size(); ++k) {
    const Dtype own = chain.dtypes[static_cast<std::size_t>(operands[k])];
    dtypes.push_back(op.takes_halves() ? own : widened(own));
    step.operands[k] = converted(chain, operands[k], dtypes.back());
  }
  step.loop = op.loop(dtypes);
  const int computed = push(chain, std::move(step), op.takes_halves() ? result : widened(result));
  return converted(chain, computed, result);
}

std::shared_ptr<const Kernel> make_elementwise_kernel(ElementwiseChain chain, std::span<const TensorSpec> inputs,
                                                      const Shape& shape) {
  return std::make_shared<ElementwiseKernel>(std::move(chain), inputs, shape);
}

}  // namespace strata
