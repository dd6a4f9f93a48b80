// SPDX-License-Identifier: Apache-2.0
// Data files of every kind, written by NumPy and h5py (tests/golden/loaders.py) or byte by byte here.
#include "io/loaders/loaders.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "core/base/error.h"
#include "io/hdf5_file.h"
#include "strata/strata.h"
#include "tests/io/expect_io_error.h"
#include "tests/io/loaded_samples.h"
#include "tests/support/expect_error.h"
#include "tests/support/files.h"
#include "tests/support/golden_values.h"
#include "tests/support/ranks.h"

namespace strata {
namespace {

using testing::elements_of;
using testing::expect_error_with;
using testing::expect_io_error;
using testing::TemporaryDirectory;
using testing::write_file;

constexpr Dim kRows = 37;

std::string golden(const std::string& name) { return std::string(STRATA_GOLDEN_DIR) + "/loaders/" + name; }

struct Expected {
  std::vector<std::uint8_t> images;
  std::vector<std::int32_t> labels;
  std::vector<float> weights;
};

Expected expected() {
  const auto json = testing::read_golden("loaders/expected.json");
  return {json.at("images").get<std::vector<std::uint8_t>>(), json.at("labels").get<std::vector<std::int32_t>>(),
          json.at("weights").get<std::vector<float>>()};
}

loaders::Hdf5Options all_arrays() {
  return {.x = {"train/images"}, .y = {"train/labels"}, .sample_weight = {"train/weights"}};
}

std::vector<std::string> stored_as(const std::string& name) {
  if (name == "parts") return {golden("part_1.h5"), golden("part_2.h5")};
  return {golden(name + ".h5")};
}

const std::vector<std::string> kStorage{"packed", "chunked", "contiguous", "virtual", "parts"};

TEST(Loaders, Hdf5HoweverItIsStored) {
  const Expected truth = expected();
  for (const std::string& storage : kStorage) {
    const Dataset data = loaders::hdf5(stored_as(storage), all_arrays());
    const auto& specs = data.source()->specs();
    EXPECT_EQ(data.source()->rows(), kRows) << storage;
    EXPECT_EQ(specs.x[0].row, (TensorSpec{{3, 2}, Dtype::uint8})) << storage;
    EXPECT_EQ(specs.y[0].row, (TensorSpec{{}, Dtype::int32})) << storage;
    EXPECT_EQ(elements_of<std::uint8_t>(data, 0), truth.images) << storage;
    EXPECT_EQ(elements_of<std::int32_t>(data, 1), truth.labels) << storage;
    EXPECT_EQ(elements_of<float>(data, 2), truth.weights) << storage;
  }
}

// HDF5 itself would give zeros.
TEST(Loaders, VirtualArraysWhoseFilesAreNotThereAreErrors) {
  const TemporaryDirectory directory;
  for (const char* name : {"virtual.h5", "part_1.h5"}) {
    std::filesystem::copy_file(golden(name), directory.path(name));
  }
  const std::string path = directory.path("virtual.h5");
  expect_io_error([&] { loaders::hdf5({path}, all_arrays()); }, path, "expected the file part_2.h5");
}

TEST(Loaders, Hdf5RowsInAnyOrderWithSmallCaches) {
  const Expected truth = expected();
  std::mt19937 random(5);
  for (const std::string& storage : kStorage) {
    for (const Dim chunk_rows : {0, 1, 5}) {
      loaders::Hdf5Options options = all_arrays();
      options.chunk_rows = chunk_rows;
      options.cache_mb = 1e-4;  // two chunks, the least
      const auto source = loaders::hdf5(stored_as(storage), options).source();
      std::vector<Dim> rows;
      for (int i = 0; i < 200; ++i) rows.push_back(static_cast<Dim>(random() % kRows));
      const auto labels = elements_of<std::int32_t>(*source, 1, rows);
      const auto images = elements_of<std::uint8_t>(*source, 0, rows);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        ASSERT_EQ(labels[i], truth.labels[static_cast<std::size_t>(rows[i])]) << storage;
        for (std::size_t k = 0; k < 6; ++k) {
          ASSERT_EQ(images[6 * i + k], truth.images[6 * static_cast<std::size_t>(rows[i]) + k]) << storage;
        }
      }
    }
  }
}

TEST(Loaders, Hdf5ArraysByName) {
  loaders::Hdf5Options options = all_arrays();
  options.named = true;
  const auto source = loaders::hdf5(stored_as("packed"), options).source();
  EXPECT_EQ(source->specs().x[0].name, "images");
  EXPECT_EQ(source->specs().sample_weight[0].name, "weights");
}

/// Unpacked rows, read in order, are read alone: those of this rank and no others.
TEST(Loaders, Hdf5ReadsNoMoreThanTheRowsThatAreAskedFor) {
  for (const std::string storage : {"chunked", "contiguous", "virtual"}) {
    const auto source = loaders::hdf5(stored_as(storage), all_arrays()).source();
    const std::int64_t before = source->bytes_read();
    elements_of<std::uint8_t>(*source, 0, {9, 10, 11});
    EXPECT_EQ(source->bytes_read() - before, 3 * 6) << storage;
  }
}

TEST(Loaders, Hdf5FilesThatDoNotFitAreErrors) {
  const TemporaryDirectory directory;
  const std::string file = golden("packed.h5"), text = directory.path("text.h5"), other = directory.path("other.h5");
  write_file(text, {'n', 'o'});
  expect_io_error([&] { loaders::hdf5({directory.path("none.h5")}, all_arrays()); }, directory.path("none.h5"),
                  "no such file");
  expect_io_error([&] { loaders::hdf5({directory.path()}, all_arrays()); }, directory.path(), "received a directory");
  expect_io_error([&] { loaders::hdf5({text}, all_arrays()); }, text, "cannot be opened as an HDF5 file");
  expect_io_error([&] { loaders::hdf5({file}, {.x = {"pictures"}}); }, file, "the array pictures is not there");
  Hdf5Writer writer(other);
  writer.write_array("/", "images", constant<float>({1, 2, 3}, {3}));
  writer.write_array("/", "labels", constant<float>({1, 2}, {2}));
  writer.write_array("/", "single", constant<float>({1}, {}));
  writer.commit();
  expect_io_error([&] { loaders::hdf5({other}, {.x = {"images"}, .y = {"labels"}}); }, other,
                  "expected arrays of equally many samples, received 3 in images and 2 in labels");
  expect_io_error([&] { loaders::hdf5({other}, {.x = {"single"}}); }, other, "received a single number");
  expect_io_error(
      [&] {
        loaders::hdf5({golden("part_1.h5"), other}, {.x = {"train/images"}});
      },
      other, "the array train/images is not there");
  expect_error_with<ConfigError>([&] { loaders::hdf5({}, all_arrays()); }, "at least one file");
  expect_error_with<ConfigError>([&] { loaders::hdf5({file}, {}); }, "at least one array x");
  expect_error_with<ConfigError>([&] { loaders::hdf5({file}, {.x = {"train/images"}, .chunk_rows = -1}); },
                                 "chunk_rows of at least 0");
}

TEST(Loaders, NumPyArrays) {
  const Expected truth = expected();
  const Dataset images = loaders::npy(golden("images.npy")), labels = loaders::npy(golden("labels.npy"));
  EXPECT_EQ(elements_of<std::uint8_t>(images, 0), truth.images);
  const Dataset both = Dataset::zip(images, labels);
  EXPECT_EQ(both.source()->specs().x[0].row.shape, (Shape{3, 2}));
  EXPECT_EQ(elements_of<std::int32_t>(both, 1), truth.labels);
  EXPECT_EQ(elements_of<double>(loaders::npy(golden("numbers.npy")), 0)[11], 11.0 / 8);
  EXPECT_EQ(elements_of<std::int32_t>(loaders::npy(golden("version_2.npy")), 0),
            (std::vector<std::int32_t>{0, 1, 2, 3, 4}));
  const auto source = images.source();
  const std::int64_t before = source->bytes_read();
  elements_of<std::uint8_t>(*source, 0, {3, 4, 5, 9});
  EXPECT_EQ(source->bytes_read() - before, 4 * 6);
}

TEST(Loaders, NumPyFilesThatDoNotFitAreErrors) {
  const auto refused = [](const std::string& path, const std::string& what) {
    expect_io_error([&] { loaders::npy(path); }, path, what);
  };
  refused(golden("columns_first.npy"), "expected rows first");
  refused(golden("big_endian.npy"), "received >f4");
  refused(golden("scalar.npy"), "received a single number");
  refused(golden("plain.npz"), "is not an array of NumPy");
  const TemporaryDirectory directory;
  const std::string path = directory.path("a.npy"), whole = testing::read_text(golden("labels.npy"));
  const auto write = [&](const std::string& text) { write_file(path, {text.begin(), text.end()}); };
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    write(whole.substr(0, size));
    EXPECT_THROW(loaders::npy(path), IoError) << size;
  }
  write(whole + "x");
  refused(path, "expected 276 bytes for int32 (37,), received 277");
  const auto with_header = [&](const std::string& header) {
    std::string text = std::string("\x93NUMPY\x01", 7) + '\0' + static_cast<char>(header.size()) + '\0' + header;
    write(text);
  };
  with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }");
  refused(path, "expected a header of NumPy");
  with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (3037000500, 3037000500, 9), }");
  refused(path, "exceeds any file");
  with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (-3,), }");
  refused(path, "expected a header of NumPy");
  with_header("{'descr': '<f4', 'fortran_order': False, 'shape': (3");
  refused(path, "expected a header of NumPy");
  with_header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,), }");
  refused(path, "expected a header of NumPy");
}

TEST(Loaders, AFileThatIsCutShortLaterIsAnErrorOfReading) {
  const TemporaryDirectory directory;
  const std::string path = directory.path("a.npy");
  std::filesystem::copy_file(golden("labels.npy"), path);
  const auto source = loaders::npy(path).source();
  std::filesystem::resize_file(path, 150);
  EXPECT_EQ(elements_of<std::int32_t>(*source, 0, {4})[0], 4);
  expect_io_error([&] { elements_of<std::int32_t>(*source, 0, {20}); }, path, "is cut short");
}

TEST(Loaders, IdxFiles) {
  const TemporaryDirectory directory;
  const auto images = directory.path("images"), labels = directory.path("labels"), packed = directory.path("labels.gz");
  write_file(images, testing::idx(0x0D, {3, 2}, {0x3F, 0x80, 0, 0, 0x40, 0,    0, 0, 0xBF, 0x80, 0, 0,  //
                                                 0,    0,    0, 0, 0x41, 0x20, 0, 0, 0x3E, 0x80, 0, 0}));
  const auto label_bytes = testing::idx(0x08, {3}, {7, 8, 9});
  write_file(labels, label_bytes);
  write_file(packed, testing::gzip(label_bytes));
  for (const std::string& path : {labels, packed}) {
    const Dataset data = loaders::idx(images, path);
    EXPECT_EQ(elements_of<float>(data, 0), (std::vector<float>{1, 2, -1, 0, 10, 0.25F}));
    EXPECT_EQ(elements_of<std::uint8_t>(data, 1), (std::vector<std::uint8_t>{7, 8, 9}));
  }
  write_file(labels, testing::idx(0x08, {4}, {7, 8, 9, 1}));
  expect_error_with<ConfigError>([&] { loaders::idx(images, labels); },
                                 "received 3 in " + images + " and 4 in " + labels);
  write_file(labels, testing::idx(0x08, {3}, {7, 8}));
  expect_io_error([&] { loaders::idx(labels); }, labels, "expected 11 bytes for uint8 (3,), received 10");
  write_file(labels, testing::idx(0x08, {}, {7}));
  expect_io_error([&] { loaders::idx(labels); }, labels, "received a single number");
  expect_io_error([&] { loaders::idx(directory.path("none")); }, directory.path("none"), "cannot be opened");
}

TEST(Loaders, CifarFiles) {
  const TemporaryDirectory directory;
  const auto sample = [](std::vector<unsigned char> start, int seed) {
    for (int i = 0; i < 3072; ++i) start.push_back(static_cast<unsigned char>((i * 13 + seed) % 256));
    return start;
  };
  const std::string a = directory.path("a.bin"), b = directory.path("b.bin");
  auto bytes = sample({3}, 1);
  const auto second = sample({9}, 2);
  bytes.insert(bytes.end(), second.begin(), second.end());
  write_file(a, bytes);
  write_file(b, sample({5}, 3));
  const Dataset ten = loaders::cifar10({a, b});
  EXPECT_EQ(elements_of<std::uint8_t>(ten, 1), (std::vector<std::uint8_t>{3, 9, 5}));
  const auto pixels = elements_of<std::uint8_t>(ten, 0);
  for (int image = 0; image < 3; ++image) {
    for (const auto& [pixel, colour] : std::vector<std::pair<int, int>>{{0, 0}, {1, 2}, {1023, 1}}) {
      EXPECT_EQ(pixels[static_cast<std::size_t>(image * 3072 + pixel * 3 + colour)],
                ((colour * 1024 + pixel) * 13 + image + 1) % 256);
    }
  }
  write_file(a, sample({11, 57}, 1));
  EXPECT_EQ(elements_of<std::uint8_t>(loaders::cifar100({a}), 1), std::vector<std::uint8_t>{57});
  EXPECT_EQ(elements_of<std::uint8_t>(loaders::cifar100({a}, true), 1), std::vector<std::uint8_t>{11});
  expect_io_error([&] { loaders::cifar10({a}); }, a, "expected samples of 3073 bytes, received 3074 bytes");
  write_file(b, sample({10}, 3));
  expect_io_error([&] { elements_of<std::uint8_t>(loaders::cifar10({b}), 1); }, b,
                  "expected labels 0 to 9, received 10 at sample 0");
  expect_error_with<ConfigError>([] { loaders::cifar10({}); }, "at least one file");
}

/// The whole way: files, order, readers, engine; on any ranks, every sample once, equal bits.
TEST(Loaders, TrainingFromFilesOnAnyRanks) {
  for (const std::string& storage : kStorage) {
    loaders::Hdf5Options options = all_arrays();
    options.chunk_rows = 8;
    std::vector<std::uint64_t> hashes;
    for (int ranks = 1; ranks <= 5; ++ranks) {
      testing::run_ranks(ranks, [&](Communicator& communicator) {
        clear_session();
        set_seed(1);
        const Tensor input = Input({3, 2});
        Model model(input, layers::Dense(5)(layers::Flatten()(input)));
        model.compile({.loss = losses::SparseCategoricalCrossentropy({.from_logits = true})});
        const Dataset data = loaders::hdf5(stored_as(storage), options).shuffle().batch(6).prefetch({.threads = 2});
        model.fit(data, {.epochs = 2, .verbose = 0, .blocks = 5});
        if (communicator.rank() == 0) hashes.push_back(model.weights_hash());
      });
    }
    EXPECT_EQ(hashes, std::vector<std::uint64_t>(5, hashes[0])) << storage;
  }
}

}  // namespace
}  // namespace strata
