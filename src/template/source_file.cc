#include "template/source_file.h"

#include <unicode/brkiter.h>
#include <unicode/utext.h>

#include <algorithm>
#include <memory>

namespace kiln::tmpl {

namespace {

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<signed char>(c) >= 0 && c != '\r'; });
}

/// Walks over grapheme clusters until n are passed or the text ends; answers clusters and bytes passed.
std::pair<std::uint32_t, std::size_t> walk(std::string_view text, std::size_t n) {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<icu::BreakIterator> it(
      icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), status));
  UText* utext = utext_openUTF8(nullptr, text.data(), static_cast<std::int64_t>(text.size()), &status);
  std::pair<std::uint32_t, std::size_t> passed{0, 0};
  if (U_SUCCESS(status)) {
    it->setText(utext, status);
    it->first();
    while (U_SUCCESS(status) && passed.first < n) {
      const std::int32_t next = it->next();
      if (next == icu::BreakIterator::DONE) break;
      ++passed.first;
      passed.second = static_cast<std::size_t>(next);
    }
  }
  utext_close(utext);
  return passed;
}

}  // namespace

std::uint32_t count_graphemes(std::string_view text) {
  return is_ascii(text) ? static_cast<std::uint32_t>(text.size()) : walk(text, text.size()).first;
}

std::size_t grapheme_bytes(std::string_view text, std::size_t n) {
  return is_ascii(text) ? std::min(n, text.size()) : walk(text, n).second;
}

SourceFile::SourceFile(std::string name, std::string text) : name_(std::move(name)), text_(std::move(text)) {
  lines_.push_back(0);
  for (std::size_t at = text_.find('\n'); at != std::string::npos; at = text_.find('\n', at + 1)) {
    lines_.push_back(static_cast<std::uint32_t>(at + 1));
  }
}

Pos SourceFile::pos(std::uint32_t byte) const {
  byte = std::min(byte, static_cast<std::uint32_t>(text_.size()));
  const auto line = std::upper_bound(lines_.begin(), lines_.end(), byte) - 1;
  const std::string_view before = std::string_view(text_).substr(*line, byte - *line);
  return {static_cast<std::uint32_t>(line - lines_.begin()) + 1, count_graphemes(before) + 1, byte};
}

Range SourceFile::range(Span span) const {
  return {name_, pos(span.begin), pos(span.end)};
}

}  // namespace kiln::tmpl
