#include "event/mask.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/hash.h"
#include "base/json.h"
#include "base/process.h"
#include "base/text.h"
#include "event/fields.h"

namespace kiln::event {

namespace {

constexpr std::string_view kMasked = "<sensitive>";

/// A chain of overlapping secrets longer than this is let go, masked as far as it goes, so that no step fills memory.
constexpr std::size_t kMaxHeld = 4 * LineSplitter::kMaxLine;

std::uint32_t start_of(std::string_view text) {
  std::uint32_t start = 0;
  std::memcpy(&start, text.data(), sizeof start);
  return start;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  std::uint32_t window = 0;
  int bits = 0;
  for (const char c : bytes) {
    window = (window << 8) | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6) out += kDigits[(window >> (bits - 6)) & 63];
  }
  return out;  // the last, incomplete digit depends on what follows
}

/// The base64 digits that stand wherever the secret begins in the encoded text (offset 0, 1 or 2 of a group of three).
std::string base64_at(std::string_view secret, std::size_t offset) {
  const std::string digits = base64(std::string(offset, '\0') + std::string(secret));
  return digits.substr(offset == 0 ? 0 : offset + 1);
}

std::string url_escaped(std::string_view secret) {
  std::string out;
  for (const char c : secret) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-_.~").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::set<std::string> encoded_forms(const std::string& secret) {
  std::string json = render_json(Json(secret));
  std::set<std::string> forms = {json.substr(1, json.size() - 2), url_escaped(secret), to_hex(secret),
                                 replace_all(secret, "'", "'\\''")};
  std::string upper_hex = to_hex(secret);
  for (char& c : upper_hex) c = c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
  forms.insert(upper_hex);
  for (std::size_t offset = 0; offset < 3; ++offset) forms.insert(base64_at(secret, offset));
  return forms;
}

/// Replaces secrets in the texts of a fact, whatever their shape.
class Masker {
 public:
  explicit Masker(const SecretMask& mask) : mask_(mask) {}
  void operator()(const char*, std::string& text) const { text = mask_.mask(text); }
  template <class T>
  void operator()(const char*, std::vector<T>& values) const {
    for (T& value : values) {
      if constexpr (std::is_same_v<T, std::string>) {
        value = mask_.mask(value);
      } else {
        visit_fields(*this, value);
      }
    }
  }
  template <class T>
  void own(const char*, T&) const {}

 private:
  const SecretMask& mask_;
};

}  // namespace

SecretMask::SecretMask(std::span<const std::string> secrets) {
  for (const std::string& secret : secrets) {
    add(secret);
    const std::string with_lf = replace_all(secret, "\r", "\n");
    for (const std::string& line : split(with_lf, '\n')) {
      const std::string text(trim(line));
      add(text);
      if (text.size() >= kMinForm) std::ranges::for_each(encoded_forms(text), [&](const auto& f) { add(f); });
    }
    if (secret.size() >= kMinForm) std::ranges::for_each(encoded_forms(secret), [&](const auto& f) { add(f); });
  }
}

void SecretMask::add(const std::string& pattern) {
  if (trim(pattern).size() < kMinSecret) return;
  std::vector<std::string>& list = by_start_[start_of(pattern)];
  if (std::ranges::find(list, pattern) != list.end()) return;
  list.push_back(pattern);
  std::ranges::sort(list, [](const auto& a, const auto& b) { return a.size() > b.size(); });
  longest_ = std::max(longest_, pattern.size());
}

std::vector<SecretMask::Range> SecretMask::find(std::string_view text) const {
  std::vector<Range> found;
  if (by_start_.empty()) return found;
  for (std::size_t i = 0; i + kMinSecret <= text.size(); ++i) {
    const auto it = by_start_.find(start_of(text.substr(i)));
    if (it == by_start_.end()) continue;
    const auto hit = std::ranges::find_if(it->second, [&](const auto& p) { return text.substr(i).starts_with(p); });
    if (hit == it->second.end()) continue;
    const std::size_t end = i + hit->size();
    if (!found.empty() && i < found.back().end) {
      found.back().end = std::max(found.back().end, end);
    } else {
      found.push_back({i, end});
    }
  }
  return found;
}

std::string SecretMask::replace(std::string_view text, std::span<const Range> ranges) {
  std::string out;
  std::size_t from = 0;
  for (const Range& range : ranges) {
    out += text.substr(from, range.begin - from);
    out += kMasked;
    from = range.end;
  }
  out += text.substr(from);
  return out;
}

std::string SecretMask::mask(std::string_view text) const {
  return replace(text, find(text));
}

void MaskingSink::on(const Event& event) noexcept {
  if (mask_.longest() == 0) return next_.on(event);
  if (std::holds_alternative<StepLine>(event.what)) return on_line(event);
  if (const auto* finished = std::get_if<StepFinished>(&event.what)) flush(event.at_ms, finished->id);
  Event masked = event;
  const Masker masker(mask_);
  std::visit([&](auto& fact) { visit_fields(masker, fact); }, masked.what);
  next_.on(masked);
}

void MaskingSink::on_line(Event event) {
  auto& line = std::get<StepLine>(event.what);
  const bool cut = line.text.size() >= LineSplitter::kMaxLine;
  const Stream stream{line.id, line.is_stderr};
  std::string text = std::move(line.text);
  if (const auto held = held_.find(stream); held != held_.end()) {
    text = held->second + text;
    held_.erase(held);
  }
  std::vector<SecretMask::Range> ranges = mask_.find(text);
  if (cut && text.size() <= kMaxHeld) {
    std::size_t keep_from = text.size() - std::min(text.size(), mask_.longest() - 1);
    while (!ranges.empty() && ranges.back().end > keep_from) {
      keep_from = std::min(keep_from, ranges.back().begin);
      ranges.pop_back();
    }
    held_[stream] = text.substr(keep_from);
    text.resize(keep_from);
  }
  line.text = SecretMask::replace(text, ranges);
  next_.on(event);
}

void MaskingSink::flush(std::int64_t at_ms, StepId id) {
  for (const bool is_stderr : {false, true}) {
    const auto held = held_.find({id, is_stderr});
    if (held == held_.end()) continue;
    next_.on({at_ms, StepLine{id, mask_.mask(held->second), is_stderr}});
    held_.erase(held);
  }
}

}  // namespace kiln::event
