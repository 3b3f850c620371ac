// Problems in a template, for people: where, what, and what to do about it. All of a file's are reported at once.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace kiln::tmpl {

struct Pos {
  std::uint32_t line = 1, column = 1;  // from 1; columns count grapheme clusters
  std::uint32_t byte = 0;              // from 0
  bool operator==(const Pos&) const = default;
};

struct Range {
  std::string file;  // exactly as given
  Pos start, end;    // end is behind the last character
  bool operator==(const Range&) const = default;
};

enum class Severity : std::uint8_t { error, warning };

struct Diagnostic {
  Severity severity = Severity::error;
  std::string summary;           // names the problem
  std::string detail;            // says what to do
  std::optional<Range> subject;  // exactly what is wrong
  std::optional<Range> context;  // the block around it
};
using Diagnostics = std::vector<Diagnostic>;

bool has_errors(const Diagnostics& diagnostics);

/// Texts of files, for showing source lines.
using Sources = std::map<std::string, std::string>;

/// "Error: Summary", file and line, the source line, a caret below it, the detail wrapped at 80 columns. Plain text.
std::string render(const Diagnostic& diagnostic, const Sources& sources);

}  // namespace kiln::tmpl
