// SPDX-License-Identifier: Apache-2.0
#include "core/training/transforms.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "core/base/error.h"
#include "strata/strata.h"
#include "tests/support/counting_source.h"
#include "tests/support/expect_error.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

using testing::expect_error_with;
using transforms::TransformRef;

/// What a transform makes of one row.
template <class From, class To>
std::vector<To> applied(const TransformRef& transform, const std::vector<From>& row, const Shape& shape,
                        const SampleRef& sample = {}) {
  const TensorSpec from{shape, dtype_of<From>()}, to = transform->infer(from);
  EXPECT_EQ(to.dtype, dtype_of<To>());
  std::vector<To> result(static_cast<std::size_t>(to.shape.elements()));
  transform->apply(from, reinterpret_cast<const std::byte*>(row.data()), reinterpret_cast<std::byte*>(result.data()),
                   sample);
  return result;
}

std::vector<std::uint8_t> picture(Dim height, Dim width, Dim channels) {
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(height * width * channels));
  std::iota(pixels.begin(), pixels.end(), std::uint8_t{1});
  return pixels;
}

TEST(Transforms, NormalizeScalesAndCentresTheLastAxis) {
  const auto whole = transforms::normalize({.scale = 1 / 255.0});
  EXPECT_EQ((applied<std::uint8_t, float>(whole, {0, 51, 255}, {3})), (std::vector<float>{0, 51 * (1 / 255.0F), 1}));
  const auto by_channel = transforms::normalize({.mean = {1, 2}, .stddev = {2, 4}});
  EXPECT_EQ((applied<std::int32_t, float>(by_channel, {3, 10, 1, -2}, {2, 2})), (std::vector<float>{1, 2, 0, -1}));
  EXPECT_EQ((applied<double, float>(transforms::normalize({.offset = 1, .mean = {3}}), {3, 10}, {2})),
            (std::vector<float>{1, 8}));
  expect_error_with<ShapeError>([&] { by_channel->infer({{2, 3}, Dtype::uint8}); }, "as many as means");
  expect_error_with<DtypeError>([&] { whole->infer({{3}, Dtype::float16}); }, "received float16");
  expect_error_with<ConfigError>([] { transforms::normalize({.stddev = {0}}); }, "stddev other than 0");
}

/// The part of the padded picture that a crop is, for every place that it can have.
TEST(Transforms, RandomCropsAreAllPartsOfThePaddedPicture) {
  const Dim height = 4, width = 5, channels = 2;
  const auto pixels = picture(height, width, channels);
  const auto crop = transforms::random_crop({.height = 3, .width = 4, .padding = 2});
  std::set<std::vector<std::uint8_t>> parts, seen;
  const auto at = [&](Dim y, Dim x, Dim c) {
    const bool inside = y >= 0 && y < height && x >= 0 && x < width;
    return inside ? pixels[static_cast<std::size_t>((y * width + x) * channels + c)] : std::uint8_t{0};
  };
  for (Dim top = -2; top + 3 <= height + 2; ++top) {
    for (Dim left = -2; left + 4 <= width + 2; ++left) {
      std::vector<std::uint8_t> part;
      for (Dim y = 0; y < 3; ++y) {
        for (Dim x = 0; x < 4; ++x) {
          for (Dim c = 0; c < channels; ++c) part.push_back(at(top + y, left + x, c));
        }
      }
      parts.insert(part);
    }
  }
  for (std::int64_t index = 0; index < 2000; ++index) {
    seen.insert(applied<std::uint8_t, std::uint8_t>(crop, pixels, {height, width, channels}, {0, index, 7}));
  }
  EXPECT_EQ(seen, parts);
  expect_error_with<ShapeError>(
      [&] {
        transforms::random_crop({.height = 9, .width = 4, .padding = 2})->infer({{4, 5, 1}});
      },
      "at least 5 rows");
  expect_error_with<ConfigError>([] { transforms::random_crop({.height = 0, .width = 1}); }, "at least 1");
}

TEST(Transforms, RandomFlipsAreDrawnEvenly) {
  const auto pixels = picture(2, 3, 2);
  const std::vector<std::uint8_t> across{5, 6, 3, 4, 1, 2, 11, 12, 9, 10, 7, 8},
      down{7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6};
  for (const auto& [mode, flipped] : {std::pair{"horizontal", across}, {"vertical", down}}) {
    const auto flip = transforms::random_flip(mode);
    int count = 0;
    for (std::int64_t index = 0; index < 1000; ++index) {
      const auto result = applied<std::uint8_t, std::uint8_t>(flip, pixels, {2, 3, 2}, {0, index, 3});
      count += result == flipped ? 1 : 0;
      ASSERT_TRUE(result == flipped || result == pixels);
    }
    EXPECT_NEAR(count, 500, 80) << mode;
  }
  std::set<std::vector<std::uint8_t>> seen;
  for (std::int64_t index = 0; index < 100; ++index) {
    seen.insert(applied<std::uint8_t, std::uint8_t>(transforms::random_flip(), pixels, {2, 3, 2}, {0, index, 3}));
  }
  EXPECT_EQ(seen.size(), 4U);
  expect_error_with<ConfigError>([] { transforms::random_flip("diagonal"); }, "received \"diagonal\"");
  expect_error_with<ShapeError>([] { transforms::random_flip()->infer({{3}}); }, "(h, w, ...)");
}

TEST(Transforms, DrawsDependOnSeedAndIndexAlone) {
  const auto pixels = picture(8, 8, 1);
  const auto crop = transforms::random_crop({.height = 4, .width = 4});
  const auto other = transforms::random_crop({.height = 4, .width = 4, .seed = 1});
  const auto series = [&](const TransformRef& transform, std::uint64_t seed, Dim row) {
    std::vector<std::vector<std::uint8_t>> all;
    for (std::int64_t index = 0; index < 30; ++index) {
      all.push_back(applied<std::uint8_t, std::uint8_t>(transform, pixels, {8, 8, 1}, {row, index, seed}));
    }
    return all;
  };
  EXPECT_EQ(series(crop, 1, 0), series(crop, 1, 5));
  EXPECT_NE(series(crop, 1, 0), series(crop, 2, 0));
  EXPECT_NE(series(crop, 1, 0), series(other, 1, 0));
}

TEST(Transforms, OneHot) {
  const auto hot = transforms::one_hot(3);
  EXPECT_EQ((applied<std::int32_t, float>(hot, {2}, {})), (std::vector<float>{0, 0, 1}));
  EXPECT_EQ((applied<std::uint8_t, float>(hot, {0}, {1})), (std::vector<float>{1, 0, 0}));
  expect_error_with<ConfigError>(
      [&] {
        applied<std::int32_t, float>(hot, {3}, {}, {9, 0, 0});
      },
      "expected numbers from 0 to 2, received 3 in sample 9");
  expect_error_with<ConfigError>([&] { applied<std::int32_t, float>(hot, {-1}, {}); }, "received -1");
  expect_error_with<ShapeError>([&] { hot->infer({{2}, Dtype::int32}); }, "expected samples of one number");
  expect_error_with<DtypeError>([&] { hot->infer({{}, Dtype::float32}); }, "expected whole numbers");
  expect_error_with<ConfigError>([] { transforms::one_hot(0); }, "at least 1 class");
}

/// The values in the documentation of keras.utils.pad_sequences.
TEST(Transforms, PadSequencesAsKeras) {
  const std::vector<std::vector<std::int32_t>> sequences{{1}, {2, 3}, {4, 5, 6}};
  EXPECT_EQ(pad_sequences(sequences).to_vector<std::int32_t>(), (std::vector<std::int32_t>{0, 0, 1, 0, 2, 3, 4, 5, 6}));
  EXPECT_EQ(pad_sequences(sequences, {.value = -1}).to_vector<std::int32_t>(),
            (std::vector<std::int32_t>{-1, -1, 1, -1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(pad_sequences(sequences, {.padding = "post"}).to_vector<std::int32_t>(),
            (std::vector<std::int32_t>{1, 0, 0, 2, 3, 0, 4, 5, 6}));
  EXPECT_EQ(pad_sequences(sequences, {.maxlen = 2}).to_vector<std::int32_t>(),
            (std::vector<std::int32_t>{0, 1, 2, 3, 5, 6}));
  EXPECT_EQ(pad_sequences(sequences, {.maxlen = 2, .truncating = "post"}).to_vector<std::int32_t>(),
            (std::vector<std::int32_t>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(pad_sequences({}).shape(), (Shape{0, 0}));
  expect_error_with<ConfigError>([&] { pad_sequences(sequences, {.padding = "left"}); }, "received \"left\"");
}

TEST(Transforms, PadSequencesOfRows) {
  EXPECT_EQ((applied<float, float>(transforms::pad_sequences({.maxlen = 3}), {1, 2, 3, 4}, {2, 2})),
            (std::vector<float>{0, 0, 1, 2, 3, 4}));
  EXPECT_EQ((applied<std::int32_t, std::int32_t>(transforms::pad_sequences({.maxlen = 1}), {7, 8}, {2})),
            (std::vector<std::int32_t>{8}));
  expect_error_with<ConfigError>([] { transforms::pad_sequences({}); }, "maxlen of at least 1");
}

TEST(Transforms, MapTakesAnArrayByPlaceOrName) {
  const Tensor a = constant<float>({1, 2}, {2}), y = constant<std::int32_t>({0, 2}, {2});
  const Dataset data = Dataset::from_tensor_slices({{"a", a}, {"b", ops::ones({2, 3})}}, y);
  using Part = SampleTarget::Part;
  const Dataset hot = data.map(transforms::one_hot(3), {.part = Part::y});
  EXPECT_EQ(hot.source()->specs().y[0].row, (TensorSpec{{3}, Dtype::float32}));
  const Dataset named = hot.map(transforms::normalize({.scale = 2}), {.name = "b"});
  std::vector<float> b(6), labels(6);
  named.source()->read(std::vector<SampleRef>{{1, 0, 0}, {0, 1, 0}},
                       std::vector<std::byte*>{nullptr, reinterpret_cast<std::byte*>(b.data()),
                                               reinterpret_cast<std::byte*>(labels.data())});
  EXPECT_EQ(b, std::vector<float>(6, 2.0F));
  EXPECT_EQ(labels, (std::vector<float>{0, 0, 1, 1, 0, 0}));
  expect_error_with<ConfigError>([&] { data.map(transforms::one_hot(3), {.name = "c"}); }, "no array \"c\"");
  expect_error_with<ConfigError>([&] { data.map(transforms::one_hot(3), {.part = Part::y, .index = 1}); },
                                 "expected the index of one of 1 arrays, received 1");
  expect_error_with<ConfigError>([&] { data.batch(2).map(transforms::one_hot(3)); }, "received batches of 2");
}

/// Random transforms draw the same whatever the ranks and threads are, and anew in every epoch.
TEST(Transforms, TrainingWithThemHasEqualBitsOnAnyRanks) {
  const Dim rows = 23;
  const Tensor x = ops::cast(ops::random_uniform({constant<std::int64_t>({1, 0, 0}, {3})}, {rows, 6, 6, 1}, 0.0, 255.0),
                             Dtype::uint8);
  std::vector<std::int32_t> labels;
  for (Dim i = 0; i < rows; ++i) labels.push_back(static_cast<std::int32_t>(i % 4));
  const Tensor y = constant(labels, {rows});
  x.eval();
  std::vector<std::uint64_t> hashes;
  for (int ranks = 1; ranks <= 4; ++ranks) {
    for (const int threads : {0, 3}) {
      testing::run_ranks(ranks, [&](Communicator& communicator) {
        clear_session();
        set_seed(1);
        const Tensor input = Input({5, 5, 1});
        Model model(input, layers::Dense(4)(layers::Flatten()(input)));
        model.compile({.optimizer = "sgd", .loss = losses::CategoricalCrossentropy({.from_logits = true})});
        const Dataset data = Dataset::from_tensor_slices(x, y)
                                 .map(transforms::random_crop({.height = 5, .width = 5, .padding = 1}))
                                 .map(transforms::random_flip())
                                 .map(transforms::normalize({.scale = 1 / 255.0}))
                                 .map(transforms::one_hot(4), {.part = SampleTarget::Part::y});
        model.fit(data.shuffle().batch(8).prefetch({.threads = threads}), {.epochs = 2, .verbose = 0, .blocks = 4});
        if (communicator.rank() == 0) hashes.push_back(model.weights_hash());
      });
    }
  }
  EXPECT_EQ(hashes, std::vector<std::uint64_t>(8, hashes[0]));
}

}  // namespace
}  // namespace strata
