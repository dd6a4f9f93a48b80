// SPDX-License-Identifier: Apache-2.0
#include "core/ops/max_pool_kernel.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "core/ops/reduction_loops.h"
#include "core/ops/window_walk.h"

namespace strata {
namespace {

using windows::Walk;

/// An integer as wide as T, so that comparing taps and choosing values take one vector width.
template <class T>
using TapOf = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

// The kernels go through the windows of a line by rows of the tensor, and only then along the last axis: loops over
// whole rows are long where those over channels may be short.

/// For each number of a row its maximum over the line's rows.
template <class T>
STRATA_INLINE void fold_rows(const Walk::Line& line, const T* x, Dim channels, Dim row, T* best) {
  std::fill_n(best, row, -std::numeric_limits<T>::infinity());
  line.visit_rows([&](Dim, Dim element) __attribute__((always_inline)) {
    const T* from = x + element * channels;
#pragma GCC ivdep
    for (Dim i = 0; i < row; ++i) best[i] = MaxCombine::apply(best[i], from[i]);
  });
}

/// Scratch memory of the kernels that ask where a maximum is.
template <class T>
struct Maxima {
  Maxima(void* scratch, Dim row, Dim channels)
      : best(static_cast<T*>(scratch)),
        chosen(best + row),
        position_best(chosen + row),
        tap(reinterpret_cast<TapOf<T>*>(position_best + channels)),
        position_tap(tap + row),
        column(position_tap + channels) {}
  static std::size_t bytes(Dim row, Dim channels) { return static_cast<std::size_t>(row + channels) * 3 * sizeof(T); }

  T* best;                 // of each number of a row, over the rows of the line
  T* chosen;               // free for use, as long as a row
  T* position_best;        // of each channel, over all taps
  TapOf<T>* tap;           // the first row that has `best`
  TapOf<T>* position_tap;  // the first row that has `position_best`
  TapOf<T>* column;        // where along the last axis that is, counted from the position's first

  /// Sets `best` and `tap`.
  STRATA_INLINE void find_rows(const Walk::Line& line, const T* x, Dim channels, Dim row) const {
    std::fill_n(best, row, -std::numeric_limits<T>::infinity());
    std::fill_n(tap, row, std::numeric_limits<TapOf<T>>::max());
    line.visit_rows([&, own_best = best, own_tap = tap ](Dim number, Dim element) __attribute__((always_inline)) {
      const T* from = x + element * channels;
      const auto at = static_cast<TapOf<T>>(number);
#pragma GCC ivdep
      for (Dim i = 0; i < row; ++i) {
        // As MaxCombine; the largest tap stands for none yet.
        const bool larger =
            (from[i] > own_best[i]) | (from[i] != from[i]) | ((from[i] == own_best[i]) & (at < own_tap[i]));
        own_best[i] = larger ? from[i] : own_best[i];
        own_tap[i] = larger ? at : own_tap[i];
      }
    });
  }

  /// Sets what is of a position, after find_rows().
  STRATA_INLINE void find_column(const windows::Taps& at, Dim channels) const {
    T* value = position_best;
    TapOf<T>*first = position_tap, *where = column;
    std::copy_n(best + at.first_element * channels, channels, value);
    std::copy_n(tap + at.first_element * channels, channels, first);
    std::fill_n(where, channels, TapOf<T>{0});
    for (Dim k = 1; k < at.count; ++k) {
      const T* from = best + (at.first_element + k) * channels;
      const TapOf<T>* from_tap = tap + (at.first_element + k) * channels;
      const auto number = static_cast<TapOf<T>>(k);
#pragma GCC ivdep
      for (Dim c = 0; c < channels; ++c) {
        const bool larger =
            (from[c] > value[c]) | (from[c] != from[c]) | ((from[c] == value[c]) & (from_tap[c] < first[c]));
        value[c] = larger ? from[c] : value[c];
        first[c] = larger ? from_tap[c] : first[c];
        where[c] = larger ? number : where[c];
      }
    }
  }
};

template <class T>
STRATA_SIMD_CLONES void max_pool_kernel(const Walk& walk, Dim channels, const T* x, T* best, T* out) {
  const Dim row = walk.row_elements() * channels;
  walk.visit_lines([&](const Walk::Line& line) __attribute__((always_inline)) {
    fold_rows(line, x, channels, row, best);
    for (const windows::Taps& at : walk.last_axis()) {
      const T* from = best + at.first_element * channels;
      std::copy_n(from, channels, out);
      for (Dim k = 1; k < at.count; ++k) {
        from += channels;
#pragma GCC ivdep
        for (Dim c = 0; c < channels; ++c) out[c] = MaxCombine::apply(out[c], from[c]);
      }
      out += channels;
    }
  });
}

template <class T, bool Disjoint>
STRATA_SIMD_CLONES void max_pool_backward_kernel(const Walk& walk, Dim channels, const T* x, const T* grad,
                                                 const Maxima<T>& maxima, T* out) {
  const Dim row = walk.row_elements() * channels;
  T* share = maxima.chosen;
  walk.visit_lines([&](const Walk::Line& line) __attribute__((always_inline)) {
    maxima.find_rows(line, x, channels, row);
    std::fill_n(share, row, T{0});
    for (const windows::Taps& at : walk.last_axis()) {
      maxima.find_column(at, channels);
      for (Dim k = 0; k < at.count; ++k) {
        T* to = share + (at.first_element + k) * channels;
        const TapOf<T>* column = maxima.column;
        const auto number = static_cast<TapOf<T>>(k);
#pragma GCC ivdep
        for (Dim c = 0; c < channels; ++c) to[c] += column[c] == number ? grad[c] : T{0};
      }
      grad += channels;
    }
    line.visit_rows([&, tap = maxima.tap ](Dim number, Dim element) __attribute__((always_inline)) {
      T* to = out + element * channels;
      const auto at = static_cast<TapOf<T>>(number);
#pragma GCC ivdep
      for (Dim i = 0; i < row; ++i) {
        const T value = tap[i] == at ? share[i] : T{0};
        to[i] = Disjoint ? value : to[i] + value;
      }
    });
  });
}

template <class T>
STRATA_SIMD_CLONES void max_pool_select_kernel(const Walk& walk, Dim channels, const T* x, const T* values,
                                               const Maxima<T>& maxima, T* out) {
  const Dim row = walk.row_elements() * channels;
  T* chosen = maxima.chosen;
  walk.visit_lines([&](const Walk::Line& line) __attribute__((always_inline)) {
    maxima.find_rows(line, x, channels, row);
    line.visit_rows([&, tap = maxima.tap ](Dim number, Dim element) __attribute__((always_inline)) {
      const T* from = values + element * channels;
      const auto at = static_cast<TapOf<T>>(number);
#pragma GCC ivdep
      for (Dim i = 0; i < row; ++i) chosen[i] = tap[i] == at ? from[i] : chosen[i];
    });
    for (const windows::Taps& at : walk.last_axis()) {
      maxima.find_column(at, channels);
      const TapOf<T>* column = maxima.column;
      const T* from = chosen + at.first_element * channels;
      for (Dim c = 0; c < channels; ++c) out[c] = from[column[c] * channels + c];
      out += channels;
    }
  });
}

template <class T>
struct Forward {
  static std::size_t scratch(Dim row, Dim) { return static_cast<std::size_t>(row) * sizeof(T); }
  static void run(const Walk& walk, Dim channels, const KernelArgs& args) {
    max_pool_kernel<T>(walk, channels, args.input<T>(0), static_cast<T*>(args.scratch), args.output<T>());
  }
};

template <class T>
struct Backward {
  static constexpr auto scratch = &Maxima<T>::bytes;
  static void run(const Walk& walk, Dim channels, const KernelArgs& args) {
    T* out = args.output<T>();
    if (!walk.disjoint_rows() || !walk.covers_all_rows()) std::fill_n(out, walk.elements() * channels, T{0});
    const auto kernel = walk.disjoint_rows() ? &max_pool_backward_kernel<T, true> : &max_pool_backward_kernel<T, false>;
    kernel(walk, channels, args.input<T>(0), args.input<T>(1),
           Maxima<T>(args.scratch, walk.row_elements() * channels, channels), out);
  }
};

template <class T>
struct Select {
  static constexpr auto scratch = &Maxima<T>::bytes;
  static void run(const Walk& walk, Dim channels, const KernelArgs& args) {
    max_pool_select_kernel<T>(walk, channels, args.input<T>(0), args.input<T>(1),
                              Maxima<T>(args.scratch, walk.row_elements() * channels, channels), args.output<T>());
  }
};

template <template <class> class Pass>
Prepared prepare(const Window& window, const KernelRequest& request) {
  const Shape& x = request.inputs[0].shape;
  const auto make = [&]<class T>(TypeTag<T>) {
    const Walk walk(window, x);
    const Dim channels = x.back();
    return make_kernel([=](const KernelArgs& args) { Pass<T>::run(walk, channels, args); },
                       Pass<T>::scratch(walk.row_elements() * channels, channels));
  };
  return request.outputs[0].dtype == Dtype::float64 ? make(TypeTag<double>{}) : make(TypeTag<float>{});
}

}  // namespace

Prepared prepare_max_pool(const Window& window, const KernelRequest& request) {
  return prepare<Forward>(window, request);
}
Prepared prepare_max_pool_backward(const Window& window, const KernelRequest& request) {
  return prepare<Backward>(window, request);
}
Prepared prepare_max_pool_select(const Window& window, const KernelRequest& request) {
  return prepare<Select>(window, request);
}

}  // namespace strata
