// SPDX-License-Identifier: Apache-2.0
// Writes Fashion-MNIST (or MNIST) in the layout of CIFAR-10's binary version, for tests of programs that read it:
//     fashion_to_cifar10 MNIST_DIRECTORY DIRECTORY [IMAGES_A_FILE]
// Images of 28x28 greys get an edge of two black pixels and three equal colours. The first 50,000 images for training
// make the five batches, unless fewer images a file than 10,000 are asked for.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "io/datasets/mnist.h"

namespace {

using namespace strata;

constexpr std::size_t kSide = 28, kEdge = 2, kWideSide = kSide + 2 * kEdge;

/// The label, then three equal planes.
std::vector<char> sample(std::uint8_t label, const std::uint8_t* image) {
  std::vector<char> plane(kWideSide * kWideSide, 0);
  for (std::size_t y = 0; y < kSide; ++y) {
    for (std::size_t x = 0; x < kSide; ++x) {
      plane[(y + kEdge) * kWideSide + x + kEdge] = static_cast<char>(image[y * kSide + x]);
    }
  }
  std::vector<char> bytes{static_cast<char>(label)};
  for (int colour = 0; colour < 3; ++colour) bytes.insert(bytes.end(), plane.begin(), plane.end());
  return bytes;
}

void write_batch(const std::string& path, const Tensor& images, const Tensor& labels, std::size_t first,
                 std::size_t n) {
  const auto pixels = images.to_vector<std::uint8_t>();
  const auto classes = labels.to_vector<std::uint8_t>();
  if (first + n > classes.size()) {
    throw ConfigError("expected at least " + std::to_string(first + n) + " images, received " +
                      std::to_string(classes.size()));
  }
  std::ofstream file(path, std::ios::binary);
  for (std::size_t i = first; i < first + n; ++i) {
    const auto bytes = sample(classes[i], pixels.data() + i * kSide * kSide);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  file.close();
  if (!file) throw IoError(path, "cannot write");
}

void convert(const std::string& from, const std::string& to, std::size_t images_a_file) {
  const auto data = datasets::mnist::load_data(from);
  std::filesystem::create_directories(to);
  for (std::size_t i = 0; i < 5; ++i) {
    write_batch(to + "/data_batch_" + std::to_string(i + 1) + ".bin", data.x_train, data.y_train, i * images_a_file,
                images_a_file);
  }
  write_batch(to + "/test_batch.bin", data.x_test, data.y_test, 0, images_a_file);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || argc > 4) {
    std::fprintf(stderr, "usage: fashion_to_cifar10 MNIST_DIRECTORY DIRECTORY [IMAGES_A_FILE]\n");
    return 2;
  }
  try {
    convert(argv[1], argv[2], argc == 4 ? std::stoul(argv[3]) : 10000);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fashion_to_cifar10: %s\n", error.what());
    return 1;
  }
  return 0;
}
