// SPDX-License-Identifier: Apache-2.0
// Pictures in class folders, against what Keras makes of them on TensorFlow (tests/golden/loaders.py).
#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/error.h"
#include "io/loaders/loaders.h"
#include "io/png.h"
#include "tests/io/expect_io_error.h"
#include "tests/io/few_files.h"
#include "tests/io/loaded_samples.h"
#include "tests/support/expect_error.h"
#include "tests/support/files.h"
#include "tests/support/golden_values.h"

namespace strata {
namespace {

using loaders::image_dataset_from_directory;
using loaders::ImageDirectoryOptions;
using testing::elements_of;
using testing::expect_error_with;
using testing::expect_io_error;

std::string pictures() { return std::string(STRATA_GOLDEN_DIR) + "/loaders/pictures"; }

void expect_golden(const std::string& variant, ImageDirectoryOptions options) {
  options.height = 6;
  options.width = 9;
  const auto golden = testing::read_golden("loaders/pictures.json").at(variant);
  const Dataset data = image_dataset_from_directory(pictures(), options);
  const auto expected = golden.at("x").get<std::vector<float>>(), received = elements_of<float>(data, 0);
  ASSERT_EQ(received.size(), expected.size()) << variant;
  EXPECT_EQ(Shape({data.source()->rows()}).concat(data.source()->specs().x[0].row.shape),
            Shape(golden.at("shape").get<std::vector<Dim>>()))
      << variant;
  for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(received[i], expected[i], 1e-3) << variant << " " << i;
  EXPECT_EQ(golden.contains("y"), !data.source()->specs().y.empty()) << variant;
  if (!golden.contains("y")) return;
  const bool numbers = data.source()->specs().y[0].row.dtype == Dtype::int32;
  const auto y = golden.at("y").get<std::vector<float>>();
  if (numbers) {
    EXPECT_EQ(elements_of<std::int32_t>(data, 1), std::vector<std::int32_t>(y.begin(), y.end())) << variant;
  } else {
    EXPECT_EQ(elements_of<float>(data, 1), y) << variant;
  }
  EXPECT_EQ(Shape({data.source()->rows()}).concat(data.source()->specs().y[0].row.shape),
            Shape(golden.at("y_shape").get<std::vector<Dim>>()))
      << variant;
}

TEST(ImageDirectory, HoldsWhatKerasFinds) {
  expect_golden("plain", {});
  expect_golden("grayscale", {.color_mode = "grayscale"});
  expect_golden("nearest", {.interpolation = "nearest"});
  expect_golden("cropped", {.crop_to_aspect_ratio = true});
  expect_golden("categorical", {.label_mode = "categorical"});
  expect_golden("chosen", {.label_mode = "binary", .class_names = {"dogs", "cats"}});
  expect_golden("unlabelled", {.labels = "none", .label_mode = "none"});
}

TEST(ImageDirectory, WhatDoesNotFitIsAnError) {
  const testing::TemporaryDirectory directory;
  expect_io_error([&] { image_dataset_from_directory(directory.path("none")); }, directory.path("none"),
                  "expected a directory of pictures");
  expect_error_with<ConfigError>([&] { image_dataset_from_directory(directory.path()); },
                                 "No images found in directory");
  expect_error_with<ConfigError>([] { image_dataset_from_directory(pictures(), {.label_mode = "binary"}); },
                                 "there must be exactly 2 class_names");
  expect_error_with<ConfigError>([] { image_dataset_from_directory(pictures(), {.class_names = {"birds"}}); },
                                 "Expected: ['cats', 'dogs', 'dogs-2'] (or a subset of it)");
  expect_error_with<ConfigError>([] { image_dataset_from_directory(pictures(), {.color_mode = "cmyk"}); },
                                 "expected color_mode to be one of ['rgb', 'rgba', 'grayscale'], received 'cmyk'");
  expect_error_with<ConfigError>([] { image_dataset_from_directory(pictures(), {.height = 0}); }, "of at least 1");
  std::filesystem::create_directory(directory.path("a"));
  testing::write_file(directory.path("a/x.png"), {1, 2, 3});
  const Dataset data = image_dataset_from_directory(directory.path());
  expect_io_error([&] { elements_of<float>(data, 0); }, directory.path("a/x.png"), "expected a PNG file");
}

TEST(ImageDirectory, ManyPicturesAreOpenOneAThread) {
  const testing::TemporaryDirectory directory;
  for (int i = 0; i < 300; ++i) {
    write_png(directory.path(std::to_string(1000 + i) + ".png"),
              constant<std::uint8_t>({static_cast<std::uint8_t>(i % 10)}, {1, 1, 1}));
  }
  const testing::FewFiles limit(10);
  const Dim before = testing::open_files();
  const auto source = loaders::image_dataset_from_directory(
                          directory.path(), {.labels = "none", .color_mode = "grayscale", .height = 1, .width = 1})
                          .source();
  const auto all = elements_of<float>(*source, 0, {0, 57, 299});
  EXPECT_EQ(all, (std::vector<float>{0, 7, 9}));
  EXPECT_EQ(testing::open_files(), before);
}

}  // namespace
}  // namespace strata
