#include "template/source_file.h"

#include <unicode/brkiter.h>
#include <unicode/utext.h>

#include <algorithm>
#include <memory>

namespace kiln::tmpl {

namespace {

/// ASCII in which every byte is a column of its own, or ends a line.
bool is_plain(std::string_view text) {
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
  return is_plain(text) ? static_cast<std::uint32_t>(text.size()) : walk(text, text.size()).first;
}

std::size_t grapheme_bytes(std::string_view text, std::size_t n) {
  return is_plain(text) ? std::min(n, text.size()) : walk(text, n).second;
}

SourceFile::SourceFile(std::string name, std::string text, Pos origin)
    : name_(std::move(name)), text_(std::move(text)), origin_(origin), plain_(is_plain(text_)) {
  lines_.push_back(0);
  for (std::size_t at = text_.find('\n'); at != std::string::npos; at = text_.find('\n', at + 1)) {
    lines_.push_back(static_cast<std::uint32_t>(at + 1));
  }
}

std::size_t SourceFile::mark_bytes() const {
  return text_.starts_with("\xEF\xBB\xBF") ? 3 : 0;
}

void SourceFile::note_token(Span token) const {
  if (plain_) return;
  for (const std::uint32_t byte : {token.begin, token.end}) {
    if (tokens_.empty() || byte > tokens_.back().byte) tokens_.push_back(local_pos(byte));
  }
}

void SourceFile::note_place(Pos place) const {
  plain_ = false;
  tokens_.push_back(place);
}

/// Lines and columns passed by the bytes from a known place on.
Pos SourceFile::advance(Pos from, std::uint32_t byte) const {
  const std::string_view between = std::string_view(text_).substr(from.byte, byte - from.byte);
  const std::size_t newline = between.rfind('\n');
  from.byte = byte;
  if (newline == std::string_view::npos) {
    from.column += count_graphemes(between);
    return from;
  }
  from.line += static_cast<std::uint32_t>(std::count(between.begin(), between.end(), '\n'));
  from.column = 1 + count_graphemes(between.substr(newline + 1));
  return from;
}

Pos SourceFile::local_pos(std::uint32_t byte) const {
  if (plain_) {
    const auto line = std::upper_bound(lines_.begin(), lines_.end(), byte) - 1;
    return {static_cast<std::uint32_t>(line - lines_.begin()) + 1, byte - *line + 1, byte};
  }
  const auto after = std::upper_bound(tokens_.begin(), tokens_.end(), byte,
                                      [](std::uint32_t b, const Pos& token) { return b < token.byte; });
  if (after != tokens_.begin()) return advance(*(after - 1), byte);
  const auto mark = static_cast<std::uint32_t>(mark_bytes());
  return byte < mark ? Pos{1, 1, byte} : advance({1, 1, mark}, byte);
}

Pos SourceFile::pos(std::uint32_t byte) const {
  Pos p = local_pos(std::min(byte, static_cast<std::uint32_t>(text_.size())));
  if (p.line == 1) p.column += origin_.column - 1;
  p.line += origin_.line - 1;
  p.byte += origin_.byte;
  return p;
}

Range SourceFile::range(Span span) const {
  return {name_, pos(span.begin), pos(span.end)};
}

}  // namespace kiln::tmpl
