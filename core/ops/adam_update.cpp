// SPDX-License-Identifier: Apache-2.0
#include "core/ops/adam_update.h"

#include <cmath>

#include "core/base/simd.h"
#include "core/ops/attributes.h"
#include "core/ops/registry.h"
#include "core/ops/update_op.h"

namespace strata {
namespace {

class AdamUpdateOp final : public UpdateOp {
 public:
  AdamUpdateOp(double beta_1, double beta_2, double epsilon) : beta_1_(beta_1), beta_2_(beta_2), epsilon_(epsilon) {}
  std::string_view name() const override { return "adam_update"; }
  std::string attributes() const override {
    return "beta_1=" + number_text(beta_1_) + " beta_2=" + number_text(beta_2_) + " epsilon=" + number_text(epsilon_);
  }
  double beta_1() const { return beta_1_; }
  double beta_2() const { return beta_2_; }
  double epsilon() const { return epsilon_; }

 private:
  double beta_1_, beta_2_, epsilon_;
};

template <class T>
struct Arrays {
  const T *variable, *gradient, *momentum, *velocity;
  T *new_variable, *new_momentum, *new_velocity;
};

template <class T>
STRATA_SIMD_CLONES void update(const Arrays<T>& a, T rate, T rest_1, T rest_2, T epsilon, Dim n) {
  const auto [variable, gradient, momentum, velocity, new_variable, new_momentum, new_velocity] = a;
#pragma GCC ivdep
  for (Dim i = 0; i < n; ++i) {
    const T g = gradient[i];
    const T w = variable[i];
    const T m = momentum[i] + (g - momentum[i]) * rest_1;
    const T v = velocity[i] + (g * g - velocity[i]) * rest_2;
    new_momentum[i] = m;
    new_velocity[i] = v;
    new_variable[i] = w - m * rate / (std::sqrt(v) + epsilon);
  }
}

Prepared prepare(const KernelRequest& request) {
  const auto& op = dynamic_cast<const AdamUpdateOp&>(request.op);
  return visit_dtype(request.inputs[0].dtype, [&]<class T>(TypeTag<T>) -> Prepared {
    if constexpr (std::is_floating_point_v<T>) {
      return make_kernel(
          [n = request.inputs[0].shape.elements(), rest_1 = static_cast<T>(1.0 - op.beta_1()),
           rest_2 = static_cast<T>(1.0 - op.beta_2()), epsilon = static_cast<T>(op.epsilon())](const KernelArgs& args) {
            update<T>({args.input<T>(0), args.input<T>(1), args.input<T>(2), args.input<T>(3), args.output<T>(0),
                       args.output<T>(1), args.output<T>(2)},
                      *args.input<T>(4), rest_1, rest_2, epsilon, n);
          },
          0, true);
    } else {
      return "not a floating dtype";
    }
  });
}

}  // namespace

std::vector<Tensor> ops::adam_update(const Tensor& variable, const Tensor& gradient, const Tensor& momentum,
                                     const Tensor& velocity, const Tensor& rate, double beta_1, double beta_2,
                                     double epsilon) {
  return apply_op(std::make_shared<AdamUpdateOp>(beta_1, beta_2, epsilon),
                  {variable, gradient, momentum, velocity, rate});
}

void register_adam_update(OpRegistry& registry) {
  const auto input = [](double low, double high) { return ExampleInput{{{67}, Dtype::float32}, low, high}; };
  const auto build = [](const std::vector<Tensor>& x) {
    return ops::adam_update(x[0], x[1], x[2], x[3], x[4], 0.9, 0.999, 1e-7);
  };
  registry.add({"adam_update",
                {{"reference", "cpu", prepare}},
                {{"a step",
                  {input(-1, 1), input(-1, 1), input(-1, 1), input(0, 1), {{{}, Dtype::float32}, 0.001, 0.01}},
                  build,
                  false}}});
}

}  // namespace strata
