// SPDX-License-Identifier: Apache-2.0
// The texts of ops' errors: they begin with the op and say what was expected and what was received.
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/tensor/node.h"
#include "tests/support/expect_error.h"

namespace strata {
namespace {

using testing::expect_error;

Tensor input(const Shape& shape, Dtype dtype = Dtype::float32) { return placeholder({shape, dtype}); }

TEST(OpErrors, Elementwise) {
  expect_error<ShapeError>(
      [] {
        ops::add(input({None, 3}), input({4}));
      },
      "add: operands could not be broadcast together with shapes (None, 3) (4,)");
  expect_error<DtypeError>([] { ops::multiply(input({3}), input({3}, Dtype::float64)); },
                           "multiply: operands must have one dtype, received float32 (3,) and float64 (3,)");
  expect_error<DtypeError>([] { ops::exp(input({3}, Dtype::int32)); },
                           "exp: expected a floating dtype, received int32 (3,)");
  expect_error<DtypeError>([] { ops::negative(input({}, Dtype::boolean)); },
                           "negative: expected a numeric dtype, received bool ()");
  expect_error<DtypeError>([] { ops::logical_and(input({2}), input({2})); },
                           "logical_and: expected bool, received float32 (2,)");
  expect_error<DtypeError>([] { ops::select(input({2}), input({2}), input({2})); },
                           "select: expected a bool condition, received float32 (2,)");
  expect_error<GraphError>([] { ops::exp(Tensor()); }, "exp: an input is an empty Tensor handle");
}

TEST(OpErrors, Reductions) {
  expect_error<ShapeError>(
      [] {
        ops::sum(input({None, 3}), {2});
      },
      "sum: axis must be in [-2, 2) for a tensor of rank 2, received 2");
  expect_error<ShapeError>(
      [] {
        ops::max(input({2, 3}), {1, -1});
      },
      "max: expected every axis once, received axes [1, -1]");
  expect_error<DtypeError>([] { ops::mean(input({3}, Dtype::int32)); },
                           "mean: expected a floating dtype, received int32 (3,)");
  expect_error<DtypeError>([] { ops::sum(input({3}, Dtype::boolean)); },
                           "sum: expected a numeric dtype, received bool (3,)");
  expect_error<ShapeError>(
      [] {
        ops::argmax(input({2, 0}));
      },
      "argmax: expected at least one element along axis 1, received shape (2, 0)");
}

TEST(OpErrors, Shapes) {
  expect_error<ShapeError>(
      [] {
        ops::reshape(input({2, 3}), {4});
      },
      "reshape: expected a shape of 6 elements for an input of shape (2, 3), received (4,)");
  expect_error<ShapeError>(
      [] {
        ops::reshape(input({2, 3}), {None, 4});
      },
      "reshape: expected a shape that divides 6 elements for an input of shape (2, 3), received (None, 4)");
  expect_error<ShapeError>(
      [] {
        ops::reshape(input({2, 3}), {None, None});
      },
      "reshape: expected at most one unknown dimension for an input of shape (2, 3), received (None, None)");
  expect_error<ShapeError>(
      [] {
        ops::transpose(input({2, 3}), {0, 0});
      },
      "transpose: expected a permutation of the axes 0 to 1 of an input of shape (2, 3), received [0, 0]");
  expect_error<ShapeError>(
      [] {
        ops::broadcast_to(input({3}), {2, 4});
      },
      "broadcast_to: expected a shape that broadcasts to (2, 4), received (3,)");
  expect_error<ShapeError>([] { ops::expand_dims(input({3}), 3); },
                           "expand_dims: axis must be in [-2, 2) for a tensor of rank 2, received 3");
  expect_error<ShapeError>(
      [] {
        ops::squeeze(input({3, 1}), {0});
      },
      "squeeze: expected axis 0 to have size 1, received shape (3, 1)");
  expect_error<ShapeError>(
      [] {
        ops::flip(input({3, 1}), {0, -2});
      },
      "flip: expected every axis once, received axes [0, -2]");
}

TEST(OpErrors, Parts) {
  expect_error<ShapeError>([] { ops::slice(input({4}), {1}, {5}); },
                           "slice: expected 0 <= begin <= end <= size and step >= 1 on every axis of (4,), received "
                           "begin=[1] end=[5] step=[1]");
  expect_error<ShapeError>(
      [] {
        ops::slice(input({4, 2}), {1}, {3});
      },
      "slice: expected one begin, end and step an axis of (4, 2), received begin=[1] end=[3] step=[1]");
  expect_error<ShapeError>([] { ops::concatenate({}, 0); }, "concatenate: expected at least one tensor, received none");
  expect_error<ShapeError>(
      [] {
        ops::concatenate({input({2, 3}), input({2, 4})}, 0);
      },
      "concatenate: expected shapes that are equal except along axis 0, received (2, 3) and (2, 4)");
  expect_error<DtypeError>(
      [] {
        ops::concatenate({input({2}), input({2}, Dtype::int32)});
      },
      "concatenate: expected tensors of one dtype, received float32 (2,) and int32 (2,)");
  expect_error<ShapeError>([] { ops::stack({}); }, "stack: expected at least one tensor, received none");
  expect_error<ShapeError>(
      [] {
        ops::stack({input({2}), input({3})});
      },
      "stack: expected tensors of one shape, received (2,) and (3,)");
  expect_error<ShapeError>(
      [] { ops::pad(input({2}), {-1}, {0}); },
      "pad: expected one count >= 0 before and after every axis of (2,), received before=[-1] after=[0] "
      "value=0");
}

TEST(OpErrors, Rows) {
  expect_error<DtypeError>(
      [] {
        ops::gather(input({4, 2}), input({3}));
      },
      "gather: expected ids of dtype int32 or int64, received float32 (3,)");
  expect_error<ShapeError>([] { ops::gather(input({}), input({3}, Dtype::int64)); },
                           "gather: expected a tensor with rows, received a scalar");
  expect_error<ShapeError>(
      [] {
        ops::scatter_add(input({3}, Dtype::int64), input({4, 2}), 5);
      },
      "scatter_add: expected updates whose shape begins with that of ids (3,), received (4, 2)");
  expect_error<DtypeError>([] { ops::scatter_add(input({3}, Dtype::int64), input({3}, Dtype::boolean), 5); },
                           "scatter_add: expected updates of a numeric dtype, received bool (3,)");
  expect_error<DtypeError>([] { ops::one_hot(input({3}), 5); }, "one_hot: expected integer ids, received float32 (3,)");
  expect_error<ShapeError>([] { ops::one_hot(input({3}, Dtype::int32), -2); },
                           "one_hot: expected a depth of at least 0, received -2");
  expect_error<DtypeError>([] { ops::iota({3}, 0, Dtype::boolean); }, "iota: expected a numeric dtype, received bool");
}

TEST(OpErrors, Softmax) {
  expect_error<DtypeError>([] { ops::softmax(input({3}, Dtype::int32)); },
                           "softmax: expected a floating dtype, received int32 (3,)");
  expect_error<ShapeError>([] { ops::log_softmax(input({})); },
                           "log_softmax: expected at least one axis, received a scalar");
  expect_error<ShapeError>([] { ops::softmax(input({3}), 1); },
                           "softmax: axis must be in [-1, 1) for a tensor of rank 1, received 1");
  expect_error<ShapeError>(
      [] {
        ops::sparse_softmax_cross_entropy(input({None, 10}), input({None, 1}, Dtype::int64));
      },
      "sparse_softmax_cross_entropy: expected labels of shape (None,) for logits of shape (None, 10), "
      "received (None, 1)");
  expect_error<DtypeError>(
      [] {
        ops::sparse_softmax_cross_entropy(input({2, 10}), input({2}));
      },
      "sparse_softmax_cross_entropy: expected integer labels, received float32 (2,)");
}

TEST(OpErrors, NameTheLayerBeingCalled) {
  const LayerScope scope("dense_1");
  expect_error<ShapeError>(
      [] { ops::reshape(input({2}), {3}); },
      "layer 'dense_1': reshape: expected a shape of 2 elements for an input of shape (2,), received (3,)");
}

}  // namespace
}  // namespace strata
