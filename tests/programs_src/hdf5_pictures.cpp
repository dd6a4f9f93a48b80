// SPDX-License-Identifier: Apache-2.0
// hdf5_pictures DIRECTORY SIDE GIGABYTES: writes small.h5, pictures of SIDE x SIDE x 3 bytes, and large.h5, whose
// "images" is a virtual data set of so many gigabytes over copies of them, with a label each. Run by
// tests/programs/loaders_test.cpp and tests/lab/large_data.sh.
#include <hdf5.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr hsize_t kSmallRows = 512;

hid_t checked(hid_t id) {
  if (id < 0) throw std::runtime_error("an HDF5 function failed");
  return id;
}

template <class T>
void write(hid_t file, const char* name, const std::vector<hsize_t>& shape, hid_t type, const std::vector<T>& values) {
  const hid_t space = checked(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr));
  const hid_t set = checked(H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  checked(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()));
  H5Dclose(set);
  H5Sclose(space);
}

void run(const std::string& directory, hsize_t side, double gigabytes) {
  const hsize_t bytes = side * side * 3;
  const hsize_t copies =
      std::max<hsize_t>(1, static_cast<hsize_t>(gigabytes * 1e9 / static_cast<double>(bytes * kSmallRows)));
  const hsize_t rows = copies * kSmallRows;
  std::vector<unsigned char> pixels(bytes * kSmallRows);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<unsigned char>((i * 2654435761U) >> 13U);
  const std::vector<hsize_t> small{kSmallRows, side, side, 3}, large{rows, side, side, 3};
  hid_t file = checked(H5Fcreate((directory + "/small.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  write(file, "images", small, H5T_NATIVE_UCHAR, pixels);
  H5Fclose(file);

  const hid_t layout = checked(H5Pcreate(H5P_DATASET_CREATE));
  const hid_t space = checked(H5Screate_simple(4, large.data(), nullptr));
  const hid_t source = checked(H5Screate_simple(4, small.data(), nullptr));
  for (hsize_t copy = 0; copy < copies; ++copy) {
    const std::vector<hsize_t> start{copy * kSmallRows, 0, 0, 0};
    checked(H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, small.data(), nullptr));
    checked(H5Pset_virtual(layout, space, "small.h5", "images", source));
  }
  checked(H5Sselect_all(space));
  file = checked(H5Fcreate((directory + "/large.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  H5Dclose(checked(H5Dcreate2(file, "images", H5T_NATIVE_UCHAR, space, H5P_DEFAULT, layout, H5P_DEFAULT)));
  std::vector<int> labels(rows);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int>(i * 7 % 10);
  write(file, "labels", {rows}, H5T_NATIVE_INT, labels);
  H5Fclose(file);
  std::printf("%llu rows of %llu bytes\n", static_cast<unsigned long long>(rows),
              static_cast<unsigned long long>(bytes));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s DIRECTORY SIDE GIGABYTES\n", argv[0]);
    return 2;
  }
  try {
    run(argv[1], static_cast<hsize_t>(std::atoll(argv[2])), std::atof(argv[3]));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
