// SPDX-License-Identifier: Apache-2.0
// Products by oneDNN's matmul primitive, with bias and relu inside it.
#include "core/ops/matmul.h"
#include "core/ops/onednn.h"

namespace strata {
namespace {

using dnnl::memory;

/// The strides of a row-major operand, its last two axes swapped when transposed.
memory::desc operand(const Shape& shape, int rank, bool transposed) {
  memory::dims dims(static_cast<std::size_t>(rank), 1);
  memory::dims strides(dims.size());
  Dim stride = 1;
  for (int i = 1; i <= rank; ++i) {
    const auto at = dims.size() - static_cast<std::size_t>(i);
    if (i <= shape.rank()) dims[at] = shape[shape.rank() - i];
    strides[at] = stride;
    stride *= dims[at];
  }
  if (transposed) {
    std::swap(dims[dims.size() - 1], dims[dims.size() - 2]);
    std::swap(strides[dims.size() - 1], strides[dims.size() - 2]);
  }
  return {dims, memory::data_type::f32, strides};
}

}  // namespace

Prepared prepare_matmul_onednn(const KernelRequest& request) {
  const auto& op = dynamic_cast<const MatMulOp&>(request.op);
  const TensorSpec& output = request.outputs[0];
  if (output.dtype != Dtype::float32) return "only float32";
  const Shape& a = request.inputs[0].shape;
  if (output.shape.elements() == 0 || a.elements() == 0) return "an empty operand";
  const auto& activation = op.epilogue().activation;
  if (activation && activation->name() != "relu") return "only relu as activation";

  // Leading axes of a fold into its rows when b has none, so that one large product replaces many.
  const bool fold = request.inputs[1].shape.rank() == 2 && !op.transpose_a();
  const int rank = fold ? 2 : output.shape.rank();
  const auto folded = [&](const Shape& s) { return fold ? Shape{s.elements() / s.back(), s.back()} : s; };
  const memory::desc src = operand(folded(a), rank, op.transpose_a());
  const memory::desc weights = operand(request.inputs[1].shape, rank, op.transpose_b());
  const memory::desc dst = operand(folded(output.shape), rank, false);
  const memory::desc bias = operand({output.shape.back()}, rank, false);

  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (activation) {
    dnnl::post_ops relu;
    relu.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
    attributes.set_post_ops(relu);
  }
  const auto description =
      op.epilogue().bias ? dnnl::matmul::desc(src, weights, bias, dst) : dnnl::matmul::desc(src, weights, dst);
  const dnnl::matmul::primitive_desc chosen(description, attributes, onednn_engine(), true);
  if (!chosen) return "oneDNN has no implementation";
  std::vector<OnednnArgument> arguments{{DNNL_ARG_SRC, src, OnednnArgument::input, 0},
                                        {DNNL_ARG_WEIGHTS, weights, OnednnArgument::input, 1},
                                        {DNNL_ARG_DST, dst, OnednnArgument::output, 0},
                                        {DNNL_ARG_SCRATCHPAD, chosen.scratchpad_desc(), OnednnArgument::scratch, 0}};
  if (op.epilogue().bias) arguments.push_back({DNNL_ARG_BIAS, bias, OnednnArgument::input, 2});
  return make_onednn_kernel(dnnl::matmul(chosen), std::move(arguments), chosen.scratchpad_desc().get_size());
}

}  // namespace strata
