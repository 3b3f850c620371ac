#include "template/diagnostic.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "template/source_file.h"

namespace kiln::tmpl {

namespace {

constexpr std::size_t kWidth = 80;  // columns, as Packer wraps details

std::string_view line_at(std::string_view text, std::size_t byte) {
  byte = std::min(byte, text.size());
  const std::size_t begin = byte == 0 ? 0 : text.rfind('\n', byte - 1) + 1;
  std::string_view line = text.substr(begin, std::min(text.find('\n', byte), text.size()) - begin);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

/// The block's header as it is written: `variable "x"`.
std::string block_header(std::string_view text, const Range& block) {
  const std::string_view header = text.substr(std::min<std::size_t>(block.start.byte, text.size()));
  const std::size_t end = header.find_first_of("{\n");
  return std::string(trim(header.substr(0, std::min(end, header.size()))));
}

/// The part of a long line that is worth showing: byte is inside it. Cut at the starts of characters.
std::string_view window(std::string_view line, std::size_t byte) {
  constexpr std::size_t kBefore = 60;
  constexpr std::size_t kShown = 160;
  if (line.size() <= kShown) return line;
  const auto inside = [&](std::size_t at) {
    return at < line.size() && (static_cast<unsigned char>(line[at]) & 0xC0U) == 0x80U;
  };
  std::size_t begin = byte > kBefore ? byte - kBefore : 0;
  std::size_t end = std::min(begin + kShown, line.size());
  while (inside(begin)) ++begin;
  while (inside(end)) ++end;
  return line.substr(begin, end - begin);
}

/// The source line and carets under the subject, as far as it is on that line.
std::string excerpt(std::string_view text, const Range& subject) {
  const std::string_view line = line_at(text, subject.start.byte);
  const std::size_t in_line =
      std::min<std::size_t>(subject.start.byte - static_cast<std::size_t>(line.data() - text.data()), line.size());
  const std::string_view shown = window(line, in_line);
  const std::size_t begin = in_line - static_cast<std::size_t>(shown.data() - line.data());
  const std::string_view marked = shown.substr(std::min(begin, shown.size()), subject.end.byte - subject.start.byte);
  std::string pad;
  for (const char c : shown.substr(0, std::min(begin, shown.size()))) {
    const bool first_byte = (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    if (first_byte) pad += c == '\t' ? '\t' : ' ';
  }
  const std::size_t carets = std::max<std::size_t>(1, count_graphemes(marked));
  return fmt::format("{:4}: {}\n      {}{}\n", subject.start.line, visible(shown), pad, std::string(carets, '^'));
}

std::string wrapped(const std::string& text) {
  std::string out;
  for (const std::string& line : split(text, '\n')) {
    if (line.starts_with(' ')) {  // laid out by hand
      out += line + "\n";
      continue;
    }
    std::string row;
    for (const std::string& word : split(line, ' ')) {
      if (!row.empty() && row.size() + 1 + word.size() > kWidth) {
        out += row + "\n";
        row.clear();
      }
      row += (row.empty() ? "" : " ") + word;
    }
    out += row + "\n";
  }
  return out;
}

}  // namespace

bool has_errors(const Diagnostics& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic& d) { return d.severity == Severity::error; });
}

std::string render(const Diagnostic& diagnostic, const Sources& sources) {
  std::string out = diagnostic.severity == Severity::error ? "Error: " : "Warning: ";
  out += visible(diagnostic.summary) + "\n\n";
  if (diagnostic.subject) {
    const Range& at = *diagnostic.subject;
    const auto source = sources.find(at.file);
    std::string in;
    if (source != sources.end() && diagnostic.context) in = block_header(source->second, *diagnostic.context);
    if (!in.empty()) in = ", in " + visible(in);
    out += fmt::format("  on {} line {}{}:\n", visible(at.file), at.start.line, in);
    out += source == sources.end() ? "  (source code not available)\n" : excerpt(source->second, at);
    out += "\n";
  }
  if (!diagnostic.detail.empty()) out += wrapped(visible(diagnostic.detail, true)) + "\n";
  return out;
}

}  // namespace kiln::tmpl
