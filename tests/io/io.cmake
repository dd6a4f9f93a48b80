# SPDX-License-Identifier: Apache-2.0
# Tests write gzip files, and read a real data set where it is installed.
find_path(STRATA_FASHION_MNIST_DIR train-images-idx3-ubyte.gz PATH_SUFFIXES share/datasets/fashion-mnist
          DOC "Directory of the Fashion-MNIST files")
target_link_libraries(strata_test_support PRIVATE ZLIB::ZLIB)
target_compile_definitions(io_test PRIVATE STRATA_FASHION_MNIST_DIR="${STRATA_FASHION_MNIST_DIR}")
