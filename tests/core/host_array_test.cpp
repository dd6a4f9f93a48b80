// SPDX-License-Identifier: Apache-2.0
#include "core/training/host_array.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/tensor/variable.h"
#include "tests/support/guarded_device.h"

namespace strata {
namespace {

std::int32_t first_of_row(const HostArray& array, Dim row) {
  std::int32_t value = 0;
  std::memcpy(&value, array.row(row), sizeof(value));
  return value;
}

TEST(HostArray, GivesRows) {
  const HostArray array(constant({1, 2, 3, 4, 5, 6}, {3, 2}));
  EXPECT_TRUE(array);
  EXPECT_EQ(array.spec(), (TensorSpec{{3, 2}, Dtype::int32}));
  EXPECT_EQ(array.rows(), 3);
  EXPECT_EQ(array.row_bytes(), 8u);
  EXPECT_EQ(array.row_shape(), (Shape{2}));
  EXPECT_EQ(first_of_row(array, 2), 5);
}

TEST(HostArray, EmptyHandle) {
  const HostArray array;
  EXPECT_FALSE(array);
  EXPECT_EQ(array.rows(), 0);
}

TEST(HostArray, SharesHostMemoryAndKeepsItAlive) {
  Tensor tensor = constant({1, 2, 3}, {3});
  const HostArray array(tensor);
  EXPECT_EQ(array.row(0), tensor.eval().data());
  tensor = Tensor();
  EXPECT_EQ(first_of_row(array, 1), 2);
}

TEST(HostArray, RangesOfRangesShareTheMemory) {
  const HostArray array(constant({0, 1, 2, 3, 4, 5}, {6}));
  const HostArray part = array.rows(1, 5).rows(1, 3);
  EXPECT_EQ(part.rows(), 2);
  EXPECT_EQ(part.spec().shape, (Shape{2}));
  EXPECT_EQ(part.row(0), array.row(2));
  EXPECT_EQ(array.rows(6, 6).rows(), 0);
  EXPECT_THROW(part.rows(0, 3), ShapeError);
  EXPECT_THROW(part.rows(-1, 1), ShapeError);
  EXPECT_THROW(part.rows(2, 1), ShapeError);
}

TEST(HostArray, LaterAssignmentsToAVariableAreNotSeen) {
  const Variable variable("w", constant({1, 2}, {2}));
  const HostArray array(variable.value());
  const HostArray view(ops::reshape(variable.value(), {2, 1}));
  variable.assign(constant({7, 8}, {2}));
  EXPECT_EQ(first_of_row(array, 0), 1);
  EXPECT_EQ(first_of_row(view, 1), 2);
}

TEST(HostArray, CopiesFromADeviceTheHostCannotRead) {
  testing::GuardedDevice device;
  Tensor tensor;
  {
    const DeviceScope scope(device);
    tensor = constant({4, 5, 6}, {3}) + 1.0;
    tensor.eval();
  }
  const HostArray array(tensor);
  EXPECT_EQ(first_of_row(array, 2), 7);
}

TEST(HostArray, NoRows) {
  const HostArray array(ops::zeros({0, 4}));
  EXPECT_TRUE(array);
  EXPECT_EQ(array.rows(), 0);
  EXPECT_EQ(array.row_bytes(), 16u);
}

TEST(HostArray, ScalarsAndSymbolsAreErrors) {
  EXPECT_THROW(HostArray(scalar(1.0)), ShapeError);
  EXPECT_THROW(HostArray(placeholder({{2}, Dtype::float32})), GraphError);
}

TEST(Arrays, FromOneTensorAListOrNothing) {
  const Tensor a = scalar(1.0);
  EXPECT_EQ(Arrays(a).tensors().size(), 1u);
  EXPECT_EQ(Arrays({a, a}).tensors().size(), 2u);
  EXPECT_TRUE(Arrays().empty());
}

}  // namespace
}  // namespace strata
