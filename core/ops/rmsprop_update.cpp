// SPDX-License-Identifier: Apache-2.0
#include "core/ops/rmsprop_update.h"

#include <cmath>

#include "core/base/simd.h"
#include "core/ops/attributes.h"
#include "core/ops/registry.h"
#include "core/ops/update_op.h"

namespace strata {
namespace {

class RmspropUpdateOp final : public UpdateOp {
 public:
  RmspropUpdateOp(double rho, double epsilon) : rho_(rho), epsilon_(epsilon) {}
  std::string_view name() const override { return "rmsprop_update"; }
  std::string attributes() const override { return "rho=" + number_text(rho_) + " epsilon=" + number_text(epsilon_); }
  double rho() const { return rho_; }
  double epsilon() const { return epsilon_; }

 private:
  double rho_, epsilon_;
};

template <class T>
STRATA_SIMD_CLONES void update(const T* variable, const T* gradient, const T* velocity, T rate, T rho, T rest,
                               T epsilon, T* new_variable, T* new_velocity, Dim n) {
#pragma GCC ivdep
  for (Dim i = 0; i < n; ++i) {
    const T g = gradient[i];
    const T w = variable[i];
    const T v = velocity[i] * rho + g * g * rest;
    new_velocity[i] = v;
    new_variable[i] = w - rate * g / std::sqrt(v + epsilon);
  }
}

Prepared prepare(const KernelRequest& request) {
  const auto& op = dynamic_cast<const RmspropUpdateOp&>(request.op);
  return visit_dtype(request.inputs[0].dtype, [&]<class T>(TypeTag<T>) -> Prepared {
    if constexpr (std::is_floating_point_v<T>) {
      return make_kernel(
          [n = request.inputs[0].shape.elements(), rho = static_cast<T>(op.rho()),
           rest = static_cast<T>(1.0 - op.rho()), epsilon = static_cast<T>(op.epsilon())](const KernelArgs& args) {
            update(args.input<T>(0), args.input<T>(1), args.input<T>(2), *args.input<T>(3), rho, rest, epsilon,
                   args.output<T>(0), args.output<T>(1), n);
          },
          0, true);
    } else {
      return "not a floating dtype";
    }
  });
}

}  // namespace

std::vector<Tensor> ops::rmsprop_update(const Tensor& variable, const Tensor& gradient, const Tensor& velocity,
                                        const Tensor& learning_rate, double rho, double epsilon) {
  return apply_op(std::make_shared<RmspropUpdateOp>(rho, epsilon), {variable, gradient, velocity, learning_rate});
}

void register_rmsprop_update(OpRegistry& registry) {
  const auto input = [](double low, double high) { return ExampleInput{{{67}, Dtype::float32}, low, high}; };
  const auto build = [](const std::vector<Tensor>& x) {
    return ops::rmsprop_update(x[0], x[1], x[2], x[3], 0.9, 1e-7);
  };
  registry.add(
      {"rmsprop_update",
       {{"reference", "cpu", prepare}},
       {{"a step", {input(-1, 1), input(-1, 1), input(0, 1), {{{}, Dtype::float32}, 0.001, 0.01}}, build, false}}});
}

}  // namespace strata
