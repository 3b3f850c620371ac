// Reads the options of a component's body by name and type, and in the end reports every option that nobody asked for.
//   BodyReader r(*body, diagnostics, "provisioner \"shell\"");
//   const auto inline_lines = r.strings("inline");
//   const bool skip = r.boolean("skip_clean").value_or(false);
//   r.finish();
#pragma once

#include <set>

#include "template/template.h"

namespace kiln::tmpl {

class BodyReader {
 public:
  /// what is for messages. Both references must outlive the reader.
  BodyReader(const Body& body, Diagnostics& diagnostics, std::string what);

  // Each answers nothing when the option is absent, null, unknown until a build runs (see unknown()), or cannot be
  // converted (reported).
  std::optional<std::string> string(const std::string& name);
  std::optional<bool> boolean(const std::string& name);
  std::optional<std::int64_t> integer(const std::string& name);
  std::optional<double> number(const std::string& name);
  std::optional<std::vector<std::string>> strings(const std::string& name);
  std::optional<std::vector<std::int64_t>> integers(const std::string& name);
  std::optional<std::map<std::string, std::string>> string_map(const std::string& name);
  /// Go's text ("1m30s").
  std::optional<Duration> duration(const std::string& name);
  /// As it is, for other shapes; null if absent.
  const Option* raw(const std::string& name);
  /// Nested blocks of a type, in order.
  std::vector<NestedBlock> blocks(const std::string& type);
  /// A reader of one of them, with its own finish(); not longer than this one lives.
  BodyReader nested(const NestedBlock& block, std::string what) const {
    return BodyReader(*block.body, diagnostics_, std::move(what));
  }

  /// The same, but absence is reported: "The argument "x" is required".
  std::string required_string(const std::string& name);

  /// Knows the names without reading them; answers those that are set (options and blocks), for a list of what is not
  /// needed here.
  std::vector<std::string> ignore(const std::vector<std::string>& names);

  /// Whether the option is there (and not null).
  bool has(const std::string& name) const;
  /// Whether it holds anything marked sensitive.
  bool is_sensitive(const std::string& name) const;
  /// Texts of everything in the body that is marked sensitive.
  std::vector<std::string> secrets() const;
  /// Options read so far that are unknown, wholly or in part, until build.* has its values.
  const std::set<std::string>& unknown() const { return unknown_; }

  /// Reports a problem of one option (or of the whole body if it is absent).
  void error(const std::string& name, std::string summary, std::string detail);

  /// Reports every option and block that was not asked for, with the nearest name that was.
  void finish();

 private:
  /// The option converted, or nothing.
  std::optional<Value> read(const std::string& name, const Type& type);
  void report(const Range& at, std::string summary, std::string detail);
  const Body& body_;
  Diagnostics& diagnostics_;
  std::string what_;
  std::set<std::string> names_, block_names_, unknown_;
};

}  // namespace kiln::tmpl
