// SPDX-License-Identifier: Apache-2.0
// Memory of the program as data of a model: read where it is, at any strides, each time it is needed.
#include "core/tensor/host_view.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>

#include "core/training/host_array.h"
#include "strata/strata.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/expect_error.h"
#include "tests/support/guarded_device.h"

namespace strata {
namespace {

using testing::expect_error;

constexpr Dim kRows = 24, kColumns = 8;

/// A table of particles, [kRows][kColumns].
std::vector<double> table(Dim rows = kRows) {
  std::vector<double> values;
  for (Dim i = 0; i < rows * kColumns; ++i) values.push_back(std::sin(static_cast<double>(i * i % 101)));
  return values;
}

/// Columns [first, first + count) of a table, copied.
Tensor copy_columns(const std::vector<double>& values, Dim first, Dim count) {
  std::vector<double> copy;
  for (std::size_t row = 0; row * kColumns < values.size(); ++row) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(row * kColumns + static_cast<std::size_t>(first));
    copy.insert(copy.end(), begin, begin + count);
  }
  return constant(copy, {static_cast<Dim>(values.size()) / kColumns, count});
}

std::vector<double> row_of(const HostArray& array, Dim row) {
  std::vector<double> values(static_cast<std::size_t>(array.row_shape().elements()));
  array.copy_row(row, reinterpret_cast<std::byte*>(values.data()));
  return values;
}

Model small_model() {
  clear_session();
  auto input = Input({3});
  Tensor x = layers::Dense(6, {.activation = "tanh"})(input);
  Model model(input, layers::Dense(1)(x), "small");
  model.compile({.optimizer = optimizers::SGD({.learning_rate = 0.1}), .loss = "mse"});
  return model;
}

TEST(HostView, ReadsColumnsOfATable) {
  const auto values = table();
  const Tensor view = host_view(&values[2], {kRows, 3}, {kColumns, 1});
  EXPECT_EQ(view.spec(), (TensorSpec{{kRows, 3}, Dtype::float64}));
  EXPECT_EQ(view.to_vector<double>(), copy_columns(values, 2, 3).to_vector<double>());
}

TEST(HostView, ReadsInAnyOrder) {
  const std::vector<std::int32_t> values{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  const auto read = [&](std::size_t begin, const Shape& shape, const std::vector<Dim>& strides) {
    return host_view(&values[begin], shape, strides).to_vector<std::int32_t>();
  };
  using Values = std::vector<std::int32_t>;
  EXPECT_EQ(read(0, {4, 3}, {1, 4}), (Values{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11})) << "stored by columns";
  EXPECT_EQ(read(11, {3, 2}, {-4, -1}), (Values{11, 10, 7, 6, 3, 2})) << "backwards";
  EXPECT_EQ(read(5, {2, 3}, {1, 0}), (Values{5, 5, 5, 6, 6, 6})) << "repeated";
  EXPECT_EQ(read(0, {2, 2, 1, 2}, {6, 3, 99, 1}), (Values{0, 1, 3, 4, 6, 7, 9, 10}));
  EXPECT_EQ(read(0, {0, 3}, {3, 1}), Values{});
}

TEST(HostView, ReadsFieldsThatAreNotAligned) {
#pragma pack(push, 1)
  struct Particle {
    char kind;
    double position[3];
    float charge;
  };
#pragma pack(pop)
  std::vector<Particle> particles;
  for (int i = 0; i < 5; ++i) particles.push_back({'a', {i + 0.5, i + 0.25, -1.0 * i}, 2.0F * static_cast<float>(i)});
  const auto stride = static_cast<Dim>(sizeof(Particle));
  const auto* first = reinterpret_cast<const std::byte*>(particles.data());
  const Tensor positions =
      host_view_bytes(first + offsetof(Particle, position), {{5, 3}, Dtype::float64}, {stride, sizeof(double)});
  const Tensor charges = host_view_bytes(first + offsetof(Particle, charge), {{5}, Dtype::float32}, {stride});
  EXPECT_EQ(row_of(HostArray(positions), 4), (std::vector<double>{4.5, 4.25, -4.0}));
  EXPECT_EQ(charges.to_vector<float>(), (std::vector<float>{0, 2, 4, 6, 8}));
  EXPECT_FALSE(HostArray(positions).dense());
}

TEST(HostView, StaysWhereItIs) {
  const auto values = table();
  const HostArray rows(host_view(values.data(), {kRows, kColumns}, {kColumns, 1}));
  EXPECT_TRUE(rows.dense());
  EXPECT_EQ(rows.row(3), reinterpret_cast<const std::byte*>(&values[3 * kColumns]));
  const HostArray column(ops::expand_dims(host_view(&values[7], {kRows}, {kColumns}), -1));
  EXPECT_EQ(column.row_shape(), (Shape{1}));
  EXPECT_FALSE(column.dense());
  EXPECT_EQ(row_of(column.rows(4, 9), 1), (std::vector<double>{values[5 * kColumns + 7]}));
}

TEST(HostView, TrainsToTheBitsOfACopy) {
  const auto values = table();
  const auto train = [&](const Tensor& x, const Tensor& y, const Tensor& weights) {
    Model model = small_model();
    for (const Dim blocks : {1, 3}) model.train_on_batch(x, y, {.sample_weight = weights, .blocks = blocks});
    model.fit(x, y, {.batch_size = 7, .verbose = 0, .validation_split = 0.2, .sample_weight = weights, .blocks = 2});
    model.evaluate(x, y, {.verbose = 0});
    const auto predicted = model.predict(x).to_vector<float>();
    return std::pair(model.weights_hash(), predicted);
  };
  const auto copied =
      train(copy_columns(values, 2, 3), copy_columns(values, 7, 1), ops::reshape(copy_columns(values, 0, 1), {kRows}));
  const auto viewed =
      train(host_view(&values[2], {kRows, 3}, {kColumns, 1}), host_view(&values[7], {kRows, 1}, {kColumns, 1}),
            host_view(values.data(), {kRows}, {kColumns}));
  EXPECT_EQ(viewed, copied);
  testing::GuardedDevice device;
  const DeviceScope scope(device);
  const auto on_device =
      train(host_view(&values[2], {kRows, 3}, {kColumns, 1}), host_view(&values[7], {kRows, 1}, {kColumns, 1}),
            host_view(values.data(), {kRows}, {kColumns}));
  EXPECT_EQ(on_device, copied);
}

TEST(HostView, ShowsTrainingWhatTheMemoryHoldsAtTheTime) {
  auto values = table();
  std::vector<Float16> halves(kRows, Float16(0.5F));
  const Tensor x = host_view(&values[2], {kRows, 3}, {kColumns, 1});
  for (const Tensor& y : {host_view(&values[7], {kRows}, {kColumns}), host_view(halves.data(), {kRows}, {1})}) {
    Model model = small_model();
    Model expected = small_model();
    for (int step = 0; step < 3; ++step) {
      for (double& value : values) value = value * 0.5 + 0.1;
      for (Float16& half : halves) half = Float16(static_cast<float>(step));
      model.train_on_batch(x, y);
      const Tensor targets = y.dtype() == Dtype::float16 ? ops::full({kRows, 1}, step) : copy_columns(values, 7, 1);
      expected.train_on_batch(copy_columns(values, 2, 3), targets);
    }
    EXPECT_EQ(model.weights()[0].value().to_vector<float>(), expected.weights()[0].value().to_vector<float>());
  }
}

TEST(HostView, IsNeverCopiedWhole) {
  const Dim rows = 50'000;
  const auto values = table(rows);
  Model model = small_model();
  testing::start_counting_allocations();
  const Tensor x = host_view(&values[2], {rows, 3}, {kColumns, 1});
  const Tensor y = host_view(&values[7], {rows}, {kColumns});
  const Tensor weights = host_view(values.data(), {rows}, {kColumns});
  model.fit(x, y, {.batch_size = 32, .verbose = 0, .sample_weight = weights, .max_steps = 20});
  const int allocations = testing::stop_counting_allocations();
  EXPECT_GT(allocations, 0);
  EXPECT_LT(testing::largest_counted_allocation(), values.size() * sizeof(double) / 20) << "a column has an eighth";
}

TEST(HostView, LabelsAreChecked) {
  std::vector<std::int32_t> records{0, 9, 1, 9, 2, 9, 3, 9};  // label, something else
  clear_session();
  auto input = Input({1});
  Model model(input, layers::Dense(3)(input), "labels");
  model.compile({.optimizer = "sgd", .loss = losses::SparseCategoricalCrossentropy({.from_logits = true})});
  const Tensor labels = host_view(records.data(), {4}, {2});
  expect_error<ConfigError>(
      [&] {
        model.train_on_batch(ops::ones({4, 1}), labels);
      },
      "SparseCategoricalCrossentropy: expected labels in [0, 3), received 3 in sample 3");
  records[6] = 0;
  model.train_on_batch(ops::ones({4, 1}), labels);
  model.train_on_batch(ops::ones({4, 1}), labels, {.class_weight = {{2, 3.0}}});
  EXPECT_EQ(model.iterations(), 2);
}

TEST(HostView, RefusesWhatIsNoArray) {
  const double value = 1.0;
  expect_error<ShapeError>([&] { host_view(&value, {}, {}); },
                           "host_view: expected an axis of samples, received shape ()");
  expect_error<ShapeError>(
      [&] {
        host_view(&value, {None, 3}, {3, 1});
      },
      "host_view: expected known dimensions, received shape (None, 3)");
  expect_error<ShapeError>(
      [&] {
        host_view(&value, {1, 1}, {1});
      },
      "host_view: expected a stride for each of the 2 axes of shape (1, 1), received 1");
  const double* const none = nullptr;
  expect_error<ConfigError>([&] { host_view(none, {2}, {1}); },
                            "host_view: expected memory for float64 (2,), received a null pointer");
  EXPECT_EQ(HostArray(host_view(none, {0, 3}, {3, 1})).rows(), 0);
}

TEST(HostView, OfAnotherShapeIsRefusedByTheModel) {
  const auto values = table();
  Model model = small_model();
  expect_error<ShapeError>(
      [&] {
        model.train_on_batch(host_view(values.data(), {kRows, 4}, {kColumns, 1}), ops::ones({kRows, 1}));
      },
      "Error when checking input: expected input_1 to have shape (3,) but got array with shape (4,)");
  testing::expect_error_with<ConfigError>(
      [&] {
        model.train_on_batch(host_view(values.data(), {kRows, 3}, {kColumns, 1}),
                             host_view(values.data(), {kRows - 1}, {kColumns}));
      },
      "All arrays should have the same number of samples.");
}

}  // namespace
}  // namespace strata
