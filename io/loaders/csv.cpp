// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <optional>

#include "core/base/error.h"
#include "io/input_file.h"
#include "io/loaders/csv_table.h"
#include "io/loaders/loaders.h"
#include "io/loaders/record_files.h"

namespace strata::loaders {
namespace {

/// Where records of different sizes lie in a file.
class CsvFile {
 public:
  CsvFile(const std::string& path, const CsvOptions& options)
      : index_(index_of(path)), bytes_({{path, 0, static_cast<Dim>(index_.back())}}, 1) {
    if (options.header) {
      if (index_.size() < 2)
        throw IoError(path, "expected a first line with the names of columns, received an empty file");
      names_ = fields(record(index_, 0), options.delimiter, path, 0);
      first_ = 1;
    } else {
      names_ = options.column_names;
    }
  }

  const std::string& path() const { return bytes_.path(); }
  const std::vector<std::string>& names() const { return names_; }
  Dim rows() const { return static_cast<Dim>(index_.size() - 1 - first_); }
  std::int64_t bytes_read() const { return bytes_.bytes_read(); }
  std::vector<std::string> row(Dim i, char delimiter) const {
    const std::size_t at = static_cast<std::size_t>(i) + first_;
    return fields(record(index_, at), delimiter, path(), at);
  }

 private:
  static std::vector<std::size_t> index_of(const std::string& path) {
    InputFile file(path);
    if (file.is_packed()) throw IoError(path, "expected a CSV file, received one packed with gzip");
    CsvIndex index;
    std::string piece(std::size_t{1} << 18, '\0');
    while (const std::size_t got = file.read(piece.data(), piece.size())) index.add({piece.data(), got});
    if (!index.finish()) throw IoError(path, "a quote is not closed");
    return index.begins();
  }
  std::string record(const std::vector<std::size_t>& index, std::size_t i) const {
    std::string text(index[i + 1] - index[i], '\0');
    bytes_.read_range(index[i], text.size(), reinterpret_cast<std::byte*>(text.data()));
    if (i == 0 && text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);  // a byte-order mark, as spreadsheets write it
    return text;
  }
  static std::vector<std::string> fields(const std::string& record, char delimiter, const std::string& path,
                                         std::size_t number) {
    try {
      return csv_fields(record, delimiter);
    } catch (const ConfigError& error) {
      throw IoError(path, "record " + std::to_string(number + 1) + ": " + error.what());
    }
  }

  std::vector<std::size_t> index_;
  RecordFiles bytes_;
  std::vector<std::string> names_;
  std::size_t first_ = 0;  // the record of the first sample
};

/// Columns that become one array of a sample.
struct CsvArray {
  std::vector<std::size_t> columns;
  TensorSpec row;
};

class CsvSource final : public SampleSource {
 public:
  CsvSource(const std::string& path, const CsvOptions& options) : file_(path, options), options_(options) {
    if (is_half(options.y_dtype))
      throw ConfigError("loaders::csv: expected a y_dtype of at least 32 bits or of whole numbers");
    if (!options.header && options.column_names.empty() && file_.rows() > 0) number_columns();
    else names_ = file_.names();
    const auto places = [&](const std::vector<std::string>& columns) {
      std::vector<std::size_t> found;
      for (const std::string& column : columns) found.push_back(place_of(column));
      return found;
    };
    const auto y = places(options.y), weights = places(options.sample_weight);
    auto x = places(options.x);
    for (std::size_t c = 0; options.x.empty() && c < names_.size(); ++c) {
      const auto taken = [&](const auto& list) { return std::find(list.begin(), list.end(), c) != list.end(); };
      if (!taken(y) && !taken(weights)) x.push_back(c);
    }
    if (x.empty()) throw IoError(path, "expected at least one column of x, received none");
    add(x, Dtype::float32, options.named, specs_.x);
    add(y, options.y_classes.empty() ? options.y_dtype : Dtype::int32, false, specs_.y);
    add(weights, Dtype::float32, false, specs_.sample_weight);
    labels_ = specs_.x.size();
  }

  Dim rows() const override { return file_.rows(); }
  const SampleSpecs& specs() const override { return specs_; }
  std::string name() const override { return file_.path(); }
  std::int64_t bytes_read() const override { return file_.bytes_read(); }

  void read(std::span<const SampleRef> samples, std::span<std::byte* const> to) const override {
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const auto fields = file_.row(samples[i].row, options_.delimiter);
      if (fields.size() != names_.size()) {
        fail(samples[i].row,
             "expected " + std::to_string(names_.size()) + " fields, received " + std::to_string(fields.size()));
      }
      for (std::size_t k = 0; k < arrays_.size(); ++k) {
        if (to[k] == nullptr) continue;
        const bool is_label = !specs_.y.empty() && k == labels_ && !options_.y_classes.empty();
        write(arrays_[k], fields, samples[i].row, is_label, to[k] + i * arrays_[k].row.bytes());
      }
    }
  }

 private:
  [[noreturn]] void fail(Dim row, const std::string& what) const {
    throw IoError(file_.path(), "sample " + std::to_string(row) + ": " + what);
  }

  void number_columns() {
    const std::size_t count = file_.row(0, options_.delimiter).size();
    for (std::size_t c = 0; c < count; ++c) names_.push_back(std::to_string(c));
  }

  std::size_t place_of(const std::string& column) const {
    const auto found = std::find(names_.begin(), names_.end(), column);
    if (found != names_.end()) return static_cast<std::size_t>(found - names_.begin());
    std::string known;
    for (const std::string& name : names_) known += (known.empty() ? "" : ", ") + name;
    throw IoError(file_.path(), "expected a column \"" + column + "\", received the columns " + known.substr(0, 500));
  }

  void add(const std::vector<std::size_t>& columns, Dtype dtype, bool named, std::vector<SampleArray>& specs) {
    if (columns.empty()) return;
    if (named) {
      for (const std::size_t column : columns) {
        arrays_.push_back({{column}, {{}, dtype}});
        specs.push_back({arrays_.back().row, names_[column]});
      }
      return;
    }
    const bool is_x = &specs == &specs_.x;
    const Shape shape = columns.size() == 1 && !is_x ? Shape{} : Shape{static_cast<Dim>(columns.size())};
    arrays_.push_back({columns, {shape, dtype}});
    specs.push_back({arrays_.back().row, ""});
  }

  void write(const CsvArray& array, const std::vector<std::string>& fields, Dim row, bool is_label,
             std::byte* to) const {
    visit_dtype(array.row.dtype, [&]<class T>(TypeTag<T>) {
      auto* out = reinterpret_cast<T*>(to);
      for (const std::size_t column : array.columns) {
        *out++ = static_cast<T>(is_label ? class_of(fields[column], row) : number<T>(fields[column], row, column));
      }
    });
  }

  template <class T>
  double number(const std::string& field, Dim row, std::size_t column) const {
    try {
      const double value = csv_number(field);
      if constexpr (std::is_integral_v<T>) {
        const double low = static_cast<double>(std::numeric_limits<T>::min());
        const double high = static_cast<double>(std::numeric_limits<T>::max());
        // A double holds every whole number below 2^53, and not every one above.
        if (!(value >= low && value <= high) || (sizeof(T) == 8 && std::abs(value) >= 0x1p53) ||
            value != static_cast<double>(static_cast<T>(value))) {
          throw ConfigError("expected a whole number of " + std::string(to_string(dtype_of<T>())) + ", received \"" +
                            field.substr(0, 40) + "\"");
        }
      }
      return value;
    } catch (const ConfigError& error) {
      fail(row, "column \"" + names_[column] + "\": " + error.what());
    }
  }

  double class_of(const std::string& field, Dim row) const {
    const auto& classes = options_.y_classes;
    const auto found = std::find(classes.begin(), classes.end(), field);
    if (found == classes.end()) fail(row, "expected one of the classes, received \"" + field.substr(0, 40) + "\"");
    return static_cast<double>(found - classes.begin());
  }

  CsvFile file_;
  CsvOptions options_;
  std::vector<std::string> names_;
  SampleSpecs specs_;
  std::vector<CsvArray> arrays_;
  std::size_t labels_ = 0;  // the array that is y
};

}  // namespace

Dataset csv(const std::string& path, const CsvOptions& options) {
  return Dataset::from_source(std::make_shared<CsvSource>(path, options));
}

}  // namespace strata::loaders
