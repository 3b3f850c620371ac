// csvdecode: RFC 4180 as Go's encoding/csv reads it.
#include "template/functions_support.h"

namespace kiln::tmpl {

namespace {

using Row = std::vector<std::string>;

/// Reads records one after another.
class CsvReader {
 public:
  explicit CsvReader(std::string_view text) : rest_(text) {}
  std::size_t line() const { return line_; }  // of the record read last, from 1

  /// The next record; blank lines are skipped. Nothing at the end.
  Result<std::optional<Row>> next() {
    while (rest_.starts_with('\n') || rest_.starts_with("\r\n")) end_line();
    line_ = at_;
    if (rest_.empty()) return std::optional<Row>();
    Row row;
    for (;;) {
      row.push_back(TRY(field()));
      if (!rest_.starts_with(',')) break;
      rest_.remove_prefix(1);
    }
    end_line();
    return std::optional(std::move(row));
  }

 private:
  Error bad(std::string_view what) const {
    return error(Errc::bad_template, "CSV parse error on line {}: {}", at_, what);
  }
  bool at_end_of_line() const {
    return rest_.empty() || rest_[0] == '\n' || rest_.starts_with("\r\n") || rest_ == "\r";
  }
  void end_line() {
    if (rest_.starts_with('\r')) rest_.remove_prefix(1);
    if (rest_.starts_with('\n')) rest_.remove_prefix(1);
    ++at_;
  }

  Result<std::string> field() {
    if (rest_.starts_with('"')) return quoted();
    std::string out;
    for (; !at_end_of_line() && rest_[0] != ','; rest_.remove_prefix(1)) {
      if (rest_[0] == '"') return bad("bare \" in non-quoted field");
      out += rest_[0];
    }
    return out;
  }

  Result<std::string> quoted() {
    std::string out;
    for (rest_.remove_prefix(1); !rest_.empty(); rest_.remove_prefix(1)) {
      if (rest_.starts_with("\"\"")) {
        rest_.remove_prefix(1);
      } else if (rest_[0] == '"') {
        rest_.remove_prefix(1);
        if (!at_end_of_line() && rest_[0] != ',') break;
        return out;
      } else if (rest_.starts_with("\r\n")) {
        continue;  // a line end is a newline
      }
      if (rest_[0] == '\n') ++at_;
      out += rest_[0];
    }
    return bad("extraneous or missing \" in quoted field");
  }

  std::string_view rest_;
  std::size_t at_ = 1;
  std::size_t line_ = 1;
};

Result<Row> read_header(CsvReader& reader) {
  auto header = TRY(reader.next());
  if (!header) return error(Errc::bad_template, "missing header line");
  std::map<std::string, Type> names;
  for (const std::string& name : *header) {
    if (!names.emplace(normalised(name), Type::string()).second)
      return error(Errc::bad_template, "duplicate column name \"{}\"", name);
  }
  return *header;
}

Result<Value> csvdecode(Arguments a, FunctionContext&) {
  CsvReader reader(a[0].text());
  const Row header = TRY(read_header(reader));
  std::map<std::string, Type> types;
  for (const std::string& name : header) types[normalised(name)] = Type::string();
  Value::Elements rows;
  for (;;) {
    const auto row = TRY(reader.next());
    if (!row) break;
    if (row->size() != header.size())
      return error(Errc::bad_template, "CSV parse error on line {}: wrong number of fields", reader.line());
    TRY(check_elements((rows.size() + 1) * header.size()));
    Value::Entries entries;
    for (std::size_t i = 0; i < header.size(); ++i) entries[normalised(header[i])] = Value::string((*row)[i]);
    rows.push_back(Value::object(std::move(entries)));
  }
  return Value::list(Type::object(std::move(types)), std::move(rows));
}

}  // namespace

void add_csv_functions(FunctionTable& t) {
  t["csvdecode"] = {.parameters = {text_parameter("str")}, .call = csvdecode};
}

}  // namespace kiln::tmpl
