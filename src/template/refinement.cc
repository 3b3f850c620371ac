#include "template/refinement.h"

#include <unicode/normalizer2.h>
#include <unicode/utf8.h>

#include <algorithm>

#include "template/source_file.h"
#include "template/value.h"

namespace kiln::tmpl {

namespace {

using Bound = std::optional<Refinement::Bound>;

/// The bound that leaves more, or less, room; lower: of two lower ones.
Bound looser(const Bound& a, const Bound& b, bool lower) {
  if (!a || !b) return std::nullopt;
  if (a->number == b->number) return Refinement::Bound{a->number, a->inclusive || b->inclusive};
  return (a->number < b->number) == lower ? a : b;
}
Bound tighter(const Bound& a, const Bound& b, bool lower) {
  if (!a || !b) return a ? a : b;
  if (a->number == b->number) return Refinement::Bound{a->number, a->inclusive && b->inclusive};
  return (a->number < b->number) == lower ? b : a;
}

}  // namespace

bool Refinement::below(const Refinement& other) const {
  return most && other.least && most->number < other.least->number;
}

Refinement both(const Refinement& a, const Refinement& b) {
  return {.not_null = a.not_null || b.not_null,
          .prefix = a.prefix.size() < b.prefix.size() ? b.prefix : a.prefix,
          .least = tighter(a.least, b.least, true),
          .most = tighter(a.most, b.most, false),
          .min_length = std::max(a.min_length, b.min_length),
          .max_length = std::min(a.max_length, b.max_length)};
}

Refinement either(const Refinement& a, const Refinement& b) {
  return {.not_null = a.not_null && b.not_null,
          .prefix = {},
          .least = looser(a.least, b.least, true),
          .most = looser(a.most, b.most, false),
          .min_length = std::min(a.min_length, b.min_length),
          .max_length = std::max(a.max_length, b.max_length)};
}

namespace {

constexpr std::size_t kMaxPrefix = 128;

/// Bytes in front of the character that ends at end.
std::int32_t before(std::string_view text, std::int32_t end, UChar32& c) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  U8_PREV_OR_FFFD(bytes, 0, end, c);
  return end;
}

/// Without a last character that the cut left in part.
std::string_view whole_characters(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  auto end = static_cast<std::int32_t>(most);
  U8_SET_CP_START(reinterpret_cast<const std::uint8_t*>(text.data()), 0, end);
  return text.substr(0, static_cast<std::size_t>(end));
}

/// Where the characters begin that text behind them may compose with; the end if there are none.
std::size_t normal_end(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(status);
  if (U_FAILURE(status)) return 0;
  UChar32 c = 0;
  std::int32_t at = before(text, static_cast<std::int32_t>(text.size()), c);
  if (nfc->hasBoundaryAfter(c)) return text.size();
  while (at > 0 && !nfc->hasBoundaryBefore(c)) at = before(text, at, c);
  return static_cast<std::size_t>(at);
}

/// A character that never becomes one with what follows.
bool ends_cluster(std::string_view cluster) {
  constexpr std::string_view kEnds = "-_:;/\\,.(){}[]|?!~ \t@#$%^&*+\"'";
  return cluster.size() == 1 && kEnds.find(cluster[0]) != std::string_view::npos;
}

}  // namespace

std::string safe_prefix(std::string_view text) {
  const std::string_view whole = whole_characters(text, kMaxPrefix);
  const bool cut = whole.size() < std::min(text.size(), kMaxPrefix);
  std::string out = normalised(whole);
  if (out.empty()) return out;
  const std::size_t end = normal_end(out);
  if (cut || end < out.size()) return out.substr(0, end);
  const std::size_t last = grapheme_bytes(out, count_graphemes(out) - 1);
  if (!ends_cluster(std::string_view(out).substr(last))) out.resize(last);
  return out;
}

}  // namespace kiln::tmpl
